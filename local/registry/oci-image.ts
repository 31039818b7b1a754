/** Builds an OCI image from files and pushes it through a registry's HTTP API, as any client does. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Header, type Pack, pack } from 'tar-stream';
import { digestOf } from './digest.ts';
import type { ImageConfig } from './image-store.ts';
import { type Descriptor, manifestTypes } from './manifest.ts';

/** A file by its path in the image: its content, a file of this machine, or a symbolic link. */
export type ImageFile =
  | { readonly content: string | Buffer; readonly mode?: number }
  | { readonly from: string; readonly mode?: number }
  | { readonly linkTo: string };

export interface OciImage {
  /**
   * Each becomes a layer: what changes rarely first. Paths are absolute; missing parents need not be named. The same object
   * is the same layer for ever, whatever becomes of the files that it names.
   */
  readonly layers: readonly Readonly<Record<string, ImageFile>>[];
  readonly config: ImageConfig;
  /** In Go's words; this machine's own by default. */
  readonly architecture?: string;
}

export interface PushTarget {
  /** `http://127.0.0.1:PORT` */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

const layerType = 'application/vnd.oci.image.layer.v1.tar';
const configType = 'application/vnd.oci.image.config.v1+json';

/** All files have this time, so that the same files make the same digest. */
const epoch = new Date(0);

/** Layers that were pushed by this process, by the files they were made of: what is large is made and hashed once. */
const made = new WeakMap<OciImage['layers'][number], Descriptor>();

/** Pushes the image; layers that the repository has are not made or sent again. Returns the manifest's digest. */
export async function pushImage(image: OciImage, target: PushTarget): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cutover-image-'));
  try {
    const layers: Descriptor[] = [];
    for (const [index, files] of image.layers.entries()) {
      const known = made.get(files);
      layers.push(
        known !== undefined && (await isThere(target, known))
          ? known
          : await pushLayer(target, files, join(folder, `${index}.tar`)),
      );
    }
    const config = Buffer.from(JSON.stringify(configFile(image, layers)));
    const descriptor = { mediaType: configType, digest: digestOf(config), size: config.length };
    await pushBlob(target, descriptor, () => config);
    return await pushManifest(target, {
      schemaVersion: 2,
      mediaType: manifestTypes.ociManifest,
      config: descriptor,
      layers,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configFile(image: OciImage, layers: readonly Descriptor[]): object {
  const here = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    created: epoch.toISOString(),
    os: 'linux',
    architecture: image.architecture ?? here,
    config: image.config,
    // Layers are not compressed: loopback is faster than gzip.
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  };
}

async function pushLayer(
  target: PushTarget,
  files: OciImage['layers'][number],
  path: string,
): Promise<Descriptor> {
  const layer = await writeLayer(files, path);
  await pushBlob(target, layer, () => createReadStream(path));
  made.set(files, layer);
  return layer;
}

async function writeLayer(files: Readonly<Record<string, ImageFile>>, path: string): Promise<Descriptor> {
  const tar = pack();
  const hash = createHash('sha256');
  let size = 0;
  const measured = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of tar as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  const written = pipeline(measured, createWriteStream(path));
  for (const [name, file] of Object.entries(files)) await addFile(tar, name.replace(/^\/+/, ''), file);
  tar.finalize();
  await written;
  return { mediaType: layerType, digest: `sha256:${hash.digest('hex')}`, size };
}

async function addFile(tar: Pack, name: string, file: ImageFile): Promise<void> {
  const header: Partial<Header> & Pick<Header, 'name'> = { name, mtime: epoch, uid: 0, gid: 0 };
  if ('linkTo' in file) {
    tar.entry({ ...header, type: 'symlink', linkname: file.linkTo });
    return;
  }
  if ('content' in file) {
    tar.entry({ ...header, mode: file.mode ?? 0o644 }, file.content);
    return;
  }
  const { size, mode } = await lstat(file.from);
  const entry = tar.entry({ ...header, size, mode: file.mode ?? mode & 0o777 });
  for await (const chunk of createReadStream(file.from)) {
    if (!entry.write(chunk)) await new Promise<void>((resolve) => entry.once('drain', () => resolve()));
  }
  entry.end(undefined);
}

async function pushBlob(
  target: PushTarget,
  blob: Descriptor,
  content: () => Buffer | ReturnType<typeof createReadStream>,
): Promise<void> {
  if (await isThere(target, blob)) return;
  const started = await expectOk(await fetch(`${blobsOf(target)}/uploads/`, { method: 'POST' }));
  const upload = new URL(started.headers.get('location') ?? '', target.registry);
  upload.searchParams.set('digest', blob.digest);
  const headers = { 'content-length': String(blob.size), 'content-type': 'application/octet-stream' };
  await expectOk(await fetch(upload, { method: 'PUT', body: content(), headers, duplex: 'half' }));
}

async function isThere(target: PushTarget, { digest }: Descriptor): Promise<boolean> {
  return (await fetch(`${blobsOf(target)}/${digest}`, { method: 'HEAD' })).ok;
}

function blobsOf({ registry, repository }: PushTarget): string {
  return `${registry}/v2/${repository}/blobs`;
}

async function pushManifest(target: PushTarget, manifest: object): Promise<string> {
  const body = JSON.stringify(manifest);
  await expectOk(
    await fetch(`${target.registry}/v2/${target.repository}/manifests/${target.tag}`, {
      method: 'PUT',
      headers: { 'content-type': manifestTypes.ociManifest },
      body,
    }),
  );
  return digestOf(Buffer.from(body));
}

/** Reads the answer to its end, so that the connection is free again. */
async function expectOk(response: Response): Promise<Response> {
  const body = await response.text();
  if (!response.ok) throw new Error(`registry answered ${response.status} to ${response.url}: ${body}`);
  return response;
}
