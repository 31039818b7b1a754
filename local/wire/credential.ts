/**
 * Reads who signed a request, and for which service, from its Signature Version 4 credential scope. The signature
 * itself is not verified: the embedded AWS listens on this machine alone and holds nothing to protect.
 */
import type { WireRequest } from './message.ts';

export interface CredentialScope {
  readonly accessKeyId: string;
  /** The signing name, such as `elasticloadbalancing`. */
  readonly service: string;
}

/** Undefined for a request that is not signed. */
export function credentialScope(
  request: Pick<WireRequest, 'headers' | 'query'>,
): CredentialScope | undefined {
  const header = request.headers['authorization'] ?? '';
  const credential = header.startsWith('AWS4-')
    ? /Credential=([^,\s]+)/.exec(header)?.[1]
    : new URLSearchParams(request.query).get('X-Amz-Credential');
  // KEY/DATE/REGION/SERVICE/aws4_request; SigV4A leaves the region out.
  const parts = credential?.split('/') ?? [];
  const [accessKeyId, service] = [parts[0], parts.at(-2)];
  if (parts.length < 4 || accessKeyId === undefined || service === undefined) return undefined;
  return { accessKeyId, service };
}
