/** asl-validator as a net below our own checks: targets, reachability, ends, names, and its schema of the language. */
import validate from 'asl-validator';
import { expressionIn } from '../expression.ts';
import { isObject } from '../json.ts';
import type { Finding, FindingCode } from './finding.ts';

const codes: Readonly<Record<string, FindingCode>> = {
  MISSING_TRANSITION_TARGET: 'MISSING_TRANSITION_TARGET',
  MAP_OUTBOUND_TRANSITION_TARGET: 'MISSING_TRANSITION_TARGET',
  BRANCH_OUTBOUND_TRANSITION_TARGET: 'MISSING_TRANSITION_TARGET',
  MISSING_TERMINAL_STATE: 'MISSING_END_STATE',
  DUPLICATE_STATE_NAMES: 'DUPLICATE_STATE_NAME',
};

/** Of a definition whose structure is sound; the validator writes into what it is given, so it gets a copy. */
export function aslFindings(definition: unknown): Finding[] {
  const { errors } = validate(simplified(definition), { checkArn: false, checkPaths: false });
  return errors.map(({ 'Error code': code, Message: message }) => ({
    code: codes[code] ?? 'SCHEMA_VALIDATION_FAILED',
    message,
    path: '',
  }));
}

const templates = ['Arguments', 'Output', 'ItemSelector', 'Items'];

/** Its schema knows no expressions over several lines, no empty texts and no lists in lists: we check those ourselves. */
function simplified(value: unknown, field = ''): unknown {
  if (templates.includes(field)) return '{% 1 %}';
  if (field === 'Assign') return {};
  if (field === 'Condition') return '{% true %}';
  if (typeof value === 'string') return expressionIn(value) === undefined ? value : '{% 1 %}';
  if (Array.isArray(value)) return value.map((item: unknown) => simplified(item));
  if (!isObject(value)) return value;
  const isStates = field === 'States';
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, simplified(member, isStates ? '' : key)]),
  );
}
