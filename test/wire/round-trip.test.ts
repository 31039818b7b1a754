/**
 * Random inputs and outputs for every operation of every service that the wire knows, through an SDK client and back:
 * what the operation gets is what the client was given, and the other way round.
 */
import { NormalizedSchema } from '@smithy/core/schema';
import { NumericValue } from '@smithy/core/serde';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { type OperationModel, readModel } from '../../local/wire/model.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { type ServiceName, serviceEntry } from '../../local/wire/services.ts';
import { ManualClock } from '../manual-clock.ts';

const namesByPackage = {
  'client-auto-scaling': 'autoscaling',
  'client-cloudformation': 'cloudformation',
  'client-cloudwatch': 'cloudwatch',
  'client-dynamodb': 'dynamodb',
  'client-ec2': 'ec2',
  'client-ecr': 'ecr',
  'client-ecs': 'ecs',
  'client-elastic-load-balancing-v2': 'elbv2',
  'client-eventbridge': 'events',
  'client-iam': 'iam',
  'client-lambda': 'lambda',
  'client-cloudwatch-logs': 'logs',
  'client-sns': 'sns',
  'client-ssm': 'ssm',
  'client-sfn': 'states',
  'client-sts': 'sts',
} as const satisfies Record<string, ServiceName>;

// Streams of events are not served, nor are STS's operations that are not signed. SQS checks sums of messages.
const leftOut =
  /^(StartLiveTail|GetLogObject|InvokeWithResponseStream|InvokeAsync|AssumeRoleWith(SAML|WebIdentity))$/;
/** EC2 has 800 operations: those of networks are proof enough. */
const ofEc2 = /(Vpc|Subnet|RouteTable|InternetGateway|Address|NatGateway|SecurityGroup|AvailabilityZone)s?$/;
/** An endpoint of EventBridge's own chooses another host. */
const leftOutMembers = ['EndpointId'];

/** Values without what a wire cannot carry: empty structs and lists inside of others, characters that XML lacks. */
function arbitrary(schema: NormalizedSchema, depth = 0): fc.Arbitrary<unknown> {
  if (schema.isStructSchema()) return struct(schema, depth);
  if (schema.isListSchema())
    return fc.array(arbitrary(schema.getValueSchema(), depth + 1), { minLength: 1, maxLength: 2 });
  if (schema.isMapSchema()) {
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), arbitrary(schema.getValueSchema(), depth + 1), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    });
  }
  if (schema.getMergedTraits().httpResponseCode) return fc.constant(200);
  if (schema.isBooleanSchema()) return fc.boolean();
  if (schema.isNumericSchema()) return fc.integer({ min: 1, max: 1000 });
  if (schema.isTimestampSchema())
    return fc.integer({ min: 1e9, max: 2e9 }).map((seconds) => new Date(seconds * 1000));
  if (schema.isBlobSchema()) return fc.uint8Array({ minLength: 1, maxLength: 8 });
  if (schema.isBigDecimalSchema()) return fc.constant(new NumericValue('1.5', 'bigDecimal'));
  if (schema.isBigIntegerSchema()) return fc.constant(5n);
  if (schema.isDocumentSchema()) return fc.constant({ a: 1 });
  return fc.stringMatching(/^[A-Za-z0-9/:_&<>" .+=-]{0,10}[a-z]$/);
}

/** Deep down only what is required. */
function struct(schema: NormalizedSchema, depth: number): fc.Arbitrary<unknown> {
  const required = (schema.getSchema() as unknown as readonly unknown[])[6] ?? 0;
  const all = [...schema.structIterator()].filter(([name]) => !leftOutMembers.includes(name));
  const few = all.filter(([, member], index) => depth < 3 || index < Number(required) || isLeaf(member));
  const members = schema.isUnionSchema() && few.length === 0 ? all : few;
  const arbitraries = members.map(([name, member]) => [name, arbitrary(member, depth + 1)] as const);
  if (schema.isUnionSchema()) {
    return fc.oneof(...arbitraries.map(([name, value]) => value.map((each) => ({ [name]: each }))));
  }
  return fc.record(Object.fromEntries(arbitraries), { noNullPrototype: true });
}

function isLeaf(schema: NormalizedSchema): boolean {
  return !(schema.isStructSchema() || schema.isListSchema() || schema.isMapSchema());
}

/** Less the members that are undefined and the lists that hold nothing but such. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(pruned).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return [...value];
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== '$metadata')
    .map(([key, member]) => [key, pruned(member)] as const)
    .filter(([, member]) => member !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

interface Client {
  send(command: object): Promise<unknown>;
}
type Constructor<T> = new (options: object) => T;

describe.each(Object.entries(namesByPackage))('@aws-sdk/%s', (packageName, service) => {
  it('every operation', async () => {
    const sdk = (await import(`@aws-sdk/${packageName}`)) as Record<string, unknown>;
    const model = readModel(sdk);
    let input: unknown;
    let output: unknown;
    const run = (given: unknown): unknown => {
      input = given;
      return output;
    };
    const dispatcher = new Dispatcher({
      entries: [
        serviceEntry(service, Object.fromEntries([...model.operations.keys()].map((name) => [name, run]))),
      ],
      authorizer: { authorize: () => undefined },
      principalOf: () => ({ kind: 'root' }),
      calls: new CallLog(),
      clock: new ManualClock(),
      endpoint: () => '',
      onFailure: (failure) => {
        throw failure;
      },
    });
    const clientName = Object.keys(sdk).find((name) => /^[A-Z]\w+Client$/.test(name))!;
    const client = new (sdk[clientName] as Constructor<Client>)({
      region: 'us-east-1',
      endpoint: 'http://localhost',
      disableHostPrefix: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
      requestHandler: new InProcessHandler({ dispatcher, endpoint: () => '' }),
    });
    const failures: string[] = [];
    for (const operation of model.operations.values()) {
      if (leftOut.test(operation.name) || (service === 'ec2' && !ofEc2.test(operation.name))) continue;
      const command = sdk[`${operation.name}Command`] as Constructor<object>;
      for (const [given, answer] of samples(operation)) {
        output = answer;
        try {
          const received = await client.send(new command(given as object));
          expect(pruned(input)).toEqual(pruned(given));
          expect(pruned(received)).toEqual(pruned(answer));
        } catch (failure) {
          failures.push(`${operation.name}: ${failure instanceof Error ? failure.message : String(failure)}`);
        }
      }
    }
    expect(failures).toEqual([]);
  });
});

function samples({ input, output }: OperationModel): (readonly [unknown, unknown])[] {
  const side = (schema: NormalizedSchema): fc.Arbitrary<unknown> =>
    schema.isUnitSchema() ? fc.constant({}) : arbitrary(schema);
  return fc.sample(fc.tuple(side(input), side(output)), { numRuns: 3, seed: 1 });
}
