/** The MD5 digests by which senders and receivers check a message ("Calculating the MD5 message digest", SQS guide). */
import { createHash, type Hash } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';

export function digestOf(body: string): string {
  return createHash('md5').update(body).digest('hex');
}

/** Undefined without attributes. */
export function attributesDigest(
  attributes: Readonly<Record<string, MessageAttributeValue>>,
): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  for (const name of names) {
    const { DataType, StringValue, BinaryValue } = attributes[name]!;
    addSized(hash, Buffer.from(name));
    addSized(hash, Buffer.from(DataType ?? ''));
    hash.update(Buffer.from([BinaryValue === undefined ? 1 : 2]));
    addSized(hash, BinaryValue === undefined ? Buffer.from(StringValue ?? '') : Buffer.from(BinaryValue));
  }
  return hash.digest('hex');
}

function addSized(hash: Hash, bytes: Buffer): void {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  hash.update(size).update(bytes);
}
