/**
 * CloudFormation: provisions the embedded AWS from templates, through the other services' own operations. Resources are
 * made one after the other, in the order of their dependencies, as fast as the services answer.
 */
import { randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Stack as ShownStack, StackEvent } from '@aws-sdk/client-cloudformation';
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { BucketStore } from './bucket-store.ts';
import { ChangeSets } from './change-set-operations.ts';
import { CustomResponses } from './custom-responses.ts';
import type { CallService } from './environment.ts';
import { queryOperations } from './query-operations.ts';
import { ResourceTypes } from './resource-types.ts';
import { stackOperations } from './stack-operations.ts';
import { Stacks } from './stacks.ts';
import { Targets } from './targets.ts';

export interface CloudFormationOptions {
  readonly clock: Clock;
  /** The other services, with all rights: RoleARN is kept and shown, its policies are not applied. */
  readonly call: CallService;
  readonly buckets: BucketStore;
  /** `http://127.0.0.1:PORT`, where `handleResponse` is mounted. */
  readonly endpoint: () => string;
  /** Told of failures that are no resource's: defects of the embedded AWS itself. */
  readonly onFailure: (failure: unknown) => void;
  readonly random?: () => number;
}

const randomRange = 2 ** 47;

export class CloudFormation {
  readonly operations: Operations;
  readonly #stacks: Stacks;
  readonly #responses: CustomResponses;

  constructor(options: CloudFormationOptions) {
    const { clock, call, buckets, onFailure, random = () => randomInt(randomRange) / randomRange } = options;
    const environment = { clock, call, buckets, random };
    this.#responses = new CustomResponses({ clock, endpoint: options.endpoint });
    const types = new ResourceTypes(this.#responses);
    const stacks = new Stacks({ environment, types, onFailure });
    const targets = new Targets({ environment, types, exports: stacks });
    this.#stacks = stacks;
    this.operations = {
      ...new ChangeSets({ stacks, targets }).operations,
      ...stackOperations({ stacks, targets }),
      ...queryOperations({ stacks, targets }),
    };
  }

  /** Takes `PUT /cloudformation/response/<id>`, the answers of custom resources; `false` leaves the request to others. */
  handleResponse(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#responses.handle(request, response);
  }

  /** The same for a caller in process. */
  receiveResponse(id: string, body: string): boolean {
    return this.#responses.receive(id, body);
  }

  /** Waits until nothing runs on the stack, and gives it with its events, newest first. */
  async settled(stackName: string): Promise<{ stack: ShownStack; events: readonly StackEvent[] }> {
    const stack = this.#stacks.get(stackName);
    await this.#stacks.settled(stack);
    return { stack: stack.describe(), events: stack.events };
  }
}
