import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AwsEvent } from '../../local/aws-event.ts';
import { BlobStore } from '../../local/registry/blob-store.ts';
import { DistributionApi } from '../../local/registry/distribution-api.ts';
import { ImagePuller } from '../../local/registry/image-puller.ts';
import { Registry } from '../../local/registry/registry.ts';
import { Ecr } from '../../local/services/ecr/ecr.ts';
import { ManualClock } from '../manual-clock.ts';

/** A registry on a port of its own, with its ECR API and what it announced. */
export class EmbeddedRegistry {
  readonly clock = new ManualClock();
  readonly events: AwsEvent[] = [];
  readonly registry: Registry;
  readonly ecr: Ecr;
  readonly images: ImagePuller;
  readonly #server: Server;

  private constructor(blobs: BlobStore) {
    const emit = (event: AwsEvent): void => void this.events.push(event);
    this.registry = new Registry({ clock: this.clock, blobs, emit });
    this.ecr = new Ecr({ registry: this.registry, clock: this.clock, emit });
    this.images = new ImagePuller({ registry: this.registry });
    const api = new DistributionApi({ registry: this.registry });
    this.#server = createServer((request, response) => void api.handle(request, response));
  }

  static async start(...repositories: string[]): Promise<EmbeddedRegistry> {
    const blobs = await BlobStore.create(await mkdtemp(join(tmpdir(), 'registry-test-')));
    const embedded = new EmbeddedRegistry(blobs);
    for (const name of repositories)
      embedded.registry.createRepository(name, { imageTagMutability: 'MUTABLE' });
    await new Promise<void>((resolve) => embedded.#server.listen(0, '127.0.0.1', resolve));
    return embedded;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** `HOST/repository:tag` as a task definition names it. */
  uri(reference: string): string {
    return `123456789012.dkr.ecr.us-east-1.amazonaws.com/${reference}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.registry.blobs.close();
  }
}
