/** What the values of a state's fields look like, expressions apart. */
import { expressionIn } from '../expression.ts';
import { isObject } from '../json.ts';
import { isTimestamp } from '../timestamp.ts';
import { type Finding, notEmbedded, schemaFinding } from './finding.ts';

const longestSeconds = 99_999_999;

/** `literalOnly`: the field stands where no state is, so that no expression can be evaluated. */
interface Where {
  readonly literalOnly: boolean;
}

type Shape = (value: unknown, path: string, where: Where) => Finding[];

function refusal(path: string, ok: boolean, message: string): Finding[] {
  return ok ? [] : [schemaFinding(path, message)];
}

function isExpression(value: unknown): boolean {
  return typeof value === 'string' && expressionIn(value) !== undefined;
}

const isText = (value: unknown): boolean => typeof value === 'string';

function text(value: unknown, path: string): Finding[] {
  return refusal(path, isText(value), 'Expected value of type [STRING]');
}

function seconds(least: 0 | 1): Shape {
  return (value, path, { literalOnly }) => {
    const inRange = Number.isInteger(value) && Number(value) >= least && Number(value) <= longestSeconds;
    const expected = `an integer between ${least} and ${longestSeconds}${literalOnly ? '' : ' or a JSONata expression'}`;
    return refusal(path, inRange || (!literalOnly && isExpression(value)), `Expected ${expected}`);
  };
}

function assignments(value: unknown, path: string): Finding[] {
  if (!isObject(value)) return [schemaFinding(path, 'Expected value of type [OBJECT]')];
  return Object.keys(value).flatMap((name) => variableName(name, `${path}/${name}`));
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
function variableName(name: string, path: string): Finding[] {
  if (name === 'states') return [schemaFinding(path, `The variable name 'states' is reserved`)];
  const legal = /^[\p{ID_Start}_][\p{ID_Continue}_]{0,79}$/u.test(name);
  return refusal(
    path,
    legal,
    `'${name}' is not a legal variable name: at most 80 characters, a letter first, no spaces`,
  );
}

function choices(value: unknown, path: string): Finding[] {
  if (!Array.isArray(value) || value.length === 0)
    return [schemaFinding(path, 'Expected a list with at least one rule')];
  return value.flatMap((rule: unknown, index) => choiceRule(rule, `${path}[${index}]`));
}

function choiceRule(rule: unknown, path: string): Finding[] {
  if (!isObject(rule)) return [schemaFinding(path, 'Expected value of type [OBJECT]')];
  const findings = Object.keys(rule)
    .filter((field) => !['Condition', 'Next', 'Assign', 'Output', 'Comment'].includes(field))
    .map((field) => schemaFinding(`${path}/${field}`, `Field '${field}' is not supported`));
  const isCondition = typeof rule['Condition'] === 'boolean' || isExpression(rule['Condition']);
  findings.push(...refusal(`${path}/Condition`, isCondition, 'Expected a boolean or a JSONata expression'));
  findings.push(...text(rule['Next'], `${path}/Next`));
  if (rule['Assign'] !== undefined) findings.push(...assignments(rule['Assign'], `${path}/Assign`));
  return findings;
}

function itemProcessor(value: unknown, path: string): Finding[] {
  if (!isObject(value)) return [schemaFinding(path, 'Expected value of type [OBJECT]')];
  const findings = Object.keys(value)
    .filter((field) => !['StartAt', 'States', 'ProcessorConfig', 'Comment'].includes(field))
    .map((field) => schemaFinding(`${path}/${field}`, `Field '${field}' is not supported`));
  const config = value['ProcessorConfig'];
  if (isObject(config) && (config['Mode'] ?? 'INLINE') !== 'INLINE') {
    findings.push(notEmbedded(`${path}/ProcessorConfig/Mode`, 'Only a Map with Mode INLINE runs here'));
  }
  return findings;
}

const shapes: Readonly<Record<string, Shape>> = {
  Comment: text,
  Resource: text,
  Next: text,
  Default: text,
  Error: text,
  Cause: text,
  End: (value, path) => refusal(path, value === true, `Expected the value true`),
  TimeoutSeconds: seconds(1),
  HeartbeatSeconds: seconds(1),
  Seconds: seconds(0),
  Timestamp: (value, path) =>
    refusal(
      path,
      isExpression(value) || (isText(value) && isTimestamp(String(value))),
      'Expected a timestamp',
    ),
  Assign: assignments,
  Choices: choices,
  Items: (value, path) =>
    refusal(path, Array.isArray(value) || isExpression(value), 'Expected a list or a JSONata expression'),
  MaxConcurrency: (value, path) =>
    value === 1
      ? []
      : [notEmbedded(path, 'A Map runs here one item after the other only: say MaxConcurrency 1')],
  ItemProcessor: itemProcessor,
};

export function fieldFindings(
  state: { readonly [key: string]: unknown },
  path: string,
  where: Where,
): Finding[] {
  const findings = Object.entries(state).flatMap(([field, value]) =>
    Object.hasOwn(shapes, field) ? shapes[field]!(value, `${path}/${field}`, where) : [],
  );
  const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = state;
  if (typeof timeout === 'number' && typeof heartbeat === 'number' && heartbeat >= timeout) {
    findings.push(
      schemaFinding(
        `${path}/HeartbeatSeconds`,
        `HeartbeatSeconds (${heartbeat}) must be smaller than TimeoutSeconds (${timeout})`,
      ),
    );
  }
  if (state['Type'] === 'Wait' && (state['Seconds'] === undefined) === (state['Timestamp'] === undefined)) {
    findings.push(schemaFinding(path, `A Wait state has exactly one of 'Seconds' and 'Timestamp'`));
  }
  const leads = ['Task', 'Wait', 'Pass', 'Map'].includes(String(state['Type']));
  if (leads && (state['Next'] === undefined) === (state['End'] === undefined)) {
    findings.push(schemaFinding(path, `A state has exactly one of 'Next' and 'End'`));
  }
  return findings;
}
