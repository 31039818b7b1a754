/** A rule of the default bus: what it matches or when it runs, and its targets. */
import type { PutRuleCommandInput, Rule as RuleDescription, Target } from '@aws-sdk/client-eventbridge';
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Schedule } from './cron.ts';
import { type EventPattern, parseEventPattern } from './event-pattern.ts';
import { parseSchedule } from './schedule.ts';

export const DEFAULT_BUS = 'default';

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly pattern?: EventPattern;
  readonly schedule?: Schedule;
  readonly enabled: boolean;
  readonly input: PutRuleCommandInput;
  readonly tags: ReadonlyMap<string, string>;
  readonly targets: ReadonlyMap<string, Target>;
}

/** PutRule's rule: a new one, or an old one with its targets and tags. */
export function putRule(input: PutRuleCommandInput, before: Rule | undefined): Rule {
  const name = input.Name!;
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
    throw invalid(
      `1 validation error detected: Value '${name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+ and have length less than or equal to 64`,
    );
  }
  if (input.EventPattern === undefined && input.ScheduleExpression === undefined) {
    throw invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
  }
  const state = input.State ?? 'ENABLED';
  const tags = new Map(input.Tags?.map(({ Key, Value }) => [Key!, Value!]));
  return {
    name,
    arn: arn('events', `rule/${name}`),
    ...(input.EventPattern !== undefined && { pattern: checkedPattern(input.EventPattern) }),
    ...(input.ScheduleExpression !== undefined && { schedule: checkedSchedule(input.ScheduleExpression) }),
    enabled: state !== 'DISABLED',
    input: { ...input, State: state },
    tags: before?.tags ?? tags,
    targets: before?.targets ?? new Map(),
  };
}

export function describeRule(rule: Rule): RuleDescription {
  const { EventPattern, ScheduleExpression, State, Description, RoleArn } = rule.input;
  return {
    Name: rule.name,
    Arn: rule.arn,
    ...(EventPattern !== undefined && { EventPattern }),
    ...(ScheduleExpression !== undefined && { ScheduleExpression }),
    State,
    ...(Description !== undefined && { Description }),
    ...(RoleArn !== undefined && { RoleArn }),
    EventBusName: DEFAULT_BUS,
  };
}

export function checkedPattern(text: string): EventPattern {
  return refusing(
    () => parseEventPattern(text),
    (reason) => new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`),
  );
}

function checkedSchedule(expression: string): Schedule {
  return refusing(() => parseSchedule(expression), invalid);
}

function refusing<T>(parse: () => T, refusal: (reason: string) => AwsError): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw refusal(error.message);
  }
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
