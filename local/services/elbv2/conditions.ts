/** A rule's conditions: what AWS accepts, and the form in which it gives them back. */

import { isIP } from 'node:net';
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { quotas } from './quotas.ts';
import { invalid } from './validation.ts';

/** Fields that a rule can have once; of the others it can have several. */
const once: ReadonlySet<string> = new Set([
  'host-header',
  'path-pattern',
  'http-request-method',
  'source-ip',
]);

/** Checks the conditions and gives them the form that Describe answers with. */
export function acceptConditions(conditions: readonly RuleCondition[]): RuleCondition[] {
  if (conditions.length === 0) throw invalid('A condition must be specified');
  const accepted = conditions.map(accept);
  for (const field of once) {
    if (accepted.filter((condition) => condition.Field === field).length > 1) {
      throw invalid(`A rule can only have one '${field}' condition`);
    }
  }
  const values = accepted.flatMap(textsOf);
  if (values.length > quotas.conditionValuesPerRule) {
    throw invalid(`A rule can only have '${quotas.conditionValuesPerRule}' condition values`);
  }
  const wildcards = values.join('').match(/[*?]/g)?.length ?? 0;
  if (wildcards > quotas.conditionWildcardsPerRule) {
    throw invalid(`A rule can only have '${quotas.conditionWildcardsPerRule}' condition wildcards`);
  }
  return accepted;
}

function accept(condition: RuleCondition): RuleCondition {
  switch (condition.Field) {
    case 'host-header': {
      const patterns = patternsOf(condition, condition.HostHeaderConfig);
      return { Field: 'host-header', ...patterns, HostHeaderConfig: patterns };
    }
    case 'path-pattern': {
      const patterns = patternsOf(condition, condition.PathPatternConfig);
      return { Field: 'path-pattern', ...patterns, PathPatternConfig: patterns };
    }
    case 'http-header':
      return acceptHeader(condition);
    case 'http-request-method':
      return acceptMethod(condition);
    case 'query-string':
      return acceptQuery(condition);
    case 'source-ip':
      return acceptSource(condition);
    case undefined:
    default:
      throw invalid(
        `Condition field '${condition.Field}' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'`,
      );
  }
}

function acceptHeader(condition: RuleCondition): RuleCondition {
  const name = condition.HttpHeaderConfig?.HttpHeaderName;
  if (name === undefined || !/^[\w!#$%&'*+.^`|~-]{1,40}$/.test(name)) {
    throw invalid(`Condition value '${name}' contains a character that is not valid`);
  }
  if (name.toLowerCase() === 'host')
    throw invalid("The 'http-header' condition cannot match on the Host header");
  const patterns = patternsOf({ RegexValues: condition.RegexValues }, condition.HttpHeaderConfig);
  return { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: name, ...patterns } };
}

function acceptMethod(condition: RuleCondition): RuleCondition {
  const values = required(
    'http-request-method',
    condition.HttpRequestMethodConfig?.Values ?? condition.Values,
  );
  for (const value of values) {
    if (!/^[A-Z_-]{1,40}$/.test(value))
      throw invalid(`Condition value '${value}' is not a valid HTTP method`);
  }
  return { Field: 'http-request-method', HttpRequestMethodConfig: { Values: values } };
}

function acceptQuery(condition: RuleCondition): RuleCondition {
  const pairs = condition.QueryStringConfig?.Values ?? condition.Values?.map((Value) => ({ Value })) ?? [];
  if (pairs.length === 0) throw invalid("A condition value must be specified for 'query-string'");
  return { Field: 'query-string', QueryStringConfig: { Values: pairs.map((pair) => ({ ...pair })) } };
}

function acceptSource(condition: RuleCondition): RuleCondition {
  const values = required('source-ip', condition.SourceIpConfig?.Values ?? condition.Values);
  for (const value of values) {
    if (!isCidr(value)) throw invalid(`Condition value '${value}' is not a valid CIDR block`);
  }
  return { Field: 'source-ip', SourceIpConfig: { Values: values } };
}

interface Patterns {
  Values?: string[];
  RegexValues?: string[];
}

interface GivenPatterns {
  Values?: string[] | undefined;
  RegexValues?: string[] | undefined;
}

function patternsOf(plain: GivenPatterns, config: GivenPatterns | undefined): Patterns {
  const values = config?.Values ?? plain.Values ?? [];
  const regexes = config?.RegexValues ?? plain.RegexValues ?? [];
  if (values.length === 0 && regexes.length === 0) throw invalid('A condition value must be specified');
  for (const value of [...values, ...regexes]) {
    if (value.length > 128)
      throw invalid(`Condition value '${value}' cannot be longer than '128' characters`);
  }
  return {
    ...(values.length === 0 ? {} : { Values: [...values] }),
    ...(regexes.length === 0 ? {} : { RegexValues: [...regexes] }),
  };
}

function required(field: string, values: string[] | undefined): string[] {
  if (values === undefined || values.length === 0)
    throw invalid(`A condition value must be specified for '${field}'`);
  return [...values];
}

function textsOf(condition: RuleCondition): string[] {
  return [
    ...(condition.Values ?? []),
    ...(condition.RegexValues ?? []),
    ...(condition.Field === 'http-header' ? (condition.HttpHeaderConfig?.Values ?? []) : []),
    ...(condition.Field === 'http-header' ? (condition.HttpHeaderConfig?.RegexValues ?? []) : []),
    ...(condition.HttpRequestMethodConfig?.Values ?? []),
    ...(condition.QueryStringConfig?.Values ?? []).map((pair) => `${pair.Key ?? ''}${pair.Value ?? ''}`),
    ...(condition.SourceIpConfig?.Values ?? []),
  ];
}

function isCidr(value: string): boolean {
  const [network, bits] = value.split('/');
  const family = isIP(network ?? '');
  return family !== 0 && /^\d+$/.test(bits ?? '') && Number(bits) <= (family === 4 ? 32 : 128);
}
