/** curl, as far as it goes from here: to the metadata service, and to what containers of this instance publish. */
import { request } from 'node:http';
import type { Clock } from '../clock.ts';
import { type Asked, failed, notModelled, type Outcome } from './command.ts';
import { type Grammar, type Options, parseOptions, valueOf } from './command-options.ts';
import type { Metadata } from './metadata.ts';
import type { PublishedPorts } from './published-ports.ts';

const grammar: Grammar = {
  '--silent': 'flag',
  '-s': '--silent',
  '--show-error': 'flag',
  '-S': '--show-error',
  '--fail': 'flag',
  '-f': '--fail',
  '--request': 'value',
  '-X': '--request',
  '--header': 'value',
  '-H': '--header',
  '--output': 'value',
  '-o': '--output',
  '--write-out': 'value',
  '-w': '--write-out',
  '--max-time': 'value',
  '-m': '--max-time',
  '--connect-timeout': 'value',
  '--retry': 'value',
  '--retry-delay': 'value',
  '--retry-connrefused': 'flag',
  '--location': 'flag',
  '-L': '--location',
  '--noproxy': 'value',
};

/** What curl calls transient (its manual, `--retry`). */
const transient = new Set([408, 429, 500, 502, 503, 504]);
/** Without `--max-time` curl waits for ever; user data is given less. */
const patienceMs = 60_000;

export interface CurlOptions {
  readonly clock: Clock;
  readonly metadata: Metadata;
  readonly ports: PublishedPorts;
  readonly sleep: (ms: number) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const metadataHost = '169.254.169.254';

export async function curl(options: CurlOptions, { args }: Asked): Promise<Outcome> {
  const given = parseOptions(args, grammar);
  const [address, second] = given.words;
  if (given.unknown !== undefined) return notModelled(`curl ${given.unknown}`);
  if (address === undefined)
    return failed("curl: try 'curl --help' or 'curl --manual' for more information", 2);
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  const isNear = url !== null && [metadataHost, 'localhost', '127.0.0.1'].includes(url.hostname);
  if (second !== undefined || !isNear || url.protocol !== 'http:')
    return notModelled(`curl of ${given.words.join(' ')}`);
  const output = valueOf(given, '--output') ?? '/dev/stdout';
  if (!['/dev/stdout', '/dev/null', '-'].includes(output)) return notModelled(`curl --output ${output}`);
  const answer = await persistently(options, given, () => send(options, given, url));
  return told(given, url, answer);
}

async function send(
  { clock, metadata, ports }: CurlOptions,
  given: Options,
  url: URL,
): Promise<Answer | undefined> {
  const asked = {
    method: valueOf(given, '--request') ?? 'GET',
    headers: new Map((given.values.get('--header') ?? []).map(header)),
  };
  if (url.hostname === metadataHost) return metadata.answer({ ...asked, path: url.pathname });
  const { socketPath } = ports.address(Number(url.port || 80));
  const patience = valueOf(given, '--max-time');
  return exchange(clock, {
    ...asked,
    url,
    socketPath,
    patience: patience === undefined ? patienceMs : Number(patience) * 1_000,
  });
}

/** Waits twice as long each time, unless told how long. */
async function persistently(
  { sleep }: CurlOptions,
  given: Options,
  attempt: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const fixed = valueOf(given, '--retry-delay');
  let delay = fixed === undefined ? 1_000 : Number(fixed) * 1_000;
  let answer = await attempt();
  for (let left = Number(valueOf(given, '--retry') ?? 0); left > 0; left -= 1) {
    const again =
      answer === undefined ? given.flags.has('--retry-connrefused') : transient.has(answer.status);
    if (!again) break;
    await sleep(delay);
    if (fixed === undefined) delay *= 2;
    answer = await attempt();
  }
  return answer;
}

function told(given: Options, url: URL, answer: Answer | undefined): Outcome {
  const isLoud = !given.flags.has('--silent') || given.flags.has('--show-error');
  const refused = (code: number, why: string): Outcome => ({
    stdout: '',
    stderr: isLoud ? `curl: (${code}) ${why}\n` : '',
    exitCode: code,
  });
  if (answer === undefined)
    return refused(7, `Failed to connect to ${url.hostname} port ${url.port || 80}: Connection refused`);
  if (given.flags.has('--fail') && answer.status >= 400)
    return refused(22, `The requested URL returned error: ${answer.status}`);
  const written = (valueOf(given, '--write-out') ?? '')
    .replaceAll('%{http_code}', String(answer.status))
    .replaceAll(String.raw`\n`, '\n');
  const body = valueOf(given, '--output') === '/dev/null' ? '' : answer.body;
  return { stdout: `${body}${written}`, stderr: '', exitCode: 0 };
}

function header(text: string): [string, string] {
  const at = text.indexOf(':');
  return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()];
}

/** `undefined` when nobody answers. */
function exchange(
  clock: Clock,
  asked: {
    readonly method: string;
    readonly url: URL;
    readonly headers: ReadonlyMap<string, string>;
    readonly socketPath: string;
    readonly patience: number;
  },
): Promise<Answer | undefined> {
  const { method, url, headers, socketPath, patience } = asked;
  return new Promise((resolve) => {
    const sent = request(
      {
        socketPath,
        method,
        path: `${url.pathname}${url.search}`,
        headers: { Host: url.host, ...Object.fromEntries(headers) },
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', () => resolve(undefined));
      },
    );
    const deadline = clock.after(patience, () => void sent.destroy());
    sent.on('error', () => resolve(undefined));
    sent.on('close', () => deadline.cancel());
    sent.end();
  });
}
