/** The example on the embedded AWS, with one service that is live: what deployments are measured on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescribeStackResourcesCommandOutput } from '@aws-sdk/client-cloudformation';
import type { DescribeExecutionCommandOutput, ListExecutionsCommandOutput } from '@aws-sdk/client-sfn';
import type { GetParameterCommandOutput } from '@aws-sdk/client-ssm';
import type { Strategy } from '../functions/core/deployment/strategy.ts';
import type { ServiceItem } from '../functions/core/ledger/service-item.ts';
import { type ServiceSettings, serviceSettings } from '../functions/core/service-settings.ts';
import type { AwsEvent } from '../local/aws-event.ts';
import { FastForwardClock } from '../local/clock.ts';
import { pushDemoImage, type Result, watchService } from '../local/demo/scenario.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../local/embedded-aws.ts';
import { synthesize } from '../local/synthesize.ts';

const service = 'web';
const settingsParameter = `/cutover/${service}`;
const pollMs = 20;
/** On the wall. */
const patienceMs = 120_000;

export type Machine = 'Deploy' | 'Retire';

export class Example {
  readonly clock: FastForwardClock;
  readonly aws: EmbeddedAws;
  /** Rejects with the first fault of the embedded AWS: a measure on a faulty ground is none. */
  readonly failed: Promise<never>;
  readonly #watch: ReturnType<typeof watchService>;
  readonly #listeners: Set<(event: AwsEvent) => void>;
  readonly #resources: ReadonlyMap<string, string>;
  #pushed = 0;

  private constructor(options: {
    readonly clock: FastForwardClock;
    readonly aws: EmbeddedAws;
    readonly watch: ReturnType<typeof watchService>;
    readonly listeners: Set<(event: AwsEvent) => void>;
    readonly resources: ReadonlyMap<string, string>;
    readonly failed: Promise<never>;
  }) {
    this.clock = options.clock;
    this.aws = options.aws;
    this.#watch = options.watch;
    this.#listeners = options.listeners;
    this.#resources = options.resources;
    this.failed = options.failed;
  }

