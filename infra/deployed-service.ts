/**
 * A service that Cutover deploys, whatever it runs on: what is said of it, its slots, its rules, and what of its own may be
 * asked. What it runs on, and what is deployed, stands in `ecs-service.ts` and `asg-service.ts`.
 */
import { Duration, Stack, Tags } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationListenerRule,
  ApplicationProtocol,
  ApplicationTargetGroup,
  type IApplicationListener,
  ListenerAction,
  ListenerCondition,
  type TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import type * as z from 'zod';
import type { Strategy } from '../functions/core/deployment/strategy.ts';
import { slotHeader } from '../functions/core/hooks/hook-contract.ts';
import type { HookStage } from '../functions/core/hooks/hook-settings.ts';
import { parse } from '../functions/core/parse.ts';
import { serviceSettings, settingsParameter } from '../functions/core/service-settings.ts';
import { imagesTag, ruleTag, serviceTag } from '../functions/core/tags.ts';
import type { Cutover } from './cutover.ts';
import { ProductionRule } from './production-rule.ts';
import { ServiceRights } from './service-rights.ts';
import type { ServiceSource } from './service-source.ts';
import { leastSize, settingsLimit } from './settings-size.ts';
import { unfit } from './unfit.ts';

/** A function that is asked; docs/hooks.md tells what it is called with, and what it answers. */
interface ServiceHook {
  /** 1 to 30 of a-z, 0-9 and -. */
  readonly name: string;
  readonly stage: HookStage;
  readonly function: IFunction;
  /** Until it must have answered. Default: 5 minutes. */
  readonly deadline?: Duration;
  /** How often it is called again when it fails to answer. Default: twice. */
  readonly retries?: number;
  /** Default: `goBack` where it is waited for (launched, testTraffic, step). */
  readonly onFailure?: 'goBack' | 'warn';
}

type SettingsDocument = z.input<typeof serviceSettings>;

/** What every service says of itself, whatever is deployed and whatever it runs on. */
export interface ServiceProps {
  readonly cutover: Cutover;
  /** 1 to 20 of a-z, 0-9 and -. */
  readonly serviceName: string;
  readonly listener: IApplicationListener;
  /**
   * Of the production rule. The slots' own rules, which go by header, stand right before it and take as many priorities
   * below this one as there are slots.
   */
  readonly priority: number;
  readonly conditions: readonly ListenerCondition[];
  /**
   * A listener of the same load balancer whose requests, by the same conditions, go to the newest generation before it has any
   * traffic: for tests that cannot send a header. Default: none.
   */
  readonly testListener?: IApplicationListener;
  readonly strategy: Strategy;
  /**
   * What becomes of a push while a deployment runs: the newest waits (default), it takes its place once the traffic has gone
   * back, or it is refused.
   */
  readonly whenBusy?: SettingsDocument['whenBusy'];
  /** Functions that are asked at the stages of a deployment. The first deployment, which shifts nothing, asks only `promoted`. */
  readonly hooks?: readonly ServiceHook[];
  /** What its scan and its signature must say of an image before anything is launched. Default: nothing is asked. */
  readonly imageGate?: SettingsDocument['imageGate'];
  /** Windows in which pushes wait; a rollback never does. */
  readonly freeze?: SettingsDocument['freeze'];
  /** Stop a deployment when they turn red. */
  readonly alarms?: readonly IAlarm[];
  /** What counts when an alarm is red before anything is launched, or has no data. Default: refused; no data passes. */
  readonly alarmPolicy?: SettingsDocument['alarmPolicy'];
  /**
   * The new generation against the old one, by what the load balancer counts of both: `{}` takes the defaults. Default: not
   * compared.
   */
  readonly comparison?: SettingsDocument['comparison'];
  /** Metrics of CloudWatch, or expressions over them, that stop a deployment. */
  readonly metrics?: SettingsDocument['metrics'];
  /** How much longer a step may bake for what the comparison and the metrics need. Default: 30 minutes. */
  readonly extend?: Duration;
  /** The new generation is never started smaller. Default: 1. */
  readonly minimumCount?: number;
  /** From launch until all targets are healthy. Default: 10 minutes. */
  readonly healthDeadline?: Duration;
  /** How often in a row, a health check interval apart, the new generation must be seen healthy. Default: once. */
  readonly healthyLooks?: number;
  readonly healthCheck?: { readonly path?: string; readonly interval?: Duration };
  /** How long a deployment in which somebody changed weights or counts waits for a person's word. Default: one day. */
  readonly handDeadline?: Duration;
  /** How long a replaced generation stays warm. Default: one hour. */
  readonly retention?: Duration;
  /**
   * Tasks or instances that a replaced generation keeps, once no request reaches it, to save cost: a rollback to it then waits until it has
   * grown. Default: all.
   */
  readonly warmAt?: number;
  /** How long a target that leaves may finish its requests. Default: 30 seconds. */
  readonly deregistrationDelay?: Duration;
  /** Append only: a slot in use cannot be removed. Default: blue, green, red. */
  readonly slots?: readonly string[];
}

