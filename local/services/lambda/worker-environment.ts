/** An execution environment as a worker thread. A thread that ends is not started again. */
import { Worker } from 'node:worker_threads';
import type { Timer } from '../../clock.ts';
import {
  type Answer,
  type EnvironmentOptions,
  type ExecutionEnvironment,
  exitError,
  type FunctionError,
  type Run,
} from './environment.ts';
import type { EnvironmentLog } from './environment-log.ts';

type Message =
  | { type: 'ready' }
  | { type: 'initFailed'; error: FunctionError }
  | { type: 'line'; text: string }
  | { type: 'output'; text: string }
  | { type: 'response'; payload: string; memoryUsed: number }
  | { type: 'failed'; error: FunctionError; memoryUsed: number; fatal?: true };

/** Initialisation has ten seconds. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const initTimeoutMs = 10_000;
const runtime = new URL('./runtime.mjs', import.meta.url);

export class WorkerEnvironment implements ExecutionEnvironment {
  readonly log: EnvironmentLog;
  used = false;
  readonly #options: EnvironmentOptions;
  /** Resolves when the handler is loaded; with the error when it could not be. */
  readonly #started: Promise<FunctionError | undefined>;
  readonly #settleStart: (error: FunctionError | undefined) => void;
  readonly #exited: Promise<void>;
  readonly #settleExit: () => void;
  #worker: Worker | undefined;
  #ended = false;
  #answer: ((answer: Answer | { kind: 'exit'; code: number; outOfMemory: boolean }) => void) | undefined;
  #outOfMemory = false;
  #unfinishedLine = '';

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.log = options.log;
    const start = Promise.withResolvers<FunctionError | undefined>();
    const exit = Promise.withResolvers<void>();
    this.#started = start.promise;
    this.#settleStart = start.resolve;
    this.#exited = exit.promise;
    this.#settleExit = exit.resolve;
    void this.#start().catch((error: unknown) => {
      start.reject(error);
      this.#end();
    });
    // Whoever invokes sees the rejection; an environment that was only warmed has nobody who does.
    start.promise.catch(() => undefined);
  }

  get ended(): boolean {
    return this.#ended;
  }

  async started(): Promise<void> {
    await this.#started;
  }

  async invoke(run: Run): Promise<Answer> {
    this.used = true;
    const initError = await this.#started;
    if (initError !== undefined) {
      await this.terminate();
      return { kind: 'failed', error: named(initError, run.id), memoryUsed: 0 };
    }
    if (this.#ended) return { kind: 'failed', error: exitError(run.id, 1, false), memoryUsed: 0 };
    const { promise, resolve } = Promise.withResolvers<
      Answer | { kind: 'exit'; code: number; outOfMemory: boolean }
    >();
    let timer: Timer | undefined;
    try {
      this.#answer = resolve;
      timer = this.#options.clock.after(run.timeoutMs, () => resolve({ kind: 'timeout', memoryUsed: 0 }));
      this.#worker!.postMessage(run);
      const answer = await promise;
      if (answer.kind === 'timeout') await this.terminate();
      if (answer.kind !== 'exit') return answer;
      return { kind: 'failed', error: exitError(run.id, answer.code, answer.outOfMemory), memoryUsed: 0 };
    } finally {
      this.#answer = undefined;
      timer?.cancel();
      this.#flush();
    }
  }

  async terminate(): Promise<void> {
    this.#ended = true;
    await this.#worker?.terminate();
    if (this.#worker !== undefined) await this.#exited;
    else this.#end();
  }

  async #start(): Promise<void> {
    const { taskRoot, handler, sharedOffset, log, memoryLimit } = this.#options;
    const env = await this.#options.variables();
    if (this.#ended) return;
    const worker = new Worker(runtime, {
      env,
      // Flags of the embedding process (a test runner's loader, say) are none of the function's business.
      execArgv: [],
      workerData: { handler, taskRoot, sharedOffset, jsonLogs: log.json },
      ...(memoryLimit === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit } }),
    });
    this.#worker = worker;
    const initTimer = this.#options.clock.after(initTimeoutMs, () => this.terminate());
    void this.#started.then(() => initTimer.cancel());
    worker.on('message', (message: Message) => this.#received(message));
    worker.on('error', (error: Error & { code?: string }) => {
      this.#outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.log.line(`${error.name}: ${error.message}`);
    });
    worker.on('exit', (code) => {
      this.#answer?.({ kind: 'exit', code, outOfMemory: this.#outOfMemory });
      this.#end(exitError(undefined, code, this.#outOfMemory));
    });
  }

  #received(message: Message): void {
    switch (message.type) {
      case 'ready':
        this.#settleStart(undefined);
        break;
      case 'initFailed':
        this.#settleStart(message.error);
        break;
      case 'line':
        this.log.line(message.text);
        break;
      case 'output': {
        const lines = (this.#unfinishedLine + message.text).split('\n');
        this.#unfinishedLine = lines.pop()!;
        for (const line of lines) this.log.line(line);
        break;
      }
      case 'response':
        this.#answer?.({ kind: 'response', payload: message.payload, memoryUsed: message.memoryUsed });
        break;
      case 'failed':
        if (message.fatal === true) this.#ended = true;
        if (this.#answer === undefined) this.#settleStart(message.error);
        this.#answer?.({ kind: 'failed', error: message.error, memoryUsed: message.memoryUsed });
        break;
    }
  }

  #end(error: FunctionError = exitError(undefined, 1, false)): void {
    this.#ended = true;
    this.#settleStart(error);
    this.#settleExit();
  }

  #flush(): void {
    if (this.#unfinishedLine === '') return;
    this.log.line(this.#unfinishedLine);
    this.#unfinishedLine = '';
  }
}

/** The platform's own messages name the request that met the failed start; errors of the function do not. */
function named(error: FunctionError, requestId: string): FunctionError {
  return error.errorMessage.startsWith('Error: Runtime exited')
    ? { ...error, errorMessage: `RequestId: ${requestId} ${error.errorMessage}` }
    : error;
}
