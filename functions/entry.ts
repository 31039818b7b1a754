/** What every Lambda entry is made of: input parsed, the deployment on every log line, errors named as ASL sees them. */
import { Logger } from '@aws-lambda-powertools/logger';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { CallTally } from './aws/call-tally.ts';
import type { AwsOptions } from './aws/client-options.ts';
import type { Env } from './core/environment.ts';
import { CutoverError, type ErrorName } from './core/errors.ts';
import { parseOrThrow } from './core/parse.ts';

export type Handler = (event: unknown, context: Context) => Promise<unknown>;
/** Called once per cold start: with `process.env` and no options on AWS, with a template's environment in a simulation. */
export type Create = (env: Env, aws: AwsOptions) => Handler;

/** What an environment keeps from one invocation to the next. */
interface Environment {
  readonly logger: Logger;
  /** Of the running invocation. */
  readonly tally: CallTally;
}

interface Entry<Input> {
  readonly name: string;
  readonly input: z.ZodType<Input>;
  /** Makes the ports, on the first invocation. */
  readonly wire: (env: Env, aws: AwsOptions, kept: Environment) => (input: Input) => Promise<unknown>;
}

const whose = z.object({ plan: z.object({ deployment: z.string() }) });

export function entry<Input>({ name, input, wire }: Entry<Input>): Create {
  return (env, aws) => {
    const logger = new Logger({ serviceName: name, environment: env['AWS_LAMBDA_FUNCTION_NAME'] ?? 'local' });
    const tally = new CallTally(name);
    let run: ((input: Input) => Promise<unknown>) | undefined;
    const handler = middy<unknown, unknown, Error, Context>({ timeoutEarlyInMillis: 0 })
      .use(logged(logger))
      .use(namedError(logger))
      .handler(async (event, { awsRequestId }) => {
        tally.begin(awsRequestId);
        const parsed = parseOrThrow(input, event, `the input of ${name}`);
        run ??= wire(env, aws, { logger, tally });
        const output = await run(parsed);
        // Plan names the deployment that the others are called with.
        nameDeployment(logger, output);
        logger.info('done', { output: output as Record<string, unknown> });
        return output;
      });
    return (event, context) => handler(event, context) as Promise<unknown>;
  };
}

function logged(logger: Logger): middy.MiddlewareObj<unknown, unknown, Error, Context> {
  return {
    before: ({ event, context }) => {
      logger.resetKeys();
      logger.addContext(context);
      nameDeployment(logger, event);
    },
  };
}

function nameDeployment(logger: Logger, of: unknown): void {
  const parsed = whose.safeParse(of);
  if (parsed.success) logger.appendKeys({ deployment: parsed.data.plan.deployment });
}

/** The machine comes again: nothing is wrong. */
const waitings: ReadonlySet<string> = new Set<ErrorName>([
  'Cutover.Growing',
  'Cutover.HookPending',
  'Cutover.ImagePending',
  'Cutover.NotYet',
  'Cutover.Inconclusive',
  'Cutover.AwaitsApproval',
  'Cutover.Woken',
]);

/** `ErrorEquals` matches `error.name`; what is thrown must be an `Error`, and the log must have it with its cause. */
function namedError(logger: Logger): middy.MiddlewareObj<unknown, unknown, Error, Context> {
  return {
    onError: (request) => {
      const thrown: unknown = request.error;
      const error = thrown instanceof Error ? thrown : new CutoverError('Cutover.AwsRefused', String(thrown));
      request.error = error;
      const expected = waitings.has(error.name);
      if (expected) logger.info(error.message, { error: error.name });
      else logger.error(error.message, error);
    },
  };
}
