/** Addresses of objects that need no credentials of the caller's own, such as CloudFormation's response URL. */
import { randomBytes } from 'node:crypto';
import { region } from '../../account.ts';
import type { Clock } from '../../clock.ts';

export interface PresignOptions {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  readonly bucket: string;
  readonly key: string;
  readonly expiresSeconds: number;
  readonly clock: Clock;
}

/** Presigned in form only: signatures and expiry are not verified, and the request counts as root's. */
export function presignedUrl({ endpoint, bucket, key, expiresSeconds, clock }: PresignOptions): string {
  const date = new Date(clock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `AKIAPRESIGNED/${date.slice(0, 8)}/${region}/s3/aws4_request`,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(expiresSeconds),
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': randomBytes(32).toString('hex'),
  });
  return `${endpoint}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}?${query.toString()}`;
}
