/** The Smithy schemas that an SDK client package exports, indexed for serving: operations and errors by name. */
import { NormalizedSchema } from '@smithy/core/schema';

type SchemaRef = Parameters<typeof NormalizedSchema.of>[0];

export interface OperationModel {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  /** For REST protocols: method, URI template, status of success. */
  readonly http?: readonly [method: string, uri: string, status: number];
}

interface ErrorModel {
  readonly name: string;
  readonly schema: NormalizedSchema;
  readonly status: number;
  /** The code that the query protocol (and the header of query-compatible services) carries. */
  readonly queryCode: string;
}

export interface ServiceModel {
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** By the shape's name and by the query protocol's code. */
  readonly errors: ReadonlyMap<string, ErrorModel>;
}

// First element of the SDK's static schemas.
const operationKind = 9;
const errorKind = -3;

interface ErrorTraits {
  readonly error?: 'client' | 'server';
  readonly httpError?: number;
  readonly awsQueryError?: readonly [code: string, status: number];
}

/** `schemas` is the module namespace of an `@aws-sdk/client-*` package. */
export function readModel(schemas: object): ServiceModel {
  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, ErrorModel>();
  for (const exported of Object.values(schemas) as unknown[]) {
    if (!Array.isArray(exported)) continue;
    const [kind, , name] = exported as [unknown, unknown, unknown];
    if (typeof name !== 'string') continue;
    if (kind === operationKind) operations.set(name, readOperation(name, exported));
    else if (kind === errorKind) {
      const model = readError(name, exported);
      errors.set(name, model);
      if (!errors.has(model.queryCode)) errors.set(model.queryCode, model);
    }
  }
  return { operations, errors };
}

function readOperation(name: string, schema: readonly unknown[]): OperationModel {
  const traits = schema[3];
  const http =
    typeof traits === 'object' && traits !== null
      ? (traits as { http?: OperationModel['http'] }).http
      : undefined;
  return {
    name,
    input: NormalizedSchema.of(schema[4] as SchemaRef),
    output: NormalizedSchema.of(schema[5] as SchemaRef),
    ...(http === undefined ? {} : { http }),
  };
}

function readError(name: string, exported: unknown): ErrorModel {
  const schema = NormalizedSchema.of(exported as SchemaRef);
  const traits = schema.getMergedTraits() as ErrorTraits;
  const status = traits.awsQueryError?.[1] ?? traits.httpError ?? (traits.error === 'server' ? 500 : 400);
  return { name, schema, status, queryCode: traits.awsQueryError?.[0] ?? name };
}
