/** A layer's uncompressed tar, read from its blob, with what was read checked against the image's configuration. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Layer } from '../registry/image-store.ts';

/** Streams the layer's tar into `sink`; rejects when the blob does not decompress or is not what the image promised. */
export async function streamLayer(
  layer: Layer,
  sink: NodeJS.WritableStream,
  options: { maxBytes: number },
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > options.maxBytes) {
        done(new Error(`no space left on device: the layer unpacks to more than ${options.maxBytes} bytes`));
      } else done(null, chunk);
    },
  });
  const source = createReadStream(layer.path);
  const decompress = decompressor(layer.mediaType);
  await (decompress === undefined
    ? pipeline(source, measure, sink)
    : pipeline(source, decompress, measure, sink));
  const diffId = `sha256:${hash.digest('hex')}`;
  if (layer.diffId !== undefined && layer.diffId !== diffId) {
    throw new Error(`wrong diff id calculated on extraction "${diffId}"`);
  }
}

function decompressor(mediaType: string): Transform | undefined {
  if (mediaType.endsWith('gzip')) return createGunzip();
  if (mediaType.endsWith('zstd')) return createZstdDecompress();
  return undefined;
}
