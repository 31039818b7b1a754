/** Errors of the registry's HTTP API, by the codes of the OCI distribution spec 1.1, and which of them ECR's own become. */
import { AwsError } from '../call.ts';
import { DigestMismatch } from './blob-store.ts';

export type DistributionCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_UNKNOWN'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'UNKNOWN'
  | 'UNSUPPORTED';

export class DistributionError extends Error {
  readonly code: DistributionCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: DistributionCode,
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.headers = headers;
  }

  get body(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message, detail: {} }] });
  }
}

const ofEcr: Readonly<Record<string, readonly [DistributionCode, number]>> = {
  RepositoryNotFoundException: ['NAME_UNKNOWN', 404],
  ImageNotFoundException: ['MANIFEST_UNKNOWN', 404],
  ImageTagAlreadyExistsException: ['TAG_INVALID', 400],
  ImageReferencedByManifestList: ['DENIED', 403],
  LayersNotFoundException: ['MANIFEST_BLOB_UNKNOWN', 400],
  ReferencedImagesNotFoundException: ['MANIFEST_BLOB_UNKNOWN', 400],
  InvalidParameterException: ['MANIFEST_INVALID', 400],
};

export function distributionError(error: unknown): DistributionError {
  if (error instanceof DistributionError) return error;
  if (error instanceof DigestMismatch) return new DistributionError('DIGEST_INVALID', 400, error.message);
  const known = error instanceof AwsError ? ofEcr[error.code] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return new DistributionError(known?.[0] ?? 'UNKNOWN', known?.[1] ?? 500, message);
}