/** What is deployed, and what it runs on. */
interface ServiceKind {
  /** The construct's name, for its mistakes. */
  readonly construct: string;
  readonly source: ServiceSource;
  readonly vpc: IVpc;
  readonly targetType: TargetType;
  /** Of the target groups. A change of it replaces the slots. */
  readonly port: number;
  /** The fleet's part of the settings, or what stands in for it until all of it is known. */
  readonly settings: SettingsDocument['fleet'];
  /** What is wrong with it, in the words of the construct. */
  readonly mistakes: readonly string[];
}

export abstract class DeployedService extends Construct {
  /** The slots' target groups, by slot. */
  readonly targetGroups: ReadonlyMap<string, ApplicationTargetGroup>;
  readonly ruleArn: string;
  readonly #props: ServiceProps;
  readonly #kind: ServiceKind;
  readonly #testRule: string | undefined;

  constructor(scope: Construct, id: string, props: ServiceProps, kind: ServiceKind) {
    super(scope, id);
    const service = props.serviceName;
    const slots = props.slots ?? ['blue', 'green', 'red'];
    const mistakes = mistakesOf(props, slots, kind);
    if (mistakes.length > 0) throw new Error(`${kind.construct} ${service}: ${mistakes.join('; ')}`);

    this.#props = props;
    this.#kind = kind;
    this.targetGroups = new Map(
      slots.map((slot) => [slot, makeTargetGroup(this, `${service}-${slot}`, props, kind)]),
    );
    this.#slotRules(service, props);
    this.ruleArn = new ProductionRule(this, 'Production', {
      service,
      to: props.cutover.functions.rule,
      listener: props.listener,
      priority: props.priority,
      conditions: props.conditions,
      targetGroups: this.targetGroups,
    }).ruleArn;
    this.#testRule = this.#makeTestRule(service, props);
  }

