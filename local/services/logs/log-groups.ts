/** The log groups of the account, by name: shared by the operations and by services that write logs themselves. */
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { LogGroup, type LogStreamState } from './log-group.ts';

export class LogGroups {
  readonly #clock: Clock;
  readonly #maxEvents: number;
  readonly #groups = new Map<string, LogGroup>();

  constructor(options: { clock: Clock; maxEventsPerGroup: number }) {
    this.#clock = options.clock;
    this.#maxEvents = options.maxEventsPerGroup;
  }

  now(): number {
    return Math.floor(this.#clock.now());
  }

  all(): LogGroup[] {
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): LogGroup | undefined {
    return this.#groups.get(name);
  }

  create(name: string): LogGroup {
    if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name)) {
      throw new AwsError('InvalidParameterException', `Invalid log group name: ${name}`);
    }
    if (this.#groups.has(name)) {
      throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    const group = new LogGroup({ name, creationTime: this.now(), maxEvents: this.#maxEvents });
    this.#groups.set(name, group);
    return group;
  }

  delete(name: string): void {
    this.named(name);
    this.#groups.delete(name);
  }

  named(name: string): LogGroup {
    const group = this.#groups.get(name);
    if (group === undefined) {
      throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
    }
    return group;
  }

  /** A group by its name or, where the API allows both, by its ARN. */
  identified(name: string | undefined, identifier: string | undefined): LogGroup {
    const given = name ?? identifier;
    if (given === undefined) {
      throw new AwsError(
        'InvalidParameterException',
        'Either logGroupName or logGroupIdentifier is required.',
      );
    }
    return this.named(nameOf(given));
  }

  stream(group: LogGroup, name: string): LogStreamState {
    const stream = group.streams.get(name);
    if (stream === undefined) {
      throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
    }
    return stream;
  }
}

/** The ARN as tagging and policies know it; DescribeLogGroups shows it with `:*` appended in `arn`. */
export function logGroupArn(name: string): string {
  return arn('logs', `log-group:${name}`);
}

/** A log group's name out of a name or an ARN with or without `:*`. */
export function nameOf(nameOrArn: string): string {
  return /^arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)(?::\*)?$/.exec(nameOrArn)?.[1] ?? nameOrArn;
}
