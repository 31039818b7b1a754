/** The filters of `ssm:DescribeParameters`. */
import type { ParameterMetadata, ParameterStringFilter } from '@aws-sdk/client-ssm';
import { AwsError } from '../call.ts';

/** All filters must match; within one filter any value will do. */
export function matchesFilters(
  parameter: ParameterMetadata,
  filters: readonly ParameterStringFilter[],
): boolean {
  return filters.every(({ Key, Option = Key === 'Path' ? 'OneLevel' : 'Equals', Values = [] }) =>
    Values.some((value) => matches(parameter, Key!, Option, value)),
  );
}

function matches(parameter: ParameterMetadata, key: string, option: string, value: string): boolean {
  switch (key) {
    case 'Name':
      return compare(parameter.Name!, option, value);
    case 'Type':
      return compare(parameter.Type!, option, value);
    case 'Tier':
      return compare(parameter.Tier!, option, value);
    case 'Path':
      return isBelow(parameter.Name!, option, value);
    default:
      throw new AwsError('InvalidFilterKey', `The embedded AWS does not filter parameters by ${key}.`);
  }
}

function compare(actual: string, option: string, value: string): boolean {
  switch (option) {
    case 'Equals':
      return actual === value;
    case 'BeginsWith':
      return actual.startsWith(value);
    case 'Contains':
      return actual.includes(value);
    default:
      throw new AwsError('InvalidFilterOption', `The filter option ${option} is not valid.`);
  }
}

function isBelow(name: string, option: string, path: string): boolean {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  if (!name.startsWith(prefix)) return false;
  if (option === 'Recursive') return true;
  if (option === 'OneLevel') return !name.slice(prefix.length).includes('/');
  throw new AwsError('InvalidFilterOption', `The filter option ${option} is not valid.`);
}
