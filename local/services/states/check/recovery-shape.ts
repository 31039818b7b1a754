/** `Retry` and `Catch`: their fields, and which errors they name. */
import { isObject } from '../json.ts';
import { type Finding, schemaFinding } from './finding.ts';

const retrierNumbers: Readonly<
  Record<string, { readonly least: number; readonly most: number; readonly whole: boolean }>
> = {
  IntervalSeconds: { least: 1, most: 99_999_999, whole: true },
  MaxAttempts: { least: 0, most: 99_999_999, whole: true },
  // AWS: "must be greater than 0 and less than 31622400".
  MaxDelaySeconds: { least: 1, most: 31_622_399, whole: true },
  BackoffRate: { least: 1, most: Number.MAX_VALUE, whole: false },
};

export function recoveryFindings(state: { readonly [key: string]: unknown }, path: string): Finding[] {
  const findings: Finding[] = [];
  for (const field of ['Retry', 'Catch'] as const) {
    const list = state[field];
    if (list === undefined) continue;
    if (!Array.isArray(list)) {
      findings.push(schemaFinding(`${path}/${field}`, 'Expected value of type [ARRAY]'));
      continue;
    }
    for (const [index, entry] of (list as unknown[]).entries()) {
      const at = `${path}/${field}[${index}]`;
      if (!isObject(entry)) {
        findings.push(schemaFinding(at, 'Expected value of type [OBJECT]'));
        continue;
      }
      findings.push(...errorEquals(entry['ErrorEquals'], index === list.length - 1, `${at}/ErrorEquals`));
      findings.push(...(field === 'Retry' ? retrier(entry, at) : catcher(entry, at)));
    }
  }
  return findings;
}

function errorEquals(names: unknown, isLast: boolean, path: string): Finding[] {
  if (
    !Array.isArray(names) ||
    names.length === 0 ||
    !names.every((name) => typeof name === 'string' && name !== '')
  ) {
    return [schemaFinding(path, 'Expected a list with at least one error name')];
  }
  if (!names.includes('States.ALL')) return [];
  if (names.length > 1) return [schemaFinding(path, 'States.ALL must appear alone')];
  return isLast
    ? []
    : [schemaFinding(path, 'States.ALL must appear in the last entry: those after it are never reached')];
}

function retrier(entry: { readonly [key: string]: unknown }, path: string): Finding[] {
  const findings: Finding[] = [];
  for (const [field, value] of Object.entries(entry)) {
    if (field === 'ErrorEquals' || field === 'Comment') continue;
    const bounds = Object.hasOwn(retrierNumbers, field) ? retrierNumbers[field] : undefined;
    if (field === 'JitterStrategy') {
      if (value !== 'FULL' && value !== 'NONE') {
        findings.push(
          schemaFinding(`${path}/${field}`, 'Value should be one of the following: [FULL, NONE]'),
        );
      }
    } else if (bounds === undefined) {
      findings.push(schemaFinding(`${path}/${field}`, `Field '${field}' is not supported`));
    } else if (!isWithin(value, bounds)) {
      findings.push(
        schemaFinding(
          `${path}/${field}`,
          `Expected ${bounds.whole ? 'an integer' : 'a number'} of at least ${bounds.least}`,
        ),
      );
    }
  }
  const { IntervalSeconds: interval, MaxDelaySeconds: most } = entry;
  if (typeof most === 'number' && most <= (typeof interval === 'number' ? interval : 1)) {
    findings.push(
      schemaFinding(`${path}/MaxDelaySeconds`, 'MaxDelaySeconds must be greater than IntervalSeconds'),
    );
  }
  return findings;
}

function isWithin(
  value: unknown,
  { least, most, whole }: { least: number; most: number; whole: boolean },
): boolean {
  return typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value));
}

function catcher(entry: { readonly [key: string]: unknown }, path: string): Finding[] {
  const findings = Object.keys(entry)
    .filter((field) => !['ErrorEquals', 'Next', 'Assign', 'Output', 'Comment'].includes(field))
    .map((field) => schemaFinding(`${path}/${field}`, `Field '${field}' is not supported`));
  if (typeof entry['Next'] !== 'string')
    findings.push(schemaFinding(`${path}/Next`, 'Expected value of type [STRING]'));
  if (entry['Assign'] !== undefined && !isObject(entry['Assign'])) {
    findings.push(schemaFinding(`${path}/Assign`, 'Expected value of type [OBJECT]'));
  }
  return findings;
}
