/** What a Task calls: an action of another service, as the state machine's role. */
import type { Principal } from '../../../call.ts';
import type { Authorizer } from '../../../iam/authorizer.ts';
import type { Invoker } from '../../lambda/invoker.ts';
import type { Executions } from '../executions.ts';
import type { Json } from '../json.ts';
import { functionIntegration, invokeIntegration } from './lambda.ts';
import { parseResource } from './resource.ts';
import { startExecutionIntegration } from './start-execution.ts';

export interface Integration {
  /** As the history names it: `lambda` and `invoke.waitForTaskToken`. */
  readonly resourceType: string;
  readonly resource: string;
  /** The function of a Task that names just a function: its events are a family of their own. */
  readonly functionArn?: string;
  readonly waitsForToken: boolean;
  /** Rejects with `StateFailure` when the call fails; anything else is our own fault. */
  call(args: Json, role: Principal): Promise<Json>;
}

export interface Callees {
  readonly invoker: Invoker;
  readonly authorizer: Authorizer;
  readonly executions: Executions;
  /** Makes the request ids that AWS puts into causes. */
  readonly uuid: () => string;
}

export class Integrations {
  readonly #callees: Callees;

  constructor(callees: Callees) {
    this.#callees = callees;
  }

  for(resource: string): Integration {
    const parsed = parseResource(resource);
    switch (parsed?.kind) {
      case 'lambda:invoke':
        return invokeIntegration(this.#callees, parsed.waitsForToken);
      case 'function':
        return functionIntegration(this.#callees, parsed.functionArn);
      case 'states:startExecution':
        return startExecutionIntegration(this.#callees);
      case undefined:
        throw new Error(`the checked definition names the resource ${resource}`);
    }
  }
}
