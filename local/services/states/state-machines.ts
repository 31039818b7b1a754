/** The state machines of the account: their present definition, role and tags. */
import type {
  CreateStateMachineCommandInput,
  LoggingConfiguration,
  Tag,
  TracingConfiguration,
  UpdateStateMachineCommandInput,
} from '@aws-sdk/client-sfn';
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import { requireArn, requireLength, requireName, requireRole, validation } from './api/constraints.ts';
import type { Checked } from './check/check.ts';
import { findingText } from './check/finding.ts';
import type { Definition } from './definition.ts';
import type { Revision } from './execution.ts';

const maximumDefinition = 1024 * 1024;

export interface StateMachine {
  readonly arn: string;
  readonly creationDate: number;
  revision: Revision;
  loggingConfiguration: LoggingConfiguration;
  tracingConfiguration: TracingConfiguration;
  readonly tags: Map<string, string>;
  deleting: boolean;
}

export interface StateMachinesOptions {
  readonly now: () => number;
  readonly uuid: () => string;
  readonly check: (definition: string) => Checked;
}

export class StateMachines {
  readonly #options: StateMachinesOptions;
  readonly #machines = new Map<string, StateMachine>();

  constructor(options: StateMachinesOptions) {
    this.#options = options;
  }

  get all(): readonly StateMachine[] {
    return [...this.#machines.values()];
  }

  /** The same request again is answered as the first; role and tags do not count for that, as with AWS. */
  create(input: CreateStateMachineCommandInput): StateMachine {
    const { name = '', definition: text = '', roleArn = '' } = input;
    requireName(name);
    if ((input.type ?? 'STANDARD') !== 'STANDARD') {
      throw new AwsError('StateMachineTypeNotSupported', 'Express workflows do not run here');
    }
    if (input.publish === true) throw validation('publish', true, 'Versions are not supported here');
    requireRole(roleArn);
    const definition = this.#checked(text);
    const machineArn = stateMachineArn(name);
    const logging = input.loggingConfiguration ?? { level: 'OFF', includeExecutionData: false };
    const tracing = input.tracingConfiguration ?? { enabled: false };
    const known = this.#machines.get(machineArn);
    if (known !== undefined) {
      if (known.deleting) throw deleting(machineArn);
      const same = [known.revision.text, known.loggingConfiguration, known.tracingConfiguration];
      if (JSON.stringify(same) === JSON.stringify([text, logging, tracing])) return known;
      throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${machineArn}'`);
    }
    const now = this.#options.now();
    const machine: StateMachine = {
      arn: machineArn,
      creationDate: now,
      revision: this.#revision(name, roleArn, text, definition, now),
      loggingConfiguration: logging,
      tracingConfiguration: tracing,
      tags: new Map(),
      deleting: false,
    };
    tag(machine, input.tags ?? []);
    this.#machines.set(machineArn, machine);
    return machine;
  }

  update(input: UpdateStateMachineCommandInput): StateMachine {
    const machine = this.find(input.stateMachineArn ?? '');
    if (machine.deleting) throw deleting(machine.arn);
    if (input.publish === true) throw validation('publish', true, 'Versions are not supported here');
    const { definition: text, roleArn, loggingConfiguration, tracingConfiguration } = input;
    if ([text, roleArn, loggingConfiguration, tracingConfiguration].every((member) => member === undefined)) {
      throw new AwsError(
        'MissingRequiredParameter',
        'Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified',
      );
    }
    if (roleArn !== undefined) requireRole(roleArn);
    const { revision } = machine;
    const definition = text === undefined ? revision.definition : this.#checked(text);
    machine.revision = this.#revision(
      revision.name,
      roleArn ?? revision.roleArn,
      text ?? revision.text,
      definition,
      this.#options.now(),
    );
    machine.loggingConfiguration = loggingConfiguration ?? machine.loggingConfiguration;
    machine.tracingConfiguration = tracingConfiguration ?? machine.tracingConfiguration;
    return machine;
  }

  /** Unknown ones, and those being deleted while executions still run, are told apart by `deleting`. */
  find(machineArn: string): StateMachine {
    requireArn(machineArn, 'stateMachine');
    const machine = this.#machines.get(machineArn);
    if (machine !== undefined) return machine;
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${machineArn}'`);
  }

  /** One that executions may be started of. */
  startable(machineArn: string): StateMachine {
    const machine = this.find(machineArn);
    if (machine.deleting) throw deleting(machineArn);
    return machine;
  }

  has(machineArn: string): boolean {
    return this.#machines.has(machineArn);
  }

  remove(machineArn: string): void {
    this.#machines.delete(machineArn);
  }

  #checked(text: string): Definition {
    requireLength('definition', text, maximumDefinition);
    const { findings, definition } = this.#options.check(text);
    if (definition !== undefined) return definition;
    throw new AwsError(
      'InvalidDefinition',
      `Invalid State Machine Definition: '${findings.map(findingText).join(', ')}'`,
    );
  }

  #revision(name: string, roleArn: string, text: string, definition: Definition, updated: number): Revision {
    const revisionId = this.#options.uuid();
    return { stateMachineArn: stateMachineArn(name), name, roleArn, text, definition, revisionId, updated };
  }
}

function stateMachineArn(name: string): string {
  return arn('states', `stateMachine:${name}`);
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const maximumTags = 50;

export function tag(machine: StateMachine, tags: readonly Tag[]): void {
  const all = new Map([
    ...machine.tags,
    ...tags.map(({ key = '', value = '' }): [string, string] => [key, value]),
  ]);
  if (all.size > maximumTags)
    throw new AwsError('TooManyTags', `Too many tags: at most ${maximumTags}`, {
      members: { resourceName: machine.arn },
    });
  for (const [key, value] of all) machine.tags.set(key, value);
}

function deleting(machineArn: string): AwsError {
  return new AwsError('StateMachineDeleting', `State Machine is being deleted: '${machineArn}'`);
}
