/**
 * Properties as templates write them, made into an operation's input by the SDK's own schemas: member names without
 * regard to case (ECS and Step Functions begin theirs small), numbers and booleans out of strings, as CloudFormation
 * does. A member that the operation does not have is an error that names it.
 */
import { NormalizedSchema } from '@smithy/core/schema';
import { isObject, type Json, type JsonObject } from './json.ts';

/** The SDK packages that the embedded services are described by; each is loaded when first used. */
const packages: Readonly<Record<string, () => Promise<object>>> = {
  dynamodb: () => import('@aws-sdk/client-dynamodb'),
  ecr: () => import('@aws-sdk/client-ecr'),
  ecs: () => import('@aws-sdk/client-ecs'),
  elasticloadbalancing: () => import('@aws-sdk/client-elastic-load-balancing-v2'),
  events: () => import('@aws-sdk/client-eventbridge'),
  iam: () => import('@aws-sdk/client-iam'),
  lambda: () => import('@aws-sdk/client-lambda'),
  logs: () => import('@aws-sdk/client-cloudwatch-logs'),
  monitoring: () => import('@aws-sdk/client-cloudwatch'),
  sns: () => import('@aws-sdk/client-sns'),
  sqs: () => import('@aws-sdk/client-sqs'),
  ssm: () => import('@aws-sdk/client-ssm'),
  states: () => import('@aws-sdk/client-sfn'),
};

/** Operation schemas: `[9, namespace, name, traits, input, output]`. */
type OperationSchema = readonly [
  9,
  string,
  string,
  unknown,
  Parameters<typeof NormalizedSchema.of>[0],
  unknown,
];

/** `input` in the operation's own shape. EC2's input is passed as it is: its schemas are too heavy for its use here. */
export async function shaped(service: string, operation: string, input: JsonObject): Promise<unknown> {
  const load = packages[service];
  if (load === undefined) return input;
  const schema = ((await load()) as Readonly<Record<string, unknown>>)[`${operation}$`] as
    | OperationSchema
    | undefined;
  if (schema === undefined) throw new Error(`${service} has no operation ${operation}`);
  return shape(NormalizedSchema.of(schema[4]), input, '');
}

function shape(schema: NormalizedSchema, value: Json | undefined, path: string): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema.isDocumentSchema()) return value;
  if (schema.isListSchema()) {
    const values = Array.isArray(value) ? value : [value];
    return values.map((element, index) => shape(schema.getValueSchema(), element, `${path}/${index}`));
  }
  if (schema.isMapSchema()) {
    if (!isObject(value)) throw mismatch(path, 'a map');
    return Object.fromEntries(
      Object.entries(value as JsonObject).map(([key, inner]) => [
        key,
        shape(schema.getValueSchema(), inner, `${path}/${key}`),
      ]),
    );
  }
  if (schema.isStructSchema()) return struct(schema, value, path);
  if (schema.isBlobSchema()) return value;
  if (typeof value === 'object') throw mismatch(path, 'a scalar');
  if (schema.isNumericSchema()) {
    if (value === '' || Number.isNaN(Number(value))) throw mismatch(path, 'a number');
    return Number(value);
  }
  if (schema.isBooleanSchema()) {
    if (String(value) !== 'true' && String(value) !== 'false') throw mismatch(path, 'a boolean');
    return String(value) === 'true';
  }
  if (schema.isTimestampSchema()) return new Date(String(value));
  return String(value);
}

function struct(schema: NormalizedSchema, value: Json, path: string): unknown {
  if (!isObject(value)) throw mismatch(path, 'an object');
  const members = new Map(
    [...schema.structIterator()].map(([name, member]) => [name.toLowerCase(), { name, member }]),
  );
  return Object.fromEntries(
    Object.entries(value as JsonObject).flatMap(([key, inner]) => {
      const found = members.get(key.toLowerCase());
      if (found === undefined) throw new UnsupportedProperty(`${path}/${key}`);
      const shapedValue = shape(found.member, inner, `${path}/${key}`);
      return shapedValue === undefined ? [] : [[found.name, shapedValue]];
    }),
  );
}

function mismatch(path: string, wanted: string): Error {
  return new Error(`Properties validation failed: #${path}: expected ${wanted}`);
}

class UnsupportedProperty extends Error {
  constructor(path: string) {
    super(
      `Properties validation failed: #${path}: extraneous key [${path.split('/').at(-1)}] is not permitted`,
    );
    this.name = 'UnsupportedProperty';
  }
}
