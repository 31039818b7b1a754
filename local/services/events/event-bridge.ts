/** Amazon EventBridge: the default bus, its rules and what their targets get. */
import type * as Sdk from '@aws-sdk/client-eventbridge';
import { arn } from '../../account.ts';
import type { AwsEvent, Emit } from '../../aws-event.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import { type BusEvent, busEvent, toTheSecond } from './bus-event.ts';
import { Deliveries, type Delivery, type Interception } from './delivery.ts';
import { checkEntries, eventOf } from './put-events.ts';
import { checkedPattern, DEFAULT_BUS, type Rule } from './rule.ts';
import { Rules } from './rules.ts';
import { type SendersOptions, senderTo } from './senders.ts';
import { targetInput } from './target-input.ts';

/** EventBridge's own latency is usually well below a second. */
const DEFAULT_DELIVERY_MS = 100;

export interface EventBridgeOptions extends SendersOptions {
  readonly clock: Clock;
  /** From the emission of an event to its delivery. */
  readonly deliveryMs?: number;
  /** Asked for each delivery: AWS may lose, double and delay events. */
  readonly deliveries?: (delivery: Delivery) => Interception;
}

export class EventBridge {
  readonly operations: Operations;
  /** Puts an event on the bus. */
  readonly emit: Emit;
  readonly #clock: Clock;
  readonly #rules: Rules;
  readonly #deliveries: Deliveries;
  readonly #schedules = new Map<string, Timer>();

  constructor(options: EventBridgeOptions) {
    const { clock, queues, onFailure } = options;
    const send = senderTo(options);
    this.#clock = clock;
    this.#deliveries = new Deliveries({
      clock,
      queues,
      onFailure,
      deliveryMs: options.deliveryMs ?? DEFAULT_DELIVERY_MS,
      intercept: options.deliveries ?? (() => 'deliver'),
      send: async (delivery, ingestedAt) => send(delivery, inputOf(delivery, ingestedAt)),
    });
    this.#rules = new Rules({ changed: (name, rule) => this.#reschedule(name, rule) });
    this.emit = (event) => {
      this.#put(event);
    };
    this.operations = {
      ...this.#rules.operations,
      PutEvents: (input: Sdk.PutEventsCommandInput) => this.#putEvents(input),
      TestEventPattern: (input: Sdk.TestEventPatternCommandInput) => testEventPattern(input),
      DescribeEventBus: (input: Sdk.DescribeEventBusCommandInput) => describeEventBus(input),
      ListEventBuses: (input: Sdk.ListEventBusesCommandInput) => listEventBuses(input),
    };
  }

  close(): void {
    for (const timer of this.#schedules.values()) timer.cancel();
    this.#schedules.clear();
  }

  #put(event: AwsEvent, at = this.#clock.now()): BusEvent {
    const entered = busEvent(event, at);
    for (const rule of this.#rules.all()) {
      if (rule.enabled && rule.pattern?.(entered)) this.#deliver(entered, rule);
    }
    return entered;
  }

  #deliver(event: BusEvent, rule: Rule): void {
    for (const target of rule.targets.values()) this.#deliveries.start({ event, rule, target });
  }

  #putEvents(input: Sdk.PutEventsCommandInput): Output<Sdk.PutEventsCommandOutput> {
    checkEntries(input.Entries!);
    const checked = input.Entries!.map(eventOf);
    const Entries = checked.map((entry) =>
      'ErrorCode' in entry ? entry : { EventId: this.#put(entry.event, entry.at?.getTime()).id },
    );
    return { FailedEntryCount: checked.filter((entry) => 'ErrorCode' in entry).length, Entries };
  }

  /** A scheduled rule runs its targets with an event of its own, which no other rule sees. */
  #reschedule(name: string, rule: Rule | undefined): void {
    this.#schedules.get(name)?.cancel();
    this.#schedules.delete(name);
    if (rule?.schedule === undefined || !rule.enabled) return;
    const now = this.#clock.now();
    const next = rule.schedule(now);
    if (next === undefined) return;
    const timer = this.#clock.after(next - now, () => {
      const current = this.#rules.get(name);
      const tick = { source: 'aws.events', detailType: 'Scheduled Event', resources: [rule.arn], detail: {} };
      if (current !== undefined) this.#deliver(busEvent(tick, next), current);
      this.#reschedule(name, current);
    });
    this.#schedules.set(name, timer);
  }
}

function inputOf({ event, rule, target }: Delivery, ingestedAt: number): string {
  return targetInput(target, {
    event,
    ruleArn: rule.arn,
    ruleName: rule.name,
    ingestionTime: toTheSecond(ingestedAt),
  });
}

/** Members that the event to be tested must have (TestEventPattern, API reference). */
const required = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'];

function testEventPattern(
  input: Sdk.TestEventPatternCommandInput,
): Output<Sdk.TestEventPatternCommandOutput> {
  const pattern = checkedPattern(input.EventPattern!);
  let event: unknown;
  try {
    event = JSON.parse(input.Event!);
  } catch {
    throw new AwsError('ValidationException', 'Parameter Event is not valid.');
  }
  const missing = required.find((name) => typeof event !== 'object' || event === null || !(name in event));
  if (missing !== undefined) {
    const message = `Parameter Event is not valid. Reason: Missing required field ${missing}.`;
    throw new AwsError('ValidationException', message);
  }
  return { Result: pattern(event) };
}

const defaultBus = { Name: DEFAULT_BUS, Arn: arn('events', `event-bus/${DEFAULT_BUS}`) };

function describeEventBus({
  Name,
}: Sdk.DescribeEventBusCommandInput): Output<Sdk.DescribeEventBusCommandOutput> {
  const name = Name?.split('/').at(-1) ?? DEFAULT_BUS;
  if (name === DEFAULT_BUS) return defaultBus;
  throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
}

function listEventBuses({
  NamePrefix = '',
}: Sdk.ListEventBusesCommandInput): Output<Sdk.ListEventBusesCommandOutput> {
  return { EventBuses: DEFAULT_BUS.startsWith(NamePrefix) ? [defaultBus] : [] };
}
