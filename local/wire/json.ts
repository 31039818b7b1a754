/**
 * AWS JSON 1.0 and 1.1: the operation's name in `X-Amz-Target`, members in a JSON body. Query-compatible services
 * (SQS, CloudWatch) also answer the code that they had in the query protocol, which SDKs and the CLI go by.
 */
import { JsonCodec2 } from '@aws-sdk/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { AwsError } from '../call.ts';
import { type Failure, faultOf } from './failure.ts';
import type { Protocol } from './protocol.ts';

/** Members go by their own names; timestamps are seconds since the epoch unless a trait says otherwise. */
const codec = new JsonCodec2({ timestampFormat: { useTrait: true, default: 7 }, jsonName: false });

export function awsJson(version: '1.0' | '1.1', options: { queryCompatible?: boolean } = {}): Protocol {
  const contentType = `application/x-amz-json-${version}`;
  return {
    family: 'json',
    route(request) {
      const target = request.headers['x-amz-target'];
      return target === undefined ? undefined : { operation: target.slice(target.lastIndexOf('.') + 1) };
    },
    decode: (operation, request) => readJson(codec, operation.input, request.body),
    encode: (operation, output, requestId) => ({
      status: 200,
      headers: { 'content-type': contentType, 'x-amzn-requestid': requestId },
      body: operation.output.isUnitSchema() ? '' : writeJson(codec, operation.output, output ?? {}),
    }),
    encodeError: (failure, requestId) => ({
      status: failure.status,
      headers: {
        'content-type': contentType,
        'x-amzn-requestid': requestId,
        ...(options.queryCompatible
          ? { 'x-amzn-query-error': `${failure.queryCode};${faultOf(failure)}` }
          : {}),
      },
      body: JSON.stringify({ __type: failure.code, ...errorMembers(codec, failure) }),
    }),
  };
}

export async function readJson(
  from: JsonCodec2,
  schema: NormalizedSchema,
  body: Uint8Array,
): Promise<unknown> {
  if (schema.isUnitSchema() || body.byteLength === 0) return {};
  try {
    return (await from.createDeserializer().read(schema, Buffer.from(body).toString())) as unknown;
  } catch (failure) {
    throw new AwsError(
      'SerializationException',
      failure instanceof Error ? failure.message : String(failure),
    );
  }
}

export function writeJson(to: JsonCodec2, schema: NormalizedSchema, value: unknown): string | Uint8Array {
  const serializer = to.createSerializer();
  serializer.write(schema, value);
  return serializer.flush();
}

/** The members of an error, `message` spelled as the error's shape spells it. */
export function errorMembers(to: JsonCodec2, failure: Failure): Record<string, unknown> {
  const { schema, message, members } = failure;
  if (schema === undefined) return { message, ...members };
  const body = writeJson(to, schema, { message, Message: message, ...members });
  const known = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as Record<
    string,
    unknown
  >;
  return 'Message' in known ? known : { message, ...known };
}
