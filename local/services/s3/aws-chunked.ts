/**
 * Bodies in `aws-chunked` encoding, which SDKs and the CLI send so that checksums can follow as trailers:
 * `SIZE-IN-HEX[;chunk-signature=…]\r\n…\r\n`, a chunk of size 0, trailers, an empty line.
 */
import { AwsError } from '../../call.ts';

export function isAwsChunked(headers: Readonly<Record<string, string>>): boolean {
  const encodings = (headers['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim());
  return (
    encodings.includes('aws-chunked') || (headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')
  );
}

export function decodeAwsChunked(body: Uint8Array): Buffer {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (Number.isNaN(size) || start + size > bytes.byteLength) {
      throw new AwsError('IncompleteBody', 'The request body terminated unexpectedly');
    }
    // Trailers hold checksums and signatures; neither is verified.
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
