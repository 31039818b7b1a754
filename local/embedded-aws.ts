/**
 * The embedded AWS in the real world: tasks and instances are processes, functions are threads, the load balancer is a proxy,
 * and one port speaks every API. What is provisioned into it is the synthesized template, through CloudFormation's own API.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { ProcessInstances } from './instances/process-instances.ts';
import { createRegion, type Region, type RegionOptions } from './region.ts';
import { BlobStore } from './registry/blob-store.ts';
import { DistributionApi } from './registry/distribution-api.ts';
import { ImagePuller } from './registry/image-puller.ts';
import type { CloudFormation } from './services/cloudformation/cloudformation.ts';
import { followLink } from './services/sns/links.ts';
import type { Sns } from './services/sns/sns.ts';
import { createProcessRunner } from './tasks/process-runner.ts';
import { type Listener, listen } from './wire/http.ts';

export interface EmbeddedAwsOptions
  extends Pick<RegionOptions, 'onFailure' | 'onEvent' | 'deliveries' | 'throttling'> {
  readonly clock: Clock;
  /** `FastForwardClock.shared`, so that functions see the same time. */
  readonly sharedOffset?: SharedArrayBuffer;
  /** 0: any free port. */
  readonly port: number;
}

export interface EmbeddedAws
  extends Pick<
    Region,
    'calls' | 'ecr' | 'ecs' | 'elbv2' | 'states' | 'lambda' | 'dispatcher' | 'provision' | 'close'
  > {
  /** `http://127.0.0.1:PORT`: every API, and the image registry. */
  readonly endpoint: string;
  /** How tasks are kept apart, in words. */
  readonly isolation: string;
}

export async function createEmbeddedAws(options: EmbeddedAwsOptions): Promise<EmbeddedAws> {
  const { clock, onFailure, onEvent, deliveries, throttling, sharedOffset } = options;
  const folder = await mkdtemp(join(tmpdir(), 'cutover-aws-'));
  let listener: Listener | undefined;
  const tasks = await createProcessRunner({ clock });
  const instances = new ProcessInstances({ clock, tasks, onFailure });
  const region = createRegion({
    clock,
    endpoint: () => listener?.endpoint ?? 'http://127.0.0.1',
    blobs: await BlobStore.create(join(folder, 'registry')),
    onFailure,
    onEvent,
    deliveries,
    throttling,
    instances: (registry, logs) => instances.in({ images: new ImagePuller({ registry }), logs }),
    ecs: (registry) => ({ tasks, images: new ImagePuller({ registry }) }),
    lambda: sharedOffset === undefined ? {} : { sharedOffset },
  });
  const { cloudformation, dispatcher, lambda, registry, sns } = region;
  const distribution = new DistributionApi({ registry });
  const close = async (): Promise<void> => {
    await region.close();
    await instances.close();
    await tasks.close();
    await listener?.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    listener = await listen(dispatcher, {
      port: options.port,
      fallback: (request, response) =>
        serveOthers(request, response, { cloudformation, distribution, sns, clock, onFailure }),
      onFailure,
    });
  } catch (failure) {
    await close();
    throw failure;
  }
  await region.bootstrap();
  return {
    ...region,
    endpoint: listener.endpoint,
    isolation: tasks.isolation,
    provision: async (assembly) => {
      const outputs = await region.provision(assembly);
      // Threads take real time to start; the cold start that a function sees is modelled on the clock.
      await lambda.warmAll();
      return outputs;
    },
    close,
  };
}

/** What shares the port with the APIs: images, the answers of custom resources, and the links in messages of SNS. */
function serveOthers(
  request: IncomingMessage,
  response: ServerResponse,
  others: {
    readonly cloudformation: CloudFormation;
    readonly distribution: DistributionApi;
    readonly sns: Sns;
    readonly clock: Clock;
    readonly onFailure: (failure: unknown) => void;
  },
): void {
  if (others.cloudformation.handleResponse(request, response) || followLink(others.sns, request, response))
    return;
  if (others.distribution.handles(request.url ?? '')) {
    others.clock.busy(() => others.distribution.handle(request, response)).catch(others.onFailure);
    return;
  }
  response.writeHead(404, { 'content-type': 'text/plain' });
  response.end('This port speaks the APIs of AWS (sign the request) and that of an image registry (/v2/).\n');
}
