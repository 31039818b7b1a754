/**
 * All alarms: evaluated every minute (every ten seconds for high-resolution ones) and when new metrics become visible. A
 * change of state is an event, an entry of the history, and the alarm's actions.
 */
import type * as Sdk from '@aws-sdk/client-cloudwatch';
import type { Emit } from '../../aws-event.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import { page, sortedBy } from '../events/page.ts';
import { Alarm, type AlarmState } from './alarm.ts';
import { alarmConfiguration, isTopic } from './alarm-configuration.ts';
import { AlarmHistory } from './alarm-history.ts';
import { notification, stateChangeEvent } from './alarm-notification.ts';
import type { MetricStore } from './metric-store.ts';

/** A new alarm leaves INSUFFICIENT_DATA some seconds after it was made. */
const FIRST_EVALUATION_MS = 10_000;
const EVALUATION_MS = 60_000;
const HIGH_RESOLUTION_EVALUATION_MS = 10_000;

/** Sends to an SNS topic. */
export type Publish = (topicArn: string, subject: string, message: string) => void | Promise<void>;

export interface AlarmsOptions {
  readonly clock: Clock;
  readonly store: MetricStore;
  readonly emit: Emit;
  readonly publish: Publish;
}

export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #alarms = new Map<string, Alarm>();
  readonly #timers = new Map<Alarm, Timer>();
  readonly #history: AlarmHistory;
  readonly operations: Operations;

  constructor(options: AlarmsOptions) {
    this.#options = options;
    this.#history = new AlarmHistory(options.clock);
    this.operations = {
      PutMetricAlarm: (input: Sdk.PutMetricAlarmCommandInput) => this.#put(input),
      PutCompositeAlarm: () => refuseComposite(),
      DescribeAlarms: (input: Sdk.DescribeAlarmsCommandInput) => this.#describe(input),
      DeleteAlarms: (input: Sdk.DeleteAlarmsCommandInput) => this.#delete(input),
      SetAlarmState: (input: Sdk.SetAlarmStateCommandInput) => this.#setState(input),
      EnableAlarmActions: (input: Sdk.EnableAlarmActionsCommandInput) =>
        this.#enable(input.AlarmNames!, true),
      DisableAlarmActions: (input: Sdk.DisableAlarmActionsCommandInput) =>
        this.#enable(input.AlarmNames!, false),
      DescribeAlarmHistory: (input: Sdk.DescribeAlarmHistoryCommandInput) => this.#history.describe(input),
      TagResource: (input: Sdk.TagResourceCommandInput) => this.#tag(input),
      UntagResource: (input: Sdk.UntagResourceCommandInput) => this.#untag(input),
      ListTagsForResource: (input: Sdk.ListTagsForResourceCommandInput) => this.#listTags(input),
    };
  }

  evaluateAll(): void {
    for (const alarm of this.#alarms.values()) this.#evaluate(alarm);
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #evaluate(alarm: Alarm): void {
    const { clock, store } = this.#options;
    const outcome = alarm.evaluate(store, clock.now());
    if (outcome === undefined || outcome.value === alarm.state.value) return;
    const { text: reason, data: reasonData } = outcome.reason;
    this.#transition(alarm, { value: outcome.value, reason, reasonData, at: clock.now() });
  }

  #evaluateAfter(alarm: Alarm, ms: number): void {
    const timer = this.#options.clock.after(ms, () => {
      this.#evaluateAfter(
        alarm,
        alarm.configuration.period < 60 ? HIGH_RESOLUTION_EVALUATION_MS : EVALUATION_MS,
      );
      this.#evaluate(alarm);
    });
    this.#timers.set(alarm, timer);
  }

  #transition(alarm: Alarm, state: AlarmState): void {
    const previous = alarm.state;
    alarm.state = state;
    if (previous.value === state.value) return;
    alarm.transitionedAt = state.at;
    this.#history.stateUpdated(alarm, previous);
    this.#options.emit(stateChangeEvent(alarm, previous));
    this.#act(alarm, previous);
  }

  #act(alarm: Alarm, previous: AlarmState): void {
    if (!alarm.actionsEnabled) return;
    const { OKActions, AlarmActions, InsufficientDataActions } = alarm.configuration.input;
    const actions = { OK: OKActions, ALARM: AlarmActions, INSUFFICIENT_DATA: InsufficientDataActions };
    const { subject, message } = notification(alarm, previous);
    for (const topicArn of (actions[alarm.state.value] ?? []).filter(isTopic)) {
      void this.#options.clock
        .busy(() => this.#options.publish(topicArn, subject, message))
        .then(
          () => this.#history.acted(alarm, topicArn),
          (failure: unknown) => this.#history.acted(alarm, topicArn, failure),
        );
    }
  }

  #put(input: Sdk.PutMetricAlarmCommandInput): Output<Sdk.PutMetricAlarmCommandOutput> {
    const configuration = alarmConfiguration(input);
    const now = this.#options.clock.now();
    const known = this.#alarms.get(input.AlarmName!);
    if (known !== undefined) {
      known.configure(configuration, now);
      this.#history.configured(known, 'updated');
      this.#timers.get(known)?.cancel();
      this.#evaluateAfter(known, FIRST_EVALUATION_MS);
      return {};
    }
    const alarm = new Alarm(configuration, now);
    this.#alarms.set(alarm.name, alarm);
    this.#history.configured(alarm, 'created');
    this.#evaluateAfter(alarm, FIRST_EVALUATION_MS);
    return {};
  }

  #describe(input: Sdk.DescribeAlarmsCommandInput): Output<Sdk.DescribeAlarmsCommandOutput> {
    const { AlarmNames, AlarmNamePrefix, AlarmTypes, StateValue, ActionPrefix } = input;
    if (AlarmNames?.length && AlarmNamePrefix !== undefined) {
      throw combination('AlarmNames and AlarmNamePrefix cannot be specified together');
    }
    if (input.ChildrenOfAlarmName !== undefined || input.ParentsOfAlarmName !== undefined) refuseComposite();
    const found = sortedBy(this.#alarms.values(), (alarm) => alarm.name).filter(
      (alarm) =>
        (AlarmTypes === undefined || AlarmTypes.length === 0 || AlarmTypes.includes('MetricAlarm')) &&
        (!AlarmNames?.length || AlarmNames.includes(alarm.name)) &&
        alarm.name.startsWith(AlarmNamePrefix ?? '') &&
        (StateValue === undefined || alarm.state.value === StateValue) &&
        (ActionPrefix === undefined || actionsOf(alarm).some((action) => action.startsWith(ActionPrefix))),
    );
    const { entries, token } = page(found, {
      token: input.NextToken,
      limit: input.MaxRecords ?? (AlarmNames?.length ? 100 : 50),
      key: (alarm) => alarm.name,
      refusal: () => new AwsError('InvalidNextToken', 'The next token specified is invalid.'),
    });
    return {
      MetricAlarms: entries.map((alarm) => alarm.describe()),
      CompositeAlarms: [],
      ...(token && { NextToken: token }),
    };
  }

  /** All or none: "If this operation results in an error, no alarms are deleted." */
  #delete(input: Sdk.DeleteAlarmsCommandInput): Output<Sdk.DeleteAlarmsCommandOutput> {
    for (const alarm of input.AlarmNames!.flatMap((name) => this.#alarms.get(name) ?? [])) {
      this.#timers.get(alarm)?.cancel();
      this.#timers.delete(alarm);
      this.#alarms.delete(alarm.name);
      this.#history.configured(alarm, 'deleted');
    }
    return {};
  }

  /** Lasts until the next evaluation. */
  #setState(input: Sdk.SetAlarmStateCommandInput): Output<Sdk.SetAlarmStateCommandOutput> {
    const alarm = this.#alarms.get(input.AlarmName!);
    if (alarm === undefined)
      throw new AwsError('ResourceNotFound', `Alarm ${input.AlarmName} does not exist`);
    const value = input.StateValue!;
    if (!['OK', 'ALARM', 'INSUFFICIENT_DATA'].includes(value)) {
      throw new AwsError(
        'ValidationError',
        `Value '${value}' for parameter StateValue is not an alarm state`,
      );
    }
    if (input.StateReasonData !== undefined) checkJson(input.StateReasonData);
    const reasonData = input.StateReasonData;
    const at = this.#options.clock.now();
    this.#transition(alarm, { value, reason: input.StateReason!, ...(reasonData && { reasonData }), at });
    return {};
  }

  #enable(names: readonly string[], enabled: boolean): Record<string, never> {
    for (const name of names) {
      const alarm = this.#alarms.get(name);
      if (alarm !== undefined) alarm.actionsEnabled = enabled;
    }
    return {};
  }

  #tag({ ResourceARN, Tags }: Sdk.TagResourceCommandInput): Output<Sdk.TagResourceCommandOutput> {
    const alarm = this.#byArn(ResourceARN!);
    alarm.tags = new Map([...alarm.tags, ...Tags!.map(({ Key, Value }) => [Key!, Value!] as const)]);
    return {};
  }

  #untag({ ResourceARN, TagKeys }: Sdk.UntagResourceCommandInput): Output<Sdk.UntagResourceCommandOutput> {
    const alarm = this.#byArn(ResourceARN!);
    alarm.tags = new Map([...alarm.tags].filter(([key]) => !TagKeys!.includes(key)));
    return {};
  }

  #listTags({
    ResourceARN,
  }: Sdk.ListTagsForResourceCommandInput): Output<Sdk.ListTagsForResourceCommandOutput> {
    return { Tags: [...this.#byArn(ResourceARN!).tags].map(([Key, Value]) => ({ Key, Value })) };
  }

  #byArn(resourceArn: string): Alarm {
    const alarm = [...this.#alarms.values()].find((candidate) => candidate.arn === resourceArn);
    if (alarm !== undefined) return alarm;
    throw new AwsError('ResourceNotFoundException', `Resource ${resourceArn} does not exist`);
  }
}

function actionsOf({ configuration: { input } }: Alarm): string[] {
  return [
    ...(input.AlarmActions ?? []),
    ...(input.OKActions ?? []),
    ...(input.InsufficientDataActions ?? []),
  ];
}

function refuseComposite(): never {
  throw new AwsError('ValidationError', 'Composite alarms are not modelled by the embedded AWS');
}

function combination(message: string): AwsError {
  return new AwsError('InvalidParameterCombinationException', message);
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new AwsError('InvalidFormatFault', 'StateReasonData is not valid JSON');
  }
}
