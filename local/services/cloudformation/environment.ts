/** The embedded AWS as CloudFormation reaches it, and the `Scope` that each resource's provisioning is given. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { BucketStore } from './bucket-store.ts';
import type { Json } from './json.ts';
import { physicalName } from './physical-name.ts';
import type { Scope } from './resource-type.ts';
import { shaped } from './shape.ts';

/** Calls an operation of an embedded service, by its SigV4 signing name, with the operation's own input shape. */
export type CallService = (service: string, operation: string, input: unknown) => Promise<unknown>;

export interface Environment {
  readonly call: CallService;
  readonly clock: Clock;
  readonly random: () => number;
  readonly buckets: BucketStore;
}

/** How often a resource that becomes ready by itself is looked at. */
const pollMs = 1000;

export function scope(
  environment: Environment,
  about: { logicalId: string; type: string; stackId: string; stackName: string },
  heard: Pick<Scope, 'exists' | 'mayExist'>,
): Scope {
  const { call, clock } = environment;
  const sendAsIs = async <T>(service: string, operation: string, input: unknown): Promise<T> =>
    (await clock.busy(() => call(service, operation, input))) as T;
  return {
    ...about,
    name: (options) => physicalName(about.stackName, about.logicalId, options, environment.random),
    ...heard,
    sendAsIs,
    async send<T>(
      service: string,
      operation: string,
      input: Readonly<Record<string, Json | undefined>>,
    ): Promise<T> {
      const present = Object.fromEntries(
        Object.entries(input).filter((entry): entry is [string, Json] => entry[1] !== undefined),
      );
      return sendAsIs<T>(service, operation, await shaped(service, operation, present));
    },
    buckets: environment.buckets,
    async until(what, limitMs, ask) {
      const deadline = clock.now() + limitMs;
      for (;;) {
        const answer = await ask();
        if (answer !== undefined) return answer;
        if (clock.now() >= deadline) throw new NotStabilized(what);
        await clock.sleep(pollMs);
      }
    },
  };
}

class NotStabilized extends Error {
  constructor(what: string) {
    super(`Exceeded attempts to wait: ${what} did not stabilize (HandlerErrorCode: NotStabilized)`);
    this.name = 'NotStabilized';
  }
}

/** A failure as stack events word it. */
export function reasonOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure);
  const code = (failure as { code?: unknown }).code;
  if (failure.name === 'ValidationError' || typeof code !== 'string') return failure.message;
  return `Resource handler returned message: "${failure.message}" (RequestToken: ${randomUUID()}, HandlerErrorCode: ${code})`;
}
