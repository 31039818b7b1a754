/** The listing of a bucket: prefix, delimiter, pages. */
import { AwsError } from '../../call.ts';
import { escapeXml } from '../../wire/xml.ts';
import type { StoredObject } from './buckets.ts';

/** The largest page S3 gives, and its default. */
const largestPage = 1000;

/** ListObjectsV2's result as XML. `objects` in the order of their keys. */
export function listObjectsV2(
  bucket: string,
  objects: readonly StoredObject[],
  query: URLSearchParams,
): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = startOf(query);
  const size = Math.min(Number(query.get('max-keys') ?? largestPage), largestPage);
  const text = query.get('encoding-type') === 'url' ? encodeKey : escapeXml;

  const entries = groupedByPrefix(objects, prefix, delimiter).filter(({ name }) => name > after);
  const page = entries.slice(0, size);
  const truncated = entries.length > size;
  const contents = page.flatMap(({ object }) => (object === undefined ? [] : [object]));
  const prefixes = page.flatMap(({ name, object }) => (object === undefined ? [name] : []));
  return [
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    `<Name>${bucket}</Name><Prefix>${text(prefix)}</Prefix><MaxKeys>${size}</MaxKeys>`,
    delimiter === '' ? '' : `<Delimiter>${text(delimiter)}</Delimiter>`,
    query.has('encoding-type') ? '<EncodingType>url</EncodingType>' : '',
    `<KeyCount>${page.length}</KeyCount><IsTruncated>${truncated}</IsTruncated>`,
    truncated ? `<NextContinuationToken>${tokenFor(page.at(-1)?.name ?? '')}</NextContinuationToken>` : '',
    ...contents.map(
      ({ key, lastModified, etag, body }) =>
        `<Contents><Key>${text(key)}</Key><LastModified>${lastModified.toISOString()}</LastModified>` +
        `<ETag>${escapeXml(etag)}</ETag><Size>${body.byteLength}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
    ),
    ...prefixes.map((name) => `<CommonPrefixes><Prefix>${text(name)}</Prefix></CommonPrefixes>`),
    '</ListBucketResult>',
  ].join('');
}

interface Entry {
  /** A key, or a common prefix. */
  readonly name: string;
  readonly object?: StoredObject;
}

function groupedByPrefix(objects: readonly StoredObject[], prefix: string, delimiter: string): Entry[] {
  const entries = new Map<string, Entry>();
  for (const object of objects) {
    if (!object.key.startsWith(prefix)) continue;
    const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    if (end === -1) entries.set(object.key, { name: object.key, object });
    else {
      const name = object.key.slice(0, end + delimiter.length);
      entries.set(name, { name });
    }
  }
  return [...entries.values()];
}

function startOf(query: URLSearchParams): string {
  const token = query.get('continuation-token');
  if (token === null) return query.get('start-after') ?? '';
  if (!/^[\w-]+$/.test(token)) {
    throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return Buffer.from(token, 'base64url').toString();
}

function tokenFor(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/');
}
