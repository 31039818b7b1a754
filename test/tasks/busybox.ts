import { existsSync } from 'node:fs';
import type { ImageFile, OciImage } from '../../local/registry/oci-image.ts';

const path = '/bin/busybox';

/** Why tests that run busybox cannot, or undefined. */
export const noBusybox = existsSync(path) ? undefined : 'busybox-static is not installed';

const applets = [
  'sh',
  'cat',
  'echo',
  'env',
  'hostname',
  'httpd',
  'id',
  'ls',
  'nc',
  'ps',
  'pwd',
  'sleep',
  'touch',
  'wget',
];

/** One layer with a shell and its tools. */
export const busyboxLayer: Readonly<Record<string, ImageFile>> = {
  '/bin/busybox': { from: path, mode: 0o755 },
  ...Object.fromEntries(applets.map((name) => [`/bin/${name}`, { linkTo: 'busybox' } as const])),
  '/etc/passwd': { content: 'root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n' },
  '/etc/group': { content: 'root:x:0:\nweb:x:1001:\n' },
};

/** An image that runs a shell script. */
export function shellImage(script: string, extra: Partial<OciImage['config']> = {}): OciImage {
  return { layers: [busyboxLayer], config: { Cmd: ['sh', '-c', script], ...extra } };
}
