/**
 * A generation as one Auto Scaling group and one launch template, both of its name. The group launches from version 1 of that
 * template, which never changes: instances that are replaced are what the first ones were.
 */
import {
  type AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DeleteAutoScalingGroupCommand,
  type LifecycleHookSpecification,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  DescribeLaunchTemplateVersionsCommand,
  type EC2Client,
  type ResponseLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import { CutoverError } from '../core/errors.ts';
import { type AsgSettings, readAsg } from '../core/fleet/asg-settings.ts';
import { drainHook, drainHookSeconds } from '../core/fleet/drain-hook.ts';
import type { Generation } from '../core/fleet/generation.ts';
import type { Standing } from '../core/fleet/orphans.ts';
import type { GenerationName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { ownerTags } from '../core/tags.ts';
import type { Ending, Fleet } from '../ports/fleet.ts';
import { AsgGroups, isBeingDeleted, isUnknownGroup, type Named, refuseStranger } from './asg-group.ts';
import { discardTemplate, standing } from './asg-standing.ts';
import { generationTemplate, imageIn, imageOf } from './asg-template.ts';
import { calling, codeOf } from './failures.ts';

/** The only version that a generation's template ever has. */
const pinned = '1';

export class AsgFleet extends AsgGroups implements Fleet {
  readonly #autoscaling: AutoScalingClient;
  readonly #ec2: EC2Client;

  constructor(autoscaling: AutoScalingClient, ec2: EC2Client) {
    super(autoscaling);
    this.#autoscaling = autoscaling;
    this.#ec2 = ec2;
  }

  async launch(
    settings: ServiceSettings,
    generation: Generation,
    desired: number,
    copyOf: Generation | null,
  ): Promise<void> {
    const asg = readAsg(settings);
    const group = await this.find(generation);
    if (group !== undefined) refuseStranger(group, settings, generation);
    const known = await this.#template(settings, generation);
    if (group !== undefined) return;
    if (!known) await this.#makeTemplate(settings, asg, generation, copyOf);
    await this.#create(settings, asg, generation, desired);
  }

  /**
   * To nothing first: a group that is deleted by force ends its instances without draining them and without asking its
   * lifecycle hooks (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html).
   */
  async terminate(settings: ServiceSettings, generation: Named): Promise<Ending> {
    const group = await this.look(generation);
    if (group === undefined) return 'ended';
    const { MaxSize, Instances = [] } = group;
    if (isBeingDeleted(group)) return Instances.length > 0 ? 'ending' : 'ended';
    refuseStranger(group, settings, generation);
    const AutoScalingGroupName = generation.name;
    const toNothing = { AutoScalingGroupName, MinSize: 0, MaxSize: 0, DesiredCapacity: 0 };
    return calling(`ending the Auto Scaling group ${generation.name}`, async () => {
      try {
        if (MaxSize !== 0) await this.#autoscaling.send(new UpdateAutoScalingGroupCommand(toNothing));
        if (Instances.some(({ LifecycleState }) => LifecycleState !== 'Standby')) return 'ending';
        // One on standby does not count for the size, and is not registered: no scaling ends it, and nothing of it drains
        // (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html).
        const ForceDelete = Instances.length > 0;
        await this.#autoscaling.send(
          new DeleteAutoScalingGroupCommand({ AutoScalingGroupName, ...(ForceDelete && { ForceDelete }) }),
        );
        return ForceDelete ? 'ending' : 'ended';
      } catch (thrown) {
        if (!isUnknownGroup(thrown) && !/^(?:ResourceInUse|ScalingActivityInProgress)/.test(codeOf(thrown)))
          throw thrown;
        return 'ending';
      }
    });
  }

  async standing(
    settings: ServiceSettings,
    isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean,
  ): Promise<readonly Standing[]> {
    return standing(this.#autoscaling, this.#ec2, settings, isAsked);
  }

  async discard(settings: ServiceSettings, name: GenerationName, what: 'all' | 'what runs'): Promise<Ending> {
    const ending = await this.terminate(settings, { name });
    if (ending === 'ended' && what === 'all') await discardTemplate(this.#ec2, settings, name);
    return ending;
  }

  async forget(settings: ServiceSettings, generation: Generation): Promise<void> {
    await discardTemplate(this.#ec2, settings, generation.name);
  }

  /**
   * Whether an earlier try made the generation's template. One with another image is not this generation's (a ledger that was
   * lost issues the same numbers again).
   */
  async #template(settings: ServiceSettings, generation: Generation): Promise<boolean> {
    const content = await this.#content({ name: generation.name, version: pinned });
    if (content === undefined) return false;
    const [found, wanted] = [imageIn(content, settings, generation), imageOf(settings, generation)];
    if (found === wanted) return true;
    throw new CutoverError(
      'Cutover.Guarded',
      `the launch template ${generation.name} exists with ${found ?? "no image of Cutover's"}, not ${wanted}; it is left alone. Names of generations are never used again: delete it, or push again for the next number`,
    );
  }

  async #makeTemplate(
    settings: ServiceSettings,
    asg: AsgSettings,
    generation: Generation,
    copyOf: Generation | null,
  ): Promise<void> {
    const source =
      copyOf === null
        ? { id: asg.launchTemplate, version: asg.launchTemplateVersion }
        : { name: copyOf.name, version: pinned };
    const content = await this.#content(source);
    if (content === undefined) throw new CutoverError('Cutover.AwsRefused', withoutTemplate(asg, copyOf));
    const Tags = Object.entries(ownerTags(settings.service, generation.name)).map(([Key, Value]) => ({
      Key,
      Value,
    }));
    await calling(`creating the launch template ${generation.name}`, async () => {
      try {
        // Its name makes it once: a token would outlive one that a person deleted, and be answered with that.
        await this.#ec2.send(
          new CreateLaunchTemplateCommand({
            LaunchTemplateName: generation.name,
            LaunchTemplateData: generationTemplate(content, settings, asg, generation, copyOf),
            TagSpecifications: [{ ResourceType: 'launch-template', Tags }],
          }),
        );
      } catch (thrown) {
        if (!codeOf(thrown).includes('AlreadyExists')) throw thrown;
        throw new CutoverError(
          'Cutover.AwsUnavailable',
          `the launch template ${generation.name} exists, and EC2 does not show it yet; if it stays so, somebody deleted its version ${pinned}: delete it`,
          { cause: thrown },
        );
      }
    });
  }

  async #content(of: {
    readonly id?: string;
    readonly name?: string;
    readonly version: string;
  }): Promise<ResponseLaunchTemplateData | undefined> {
    const { id, name, version } = of;
    const named = id === undefined ? { LaunchTemplateName: name } : { LaunchTemplateId: id };
    return calling(`reading the launch template ${name ?? id}`, async () => {
      try {
        const { LaunchTemplateVersions = [] } = await this.#ec2.send(
          new DescribeLaunchTemplateVersionsCommand({ ...named, Versions: [version] }),
        );
        return LaunchTemplateVersions[0]?.LaunchTemplateData;
      } catch (thrown) {
        if (/NotFound/.test(codeOf(thrown))) return undefined;
        throw thrown;
      }
    });
  }

  /** At its full size at once: nothing scales it yet, for policies come after the group and its schedule only in the end. */
  async #create(
    settings: ServiceSettings,
    asg: AsgSettings,
    generation: Generation,
    desired: number,
  ): Promise<void> {
    const { name, slot } = generation;
    const group = settings.traffic.slots.find((each) => each.name === slot)?.targetGroup;
    if (group === undefined) {
      throw new CutoverError(
        'Cutover.InvalidInput',
        `${name} lives in ${slot}, which is not a slot of ${settings.service}`,
      );
    }
    const Tags = Object.entries(ownerTags(settings.service, name)).map(([Key, Value]) => ({
      Key,
      Value,
      PropagateAtLaunch: false,
    }));
    await calling(`creating the Auto Scaling group ${name}`, async () => {
      try {
        await this.#autoscaling.send(
          new CreateAutoScalingGroupCommand({
            AutoScalingGroupName: name,
            LaunchTemplate: { LaunchTemplateName: name, Version: pinned },
            MinSize: desired,
            MaxSize: desired,
            DesiredCapacity: desired,
            VPCZoneIdentifier: asg.subnets.join(','),
            TrafficSources: [{ Identifier: group, Type: 'elbv2' }],
            HealthCheckType: 'ELB',
            // A slow start is the health deadline's business: until then nothing must be replaced that fails its first checks.
            HealthCheckGracePeriod: settings.healthDeadlineSeconds,
            // A metric of a minute does not show yet what has just come: scaling out again for the same load would overshoot.
            DefaultInstanceWarmup: 60,
            LifecycleHookSpecificationList: hooksOf(asg),
            Tags,
          }),
        );
      } catch (thrown) {
        if (!codeOf(thrown).startsWith('AlreadyExists')) throw notVisibleYet(thrown, name);
        await this.#adopt(settings, generation);
      }
    });
  }

  /** What another try made at the same time; unseen it might as well be a stranger's, or on its way out. */
  async #adopt(settings: ServiceSettings, generation: Generation): Promise<void> {
    const group = await this.find(generation);
    if (group === undefined)
      throw new CutoverError(
        'Cutover.AwsUnavailable',
        `the Auto Scaling group ${generation.name} exists, and is being deleted or not shown yet`,
      );
    refuseStranger(group, settings, generation);
  }
}

