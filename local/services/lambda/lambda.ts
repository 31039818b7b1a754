/**
 * Lambda: functions as real bundles in worker threads, each version with its own execution environments; asynchronous
 * invocations; event source mappings from DynamoDB streams.
 */
import { randomUUID } from 'node:crypto';
import type {
  InvocationRequest,
  InvokeCommandOutput,
  ListTagsCommandInput,
  ListTagsCommandOutput,
  PutRuntimeManagementConfigCommandInput,
  PutRuntimeManagementConfigCommandOutput,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-lambda';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { AsyncInvocations, type Destination } from './async-invocations.ts';
import { CodePackages, type Packages, type ReadObject } from './code.ts';
import type { MakeEnvironment } from './environment.ts';
import type { Environments } from './environments.ts';
import { EventSourceMappings } from './event-source-mappings.ts';
import { latest } from './function.ts';
import { functionArn } from './function-name.ts';
import { functionOperations } from './function-operations.ts';
import { Functions } from './functions.ts';
import { invocationSettings } from './invocation-settings.ts';
import { type Completed, checkPayload, Invocations, type Target } from './invocations.ts';
import type { Invocation, Invoker } from './invoker.ts';
import { type Credentials, newVersion } from './launch.ts';
import { permits, resourcePolicyOperations } from './resource-policy.ts';
import type { StreamSource } from './stream-source.ts';
import { versionOperations } from './version-operations.ts';
import { WorkerEnvironment } from './worker-environment.ts';

export interface LambdaOptions {
  readonly clock: Clock;
  /** `FastForwardClock.shared`: the functions' `Date` then follows the embedded AWS's clock. */
  readonly sharedOffset?: SharedArrayBuffer;
  /** Where functions reach the embedded AWS: `http://127.0.0.1:PORT`. Asked for when an environment starts. */
  readonly endpoint: () => string;
  /** A session of a role, for one execution environment; rejects with an `AwsError` when Lambda may not assume it. */
  readonly credentials: (roleArn: string, sessionName: string) => Credentials | Promise<Credentials>;
  /** Reads function code from S3. */
  readonly code: ReadObject;
  readonly appendLog: (group: string, stream: string, line: string) => void;
  readonly streams: StreamSource;
  /** Sends to the destinations of asynchronous invocations and event source mappings: SQS queues, SNS topics. */
  readonly destination: Destination;
  /** Where failures go that nobody waits for. */
  readonly onFailure: (failure: unknown) => void;
  /** Checks that a function's role may read the stream of its mapping and write to its destination. */
  readonly authorizer?: Authorizer;
  /** Takes how often functions ran and failed, and how late they get the records of streams. */
  readonly metrics?: MetricSink;
  /** Default 150: what a Node.js bundle of a few SDK clients takes on AWS. */
  readonly coldStartMs?: number;
  /** From a stream record's appearance to its batch. Default 100. */
  readonly pollingMs?: number;
  /** Before the first retry of a failed batch, doubled for each further one. Default 1000; AWS publishes no numbers. */
  readonly retryDelayMs?: number;
  /** Default 1000, as a new account's. */
  readonly accountConcurrency?: number;
  /** Hold each environment's heap to the function's memory size. Default false. */
  readonly limitMemory?: boolean;
  /** Default: unpacked to disk. */
  readonly packages?: Packages;
  /** Where code runs. Default: in a worker thread. */
  readonly makeEnvironment?: MakeEnvironment;
  /** Picks a version for an alias with weights. */
  readonly random?: () => number;
}

export class Lambda implements Invoker {
  readonly operations: Operations;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #functions = new Functions();
  /** Of all versions ever made: one that was replaced or deleted may still be at work when all is closed. */
  readonly #pools = new Set<Environments>();
  readonly #packages: Packages;
  readonly #invocations: Invocations;
  readonly #async: AsyncInvocations;
  readonly #mappings: EventSourceMappings;

  constructor(options: LambdaOptions) {
    const { clock, destination, onFailure, accountConcurrency = 1000 } = options;
    this.#clock = clock;
    this.#random = options.random ?? Math.random;
    this.#packages = options.packages ?? new CodePackages({ readObject: options.code });
    this.#invocations = new Invocations({
      clock,
      coldStartMs: options.coldStartMs ?? 150,
      accountConcurrency,
      metrics: options.metrics,
    });
    this.#async = new AsyncInvocations({
      clock,
      destination,
      onFailure,
      run: (target, event) => this.#invocations.run(target, event.payload, event),
    });
    this.#mappings = new EventSourceMappings({
      clock,
      destination,
      onFailure,
      functions: this.#functions,
      authorizer: options.authorizer,
      source: options.streams,
      metrics: options.metrics,
      pollingMs: options.pollingMs ?? 100,
      retryDelayMs: options.retryDelayMs ?? 1000,
      invoke: (target, payload) => this.#invokeNow(target, payload),
    });
    const launching = {
      clock,
      credentials: options.credentials,
      endpoint: options.endpoint,
      appendLog: options.appendLog,
      sharedOffset: options.sharedOffset,
      limitMemory: options.limitMemory ?? false,
      makeEnvironment: options.makeEnvironment ?? ((made) => new WorkerEnvironment(made)),
    };
    this.operations = {
      ...functionOperations({
        functions: this.#functions,
        packages: this.#packages,
        newVersion: (functionName, version, settings, code) => {
          const made = newVersion({ functionName, version, settings, code }, launching);
          this.#pools.add(made.environments);
          return made;
        },
      }),
      ...versionOperations(this.#functions),
      ...resourcePolicyOperations(this.#functions),
      ...invocationSettings({ clock, functions: this.#functions, accountConcurrency }),
      ...this.#mappings.operations,
      ...this.#ownOperations(),
    };
  }

  async invoke(arn: string, payload: string): Promise<Invocation> {
    const { payload: answer, functionError } = await this.#invokeNow(arn, payload);
    return functionError === undefined ? { payload: answer } : { payload: answer, functionError };
  }

  /** Starts an environment for a function, version or alias ahead of its first invocation. */
  async warm(arn: string): Promise<void> {
    await this.#clock.busy(() => this.#functions.version(arn).environments.warm());
  }

  /** Warms each function's newest version, or `$LATEST` where none is published. */
  async warmAll(): Promise<void> {
    const versions = this.#functions.all().map((fn) => [...fn.versions.values()].at(-1) ?? fn.latest);
    await this.#clock.busy(() => Promise.all(versions.map(({ environments }) => environments.warm())));
  }

  /** Ends all environments of a function at once: what runs there fails as a runtime that exited. */
  async kill(arn: string): Promise<void> {
    await this.#functions.locate(arn).fn.kill();
  }

  /** Whether the resource policy lets a service (`events.amazonaws.com`) invoke, on behalf of `sourceArn`. */
  permits(arn: string, service: string, sourceArn?: string): boolean {
    const { fn, qualifier } = this.#functions.locate(arn);
    return permits(fn.statements.get(qualifier ?? '') ?? [], { service, sourceArn });
  }

  async close(): Promise<void> {
    this.#mappings.close();
    this.#async.close();
    await Promise.all([...this.#pools].map((pool) => pool.kill()));
    await this.#packages.close();
  }

  #target(given: string, qualifier?: string): Target {
    const { fn, qualifier: resolved } = this.#functions.locate(given, qualifier);
    return { fn, version: fn.resolve(resolved, this.#random), arn: functionArn(fn.name, resolved) };
  }

  async #invokeNow(given: string, payload: string): Promise<Completed> {
    checkPayload(payload, 'RequestResponse');
    return this.#invocations.run(this.#target(given), payload);
  }

  #ownOperations(): Operations {
    return {
      Invoke: (input: InvocationRequest & { Payload?: Uint8Array }) => this.#invokeOperation(input),

      TagResource: (input: TagResourceCommandInput) => {
        for (const [key, value] of Object.entries(input.Tags ?? {}))
          this.#tags(input.Resource!).set(key, value);
        return {};
      },
      UntagResource: (input: UntagResourceCommandInput) => {
        for (const key of input.TagKeys ?? []) this.#tags(input.Resource!).delete(key);
        return {};
      },
      ListTags: (input: ListTagsCommandInput): Output<ListTagsCommandOutput> => ({
        Tags: Object.fromEntries(this.#tags(input.Resource!)),
      }),

      PutRuntimeManagementConfig: (
        input: PutRuntimeManagementConfigCommandInput,
      ): Output<PutRuntimeManagementConfigCommandOutput> => ({
        UpdateRuntimeOn: input.UpdateRuntimeOn,
        FunctionArn: this.#target(input.FunctionName!, input.Qualifier).arn,
      }),
    };
  }

  async #invokeOperation(
    input: InvocationRequest & { Payload?: Uint8Array },
  ): Promise<Omit<Output<InvokeCommandOutput>, 'Payload'> & { Payload?: Uint8Array }> {
    const type = input.InvocationType ?? 'RequestResponse';
    const payload = Buffer.from(input.Payload ?? []).toString();
    const clientContext = parseClientContext(input.ClientContext);
    checkPayload(payload, type === 'Event' ? 'Event' : 'RequestResponse');
    const target = this.#target(input.FunctionName!, input.Qualifier);
    if (type === 'DryRun') return { StatusCode: 204 };
    if (type === 'Event') {
      this.#async.enqueue({
        requestId: randomUUID(),
        payload,
        clientContext,
        target: () => {
          const now = this.#target(input.FunctionName!, input.Qualifier);
          const qualifier = this.#functions.locate(input.FunctionName!, input.Qualifier).qualifier ?? latest;
          return { ...now, settings: now.fn.asyncSettings.get(qualifier) };
        },
      });
      return { StatusCode: 202, Payload: new Uint8Array() };
    }
    const completed = await this.#invocations.run(target, payload, { clientContext });
    return {
      StatusCode: 200,
      ExecutedVersion: completed.executedVersion,
      Payload: Buffer.from(completed.payload),
      ...(completed.functionError === undefined ? {} : { FunctionError: completed.functionError }),
      ...(input.LogType === 'Tail' ? { LogResult: Buffer.from(completed.logTail).toString('base64') } : {}),
    };
  }

  #tags(resource: string): Map<string, string> {
    return this.#mappings.find(resource)?.tags ?? this.#functions.locate(resource).fn.tags;
  }
}

function parseClientContext(encoded: string | undefined): unknown {
  if (encoded === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    throw new AwsError(
      'InvalidRequestContentException',
      'Client context must be a valid Base64-encoded JSON object.',
    );
  }
}
