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
import { type AsgSettings, readAsg } from '../core/asg-settings.ts';
import { drainHook, drainHookSeconds } from '../core/drain.ts';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/generation.ts';
import type { GenerationName } from '../core/names.ts';
import type { Standing } from '../core/orphans.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { ownerTags } from '../core/tags.ts';
import type { Ending, Fleet } from '../ports/fleet.ts';
import { AsgGroups, type Named, refuseStranger } from './asg-group.ts';
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
    const group = await this.find(generation);
    if (group === undefined) return 'ended';
    refuseStranger(group, settings, generation);
    const AutoScalingGroupName = generation.name;
    if (group.MaxSize !== 0)
      await calling(`scaling the Auto Scaling group ${generation.name} to 0`, () =>
        this.#autoscaling.send(
          new UpdateAutoScalingGroupCommand({
            AutoScalingGroupName,
            MinSize: 0,
            MaxSize: 0,
            DesiredCapacity: 0,
          }),
        ),
      );
    if ((group.Instances ?? []).length > 0) return 'ending';
    return calling(`deleting the Auto Scaling group ${generation.name}`, async () => {
      try {
        await this.#autoscaling.send(new DeleteAutoScalingGroupCommand({ AutoScalingGroupName }));
        return 'ended';
      } catch (thrown) {
        if (!/^(?:ResourceInUse|ScalingActivityInProgress)/.test(codeOf(thrown))) throw thrown;
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
    if (content === undefined)
      throw new CutoverError(
        'Cutover.AwsRefused',
        `the launch template ${source.name ?? source.id}, version ${source.version}, does not exist (any more). Deploy the service's stack again`,
      );
    const Tags = Object.entries(ownerTags(settings.service, generation.name)).map(([Key, Value]) => ({
      Key,
      Value,
    }));
    await calling(`creating the launch template ${generation.name}`, () =>
      this.#ec2.send(
        new CreateLaunchTemplateCommand({
          LaunchTemplateName: generation.name,
          ClientToken: generation.name,
          LaunchTemplateData: generationTemplate(content, settings, asg, generation, copyOf),
          TagSpecifications: [{ ResourceType: 'launch-template', Tags }],
        }),
      ),
    );
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
    { name, slot }: Generation,
    desired: number,
  ): Promise<void> {
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
            // What is in service counts: health is judged by the load balancer.
            DefaultInstanceWarmup: 0,
            LifecycleHookSpecificationList: hooksOf(asg),
            Tags,
          }),
        );
      } catch (thrown) {
        if (codeOf(thrown).startsWith('AlreadyExists')) return;
        throw notVisibleYet(thrown, name);
      }
    });
  }
}

/** What was made a moment ago is not known everywhere yet. */
function notVisibleYet(thrown: unknown, name: string): unknown {
  const message = thrown instanceof Error ? thrown.message : '';
  if (!/launch template.*does not exist/i.test(message)) return thrown;
  return new CutoverError(
    'Cutover.AwsUnavailable',
    `EC2 Auto Scaling does not know the launch template ${name} yet (${message}); if it stays so, somebody deleted it`,
    { cause: thrown },
  );
}

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHookSpecification.html */
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
      HeartbeatTimeout: drainHookSeconds(drain),
      DefaultResult: 'CONTINUE',
    },
  ];
}