  /** Provisioned from the synthesized template, with nothing pushed yet. `speed`: of the clock while nothing happens. */
  static async create(speed: number): Promise<Example> {
    const folder = await mkdtemp(join(tmpdir(), 'cutover-bench-'));
    const { promise: failed, reject } = Promise.withResolvers<never>();
    // Whoever measures waits for it; before that, what waits for the faulty part fails itself.
    failed.catch(() => undefined);
    const fault = (failure: unknown): void =>
      reject(new Error('the embedded AWS failed', { cause: failure }));
    const clock = new FastForwardClock({ speed, onFailure: fault });
    const listeners = new Set<(event: AwsEvent) => void>();
    let aws: EmbeddedAws | undefined;
    try {
      const assembly = join(folder, 'cdk.out');
      await synthesize(assembly);
      aws = await createEmbeddedAws({
        clock,
        sharedOffset: clock.shared,
        port: 0,
        onFailure: fault,
        onEvent: (event) => {
          for (const listener of listeners) listener(event);
        },
      });
      const outputs = (await aws.provision(assembly)).get('Cutover') ?? {};
      const { StackResources } = (await aws.dispatcher.call(
        'cloudformation',
        'DescribeStackResources',
        { StackName: 'Cutover' },
        { kind: 'root' },
      )) as DescribeStackResourcesCommandOutput;
      const resources = new Map(
        (StackResources ?? []).map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [
          LogicalResourceId,
          PhysicalResourceId,
        ]),
      );
      const table = outputs['LedgerTable'] ?? '';
      const watch = watchService({
        aws,
        table,
        service,
        onChapter: () => undefined,
        onResult: () => undefined,
        onFailure: fault,
      });
      return new Example({ clock, aws, watch, listeners, resources, failed });
    } catch (failure) {
      await aws?.close();
      clock.stop();
      throw failure;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The service item as it was read last. */
  get item(): ServiceItem | undefined {
    return this.#watch.item;
  }

  /** The deployer's functions: names as its construct has them (`Shift`), by the names that Lambda has them under. */
  get functions(): ReadonlyMap<string, string> {
    return this.#named(/^Deployer(?<name>.+)Function[0-9A-F]{8}$/);
  }

  /** The roles of the deployer's functions, the same way. */
  get roles(): ReadonlyMap<string, string> {
    return this.#named(/^Deployer(?<name>.+)Role[0-9A-F]{8}$/);
  }

  get alarm(): string {
    return [...this.#named(/^(?<name>Errors)[0-9A-F]{8}$/).keys()][0] ?? '';
  }

  /** An input and answer in the SDK's shapes, asked for as the account's root. */
  async ask<T>(signingName: string, operation: string, input: object): Promise<T> {
    return (await this.aws.dispatcher.call(signingName, operation, input, { kind: 'root' })) as T;
  }

  /** Changes the service's settings as an update of its stack would. */
  async configure(change: {
    readonly strategy?: Strategy;
    readonly retentionSeconds?: number;
  }): Promise<void> {
    const settings: ServiceSettings = { ...(await this.settings()), ...change };
    const Value = JSON.stringify(settings);
    await this.ask('ssm', 'PutParameter', {
      Name: settingsParameter,
      Value,
      Type: 'String',
      Overwrite: true,
    });
  }

  async settings(): Promise<ServiceSettings> {
    const { Parameter } = await this.ask<GetParameterCommandOutput>('ssm', 'GetParameter', {
      Name: settingsParameter,
    });
    return serviceSettings.parse(JSON.parse(Parameter?.Value ?? '{}'));
  }

  /** Pushes a new image that behaves; resolves when the registry has it. */
  async push(): Promise<{ readonly outcome: Promise<Result> }> {
    this.#pushed += 1;
    const tag = `v${this.#pushed}`;
    const outcome = this.#watch.outcomeOf(`${service}:${tag}`);
    // Whoever pushes may await it later.
    outcome.catch(() => undefined);
    await pushDemoImage(this.aws, { tag, behaviour: 'good' }, service);
    return { outcome };
  }

  /** Brings a new generation live and its predecessor to its end; resolves with the executions that did it. */
  async deploy(): Promise<readonly string[]> {
    const { outcome } = await this.push();
    const { outcome: end, image, reason } = await outcome;
    if (end !== 'live') throw new Error(`${image} is ${end}, not live: ${reason}`);
    return [await this.ended('Deploy'), await this.ended('Retire')];
  }

  /** The newest execution of a machine, once it has ended. */
  async ended(machine: Machine): Promise<string> {
    const arn = await this.newest(machine);
    await this.until(`the end of ${arn}`, async () => {
      const { status } = await this.ask<DescribeExecutionCommandOutput>('states', 'DescribeExecution', {
        executionArn: arn,
      });
      return status === 'RUNNING' ? undefined : status;
    });
    return arn;
  }

  async newest(machine: Machine): Promise<string> {
    const named = this.#named(new RegExp(`^Deployer(?<name>${machine})Machine[0-9A-F]{8}$`));
    const [stateMachineArn] = [...named.keys()];
    const answer = await this.ask<ListExecutionsCommandOutput>('states', 'ListExecutions', {
      stateMachineArn,
    });
    const arn = answer.executions?.[0]?.executionArn;
    if (arn === undefined) throw new Error(`the machine ${machine} has not run`);
    return arn;
  }

  /** The next event on the bus that `matches`, with the clock's time. */
  event(matches: (event: AwsEvent) => boolean): Promise<number> {
    return new Promise((resolve) => {
      const listener = (event: AwsEvent): void => {
        if (!matches(event)) return;
        this.#listeners.delete(listener);
        resolve(this.clock.now());
      };
      this.#listeners.add(listener);
    });
  }

  /** Asks again and again until there is an answer. */
  async until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const limit = Date.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > limit) throw new Error(`${what} did not come within ${patienceMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  async close(): Promise<void> {
    this.#watch.close();
    await this.aws.close();
    this.clock.stop();
  }

  /** Physical ids with the part of the logical id that is the name. */
  #named(pattern: RegExp): Map<string, string> {
    const found = new Map<string, string>();
    for (const [logical, physical] of this.#resources) {
      const name = pattern.exec(logical)?.groups?.['name'];
      if (name !== undefined) found.set(physical, name);
    }
    return found;
  }
}
