/** An account with the real services that need no machine behind them, for CloudFormation to provision. */
import type { Stack } from '@aws-sdk/client-cloudformation';
import { AwsError, type Call, type Operations } from '../../local/call.ts';
import { type Clock, FastForwardClock } from '../../local/clock.ts';
import { iamOperations } from '../../local/iam/operations.ts';
import { Roles } from '../../local/iam/roles.ts';
import { CloudFormation } from '../../local/services/cloudformation/cloudformation.ts';
import { Ec2 } from '../../local/services/ec2/ec2.ts';
import { Logs } from '../../local/services/logs/logs.ts';
import { Buckets } from '../../local/services/s3/buckets.ts';
import { Sqs } from '../../local/services/sqs/sqs.ts';
import { ssmOperations } from '../../local/services/ssm.ts';

export const rootCall: Call = {
  principal: { kind: 'root' },
  requestId: 'test',
  endpoint: 'http://127.0.0.1:4566',
};

type Operation = (input: unknown, call: Call) => unknown;

export interface CallMade {
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
}

export class Account {
  readonly clock: Clock;
  readonly cloudformation: CloudFormation;
  readonly buckets: Buckets;
  readonly services: Record<string, Operations>;
  readonly calls: CallMade[] = [];
  readonly failures: unknown[] = [];
  /** Makes `service operation` fail, once, when `when` holds for its input. */
  readonly #faults: { name: string; error: AwsError; when: (input: unknown) => boolean }[] = [];

  constructor(
    options: { clock?: Clock; services?: Record<string, Operations>; endpoint?: () => string } = {},
  ) {
    this.clock =
      options.clock ??
      new FastForwardClock({ speed: 20, onFailure: (failure) => this.failures.push(failure) });
    const { clock } = this;
    const roles = new Roles({ clock });
    this.buckets = new Buckets({ clock });
    this.services = {
      ec2: new Ec2({ clock }).operations,
      iam: iamOperations({ roles }),
      logs: new Logs({ clock }).operations,
      sqs: new Sqs({ clock }).operations,
      ssm: ssmOperations({ clock }),
      ...options.services,
    };
    this.cloudformation = new CloudFormation({
      clock,
      call: (service, operation, input) => this.call(service, operation, input),
      buckets: {
        create: async (bucket) => this.buckets.create(bucket),
        delete: async (bucket) => this.buckets.delete(bucket),
        text: async (bucket, key) => new TextDecoder().decode(this.buckets.get(bucket, key).body),
      },
      endpoint: options.endpoint ?? (() => rootCall.endpoint),
      onFailure: (failure) => this.failures.push(failure),
    });
  }

  async call(service: string, operation: string, input: unknown): Promise<unknown> {
    this.calls.push({ service, operation, input });
    const fault = this.#faults.findIndex(
      ({ name, when }) => name === `${service} ${operation}` && when(input),
    );
    if (fault !== -1) throw this.#faults.splice(fault, 1)[0]!.error;
    const run = this.services[service]?.[operation] as Operation | undefined;
    if (run === undefined) throw new Error(`The test's account has no ${service} ${operation}`);
    return run(input, rootCall);
  }

  failOnce(name: string, error: AwsError, when: (input: unknown) => boolean = () => true): void {
    this.#faults.push({ name, error, when });
  }

  /** Runs one of CloudFormation's own operations. */
  async run<T = Record<string, never>>(operation: string, input: object): Promise<T> {
    return (await (this.cloudformation.operations[operation] as Operation)(input, rootCall)) as T;
  }

  async create(template: object, more: object = {}): Promise<Stack> {
    await this.run('CreateStack', { StackName: 'shop', TemplateBody: JSON.stringify(template), ...more });
    return this.settled();
  }

  async update(template: object, more: object = {}): Promise<Stack> {
    await this.run('UpdateStack', { StackName: 'shop', TemplateBody: JSON.stringify(template), ...more });
    return this.settled();
  }

  async delete(): Promise<Stack> {
    const { stack } = await this.cloudformation.settled('shop');
    await this.run('DeleteStack', { StackName: 'shop' });
    return (await this.cloudformation.settled(stack.StackId!)).stack;
  }

  async settled(name = 'shop'): Promise<Stack> {
    return (await this.cloudformation.settled(name)).stack;
  }

  /** Oldest first: `LogicalId STATUS`. */
  async story(name = 'shop'): Promise<string[]> {
    const { events } = await this.cloudformation.settled(name);
    return events
      .map(({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId} ${ResourceStatus}`)
      .toReversed()
      .filter((event, index, all) => event !== all[index - 1]);
  }

  async parameter(name: string): Promise<string | undefined> {
    try {
      const answer = await this.call('ssm', 'GetParameter', { Name: name });
      return (answer as { Parameter: { Value: string } }).Parameter.Value;
    } catch (failure) {
      if (failure instanceof AwsError && failure.code === 'ParameterNotFound') return undefined;
      throw failure;
    }
  }
}

export function parameter(name: string | undefined, value: unknown, more: object = {}): object {
  const Properties = { ...(name === undefined ? {} : { Name: name }), Type: 'String', Value: value };
  return { Type: 'AWS::SSM::Parameter', Properties, ...more };
}
