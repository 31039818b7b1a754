/**
 * What runs in each worker thread: Lambda's Node.js runtime. Loads the handler, then answers one invocation at a time.
 * Behaves as https://github.com/aws/aws-lambda-nodejs-runtime-interface-client does (error names, console, lookup of
 * the handler's file). Plain JavaScript: a worker then starts without loading the type stripper.
 *
 * Of the clock only `Date` is shared with the embedded AWS; timers and `performance` stay real.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';

const { handler: handlerName, taskRoot, sharedOffset, jsonLogs } = workerData;
let requestId = '';

if (sharedOffset !== undefined) shareDate(new Float64Array(sharedOffset));
captureOutput();
// A worker has no working directory of its own; functions find theirs at the root of the bundle.
process.cwd = () => taskRoot;
if (process.env.NODE_OPTIONS?.includes('--enable-source-maps')) process.setSourceMapsEnabled(true);

process.on('uncaughtException', (error) => end('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason) => {
  const error = new Error(String(reason));
  error.name = 'Runtime.UnhandledPromiseRejection';
  if (reason instanceof Error) error.stack = reason.stack;
  end('Unhandled Promise Rejection', error, 128);
});

try {
  const handler = await load();
  parentPort.on('message', (invocation) => invoke(handler, invocation));
  parentPort.postMessage({ type: 'ready' });
} catch (error) {
  logError('Uncaught Exception', error);
  parentPort.postMessage({ type: 'initFailed', error: described(error) });
}

async function invoke(handler, { id, arn, payload, timeoutMs, traceId, clientContext }) {
  requestId = id;
  process.env._X_AMZN_TRACE_ID = traceId;
  const deadline = performance.now() + timeoutMs;
  const context = {
    awsRequestId: id,
    invokedFunctionArn: arn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext,
    identity: undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
  };
  try {
    const result = await handler(JSON.parse(payload), context);
    // One more turn, as the real runtime takes: what the handler left to be logged comes before the end.
    await new Promise((done) => setImmediate(done));
    answer({ type: 'response', payload: stringified(result) });
  } catch (error) {
    await new Promise((done) => setImmediate(done));
    logError('Invoke Error', error);
    answer({ type: 'failed', error: described(error) });
  }
}

function answer(message) {
  parentPort.postMessage({ ...message, memoryUsed: process.memoryUsage().heapUsed });
}

function stringified(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw named('Runtime.JSONStringifyError', 'Unable to stringify response body');
  }
}

async function load() {
  if (handlerName.includes('..')) {
    throw named(
      'Runtime.MalformedHandlerName',
      `'${handlerName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const [, folder, file, member] = /^(.*\/)?([^/.]+)\.(.+)$/.exec(handlerName) ?? [];
  if (file === undefined) throw named('Runtime.MalformedHandlerName', 'Bad handler');
  let module;
  try {
    module = await importModule(resolve(taskRoot, folder ?? '', file), `${folder ?? ''}${file}`);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', String(error), error);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      throw named('Runtime.ImportModuleError', `${error.name}: ${error.message}`, error);
    }
    throw error;
  }
  const handler = member.split('.').reduce((value, name) => value?.[name], module);
  if (handler === undefined) {
    throw named('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
  }
  if (typeof handler !== 'function')
    throw named('Runtime.HandlerNotFound', `${handlerName} is not a function`);
  if (handler.length >= 3) {
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later.',
    );
  }
  return handler;
}

async function importModule(path, name) {
  const requireHere = createRequire(join(taskRoot, 'index.js'));
  if (existsSync(`${path}.js`)) {
    return isModulePackage() ? import(pathToFileURL(`${path}.js`).href) : requireHere(`${path}.js`);
  }
  if (existsSync(`${path}.mjs`)) return import(pathToFileURL(`${path}.mjs`).href);
  if (existsSync(`${path}.cjs`)) return requireHere(`${path}.cjs`);
  throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
}

function isModulePackage() {
  const manifest = join(taskRoot, 'package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
}

function named(name, message, cause) {
  const error = new Error(message);
  error.name = name;
  if (cause?.stack !== undefined) error.stack = cause.stack;
  return error;
}

function described(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

/** The process is in an unknown state: answers with the error and ends, as the real runtime does. */
function end(title, error, code) {
  logError(title, error);
  answer({ type: 'failed', error: described(error), fatal: true });
  process.exit(code);
}

function logError(title, error) {
  if (!(error instanceof Error)) return console.error(title, error);
  let text;
  try {
    text = JSON.stringify(Object.assign(described(error), error));
  } catch {
    // Its own members are not fit for JSON: name, message and stack are.
    text = JSON.stringify(described(error));
  }
  console.error(title, text);
}

/** Everything written goes to the parent on the channel of the answers, so it is there before the answer. */
function captureOutput() {
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = (chunk, encoding, callback) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      parentPort.postMessage({ type: 'output', text });
      (typeof encoding === 'function' ? encoding : callback)?.();
      return true;
    };
  }
  const levels = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR' };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...parts) => {
      const timestamp = new Date().toISOString();
      const text = jsonLogs
        ? jsonLine(timestamp, level, parts)
        : [timestamp, requestId, level, format(...parts)].join('\t');
      parentPort.postMessage({ type: 'line', text });
    };
  }
}

function jsonLine(timestamp, level, parts) {
  const line = { timestamp, level, requestId };
  const error = parts.find((part) => part instanceof Error);
  const structured = parts.length === 1 && error === undefined;
  try {
    if (structured) return JSON.stringify({ ...line, message: parts[0] });
  } catch {
    // Not fit for JSON (a cycle, a BigInt): its inspected form is logged below.
  }
  const { errorType, errorMessage, trace: stackTrace } = error === undefined ? {} : described(error);
  return JSON.stringify({ ...line, message: format(...parts), errorType, errorMessage, stackTrace });
}

function shareDate(offset) {
  const RealDate = Date;
  const realNow = RealDate.now.bind(RealDate);
  const now = () => Math.floor(realNow() + offset[0]);
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, parts, newTarget) =>
      Reflect.construct(target, parts.length === 0 ? [now()] : parts, newTarget),
    apply: (Target) => new Target(now()).toString(),
    get: (target, name) => (name === 'now' ? now : target[name]),
  });
  RealDate.prototype.constructor = globalThis.Date;
}
