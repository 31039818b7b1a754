/** Whether a service's settings fit in a parameter of SSM, which a template with references tells only at least. */

/**
 * Of an advanced parameter, in bytes; a standard one holds 4,096:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
 */
export const settingsLimit = 8192;

/** As long as the shortest of them are: `sg-0123456789abcdef0`. Region, account and partition are shorter. */
const reference = 20;
const pseudo = { 'AWS::Region': 9, 'AWS::AccountId': 12, 'AWS::Partition': 3 };

/** `value` as CloudFormation has it; bytes of UTF-8, at least. */
export function leastSize(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, part) => sum + leastSize(part), 0);
  if (typeof value !== 'object' || value === null) return 0;
  if ('Fn::Join' in value) {
    const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
    return leastSize(parts) + leastSize(separator) * Math.max(0, parts.length - 1);
  }
  const known = 'Ref' in value && Object.entries(pseudo).find(([name]) => name === value.Ref);
  return known ? known[1] : reference;
}
