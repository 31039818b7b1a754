import { afterEach, describe, expect, it } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { FastForwardClock } from '../../local/clock.ts';
import { ManualClock, settled } from '../manual-clock.ts';
import { EmbeddedLambda, role, zip } from './embedded-lambda.ts';

const open: EmbeddedLambda[] = [];

function embedded(options: ConstructorParameters<typeof EmbeddedLambda>[0] = {}): EmbeddedLambda {
  const made = new EmbeddedLambda(options);
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ lambda }) => lambda.close()));
});

const echo = 'export const handler = async (event) => ({ got: event });';

describe('a handler', () => {
  it('answers from an ES module, a CommonJS module and a nested folder', async () => {
    const aws = embedded();
    await aws.create('esm', echo);
    await aws.create('cjs', '', {
      Code: { ZipFile: zip({ 'index.js': 'exports.handler = async (e) => e.n * 2;' }) },
    });
    await aws.create('nested', '', {
      Handler: 'src/app.run',
      Code: { ZipFile: zip({ 'src/app.mjs': 'export const run = () => "nested";' }) },
    });
    expect(await aws.invoke('esm', { a: 1 })).toEqual({ value: { got: { a: 1 } }, functionError: undefined });
    expect(await aws.invoke('cjs', { n: 21 })).toEqual({ value: 42, functionError: undefined });
    expect(await aws.invoke('nested')).toEqual({ value: 'nested', functionError: undefined });
  });

  it('sees exactly its own environment', async () => {
    const aws = embedded();
    await aws.create('env', 'export const handler = async () => ({ ...process.env });', {
      Environment: { Variables: { TABLE: 'ledger' } },
      MemorySize: 256,
    });
    const { value } = await aws.invoke('env');
    expect(value).toMatchObject({
      TABLE: 'ledger',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'env',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_ACCESS_KEY_ID: `key of ${role} for env`,
      AWS_SESSION_TOKEN: 'token',
      _HANDLER: 'index.handler',
      TZ: ':UTC',
    });
    expect((value as { _X_AMZN_TRACE_ID: string })._X_AMZN_TRACE_ID).toMatch(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};/,
    );
    expect(value).not.toHaveProperty('HOME');
  });

  it('gets a context with the time that is left', async () => {
    const aws = embedded();
    await aws.create(
      'context',
      'export const handler = async (_, c) => ({ ...c, left: c.getRemainingTimeInMillis() });',
      { Timeout: 10 },
    );
    const { value } = await aws.invoke('context');
    expect(value).toMatchObject({
      functionName: 'context',
      functionVersion: '$LATEST',
      memoryLimitInMB: '128',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:context',
      logGroupName: '/aws/lambda/context',
      logStreamName: aws.lines[0]!.stream,
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    const { left } = value as { left: number };
    expect(left).toBeGreaterThan(9_000);
    expect(left).toBeLessThanOrEqual(10_000);
  });

  it('keeps its state between invocations and runs side by side in two environments', async () => {
    const aws = embedded();
    await aws.create(
      'state',
      `let n = 0; const id = Math.random();
       export const handler = async ({ ms }) => { await new Promise((r) => setTimeout(r, ms)); return { id, n: ++n }; };`,
    );
    const first = await aws.invoke('state', { ms: 0 });
    const [second, third] = await Promise.all([
      aws.invoke('state', { ms: 50 }),
      aws.invoke('state', { ms: 50 }),
    ]);
    const counts = [first, second, third].map(({ value }) => (value as { n: number }).n);
    expect(counts).toEqual([1, 2, 1]);
  });

  it('has a Date that follows the shared offset while its timers stay real', async () => {
    const clock = new FastForwardClock({
      speed: 1,
      onFailure: (failure) => expect.unreachable(String(failure)),
    });
    const offset = new Float64Array(clock.shared);
    const aws = embedded({ clock, sharedOffset: clock.shared });
    await aws.create(
      'dates',
      `export const handler = async () => {
        const from = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 20));
        return {
          now: Date.now(), made: new Date().getTime(), called: Date().slice(-40), given: new Date(5).getTime(),
          is: new Date() instanceof Date && new Date().constructor === Date, waited: performance.now() - from,
        };
      };`,
    );
    await aws.invoke('dates');
    offset[0] = 86_400_000;
    const { value } = await aws.invoke('dates');
    const seen = value as { now: number; made: number; given: number; is: boolean; waited: number };
    expect(Math.abs(seen.now - clock.now())).toBeLessThan(1000);
    expect(Math.abs(seen.made - seen.now)).toBeLessThan(50);
    expect(seen.now - Date.now()).toBeGreaterThan(86_000_000);
    expect(seen).toMatchObject({ given: 5, is: true });
    expect(seen.waited).toBeLessThan(1000);
  });
});

describe('what goes wrong', () => {
  const failing: [string, string, object, Record<string, unknown>][] = [
    [
      'a thrown error by its name',
      'export const handler = async () => { const e = new Error("no slot"); e.name = "NoSlot"; throw e; };',
      {},
      {
        errorType: 'NoSlot',
        errorMessage: 'no slot',
        trace: expect.arrayContaining(['NoSlot: no slot']) as string[],
      },
    ],
    [
      'something thrown that is no error',
      'export const handler = async () => { throw 7; };',
      {},
      { errorType: 'number', errorMessage: '7' },
    ],
    ['a module that is not there', 'import "nowhere";', {}, { errorType: 'Runtime.ImportModuleError' }],
    [
      'a file that is not there',
      '',
      { Handler: 'other.handler' },
      { errorType: 'Runtime.ImportModuleError', errorMessage: "Error: Cannot find module 'other'" },
    ],
    [
      'code that does not parse',
      'export const handler = {{',
      {},
      { errorType: 'Runtime.UserCodeSyntaxError' },
    ],
    [
      'a handler that is not exported',
      'export const other = 1;',
      {},
      { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is undefined or not exported' },
    ],
    [
      'a handler with a callback',
      'export const handler = (event, context, callback) => callback();',
      {},
      { errorType: 'Runtime.CallbackHandlerDeprecated' },
    ],
    [
      'a failing start',
      'throw new RangeError("at start");',
      {},
      { errorType: 'RangeError', errorMessage: 'at start' },
    ],
    [
      'an answer that is not JSON',
      'export const handler = async () => 1n;',
      {},
      { errorType: 'Runtime.JSONStringifyError', errorMessage: 'Unable to stringify response body' },
    ],
    [
      'an answer of more than 6 MB',
      'export const handler = async () => "x".repeat(6_300_000);',
      {},
      { errorType: 'Function.ResponseSizeTooLarge' },
    ],
    [
      'process.exit',
      'export const handler = async () => process.exit(1);',
      {},
      {
        errorType: 'Runtime.ExitError',
        errorMessage: expect.stringMatching(
          /^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 1$/,
        ) as string,
      },
    ],
    [
      'a rejection that nobody handles',
      'export const handler = () => { Promise.reject(new Error("lost")); return new Promise(() => {}); };',
      {},
      { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'Error: lost' },
    ],
    [
      'an exception that nobody catches',
      'export const handler = () => { setTimeout(() => { throw new TypeError("late"); }, 1); return new Promise(() => {}); };',
      {},
      { errorType: 'TypeError', errorMessage: 'late' },
    ],
  ];

  it.each(failing)("%s is answered in Lambda's words", async (_, source, options, error) => {
    const aws = embedded();
    await aws.create('failing', source, options);
    const { value, functionError } = await aws.invoke('failing');
    expect(functionError).toBe('Unhandled');
    expect(value).toMatchObject(error);
  });

  it('a timeout ends even a busy loop, and the next invocation has a new environment', async () => {
    const clock = new ManualClock();
    const aws = embedded({ clock });
    await aws.create('loop', 'export const handler = async (e) => { while (e.loop); return "free"; };', {
      Timeout: 3,
    });
    const invocation = aws.invoke('loop', { loop: true });
    await expect.poll(() => aws.logged()).toHaveLength(1);
    await settled();
    await clock.advance(3000);
    expect(await invocation).toEqual({
      functionError: 'Unhandled',
      value: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(
          /^RequestId: [0-9a-f-]{36} Error: Task timed out after 3.00 seconds$/,
        ) as string,
      },
    });
    expect(aws.logged()).toContainEqual(expect.stringMatching(/ Task timed out after 3.00 seconds$/));
    expect((await aws.invoke('loop')).value).toBe('free');
  });

  it('running out of memory ends the runtime', async () => {
    const aws = embedded({ limitMemory: true });
    await aws.create(
      'hungry',
      'export const handler = async () => { const kept = []; for (;;) kept.push(new Array(1e5).fill({})); };',
      { Timeout: 30 },
    );
    expect((await aws.invoke('hungry')).value).toMatchObject({
      errorType: 'Runtime.OutOfMemory',
      errorMessage: expect.stringMatching(/Error: Runtime exited with error: signal: killed$/) as string,
    });
  });

  it('a killed function ends as a runtime that exited, in the middle of its work', async () => {
    const aws = embedded();
    await aws.create(
      'victim',
      'export const handler = async (e) => { console.log("at work"); if (e.hang) await new Promise(() => setTimeout(() => {}, 1e6)); return 1; };',
      { Timeout: 60 },
    );
    const invocation = aws.invoke('victim', { hang: true });
    await expect.poll(() => aws.logged().some((line) => line.endsWith('at work'))).toBe(true);
    await aws.lambda.kill('victim');
    expect((await invocation).value).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect((await aws.invoke('victim')).value).toBe(1);
  });

  it('a role that cannot be assumed refuses the invocation', async () => {
    const aws = embedded({
      credentials: async () => {
        throw new AwsError('AccessDeniedException', 'The role cannot be assumed by Lambda.');
      },
    });
    await aws.create('roleless', echo);
    await expect(aws.invoke('roleless')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});

describe('limits', () => {
  it('reserved concurrency throttles', async () => {
    const aws = embedded();
    await aws.create('one', 'export const handler = () => new Promise((r) => setTimeout(r, 100));');
    await aws.call('PutFunctionConcurrency', { FunctionName: 'one', ReservedConcurrentExecutions: 1 });
    const first = aws.invoke('one');
    await expect(aws.invoke('one')).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      status: 429,
      members: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
    });
    await first;
    expect((await aws.invoke('one')).functionError).toBeUndefined();
  });

  it('payloads are checked before anything runs', async () => {
    const aws = embedded();
    await aws.create('echo', echo);
    await expect(aws.lambda.invoke('echo', JSON.stringify('x'.repeat(6_291_456)))).rejects.toMatchObject({
      code: 'RequestTooLargeException',
      status: 413,
    });
    await expect(aws.lambda.invoke('echo', '{')).rejects.toMatchObject({
      code: 'InvalidRequestContentException',
    });
    await expect(aws.lambda.invoke('nobody', '{}')).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody',
    });
    expect(aws.lines).toEqual([]);
  });

  it('the first invocation of an environment waits for the modelled cold start', async () => {
    const aws = embedded({ coldStartMs: 400 });
    await aws.create('cold', echo);
    await aws.lambda.warm('cold');
    const from = aws.clock.now();
    await aws.invoke('cold');
    const cold = aws.clock.now() - from;
    await aws.invoke('cold');
    const warm = aws.clock.now() - from - cold;
    expect(cold).toBeGreaterThanOrEqual(399);
    expect(warm).toBeLessThan(200);
  });
});