  /** Writes down what Plan reads; from then on a push starts a deployment. */
  protected writeSettings(fleet: SettingsDocument['fleet']): void {
    const { serviceName: service, cutover } = this.#props;
    const { construct, source } = this.#kind;
    const text = Stack.of(this).toJsonString(settingsOf(this.#props, source, this.#traffic(), fleet));
    const settings = new StringParameter(this, 'Settings', {
      parameterName: settingsParameter(cutover.settingsPrefix, service),
      description: `What Cutover knows of ${service}`,
      stringValue: text,
      // A standard one, free of charge, as long as that holds it.
      tier: ParameterTier.INTELLIGENT_TIERING,
    });
    settings.node.addValidation({
      validate: () => {
        const size = leastSize(Stack.of(this).resolve(text));
        if (size <= settingsLimit) return [];
        return [
          `${construct} ${service}: its settings have ${size} bytes or more, and SSM holds ${settingsLimit}: name fewer tags, fewer steps of the strategy, or fewer alarms (one composite alarm stands for many)`,
        ];
      },
    });
    this.#allow(service, this.#props, source);
    this.#pushes(service, this.#props, source, settings);
  }

  #traffic(): SettingsDocument['traffic'] {
    return {
      rule: this.ruleArn,
      ...(this.#testRule !== undefined && { testRule: this.#testRule }),
      slots: [...this.targetGroups].map(([name, group]) => ({ name, targetGroup: group.targetGroupArn })),
    };
  }

  /** Keep each slot health-checked whatever the production rule says, and are the way to reach it before it is live. */
  #slotRules(service: string, props: ServiceProps): void {
    [...this.targetGroups].forEach(([slot, group], index) => {
      new ApplicationListenerRule(this, `Slot-${slot}`, {
        listener: props.listener,
        priority: props.priority - 1 - index,
        conditions: [ListenerCondition.httpHeader(slotHeader, [`${service}-${slot}`])],
        action: ListenerAction.forward([group]),
      });
    });
  }

  /** Deployments write where it leads; what stands in the template counts until the first one. */
  #makeTestRule(service: string, { testListener, priority, conditions }: ServiceProps): string | undefined {
    const [first] = this.targetGroups.values();
    if (testListener === undefined || first === undefined) return undefined;
    const rule = new ApplicationListenerRule(this, 'Test', {
      listener: testListener,
      priority,
      conditions: [...conditions],
      action: ListenerAction.forward([first]),
    });
    Tags.of(rule).add(serviceTag, service);
    Tags.of(rule).add(ruleTag, 'test');
    return rule.listenerRuleArn;
  }

  /**
   * What cannot be said for all services at once: what of its own it has called. A repository that another stack made is not
   * tagged here; without the tag deployments go on, and tell that its images are not kept.
   */
  #allow(service: string, { cutover, hooks = [] }: ServiceProps, { repository }: ServiceSource): void {
    if (repository !== undefined) Tags.of(repository).add(imagesTag, 'kept');
    if (hooks.length === 0) return;
    new ServiceRights(this, 'HookRights', {
      service,
      to: cutover.functions.hook,
      actions: ['lambda:InvokeFunction'],
      resources: hooks.map((hook) => hook.function.functionArn),
    });
  }

  #pushes(
    service: string,
    { cutover }: ServiceProps,
    { rule: { description, pattern, event } }: ServiceSource,
    settings: StringParameter,
  ): void {
    const rule = new Rule(this, 'Pushes', {
      description,
      eventPattern: pattern,
      targets: [
        new SfnStateMachine(cutover.deploy, {
          input: RuleTargetInput.fromObject({ service, event }),
          deadLetterQueue: cutover.undelivered,
        }),
      ],
    });
    rule.node.addDependency(settings);
  }
}

function makeTargetGroup(
  scope: Construct,
  name: string,
  props: ServiceProps,
  { vpc, targetType, port }: ServiceKind,
): ApplicationTargetGroup {
  const interval = healthIntervalOf(props);
  return new ApplicationTargetGroup(scope, `Group-${name}`, {
    targetGroupName: name,
    vpc,
    targetType,
    protocol: ApplicationProtocol.HTTP,
    port,
    deregistrationDelay: props.deregistrationDelay ?? Duration.seconds(30),
    healthCheck: {
      path: props.healthCheck?.path ?? '/',
      interval,
      timeout: Duration.seconds(Math.min(5, interval.toSeconds() - 1)),
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
    },
  });
}

const healthIntervalOf = ({ healthCheck }: ServiceProps): Duration =>
  healthCheck?.interval ?? Duration.seconds(10);

