/** The names that CloudFormation gives to resources that have none of their own. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const suffixLength = 12;

export interface NameOptions {
  /** The service's limit. */
  readonly limit: number;
  readonly lowerCase?: boolean;
  /** Step Functions' names do not carry the stack's. */
  readonly withoutStack?: boolean;
}

/** `stack-logicalId-RANDOM`; where that is too long both parts give way, the longer one first. */
export function physicalName(
  stack: string,
  logicalId: string,
  options: NameOptions,
  random: () => number,
): string {
  const suffix = Array.from(
    { length: suffixLength },
    () => alphabet[Math.floor(random() * alphabet.length)],
  ).join('');
  const room = options.limit - suffixLength - (options.withoutStack === true ? 1 : 2);
  const half = Math.floor(room / 2);
  const stackPart = stack.slice(0, Math.max(half, room - logicalId.length)).replace(/-+$/, '');
  const logicalPart = logicalId.slice(0, options.withoutStack === true ? room : room - stackPart.length);
  const name = (
    options.withoutStack === true ? [logicalPart, suffix] : [stackPart, logicalPart, suffix]
  ).join('-');
  return options.lowerCase === true ? name.toLowerCase() : name;
}
