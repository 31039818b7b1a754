/** How an instance's Docker comes to images: it logs in to ECR, then pulls. */
import type { Clock } from '../clock.ts';
import type { ImageStore, PulledImage } from '../registry/image-store.ts';
import { type Asked, failed, notModelled, type Outcome, said } from './command.ts';
import { parseOptions, valueOf } from './command-options.ts';

const ecrHost = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/;

export interface ImageAccessOptions {
  readonly clock: Clock;
  readonly images: ImageStore;
  /** Whether it is a password that ECR gave out. */
  readonly isPassword: (password: string) => boolean;
}

export class ImageAccess {
  readonly #options: ImageAccessOptions;
  readonly #registries = new Set<string>();

  constructor(options: ImageAccessOptions) {
    this.#options = options;
  }

  login({ args, input }: Asked): Outcome {
    const options = parseOptions(args, {
      '--username': 'value',
      '-u': '--username',
      '--password': 'value',
      '-p': '--password',
      '--password-stdin': 'flag',
    });
    const host = options.words[0]?.replace(/^https:\/\//, '').replace(/\/$/, '');
    if (options.unknown !== undefined) return notModelled(`docker login ${options.unknown}`);
    if (host === undefined || !ecrHost.test(host))
      return notModelled(`docker login to ${host ?? 'Docker Hub'}`);
    const password = options.flags.has('--password-stdin')
      ? input.replace(/\r?\n$/, '')
      : valueOf(options, '--password');
    if (valueOf(options, '--username') !== 'AWS' || !this.#options.isPassword(password ?? ''))
      return failed(
        `Error response from daemon: login attempt to https://${host}/v2/ failed with status: 400 Bad Request`,
      );
    this.#registries.add(host);
    return said('Login Succeeded\n');
  }

  async command({ args }: Asked): Promise<Outcome> {
    const options = parseOptions(args, { '--quiet': 'flag', '-q': '--quiet' });
    const [uri] = options.words;
    if (options.unknown !== undefined) return notModelled(`docker pull ${options.unknown}`);
    if (uri === undefined) return failed('docker: "docker pull" requires 1 argument.');
    const image = await this.pull(uri);
    return 'exitCode' in image ? image : said(`Digest: ${image.digest}\n${uri}\n`);
  }

  /** Docker's words: https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html */
  async pull(uri: string): Promise<PulledImage | Outcome> {
    const [, host = '', name = '', tag = 'latest', digest] =
      /^([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(uri) ?? [];
    if (!ecrHost.test(host)) return notModelled(`the image ${uri}, which is not of ECR,`);
    if (!this.#registries.has(host))
      return failed(
        `Error response from daemon: Head "https://${host}/v2/${name}/manifests/${digest ?? tag}": no basic auth credentials`,
      );
    try {
      return await this.#options.clock.busy(() => this.#options.images.pull(uri));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return failed(
        message.endsWith(': not found')
          ? `Error response from daemon: manifest for ${uri} not found: manifest unknown: Requested image not found`
          : `Error response from daemon: ${message.replace(/^CannotPullContainerError: /, '')}`,
      );
    }
  }
}
