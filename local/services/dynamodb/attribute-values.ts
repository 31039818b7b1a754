/**
 * Items between the SDK's shape, where binary values are bytes, and DynamoDB's JSON, where they are base64: the form
 * that dynalite keeps and that streams deliver to functions.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Json, Row } from 'dynalite/db/index.js';

/** A deep copy of an input with all bytes in base64 and without absent members. */
export function toJson(input: object): Json {
  return encode(input) as Json;
}

function encode(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, encode(member)]),
  );
}

/** An item or key of dynalite's as the SDK shows it. */
export function fromRow(row: Row): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, decode(value)]));
}

function decode(value: Record<string, unknown>): AttributeValue {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  if ('B' in value) return { B: bytes(value['B'] as string) };
  if ('BS' in value) return { BS: (value['BS'] as string[]).map(bytes) };
  if ('L' in value) return { L: (value['L'] as Record<string, unknown>[]).map(decode) };
  if ('M' in value) return { M: fromRow(value['M'] as Row) };
  return structuredClone(value) as unknown as AttributeValue;
}
