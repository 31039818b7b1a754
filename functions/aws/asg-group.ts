/**
 * A generation as one Auto Scaling group of the same name: what it is now, and how large. Names are deterministic and never
 * used again, so what is found under a name is either ours, or a stranger's, and left alone.
 */
import {
  type AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import type { FleetState } from '../core/gates/health.ts';
import type { GenerationName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { ownerTags } from '../core/tags.ts';
import type { RunningFleet } from '../ports/fleet.ts';
import { calling } from './failures.ts';

/** The name is all that EC2 Auto Scaling has of a generation. */
export type Named = Pick<Generation, 'name'>;

export class AsgGroups implements RunningFleet {
  readonly #client: AutoScalingClient;

  constructor(client: AutoScalingClient) {
    this.#client = client;
  }

  async wanted(_settings: ServiceSettings, generation: Named): Promise<number | undefined> {
    return (await this.find(generation))?.DesiredCapacity;
  }

  async observe(_settings: ServiceSettings, generation: Named): Promise<FleetState | undefined> {
    const group = await this.find(generation);
    if (group === undefined) return undefined;
    const { Instances = [], DesiredCapacity = 0 } = group;
    return {
      desired: DesiredCapacity,
      running: Instances.filter(({ LifecycleState }) => LifecycleState === 'InService').length,
      own: Instances.flatMap(({ InstanceId }) => InstanceId ?? []),
    };
  }

  /** Where something scales it, its bounds give way where they must; else they are its size. */
  async resize(settings: ServiceSettings, generation: Named, desired: number): Promise<void> {
    const doing = `resizing the Auto Scaling group ${generation.name} to ${desired}`;
    const group = await this.find(generation);
    if (group === undefined) throw unknownYet(doing);
    refuseStranger(group, settings, generation);
    const { MinSize = 0, MaxSize = 0 } = group;
    const isFixed = MinSize === MaxSize;
    await knowing(doing, () =>
      this.#client.send(
        new UpdateAutoScalingGroupCommand({
          AutoScalingGroupName: generation.name,
          MinSize: isFixed ? desired : Math.min(MinSize, desired),
          MaxSize: isFixed ? desired : Math.max(MaxSize, desired),
          DesiredCapacity: desired,
        }),
      ),
    );
  }

  /** Undefined when there is none, or it is being deleted. */
  async find(generation: Named): Promise<AutoScalingGroup | undefined> {
    const group = await this.look(generation);
    return group !== undefined && isBeingDeleted(group) ? undefined : group;
  }

  /** Also one that is being deleted. */
  async look({ name }: Named): Promise<AutoScalingGroup | undefined> {
    const { AutoScalingGroups = [] } = await calling(`reading the Auto Scaling group ${name}`, () =>
      this.#client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] })),
    );
    return AutoScalingGroups.find(({ AutoScalingGroupName }) => AutoScalingGroupName === name);
  }
}

/** The status is shown only then (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html). */
export function isBeingDeleted({ Status }: Pick<AutoScalingGroup, 'Status'>): boolean {
  return Status !== undefined;
}

/** Runs a call on a group: what was made a moment ago is not known everywhere yet. */
export async function knowing<T>(doing: string, call: () => Promise<T>): Promise<T> {
  return calling(doing, async () => {
    try {
      return await call();
    } catch (thrown) {
      throw isUnknownGroup(thrown) ? unknownYet(doing, thrown) : thrown;
    }
  });
}

/** https://github.com/kubernetes-retired/kube-deploy/issues/99 */
export function isUnknownGroup(thrown: unknown): boolean {
  return (
    thrown instanceof Error && /AutoScalingGroup name not found|Group .* not found/i.test(thrown.message)
  );
}

function unknownYet(doing: string, thrown?: unknown): CutoverError {
  const words = thrown instanceof Error ? ` (${thrown.message})` : '';
  return new CutoverError(
    'Cutover.AwsUnavailable',
    `EC2 Auto Scaling does not know the group yet, while ${doing}${words}; if it stays so, somebody deleted it`,
    { cause: thrown },
  );
}

/** Whether these tags say that it is this generation of this service. */
export function bearsTags(
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
  { service }: Pick<ServiceSettings, 'service'>,
  name: GenerationName,
): boolean {
  return Object.entries(ownerTags(service, name)).every(([key, value]) =>
    tags?.some((tag) => tag.Key === key && tag.Value === value),
  );
}

export function refuseStranger(
  { Tags }: Pick<AutoScalingGroup, 'Tags'>,
  settings: ServiceSettings,
  { name }: Named,
): void {
  if (bearsTags(Tags, settings, name)) return;
  throw new CutoverError(
    'Cutover.Guarded',
    `an Auto Scaling group ${name} exists that does not bear Cutover's tags; it is left alone. Delete or rename it`,
  );
}
