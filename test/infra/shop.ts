/**
 * A deployer in an embedded AWS, and stacks of single services beside it that come, change and go through
 * CloudFormation's API.
 */

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  CreateStackCommandOutput,
  DescribeStackEventsCommandOutput,
  DescribeStacksCommandOutput,
} from '@aws-sdk/client-cloudformation';
import type { DescribeRulesCommandOutput, Rule } from '@aws-sdk/client-elastic-load-balancing-v2';
import { type App, CfnOutput } from 'aws-cdk-lib';
import { ListenerCondition } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Cutover } from '../../infra/cutover.ts';
import type { EcsService } from '../../infra/ecs-service.ts';
import { FastForwardClock } from '../../local/clock.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';
import { addService, Ground, newApp, newStack } from './apps.ts';

export interface ServiceDescription {
  /** Of the two listeners that each stack has. */
  readonly listener?: 'first' | 'second';
  readonly priority?: number;
  readonly path?: string;
  readonly slots?: readonly string[];
  /** A resource that fails after the service was made or changed. */
  readonly failsLater?: boolean;
}

/** How an operation on a stack ended, with what failed in it. */
export interface Ended {
  readonly status: string;
  readonly reasons: readonly string[];
}

export class Mall {
  readonly aws: EmbeddedAws;
  readonly #clock: FastForwardClock;
  readonly #folder: string;
  readonly #faults: unknown[];
  /** The name of the function behind production rules. */
  ruleFunction = '';
  #shops = 0;

  private constructor(made: {
    aws: EmbeddedAws;
    clock: FastForwardClock;
    folder: string;
    faults: unknown[];
  }) {
    this.aws = made.aws;
    this.#clock = made.clock;
    this.#folder = made.folder;
    this.#faults = made.faults;
  }

  /** With the deployer, and a parameter whose name a second one cannot have. */
  static async open(): Promise<Mall> {
    const folder = await mkdtemp(join(tmpdir(), 'cutover-mall-'));
    const faults: unknown[] = [];
    const onFailure = (failure: unknown): void => void faults.push(failure);
    const clock = new FastForwardClock({ speed: 60, onFailure });
    const aws = await createEmbeddedAws({ clock, sharedOffset: clock.shared, port: 0, onFailure });
    const mall = new Mall({ aws, clock, folder, faults });
    const app = newApp({ outdir: join(folder, 'home'), bundled: true });
    // One service from the start: it makes the deployer's stack export what services import.
    const opening = newStack(app, 'Opening');
    addService(opening, 'Opening', deployerOf(app), new Ground(opening));
    const outputs = await aws.provision(app.synth().directory);
    mall.ruleFunction = outputs.get('Home')?.['RuleFunction'] ?? '';
    return mall;
  }

