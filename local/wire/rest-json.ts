/** AWS REST JSON (Lambda): the operation is told by method and path; members travel in path, query, headers and body. */
import { FromStringShapeDeserializer, JsonCodec2, ToStringShapeSerializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import { errorMembers, readJson, writeJson } from './json.ts';
import type { WireRequest } from './message.ts';
import type { OperationModel, ServiceModel } from './model.ts';
import type { Protocol, Route } from './protocol.ts';

const settings = {
  timestampFormat: { useTrait: true, default: 7 as const },
  httpBindings: true,
  jsonName: true,
};
const codec = new JsonCodec2(settings);
const contentType = 'application/json';

interface RestPattern {
  readonly operation: string;
  readonly method: string;
  readonly path: RegExp;
  readonly query: readonly (readonly [string, string])[];
  readonly labels: readonly string[];
  /** Literal characters: the more, the more specific. */
  readonly literal: number;
}

/** A protocol of its own for each service entry: it keeps that service's compiled paths. */
export function restJson(): Protocol {
  const compiled = new WeakMap<ServiceModel, readonly RestPattern[]>();
  const patternsOf = (model: ServiceModel): readonly RestPattern[] => {
    const known = compiled.get(model);
    if (known !== undefined) return known;
    const patterns = [...model.operations.values()]
      .flatMap(compile)
      .toSorted((a, b) => b.literal - a.literal);
    compiled.set(model, patterns);
    return patterns;
  };
  return {
    family: 'rest',
    route: (request, model) => (model === undefined ? undefined : match(patternsOf(model), request)),
    decode: readInput,
    encode(operation, output, requestId) {
      const value = (output ?? {}) as Record<string, unknown>;
      const headers: Record<string, string> = { 'content-type': contentType, 'x-amzn-requestid': requestId };
      let status = operation.http?.[2] ?? 200;
      let payload: string | Uint8Array | undefined;
      const rest: Record<string, unknown> = {};
      for (const [name, member] of members(operation.output)) {
        const traits = member.getMergedTraits();
        const found = value[name];
        if (found === undefined || found === null) continue;
        if (traits.httpHeader !== undefined) headers[traits.httpHeader.toLowerCase()] = toText(member, found);
        else if (traits.httpResponseCode) status = Number(found);
        else if (traits.httpPayload) payload = writePayload(member, found);
        else rest[name] = found;
      }
      const hasPayloadMember = [...members(operation.output)].some(
        ([, member]) => member.getMergedTraits().httpPayload,
      );
      const body =
        payload ??
        (hasPayloadMember || operation.output.isUnitSchema() ? '' : writeJson(codec, operation.output, rest));
      return { status, headers, body };
    },
    encodeError: (failure, requestId) => ({
      status: failure.status,
      headers: {
        'content-type': contentType,
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': failure.code,
      },
      body: JSON.stringify({
        Type: failure.status < 500 ? 'User' : 'Service',
        ...errorMembers(codec, failure),
      }),
    }),
  };
}

function compile(operation: OperationModel): RestPattern[] {
  if (operation.http === undefined) return [];
  const [method, uri] = operation.http;
  const [path = '', query = ''] = uri.split('?');
  const labels: string[] = [];
  const source = path
    .split(/(\{[^}]+\})/)
    .map((part) => {
      if (!part.startsWith('{')) return part.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
      const greedy = part.endsWith('+}');
      labels.push(part.slice(1, greedy ? -2 : -1));
      return greedy ? '(.+)' : '([^/]+)';
    })
    .join('');
  return [
    {
      operation: operation.name,
      method,
      path: new RegExp(`^${source}/?$`),
      query: [...new URLSearchParams(query)],
      labels,
      literal: path.replaceAll(/\{[^}]+\}/g, '').length + query.length,
    },
  ];
}

function match(patterns: readonly RestPattern[], request: WireRequest): Route | undefined {
  const query = new URLSearchParams(request.query);
  for (const pattern of patterns) {
    if (pattern.method !== request.method) continue;
    const found = pattern.path.exec(request.path);
    if (found === null || !pattern.query.every(([key, value]) => query.get(key) === value)) continue;
    const labels = Object.fromEntries(
      pattern.labels.map((label, index) => [label, decodeURIComponent(found[index + 1] ?? '')]),
    );
    return { operation: pattern.operation, labels };
  }
  return undefined;
}

async function readInput(operation: OperationModel, request: WireRequest, route: Route): Promise<unknown> {
  const query = new URLSearchParams(request.query);
  const input: Record<string, unknown> = {};
  let hasBody = false;
  for (const [name, member] of members(operation.input)) {
    const traits = member.getMergedTraits();
    if (traits.httpLabel) setText(input, name, member, route.labels?.[name]);
    else if (traits.httpHeader !== undefined)
      setText(input, name, member, request.headers[traits.httpHeader.toLowerCase()]);
    else if (traits.httpQuery !== undefined) {
      const values = query.getAll(traits.httpQuery);
      if (values.length === 0) continue;
      input[name] = member.isListSchema()
        ? values.map((text) => fromText(member.getValueSchema(), text))
        : fromText(member, values[0]!);
    } else if (traits.httpPayload) {
      if (request.body.byteLength > 0) input[name] = await readPayload(member, request.body);
    } else hasBody = true;
  }
  return hasBody
    ? { ...((await readJson(codec, operation.input, request.body)) as object), ...input }
    : input;
}

function* members(schema: NormalizedSchema): Generator<[string, NormalizedSchema]> {
  if (!schema.isUnitSchema()) yield* schema.structIterator();
}

function setText(
  input: Record<string, unknown>,
  name: string,
  member: NormalizedSchema,
  text?: string,
): void {
  if (text !== undefined) input[name] = fromText(member, text);
}

function fromText(schema: NormalizedSchema, text: string): unknown {
  return new FromStringShapeDeserializer(settings).read(schema, text) as unknown;
}

function toText(schema: NormalizedSchema, value: unknown): string {
  const serializer = new ToStringShapeSerializer(settings);
  serializer.write(schema, value);
  return serializer.flush();
}

async function readPayload(member: NormalizedSchema, body: Uint8Array): Promise<unknown> {
  if (member.isBlobSchema()) return body;
  if (member.isStringSchema()) return Buffer.from(body).toString();
  return readJson(codec, member, body);
}

function writePayload(member: NormalizedSchema, value: unknown): string | Uint8Array {
  if (member.isBlobSchema() || member.isStringSchema()) return value as string | Uint8Array;
  return writeJson(codec, member, value);
}
