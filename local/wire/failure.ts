/** An error on its way to the wire: the service's model decides its code and status, the protocol family its dialect. */
import type { NormalizedSchema } from '@smithy/core/schema';
import type { AwsError } from '../call.ts';
import type { ServiceModel } from './model.ts';

export type Family = 'json' | 'rest' | 'query' | 'ec2' | 's3';

export interface Failure {
  /** As JSON and REST protocols name it: the shape's name. */
  readonly code: string;
  /** As the query protocols and `x-amzn-query-error` name it. */
  readonly queryCode: string;
  readonly status: number;
  readonly message: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly schema?: NormalizedSchema;
}

interface Spelling {
  readonly code: string;
  readonly status: number;
}

/**
 * Errors that any service can answer and models do not name, as each family spells them ("Common error types" of the
 * services' API references). Services and the authorizer throw the JSON name.
 */
const common: Readonly<Record<string, Readonly<Partial<Record<Family, Spelling>>>>> = {
  AccessDeniedException: {
    json: { code: 'AccessDeniedException', status: 400 },
    rest: { code: 'AccessDeniedException', status: 403 },
    query: { code: 'AccessDenied', status: 403 },
    ec2: { code: 'UnauthorizedOperation', status: 403 },
    s3: { code: 'AccessDenied', status: 403 },
  },
  ThrottlingException: {
    rest: { code: 'ThrottlingException', status: 429 },
    query: { code: 'Throttling', status: 400 },
    ec2: { code: 'RequestLimitExceeded', status: 503 },
    s3: { code: 'SlowDown', status: 503 },
  },
  UnknownOperationException: {
    rest: { code: 'UnknownOperationException', status: 404 },
    query: { code: 'InvalidAction', status: 400 },
    ec2: { code: 'InvalidAction', status: 400 },
    s3: { code: 'NotImplemented', status: 501 },
  },
  MissingAuthenticationTokenException: {
    rest: { code: 'MissingAuthenticationTokenException', status: 403 },
    query: { code: 'MissingAuthenticationToken', status: 403 },
    ec2: { code: 'AuthFailure', status: 401 },
    s3: { code: 'AccessDenied', status: 403 },
  },
  ValidationException: {
    query: { code: 'ValidationError', status: 400 },
    ec2: { code: 'InvalidParameterValue', status: 400 },
  },
  InternalFailure: {
    s3: { code: 'InternalError', status: 500 },
    ec2: { code: 'InternalError', status: 500 },
  },
};

export function failureOf(error: AwsError, family: Family, model: ServiceModel | undefined): Failure {
  const modelled = model?.errors.get(error.code);
  if (modelled !== undefined) {
    const { name: code, queryCode, status, schema } = modelled;
    return { code, queryCode, status, schema, message: error.message, members: error.members };
  }
  const spelling = common[error.code]?.[family] ?? { code: error.code, status: error.status };
  return {
    code: spelling.code,
    queryCode: spelling.code,
    status: spelling.status,
    message: error.message,
    members: error.members,
  };
}

/** `Sender` or `Receiver`: whose fault the query protocols say it was. */
export function faultOf(failure: Failure): 'Sender' | 'Receiver' {
  return failure.status < 500 ? 'Sender' : 'Receiver';
}