function settingsOf(
  props: ServiceProps,
  source: ServiceSource,
  traffic: SettingsDocument['traffic'],
  fleet: SettingsDocument['fleet'],
): SettingsDocument {
  return {
    schema: 1,
    service: props.serviceName,
    ...source.settings,
    strategy: props.strategy,
    whenBusy: props.whenBusy ?? 'queueLatest',
    alarms: (props.alarms ?? []).map((alarm) => alarm.alarmName),
    minimumCount: props.minimumCount ?? 1,
    healthDeadlineSeconds: (props.healthDeadline ?? Duration.minutes(10)).toSeconds(),
    healthIntervalSeconds: healthIntervalOf(props).toSeconds(),
    handDeadlineSeconds: (props.handDeadline ?? Duration.days(1)).toSeconds(),
    retentionSeconds: (props.retention ?? Duration.hours(1)).toSeconds(),
    // Left out where they are not said: a running version of Plan that does not know them would refuse them.
    ...(props.healthyLooks !== undefined && { healthyLooks: props.healthyLooks }),
    ...(props.hooks && { hooks: props.hooks.map(hookSettingsOf) }),
    ...(props.imageGate && { imageGate: props.imageGate }),
    ...(props.freeze && { freeze: props.freeze }),
    ...(props.alarmPolicy && { alarmPolicy: props.alarmPolicy }),
    ...(props.comparison && { comparison: props.comparison }),
    ...(props.metrics && { metrics: props.metrics }),
    ...(props.extend && { extendSeconds: props.extend.toSeconds() }),
    ...(props.warmAt !== undefined && { retentionFloor: props.warmAt }),
    traffic,
    fleet,
  };
}

function hookSettingsOf({ name, stage, function: of, deadline, retries, onFailure }: ServiceHook) {
  return {
    name,
    stage,
    function: of.functionArn,
    ...(deadline && { deadlineSeconds: deadline.toSeconds() }),
    ...(retries !== undefined && { retries }),
    ...(onFailure && { onFailure }),
  };
}

/** What a member of the settings is called where it is said; a Duration counts there in seconds. */
const propOf: readonly (readonly [member: RegExp, prop: string])[] = [
  [/^service:/, 'serviceName:'],
  [/^traffic\/slots/, 'slots'],
  [/^retentionFloor:/, 'warmAt:'],
  [/^(scaling\/schedule\/\d+)\/expression:/, '$1/schedule:'],
  [/^(scaling\/schedule\/\d+)\/recurrence:/, '$1/schedule:'],
  [/^(scaling\/schedule\/\d+)\/timezone:/, '$1/timeZone:'],
  [/^healthIntervalSeconds:(.*)$/, 'healthCheck/interval:$1 (in seconds)'],
  [/^(healthDeadline|handDeadline|retention|extend)Seconds:(.*)$/, '$1:$2 (in seconds)'],
  [
    /^(hooks\/\d+\/deadline|lifecycleHooks\/\d+\/heartbeat|drain\/deadline|scaling\/policies\/\d+\/\w+)Seconds:(.*)$/,
    '$1:$2 (in seconds)',
  ],
];

function asProp(mistake: string, more: ServiceSource['propOf'] = []): string {
  return [...propOf, ...more].reduce((words, [member, prop]) => words.replace(member, prop), mistake);
}

/** What scales would take away at once what was launched. */
export function countMistakes(
  minimumCount: number | undefined,
  scaling: { readonly maximum: number } | undefined,
): readonly string[] {
  return scaling === undefined || (minimumCount ?? 1) <= scaling.maximum
    ? []
    : [`minimumCount: must be scaling/maximum at most (${scaling.maximum}), got ${minimumCount}`];
}

export function portMistakes(port: number): readonly string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
    ? []
    : [`port: must be 1 to 65535, got ${port}`];
}

/** What Plan would refuse is refused here first, all of it at once; ARNs that are not known yet stand in for themselves. */
function mistakesOf(
  props: ServiceProps,
  slots: readonly string[],
  { source, settings, mistakes }: ServiceKind,
): readonly string[] {
  const traffic = {
    rule: 'production',
    slots: slots.map((name, index) => ({ name, targetGroup: String(index) })),
  };
  const parsed = parse(serviceSettings, settingsOf(props, source, traffic, settings));
  const { priority } = props;
  const needed = slots.length + 1;
  return [
    ...(parsed.ok ? [] : parsed.mistakes).map((mistake) => asProp(mistake, source.propOf)),
    ...source.mistakes,
    ...mistakes.map((mistake) => asProp(mistake)),
    ...unfit(props),
    ...(priority >= needed && priority <= 50_000
      ? []
      : [`priority: must be ${needed} to 50000, the slots' own rules stand before it, got ${priority}`]),
  ];
}
