/**
 * The instances that EC2 shows. Here it launches none itself: Auto Scaling does, and tells what becomes of them
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html).
 */
import type {
  DescribeInstancesCommandInput,
  DescribeInstancesCommandOutput,
  GetConsoleOutputCommandInput,
  GetConsoleOutputCommandOutput,
  Instance,
  InstanceStateName,
  Tag,
} from '@aws-sdk/client-ec2';
import { accountId } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { describeInstance, type InstanceLaunch, stateCodes } from './instance-description.ts';
import { instanceType } from './instance-types.ts';
import {
  filtered,
  page,
  type Random,
  Resources,
  resourceId,
  type Tagged,
  type TaggedKind,
} from './resources.ts';

/** "Recently terminated instances might appear in the returned results. This interval is usually less than one hour." (API_DescribeInstances) */
const visibleMs = 3_600_000;
/** "Only the most recent 64 KB of console output is available" (API_GetConsoleOutput). */
const consoleBytes = 65_536;

/** An instance as who launched it keeps it. */
export interface LaunchedInstance {
  /** RunInstances has answered: the instance is shown from here on. */
  answered(console: (() => string) | undefined): void;
  become(state: InstanceStateName): void;
  /** RunInstances refused: it never was. */
  forget(): void;
}

interface Kept extends Tagged {
  readonly launch: InstanceLaunch;
  readonly reservationId: string;
  readonly launchedAt: Date;
  Tags: Tag[];
  state: InstanceStateName;
  isShown: boolean;
  endedAt: number | undefined;
  console: (() => string) | undefined;
}

export interface InstancesOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** vCPUs of standard instances that the account may run on demand. */
  readonly vcpuQuota: () => number;
}

export class Instances {
  readonly #options: InstancesOptions;
  readonly #instances = new Resources<Kept>('InstanceID', 'instance');

  constructor(options: InstancesOptions) {
    this.#options = options;
  }

  readonly operations = {
    DescribeInstances: (input: DescribeInstancesCommandInput): Output<DescribeInstancesCommandOutput> => {
      this.#forgetOld();
      const found = filtered(this.#chosen(input.InstanceIds), input.Filters, {
        'instance-id': ({ launch }) => [launch.id],
        'instance-state-name': ({ state }) => [state],
        'instance-state-code': ({ state }) => [String(stateCodes[state])],
        'instance-type': ({ launch }) => [launch.instanceType],
        'image-id': ({ launch }) => [launch.imageId],
        'availability-zone': ({ launch }) => [launch.address.availabilityZone],
        'private-ip-address': (instance) => placed(instance, ({ address }) => address.privateIp),
        'subnet-id': (instance) => placed(instance, ({ subnetId }) => subnetId),
        'vpc-id': (instance) => placed(instance, ({ vpcId }) => vpcId),
        'tag-key': ({ Tags }) => Tags.map(({ Key }) => Key),
      });
      const { items, ...more } = page(found, input.MaxResults, input.NextToken);
      return {
        Reservations: items.map((instance) => ({
          ReservationId: instance.reservationId,
          OwnerId: accountId,
          Groups: [],
          Instances: [shown(instance)],
        })),
        ...more,
      };
    },

    /** What the instance wrote last, as with `Latest`: the buffer that AWS gives without it is not modelled. */
    GetConsoleOutput: ({
      InstanceId,
    }: GetConsoleOutputCommandInput): Output<GetConsoleOutputCommandOutput> => {
      const [instance] = this.#chosen([InstanceId ?? '']);
      const written = Buffer.from(instance?.console?.() ?? '').subarray(-consoleBytes);
      return {
        InstanceId,
        Timestamp: new Date(this.#options.clock.now()),
        ...(written.length === 0 ? {} : { Output: written.toString('base64') }),
      };
    },
  } satisfies Operations;

  /** What RunInstances does, until it answers. Throws EC2's own errors. */
  launch(launch: InstanceLaunch): LaunchedInstance {
    const { clock, random, vcpuQuota } = this.#options;
    const quota = vcpuQuota();
    if (this.vcpus() + vcpusOf(launch) > quota)
      throw new AwsError(
        'VcpuLimitExceeded',
        `You have requested more vCPU capacity than your current vCPU limit of ${quota} allows for the instance bucket that the ` +
          'specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.',
      );
    const instance = this.#instances.add(launch.id, {
      launch,
      reservationId: resourceId('r', random),
      launchedAt: new Date(clock.now()),
      Tags: Object.entries(launch.tags).map(([Key, Value]) => ({ Key, Value })),
      state: 'pending',
      isShown: false,
      endedAt: undefined,
      console: undefined,
    });
    return {
      answered: (console) => {
        instance.isShown = true;
        instance.console = console;
      },
      become: (state) => {
        if (state === 'terminated') instance.endedAt ??= clock.now();
        if (instance.state !== 'terminated') instance.state = state;
      },
      forget: () => void this.#instances.remove(launch.id),
    };
  }

  /** In use: an instance that is terminated has none, one that shuts down still has. */
  vcpus(): number {
    return this.#instances
      .all()
      .filter(({ state }) => state !== 'terminated')
      .reduce((sum, { launch }) => sum + vcpusOf(launch), 0);
  }

  get tagged(): TaggedKind[] {
    const entries = () => this.#instances.all().map((instance) => [instance.launch.id, instance] as const);
    return [{ find: (id) => this.#instances.find(id), entries }];
  }

  #chosen(ids: readonly string[] | undefined): Kept[] {
    for (const id of ids ?? [])
      if (!/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
        throw new AwsError('InvalidInstanceID.Malformed', `Invalid id: "${id}"`);
    return this.#instances.chosen(ids).filter(({ isShown }) => isShown);
  }

  #forgetOld(): void {
    const since = this.#options.clock.now() - visibleMs;
    for (const { launch, endedAt = Number.POSITIVE_INFINITY } of this.#instances.all())
      if (endedAt <= since) this.#instances.remove(launch.id);
  }
}

function shown({ launch, launchedAt, state, Tags, endedAt }: Kept): Instance {
  return { ...describeInstance(launch, { launchedAt, state, endedAt }), Tags };
}

/** An instance that is terminated is in no network any more. */
function placed({ launch, state }: Kept, read: (launch: InstanceLaunch) => string): string[] {
  return state === 'terminated' ? [] : [read(launch)];
}

function vcpusOf({ instanceType: name }: InstanceLaunch): number {
  return instanceType(name)?.vcpus ?? 0;
}
