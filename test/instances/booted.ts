/** Instances of no group: one script, and what its console showed when it was over. */
import { randomUUID } from 'node:crypto';
import { FastForwardClock } from '../../local/clock.ts';
import { ProcessInstances, type ProcessInstancesOptions } from '../../local/instances/process-instances.ts';
import { type OciImage, pushImage } from '../../local/registry/oci-image.ts';
import type { InstanceSpec, RunningInstance } from '../../local/services/autoscaling/instances.ts';
import { createProcessRunner } from '../../local/tasks/process-runner.ts';
import type { TaskRunner } from '../../local/tasks/task.ts';
import { until } from '../end-to-end/world.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';

export const host = '123456789012.dkr.ecr.us-east-1.amazonaws.com';

/** What brings Docker and opens the registry. */
export const dockerReady = `dnf install -y docker && systemctl start docker
aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin ${host}`;

const spec: InstanceSpec = {
  id: 'i-0123456789abcdef0',
  imageId: 'ami-1',
  instanceType: 't3.micro',
  userData: undefined,
  instanceProfile: 'web',
  metadata: { isEnabled: true, tokens: 'required', tags: false },
  subnetId: 'subnet-1',
  availabilityZone: 'us-east-1a',
  privateIp: '10.0.1.5',
  tags: { Name: 'web-1' },
};

interface Booted {
  readonly instance: RunningInstance;
  /** Told when it ends by itself. */
  readonly exited: Promise<void>;
  readonly console: () => string;
  /** The lines that its script wrote, once all is done. */
  readonly output: () => Promise<string[]>;
}

export class Machines {
  readonly clock: FastForwardClock;
  readonly registry: EmbeddedRegistry;
  readonly faults: unknown[] = [];
  /** `group stream line` */
  readonly logs: string[] = [];
  readonly groups = new Set(['/worker']);
  readonly #tasks: TaskRunner;
  readonly #instances: ProcessInstances;
  #count = 0;

  private constructor(made: {
    clock: FastForwardClock;
    registry: EmbeddedRegistry;
    tasks: TaskRunner;
    instances: ProcessInstances;
    faults: unknown[];
  }) {
    this.clock = made.clock;
    this.registry = made.registry;
    this.faults = made.faults;
    this.#tasks = made.tasks;
    this.#instances = made.instances;
  }

  static async create(options: Partial<ProcessInstancesOptions> = {}): Promise<Machines> {
    const faults: unknown[] = [];
    const onFailure = (failure: unknown): void => void faults.push(failure);
    const clock = new FastForwardClock({ speed: 100, onFailure });
    const registry = await EmbeddedRegistry.start('worker');
    const tasks = await createProcessRunner({ clock });
    const instances = new ProcessInstances({ clock, tasks, onFailure, bootMs: 0, ...options });
    return new Machines({ clock, registry, tasks, instances, faults });
  }

  /** Throws what went wrong in the machines themselves. */
  async close(): Promise<void> {
    await this.#instances.close();
    await this.#tasks.close();
    await this.registry.close();
    this.clock.stop();
    if (this.faults.length > 0) throw new AggregateError(this.faults, 'faults of the machines');
  }

  /** `HOST/worker@sha256:…` */
  async push(image: OciImage): Promise<string> {
    const target = { registry: this.registry.url, repository: 'worker', tag: randomUUID() };
    return `${host}/worker@${await pushImage(image, target)}`;
  }

  async boot(script: string, changes: Partial<InstanceSpec> = {}): Promise<Booted> {
    this.#count += 1;
    const exited = Promise.withResolvers<void>();
    const region = this.#instances.in({
      images: this.registry.images,
      logs: {
        has: (group) => this.groups.has(group),
        append: (group, stream, line) => this.logs.push(`${group} ${stream} ${line}`),
      },
    });
    const userData = Buffer.from(script).toString('base64');
    const id = `i-${String(this.#count).padStart(17, '0')}`;
    const instance = await region.launch({ ...spec, id, userData, ...changes }, exited.resolve);
    const text = (): string => instance.console?.() ?? '';
    return {
      instance,
      exited: exited.promise,
      console: text,
      output: () =>
        until('the end of cloud-init', async () => {
          const lines = text()
            .split('\n')
            .map((line) => line.replace(/^\[ *[\d.]+\] cloud-init\[1\]: /, ''));
          const end = lines.findIndex((line) => line.startsWith('Cloud-init v.'));
          return end === -1 ? undefined : lines.slice(0, end);
        }),
    };
  }
}
