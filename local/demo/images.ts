/** The demo's images: true OCI images of a small web service with the Node runtime that runs this program. */
import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ImageFile, OciImage } from '../registry/oci-image.ts';

/** `steady` takes a tenth of a second for each answer, `slower` a fifth longer, and `flaky` fails every fiftieth. */
export type Behaviour = 'good' | 'neverHealthy' | 'failing' | 'steady' | 'slower' | 'flaky';

const timings: Readonly<Partial<Record<Behaviour, readonly string[]>>> = {
  steady: ['LATENCY_MS=100'],
  slower: ['LATENCY_MS=120'],
  flaky: ['LATENCY_MS=100', 'FAILS_ONE_OF=50'],
};

export interface DemoImage {
  readonly tag: string;
  readonly behaviour: Behaviour;
}

type Files = OciImage['layers'][number];

/** `runtime` is the same layer in every image, pushed and unpacked once. */
export function demoImage({ tag, behaviour }: DemoImage, runtime: Files): OciImage {
  const server = fileURLToPath(new URL('server.mjs', import.meta.url));
  return {
    layers: [runtime, { '/app/server.mjs': { from: server, mode: 0o644 } }],
    config: {
      Entrypoint: ['/usr/bin/node', '--max-old-space-size=64', '/app/server.mjs'],
      Env: [`VERSION=${tag}`, `BEHAVIOUR=${behaviour}`, ...(timings[behaviour] ?? [])],
      WorkingDir: '/app',
      ExposedPorts: { '8080/tcp': {} },
    },
  };
}

let runtime: Promise<Files> | undefined;

/** This program's own Node and the libraries it is linked with: always the same object, so one layer. */
export function nodeRuntime(): Promise<Files> {
  runtime ??= readRuntime();
  return runtime;
}

async function readRuntime(): Promise<Files> {
  const { stdout } = await promisify(execFile)('ldd', [process.execPath]);
  // `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)` and, for the loader, `/lib64/ld-linux-x86-64.so.2 (0x…)`
  const libraries = [...stdout.matchAll(/(?:=> )?(?<path>\/\S+) \(0x/g)].flatMap(
    ({ groups }) => groups?.['path'] ?? [],
  );
  const files: Record<string, ImageFile> = { '/usr/bin/node': { from: process.execPath, mode: 0o755 } };
  // The loader asks for the library by its link's name.
  for (const path of libraries) files[path] = { from: await realpath(path), mode: 0o755 };
  return files;
}
