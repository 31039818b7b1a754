/** Runs the demo from start to end and shows it: as a living picture on a terminal, as plain lines elsewhere. */
import { createLogUpdate } from 'log-update';
import { messageOf } from '../../functions/core/messages/message.ts';
import type { AwsEvent } from '../aws-event.ts';
import { FastForwardClock } from '../clock.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../embedded-aws.ts';
import { hints } from './hints.ts';
import { exitCodes, type Interruption } from './interruption.ts';
import { draw, together } from './picture.ts';
import { readRecord, recordInWords } from './record.ts';
import {
  clockTime,
  type Expectation,
  orderRollback,
  pushDemoImage,
  type Result,
  type Story,
  stories,
  untilWeights,
  watchService,
} from './scenario.ts';
import { ShownService } from './shown-service.ts';

export interface DemoOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly port: number;
  readonly speed: number;
  /** Where the assembly goes. */
  readonly assembly: string;
  /** Ends early, with a rejection, when the signal is given. */
  readonly synthesize: (signal: AbortSignal) => Promise<void>;
  readonly interrupted: Promise<Interruption>;
}

const drawMs = 100;

export async function runDemo(options: DemoOptions): Promise<number> {
  const demo = new Demo(options);
  try {
    const ended = await Promise.race([demo.run(), options.interrupted]);
    if (typeof ended === 'string') return exitCodes[ended];
    if (options.once) return ended;
    const by = await options.interrupted;
    // Ctrl-C is how a demo that stays up is meant to end.
    return by === 'SIGINT' ? ended : exitCodes[by];
  } finally {
    await demo.close();
  }
}

class Demo {
  readonly #options: DemoOptions;
  readonly #startedAt = Date.now();
  readonly #clock: FastForwardClock;
  readonly #screen = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  readonly #faults: string[] = [];
  readonly #results: Result[] = [];
  readonly #remarks: string[] = [];
  #activity = 'synthesizing the template …';
  #aws: EmbeddedAws | undefined;
  /** By name, in the order of their stories. */
  readonly #services = new Map<string, ShownService>();
  #drawing: NodeJS.Timeout | undefined;
  #site: string | undefined;
  #outputs: Readonly<Record<string, string>> = {};
  #alarmAt: number | undefined;
  readonly #ending = new AbortController();
  readonly #ended: Promise<never>;
  #running: Promise<number> | undefined;