describe('the Invoke operation', () => {
  it('answers with version, tail of the log and function error', async () => {
    const aws = embedded();
    await aws.create(
      'op',
      'export const handler = async (e) => { console.log("hello", e); throw new Error("x"); };',
    );
    const answer = await aws.call<{ Payload: Uint8Array; LogResult: string }>('Invoke', {
      FunctionName: 'op',
      Payload: Buffer.from('{"a":1}'),
      LogType: 'Tail',
    });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', ExecutedVersion: '$LATEST' });
    expect(JSON.parse(Buffer.from(answer.Payload).toString())).toMatchObject({ errorMessage: 'x' });
    const tail = Buffer.from(answer.LogResult, 'base64').toString();
    expect(tail).toMatch(
      /^START RequestId: .* Version: \$LATEST\n.*\tINFO\thello \{ a: 1 \}\n.*\tERROR\tInvoke Error\b/,
    );
    expect(tail).toMatch(/END RequestId: .*\nREPORT RequestId: .*\tDuration: .*\tMemory Size: 128 MB\t/);
    expect(await aws.call('Invoke', { FunctionName: 'op', InvocationType: 'DryRun' })).toEqual({
      StatusCode: 204,
    });
  });

  it('logs plain output by lines, JSON records in the JSON format, and to the configured group', async () => {
    const aws = embedded();
    await aws.create(
      'json',
      'export const handler = async () => { process.stdout.write("{\\"mine\\":1}\\nrest"); console.warn({ a: 1 }); };',
      { LoggingConfig: { LogFormat: 'JSON', LogGroup: '/own' } },
    );
    await aws.invoke('json');
    const records = aws
      .logged()
      .map((line) => (line === 'rest' ? line : (JSON.parse(line) as Record<string, unknown>)));
    expect(new Set(aws.lines.map(({ group }) => group))).toEqual(new Set(['/own']));
    expect(records).toMatchObject([
      { type: 'platform.start', record: { version: '$LATEST' } },
      { mine: 1 },
      { level: 'WARN', message: { a: 1 } },
      'rest',
      { type: 'platform.report', record: { status: 'success' } },
    ]);
  });
});