/** Of a generation that ended no stack has the template: only what was pushed then can be launched again. */
function withoutTemplate(asg: AsgSettings, copyOf: Generation | null): string {
  const gone = 'does not exist (any more)';
  return copyOf === null
    ? `the launch template ${asg.launchTemplate}, version ${asg.launchTemplateVersion}, ${gone}. Deploy the service's stack again`
    : `the launch template ${copyOf.name}, by which that generation would be launched anew, ${gone}: somebody deleted it, or it did not run on EC2 Auto Scaling. Go back to another generation, or push its image (${copyOf.tag}) again`;
}

/** What was made a moment ago is not known everywhere yet. */
function notVisibleYet(thrown: unknown, name: string): unknown {
  const message = thrown instanceof Error ? thrown.message : '';
  if (!/launch template.*does not exist|could not find the specified version/i.test(message)) return thrown;
  return new CutoverError(
    'Cutover.AwsUnavailable',
    `EC2 Auto Scaling does not know the launch template ${name} yet (${message}); if it stays so, somebody deleted it`,
    { cause: thrown },
  );
}

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHookSpecification.html */
const mostHookSeconds = 7_200;

function hooksOf({ hooks, drain }: AsgSettings): LifecycleHookSpecification[] {
  const declared = hooks.map(({ name, at, heartbeatSeconds, onTimeout }) => ({
    LifecycleHookName: name,
    LifecycleTransition: `autoscaling:EC2_INSTANCE_${at === 'launching' ? 'LAUNCHING' : 'TERMINATING'}`,
    HeartbeatTimeout: heartbeatSeconds,
    DefaultResult: onTimeout === 'continue' ? 'CONTINUE' : 'ABANDON',
  }));
  if (drain === null) return declared;
  return [
    ...declared,
    {
      LifecycleHookName: drainHook,
      LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
      HeartbeatTimeout: Math.min(drainHookSeconds(drain), mostHookSeconds),
      DefaultResult: 'CONTINUE',
    },
  ];
}
