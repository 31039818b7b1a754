/** Cold start and size of each function, bundled as its construct bundles it, against an empty handler. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../infra/bundle.ts';
import { against, atMost, median, type Report } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const starter = fileURLToPath(new URL('cold-starter.mjs', import.meta.url));
/** In `functions/`, but no entry of its own. */
const shared = 'entry.ts';

interface Bundle {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  readonly clients: number;
  readonly starts: number[];
}

interface Started {
  readonly ms: number;
  readonly loaded: boolean;
  readonly stderr: string;
}

export async function measureFunctions(report: Report, times: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cutover-bench-'));
  const process = fork(starter, { execArgv: [] });
  try {
    const empty = await emptyHandler(folder);
    const names = (await readdir(`${root}functions`)).filter(
      (file) => file.endsWith('.ts') && file !== shared,
    );
    const bundles = await Promise.all(names.map((file) => bundle(file.slice(0, -'.ts'.length), folder)));
    // One of each in turn, so that a slow moment of the machine meets all alike. The first round warms the file cache.
    for (let round = 0; round <= times; round++) {
      for (const each of [empty, ...bundles]) {
        const took = await start(process, each);
        if (round > 0) each.starts.push(took);
      }
    }
    tell(report, empty, bundles);
  } finally {
    process.disconnect();
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(report: Report, empty: Bundle, bundles: readonly Bundle[]): void {
  const floor = median(empty.starts);
  const section = `Functions: a fresh process until the handler can be called, median of ${empty.starts.length}`;
  report({ section, name: 'empty handler', value: floor, unit: 'ms' });
  // Where the medians say another thing than the quickest, the machine was busy with something else.
  const least = Math.min(...empty.starts);
  const largest = Math.max(...bundles.map(({ bytes }) => bytes));
  for (const { name, bytes, clients, starts } of bundles.toSorted((one, other) => one.bytes - other.bytes)) {
    const value = median(starts);
    const limit = clients === 1 ? 2.8 : bytes === largest ? 3.5 : undefined;
    report({
      section,
      name,
      value,
      unit: 'ms',
      against: against(value, 'the empty handler', floor),
      ...(limit !== undefined && { target: atMost(value / floor, limit, ' ×') }),
      note: `${Math.round(bytes / 1_000)} kB, ${clients} ${clients === 1 ? 'client' : 'clients'}; quickest of each ${(Math.min(...starts) / least).toFixed(2)} ×`,
    });
  }
}

async function bundle(name: string, folder: string): Promise<Bundle> {
  const file = join(folder, `${name}.mjs`);
  const { metafile } = await build({ ...bundleOptions(name), outfile: file, metafile: true });
  const clients = new Set(
    Object.keys(metafile.inputs).flatMap((input) => /@aws-sdk\/client-[^/]+/.exec(input)?.[0] ?? []),
  );
  return { name, file, bytes: (await stat(file)).size, clients: clients.size, starts: [] };
}

async function emptyHandler(folder: string): Promise<Bundle> {
  const file = join(folder, 'empty.mjs');
  await writeFile(file, 'export const handler = async () => ({});\n');
  return { name: 'empty handler', file, bytes: (await stat(file)).size, clients: 0, starts: [] };
}

async function start(process: ChildProcess, { name, file }: Bundle): Promise<number> {
  process.send(file);
  const [{ ms, loaded, stderr }] = (await once(process, 'message')) as [Started];
  if (!loaded) throw new Error(`the bundle of ${name} does not load: ${stderr}`);
  return ms;
}