  constructor(options: DemoOptions) {
    this.#options = options;
    const { signal } = this.#ending;
    this.#ended = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    // Most of the time nobody waits for it.
    this.#ended.catch(() => undefined);
    this.#clock = new FastForwardClock({
      speed: options.speed,
      onFailure: (failure) => this.#fault(failure),
    });
  }

  run(): Promise<number> {
    this.#running = this.#run();
    return this.#running;
  }

  async #run(): Promise<number> {
    this.#drawing = setInterval(() => this.#draw(), drawMs);
    // The port is taken first: whether it can be had must be known before anything takes time.
    const aws = await createEmbeddedAws({
      clock: this.#clock,
      sharedOffset: this.#clock.shared,
      port: this.#options.port,
      onFailure: (failure) => this.#fault(failure),
      onEvent: (event) => this.#notice(event),
    });
    this.#aws = aws;
    this.#say('synthesizing the template that would go to AWS …');
    await this.#options.synthesize(this.#ending.signal);
    this.#say('provisioning the embedded AWS from it …');
    const outputs = (await aws.provision(this.#options.assembly)).get('Cutover') ?? {};
    this.#ending.signal.throwIfAborted();
    const { LedgerTable: table = '', ListenerArn: listener = '' } = outputs;
    this.#site = aws.elbv2.endpointOf(listener);
    this.#outputs = outputs;
    this.#print({
      endpoint: aws.endpoint,
      registry: new URL(aws.endpoint).host,
      services: Object.fromEntries(
        stories.map(({ service, path }) => [service, this.#site && new URL(path, this.#site).href]),
      ),
    });
    this.#watchSlots();
    for (const story of stories) await this.#play(aws, story, table);
    if (this.#options.once) for (const shown of this.#services.values()) await shown.stop();
    return this.#conclude();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    // Nothing may be started any more when it is closed. How it ended was heard by whoever ran it, or they did not wait for it.
    await this.#running?.catch(() => undefined);
    clearInterval(this.#drawing);
    this.#draw();
    this.#screen?.done();
    for (const shown of this.#services.values()) {
      shown.watch.close();
      await shown.stop();
    }
    await this.#aws?.close();
    this.#clock.stop();
  }

  async #play(aws: EmbeddedAws, story: Story, table: string): Promise<void> {
    const { service, rollback } = story;
    const watch = watchService({
      aws,
      table,
      service,
      onChapter: (chapter) => {
        // Intents and their ends are summed up once the deployment has ended.
        if (chapter.intent === null) this.#line(messageOf(chapter).text.split('\n').slice(0, 3).join('. '));
      },
      onResult: (result) => this.#results.push(result),
      onFailure: (failure) => this.#fault(failure),
    });
    const shown = new ShownService({ aws, clock: this.#clock, story, site: this.#site, watch });
    this.#services.set(service, shown);
    for (const expected of story.pushes) await this.#deploy(aws, shown, service, expected, table);
    if (rollback !== null) await this.#goBack(aws, shown, rollback);
  }

  async #deploy(
    aws: EmbeddedAws,
    shown: ShownService,
    service: string,
    expected: Expectation,
    table: string,
  ): Promise<void> {
    const { watch } = shown;
    const { tag } = expected;
    this.#say(`pushing ${service}:${tag}, ${expected.promise} …`);
    const outcome = watch.outcomeOf(`${service}:${tag}`);
    await pushDemoImage(aws, expected, service);
    const result = await Promise.race([outcome, this.#ended]);
    const reaction = result.outcome === 'restored' ? untilWeights(watch.item, this.#alarmAt) : undefined;
    if (reaction !== undefined) {
      this.#remark(`${service}:${tag}: ${inSeconds(reaction)} from the alarm to the old weights`);
      this.#alarmAt = undefined;
    }
    if (result.outcome === 'live') shown.send();
    const deployment = watch.item?.deployment?.plan.deployment ?? '';
    const record = readRecord(aws, this.#clock, { table, service, deployment });
    this.#remark(`${service}:${tag}: ${recordInWords(await Promise.race([record, this.#ended]))}`);
  }

  async #goBack(
    aws: EmbeddedAws,
    { watch }: ShownService,
    rollback: NonNullable<Story['rollback']>,
  ): Promise<void> {
    this.#say(`ordering the way back from what is live: ${JSON.stringify(rollback.order)} …`);
    const outcome = watch.outcomeOf(rollback.image);
    const startedAt = await orderRollback(aws, this.#outputs['RollbackMachineArn'] ?? '', rollback.order);
    await Promise.race([outcome, this.#ended]);
    const took = untilWeights(watch.item, startedAt);
    if (took !== undefined)
      this.#remark(`rollback to ${rollback.image}: ${inSeconds(took)} from the order to all weight on it`);
  }

  #watchSlots(): void {
    const refresh = async (): Promise<void> => {
      for (const shown of this.#services.values()) await shown.refresh();
    };
    clearInterval(this.#drawing);
    this.#drawing = setInterval(() => {
      refresh().then(
        () => this.#draw(),
        (failure: unknown) => this.#fault(failure),
      );
    }, drawMs);
  }

  #conclude(): number {
    const byGeneration: Record<string, number> = {};
    for (const { image, generation, service: of } of this.#results) {
      const tag = image.split(':')[1] ?? '';
      const { byVersion } = this.#services.get(of)?.counts ?? {};
      byGeneration[`${of}-g${String(generation).padStart(4, '0')}`] = byVersion?.[tag] ?? 0;
    }
    const seconds = (Date.now() - this.#startedAt) / 1_000;
    const expected = stories.flatMap(({ service, pushes, rollback }) => [
      ...pushes.map(({ tag, outcome }) => ({ direction: 'forward', image: `${service}:${tag}`, outcome })),
      ...(rollback === null ? [] : [{ direction: 'back', image: rollback.image, outcome: 'live' }]),
    ]);
    const unexpected = expected.flatMap(({ direction, image, outcome }) => {
      const result = this.#results.find((each) => each.image === image && each.direction === direction);
      return result?.outcome === outcome
        ? []
        : [`${image} (${direction}) is ${result?.outcome}, expected ${outcome}: ${result?.reason}`];
    });
    const counts = [...this.#services.values()].map((shown) => shown.counts);
    const { total, lost } = together(counts);
    const losses = counts.flatMap((each) => each?.losses ?? []);
    if (lost > 0) unexpected.push(`${lost} requests were lost: ${losses.join('; ')}`);
    unexpected.push(...this.#faults);
    if (this.#options.once) {
      this.#print({
        deployments: this.#results,
        requests: { total, lost, byGeneration },
        seconds: Math.round(seconds * 10) / 10,
      });
    }
    this.#say(
      unexpected.length === 0
        ? `All came out as it should, in ${seconds.toFixed(0)} s on the wall.`
        : unexpected.join('\n  '),
    );
    this.#summarize(together(counts));
    if (!this.#options.once) this.#invite();
    return unexpected.length === 0 ? 0 : 1;
  }

  #summarize({ total, lost, failed }: ReturnType<typeof together>): void {
    for (const { image, generation, outcome, reason, seconds } of this.#results) {
      this.#line(`${image}  g${generation}  ${outcome}  ${seconds} s  ${reason}`);
    }
    this.#line(`${total} requests, ${lost} lost, ${failed} answered 5xx by the bad canary`);
  }

  /** Above the picture, where they can be scrolled to, and as they are: what breaks a line here could not be pasted. */
  #invite(): void {
    const { ListenerArn = '', RollbackMachineArn = '', SignalFunction = '' } = this.#outputs;
    const service = stories[0]?.service ?? '';
    const own = this.#results.filter(({ image }) => image.startsWith(`${service}:`));
    const lines = hints({
      service,
      endpoint: this.#aws?.endpoint ?? '',
      site: this.#site ?? '',
      listener: ListenerArn,
      rollbackMachine: RollbackMachineArn,
      signalFunction: SignalFunction,
      next: `v${Math.max(0, ...own.map(({ image }) => Number(/:v(\d+)$/.exec(image)?.[1] ?? 0))) + 1}`,
    });
    this.#screen?.clear();
    process.stderr.write(`${lines.join('\n')}\n\n`);
  }

  #notice({ detailType, detail }: AwsEvent): void {
    const state = (detail as { state?: { value?: string } }).state?.value;
    if (detailType === 'CloudWatch Alarm State Change' && state === 'ALARM')
      this.#alarmAt ??= this.#clock.now();
  }

  #fault(failure: unknown): void {
    const words = failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
    this.#faults.push(words);
    this.#line(`fault of the embedded AWS: ${words}`);
  }

  #say(activity: string): void {
    this.#activity = activity;
    this.#line(activity);
  }

  #remark(remark: string): void {
    this.#remarks.push(remark);
    this.#line(remark);
  }

  #line(text: string): void {
    if (this.#screen === undefined) process.stderr.write(`${clockTime(this.#clock)}  ${text}\n`);
  }

  #print(line: object): void {
    if (this.#options.json) process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  #draw(): void {
    this.#screen?.(
      draw(
        {
          activity: this.#activity,
          now: this.#clock.now(),
          speed: this.#options.speed,
          endpoint: this.#aws?.endpoint,
          isolation: this.#aws?.isolation,
          services: [...this.#services.values()].map((shown) => shown.view),
          results: this.#results,
          remarks: this.#remarks,
        },
        process.stderr.columns ?? 120,
        // The cursor stands below the last line.
        (process.stderr.rows ?? 24) - 1,
      ),
    );
  }
}

/** Milliseconds as people read them. */
function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
