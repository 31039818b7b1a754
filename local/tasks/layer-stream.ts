/** A layer's uncompressed tar, read from its blob, with what was read checked against the image's configuration. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Layer } from '../registry/image-store.ts';

/** The layer's tar, chunk by chunk; throws when the blob does not decompress or is not what the image promised. */
export async function* layerTar(layer: Layer, options: { maxBytes: number }): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of uncompressed(layer)) {
    bytes += chunk.length;
    if (bytes > options.maxBytes) {
      throw new Error(`no space left on device: the layer unpacks to more than ${options.maxBytes} bytes`);
    }
    hash.update(chunk);
    yield chunk;
  }
  const diffId = `sha256:${hash.digest('hex')}`;
  if (layer.diffId !== undefined && layer.diffId !== diffId) {
    throw new Error(`wrong diff id calculated on extraction "${diffId}"`);
  }
}

function uncompressed(layer: Layer): AsyncIterable<Buffer> {
  const source = createReadStream(layer.path);
  const decompress = decompressor(layer.mediaType);
  if (decompress === undefined) return source;
  // An error of either destroys both, and reaches whoever reads: there is nothing left to do about it here.
  return pipeline(source, decompress, () => undefined);
}

function decompressor(mediaType: string): Transform | undefined {
  if (mediaType.endsWith('gzip')) return createGunzip();
  if (mediaType.endsWith('zstd')) return createZstdDecompress();
  return undefined;
}
