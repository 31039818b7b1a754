/** The attributes of a queue: their defaults, their ranges, and those that cannot be set. */
import { AwsError } from '../../call.ts';

export type QueueAttributes = Readonly<Record<string, string>>;

export interface RedrivePolicy {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** "SetQueueAttributes", API reference: least, most, default. */
const numbers: Readonly<Record<string, readonly [number, number, number]>> = {
  DelaySeconds: [0, 900, 0],
  MaximumMessageSize: [1024, 1_048_576, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
  VisibilityTimeout: [0, 43_200, 30],
};

/** Kept and shown; they change nothing here. */
const kept = [
  'Policy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
];

export const defaultAttributes: QueueAttributes = {
  ...Object.fromEntries(Object.entries(numbers).map(([name, [, , value]]) => [name, String(value)])),
  SqsManagedSseEnabled: 'true',
};

/** The attributes as they will be; an empty value of a policy removes it. */
export function changedAttributes(present: QueueAttributes, changes: QueueAttributes): QueueAttributes {
  for (const [name, value] of Object.entries(changes)) check(name, value);
  return Object.fromEntries(Object.entries({ ...present, ...changes }).filter(([, value]) => value !== ''));
}

export function redrivePolicy(attributes: QueueAttributes): RedrivePolicy | undefined {
  const text = attributes['RedrivePolicy'];
  if (text === undefined) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = parsedPolicy(text);
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) };
}

function check(name: string, value: string): void {
  const range = numbers[name];
  if (range !== undefined) {
    const number = Number(value);
    if (Number.isInteger(number) && number >= range[0] && number <= range[1]) return;
    throw new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
  }
  if (name === 'RedrivePolicy') return checkRedrive(value);
  if (!kept.includes(name)) throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
}

function checkRedrive(value: string): void {
  if (value === '') return;
  const { deadLetterTargetArn, maxReceiveCount } = parsedPolicy(value);
  const count = Number(maxReceiveCount);
  if (typeof deadLetterTargetArn === 'string' && Number.isInteger(count) && count >= 1 && count <= 1000)
    return;
  throw invalidRedrive(value);
}

function parsedPolicy(text: string): { deadLetterTargetArn?: unknown; maxReceiveCount?: unknown } {
  try {
    const policy: unknown = JSON.parse(text);
    if (typeof policy === 'object' && policy !== null) return policy;
  } catch {
    // Told below, as for any other value that is no policy.
  }
  throw invalidRedrive(text);
}

function invalidRedrive(value: string): AwsError {
  const reason = 'Reason: a deadLetterTargetArn and a maxReceiveCount from 1 to 1000 are needed.';
  return new AwsError(
    'InvalidAttributeValue',
    `Value ${value} for parameter RedrivePolicy is invalid. ${reason}`,
  );
}