  /** Throws what the embedded AWS itself did wrong. */
  async close(): Promise<void> {
    await this.aws.close();
    this.#clock.stop();
    await rm(this.#folder, { recursive: true, force: true });
    if (this.#faults.length > 0) throw new AggregateError(this.#faults, 'faults of the embedded AWS');
  }

  /** A stack of one service, with a balancer of its own; not yet deployed. */
  shop(): Shop {
    return new Shop(this, `Shop${++this.#shops}`);
  }

  call<T>(service: string, operation: string, input: object): Promise<T> {
    return this.aws.dispatcher.call(service, operation, input, { kind: 'root' }) as Promise<T>;
  }

  /** The template of a service's stack. */
  template(name: string, description: ServiceDescription): string {
    const app = newApp({ outdir: join(this.#folder, name) });
    const cutover = deployerOf(app);
    const stack = newStack(app, name);
    const ground = new Ground(stack);
    const second = ground.listen('Alt', 8080);
    const made = addService(stack, 'Web', cutover, ground, {
      serviceName: name.toLowerCase(),
      listener: description.listener === 'second' ? second : ground.listener,
      priority: description.priority ?? 100,
      conditions: [ListenerCondition.pathPatterns([description.path ?? '/*'])],
      ...(description.slots && { slots: description.slots }),
    });
    new CfnOutput(stack, 'First', { value: ground.listener.listenerArn });
    new CfnOutput(stack, 'Second', { value: second.listenerArn });
    for (const [slot, group] of made.targetGroups)
      new CfnOutput(stack, slot, { value: group.targetGroupArn });
    new CfnOutput(stack, 'Rule', { value: made.ruleArn });
    if (description.failsLater === true) failAfter(made);
    const { templateFullPath } = app.synth().getStackByName(name);
    return JSON.stringify(JSON.parse(readFileSync(templateFullPath, 'utf8')));
  }
}

function deployerOf(app: App): Cutover {
  const stack = newStack(app, 'Home');
  new StringParameter(stack, 'Taken', { parameterName: '/taken', stringValue: 'one only' });
  const cutover = new Cutover(stack, 'Deployer');
  new CfnOutput(stack, 'RuleFunction', { value: cutover.functions.rule.function.functionName });
  return cutover;
}

function failAfter(made: EcsService): void {
  new StringParameter(made, 'Second', { parameterName: '/taken', stringValue: 'two' }).node.addDependency(
    made.node.findChild('Production'),
  );
}

export class Shop {
  readonly name: string;
  readonly #mall: Mall;
  #id: string | undefined;
  /** Of the last operation that succeeded. */
  outputs: Readonly<Record<string, string>> = {};

  constructor(mall: Mall, name: string) {
    this.#mall = mall;
    this.name = name;
  }

  /** Creates the stack or updates it. */
  async deploy(description: ServiceDescription = {}): Promise<Ended> {
    const TemplateBody = this.#mall.template(this.name, description);
    const operation = this.#id === undefined ? 'CreateStack' : 'UpdateStack';
    const since = await this.#eventIds();
    const { StackId } = await this.#mall.call<CreateStackCommandOutput>('cloudformation', operation, {
      StackName: this.name,
      TemplateBody,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    });
    this.#id = StackId;
    return this.#end(since);
  }

  async delete(): Promise<Ended> {
    const since = await this.#eventIds();
    await this.#mall.call('cloudformation', 'DeleteStack', { StackName: this.#id });
    return this.#end(since);
  }

  arn(output: string): string {
    const value = this.outputs[output];
    if (value === undefined) throw new Error(`${this.name} has no output ${output}`);
    return value;
  }

  /** The rules of a listener that go by path: the production rule and nothing else. */
  async rules(listener: 'First' | 'Second' = 'First'): Promise<readonly Rule[]> {
    const { Rules } = await this.#mall.call<DescribeRulesCommandOutput>(
      'elasticloadbalancing',
      'DescribeRules',
      {
        ListenerArn: this.arn(listener),
      },
    );
    return (Rules ?? []).filter(({ Conditions }) =>
      Conditions?.some(({ Field }) => Field === 'path-pattern'),
    );
  }

  /** The production rule in short. */
  async rule(
    listener: 'First' | 'Second' = 'First',
  ): Promise<{ priority: number; paths: string[]; weights: Record<string, number> } | undefined> {
    const [rule, ...others] = await this.rules(listener);
    if (others.length > 0) throw new Error(`${this.name} has ${others.length + 1} production rules`);
    if (rule === undefined) return undefined;
    const slots = new Map(Object.entries(this.outputs).map(([name, arn]) => [arn, name]));
    const groups = rule.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    return {
      priority: Number(rule.Priority),
      paths: rule.Conditions?.[0]?.PathPatternConfig?.Values ?? [],
      weights: Object.fromEntries(
        groups.map(({ TargetGroupArn, Weight }) => [
          slots.get(TargetGroupArn ?? '') ?? TargetGroupArn,
          Weight ?? 0,
        ]),
      ),
    };
  }

  /** As a deployment writes them. */
  async setWeights(weights: Readonly<Record<string, number>>): Promise<void> {
    const [rule] = await this.rules();
    const TargetGroups = Object.entries(weights).map(([slot, Weight]) => ({
      TargetGroupArn: this.arn(slot),
      Weight,
    }));
    await this.#mall.call('elasticloadbalancing', 'ModifyRule', {
      RuleArn: rule?.RuleArn,
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
    });
  }

  /** A target in the slot, as a task of a generation would be. */
  async occupy(slot: string): Promise<void> {
    await this.#mall.call('elasticloadbalancing', 'RegisterTargets', this.#target(slot));
  }

  async vacate(slot: string): Promise<void> {
    await this.#mall.call('elasticloadbalancing', 'DeregisterTargets', this.#target(slot));
  }

  #target(slot: string): object {
    return { TargetGroupArn: this.arn(slot), Targets: [{ Id: '10.0.0.9', Port: 8080 }] };
  }

  async #end(since: ReadonlySet<string>): Promise<Ended> {
    const deadline = Date.now() + 45_000;
    for (;;) {
      const { Stacks } = await this.#mall.call<DescribeStacksCommandOutput>(
        'cloudformation',
        'DescribeStacks',
        {
          StackName: this.#id,
        },
      );
      const status = Stacks?.[0]?.StackStatus ?? '';
      if (!status.endsWith('IN_PROGRESS')) {
        if (/^(?:CREATE|UPDATE)_COMPLETE$/.test(status)) {
          this.outputs = Object.fromEntries(
            (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
          );
        }
        return { status, reasons: await this.#failures(since) };
      }
      if (Date.now() > deadline) throw new Error(`${this.name} is still ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #failures(since: ReadonlySet<string>): Promise<readonly string[]> {
    return (await this.#events())
      .filter(
        ({ EventId, ResourceStatus }) => !since.has(EventId ?? '') && ResourceStatus?.endsWith('_FAILED'),
      )
      .map(({ ResourceStatusReason }) => ResourceStatusReason ?? '')
      .toReversed();
  }

  async #eventIds(): Promise<ReadonlySet<string>> {
    return new Set(this.#id === undefined ? [] : (await this.#events()).map(({ EventId }) => EventId ?? ''));
  }

  async #events() {
    const { StackEvents } = await this.#mall.call<DescribeStackEventsCommandOutput>(
      'cloudformation',
      'DescribeStackEvents',
      {
        StackName: this.#id,
      },
    );
    return StackEvents ?? [];
  }
}
