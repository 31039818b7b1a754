/** Reads the form that the query protocols send: `Targets.member.1.Id=…` back into the SDK's input shape. */

import type { NormalizedSchema } from '@smithy/core/schema';
import { NumericValue } from '@smithy/core/serde';
import { AwsError } from '../call.ts';

/** The keys of a form, split at their dots. */
interface Branch {
  text: string | undefined;
  readonly children: Map<string, Branch>;
}

export interface FormDialect {
  /** EC2's dialect: lists are always flat, names are capitalised. */
  readonly ec2: boolean;
}

export function readForm(schema: NormalizedSchema, form: URLSearchParams, dialect: FormDialect): unknown {
  return schema.isUnitSchema() ? {} : readValue(schema, grow(form), dialect);
}

function grow(form: URLSearchParams): Branch {
  const root: Branch = { text: undefined, children: new Map() };
  for (const [key, text] of form) {
    let branch = root;
    for (const part of key.split('.')) {
      let next = branch.children.get(part);
      if (next === undefined) {
        next = { text: undefined, children: new Map() };
        branch.children.set(part, next);
      }
      branch = next;
    }
    branch.text = text;
  }
  return root;
}

function readValue(schema: NormalizedSchema, branch: Branch, dialect: FormDialect): unknown {
  if (schema.isStructSchema()) return readStruct(schema, branch, dialect);
  if (schema.isListSchema()) return readList(schema, branch, dialect);
  if (schema.isMapSchema()) return readMap(schema, branch, dialect);
  return readText(schema, branch.text ?? '');
}

function readStruct(schema: NormalizedSchema, branch: Branch, dialect: FormDialect): unknown {
  const value: Record<string, unknown> = {};
  for (const [name, member] of schema.structIterator()) {
    const child = branch.children.get(keyOf(name, member, dialect));
    if (child !== undefined) value[name] = readValue(member, child, dialect);
  }
  return value;
}

function keyOf(name: string, member: NormalizedSchema, dialect: FormDialect): string {
  const { xmlName, ec2QueryName } = member.getMergedTraits() as { xmlName?: string; ec2QueryName?: string };
  const key = xmlName ?? name;
  if (!dialect.ec2) return key;
  return ec2QueryName ?? key.charAt(0).toUpperCase() + key.slice(1);
}

function readList(schema: NormalizedSchema, branch: Branch, dialect: FormDialect): unknown[] {
  const item = schema.getValueSchema();
  // Clients of other ages write `member` where today's model names the item, and the other way round.
  const named =
    branch.children.get(item.getMergedTraits().xmlName ?? 'member') ?? branch.children.get('member');
  return numbered(named ?? branch).map((child) => readValue(item, child, dialect));
}

function readMap(schema: NormalizedSchema, branch: Branch, dialect: FormDialect): unknown {
  const [keySchema, valueSchema] = [schema.getKeySchema(), schema.getValueSchema()];
  const keyName = keySchema.getMergedTraits().xmlName ?? 'key';
  const valueName = valueSchema.getMergedTraits().xmlName ?? 'value';
  const map: Record<string, unknown> = {};
  for (const entry of numbered(branch.children.get('entry') ?? branch)) {
    const value = entry.children.get(valueName);
    if (value !== undefined)
      map[entry.children.get(keyName)?.text ?? ''] = readValue(valueSchema, value, dialect);
  }
  return map;
}

/** Children `1`, `2`, … in order; none for a list that was sent empty (`Key=`). */
function numbered(branch: Branch): Branch[] {
  return [...branch.children]
    .filter(([key]) => /^\d+$/.test(key))
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child);
}

function readText(schema: NormalizedSchema, text: string): unknown {
  if (schema.isBooleanSchema()) return text.toLowerCase() === 'true';
  if (schema.isNumericSchema()) return numberOf(text);
  if (schema.isTimestampSchema()) return dateOf(text);
  if (schema.isBlobSchema()) return Buffer.from(text, 'base64');
  if (schema.isBigIntegerSchema()) return BigInt(text);
  if (schema.isBigDecimalSchema()) return new NumericValue(text, 'bigDecimal');
  return text;
}

function numberOf(text: string): number {
  const value = Number(text);
  if (text === '' || Number.isNaN(value)) throw new AwsError('MalformedInput', `"${text}" is not a number`);
  return value;
}

function dateOf(text: string): Date {
  const date = /^\d+(\.\d+)?$/.test(text) ? new Date(Number(text) * 1000) : new Date(text);
  if (Number.isNaN(date.getTime())) throw new AwsError('MalformedInput', `"${text}" is not a timestamp`);
  return date;
}
