/** What Step Functions demands of names, ARNs, texts and pages of its requests, in its own words. */
import { accountId, region } from '../../../account.ts';
import { AwsError } from '../../../call.ts';
import { type Json, maximumPayloadBytes, parseJson } from '../json.ts';

export function validation(field: string, value: unknown, constraint: string): AwsError {
  const message = `1 validation error detected: Value '${String(value)}' at '${field}' failed to satisfy constraint: ${constraint}`;
  return new AwsError('ValidationException', message);
}

export function requireLength(field: string, value: string | undefined, most: number): void {
  if (value === undefined || value.length <= most) return;
  throw validation(
    field,
    '***Sensitive Data Redacted***',
    `Member must have length less than or equal to ${most}`,
  );
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name) */
export function requireName(name: string): void {
  if (name.length < 1 || name.length > 80) {
    throw validation('name', name, `Member must have length between 1 and 80`);
  }
  // oxlint-disable-next-line no-control-regex -- AWS forbids control characters by name
  if (/[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufffe\uffff]/.test(name)) {
    throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
  }
}

/** An ARN of this account's Step Functions: `stateMachine`, `execution`. */
export function requireArn(value: string, kind: 'stateMachine' | 'execution'): void {
  const [prefix, partition, service, where, account, type] = value.split(':');
  if (prefix !== 'arn') throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid ARN prefix: ${value}'`);
  if (partition !== 'aws' || service !== 'states' || where !== region || account !== accountId) {
    throw new AwsError(
      'InvalidArn',
      `Invalid Arn: 'Resource does not belong to this account and region: ${value}'`,
    );
  }
  if (type !== kind)
    throw new AwsError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${type ?? ''}'`);
}

export function requireRole(roleArn: string): void {
  if (/^arn:aws:iam::\d{12}:role\/.+$/.test(roleArn)) return;
  throw new AwsError('InvalidArn', `Invalid Arn: 'Invalid role ARN: ${roleArn}'`);
}

export function requireInput(input: string): void {
  requirePayload('input', input);
  parsed(
    input,
    (reason) => new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`),
  );
}

export function requireOutput(output: string): Json {
  requirePayload('output', output);
  return parsed(output, (reason) => new AwsError('InvalidOutput', `Invalid Output: '${reason}'`));
}

function requirePayload(field: string, text: string): void {
  if (Buffer.byteLength(text) <= maximumPayloadBytes) return;
  throw validation(
    field,
    '***Sensitive Data Redacted***',
    `Member must have length less than or equal to ${maximumPayloadBytes}`,
  );
}

function parsed(text: string, refusal: (reason: string) => AwsError): Json {
  try {
    return parseJson(text);
  } catch (failure) {
    throw refusal((failure as SyntaxError).message);
  }
}

/** A page of `items`; the token names the first item of the next page by `key`, which items keep as others come and go. */
export function page<Item>(
  items: readonly Item[],
  key: (item: Item) => string,
  request: { readonly maxResults?: number | undefined; readonly nextToken?: string | undefined },
): { readonly items: readonly Item[]; readonly nextToken?: string } {
  const { maxResults = 0, nextToken } = request;
  if (maxResults < 0 || maxResults > 1000) {
    throw validation('maxResults', maxResults, 'Member must have value between 0 and 1000');
  }
  // 0 means the default, as for AWS.
  const size = maxResults === 0 ? 100 : maxResults;
  const first = nextToken === undefined ? undefined : Buffer.from(nextToken, 'base64url').toString();
  const start = first === undefined ? 0 : items.findIndex((item) => key(item) === first);
  if (start === -1) throw new AwsError('InvalidToken', `Invalid Token: 'Invalid token'`);
  const next = items[start + size];
  return {
    items: items.slice(start, start + size),
    ...(next === undefined ? {} : { nextToken: Buffer.from(key(next)).toString('base64url') }),
  };
}
