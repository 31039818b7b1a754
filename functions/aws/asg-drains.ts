/** Instances of Auto Scaling groups that wait for the lifecycle hook of draining: the instance's id names what waits. */
import {
  type AutoScalingClient,
  CompleteLifecycleActionCommand,
  DescribeAutoScalingGroupsCommand,
  RecordLifecycleActionHeartbeatCommand,
} from '@aws-sdk/client-auto-scaling';
import type { Draining } from '../core/fleet/drain.ts';
import { drainHook } from '../core/fleet/drain-hook.ts';
import type { GenerationName } from '../core/names.ts';
import type { Drains } from '../ports/drains.ts';
import { calling, codeOf } from './failures.ts';

export class AsgDrains implements Drains {
  readonly #client: AutoScalingClient;

  constructor(client: AutoScalingClient) {
    this.#client = client;
  }

  async keep(of: Draining): Promise<'kept' | 'gone'> {
    return calling(`keeping ${of.instance} of ${of.generation}`, () =>
      unlessGone(() => this.#client.send(new RecordLifecycleActionHeartbeatCommand(named(of)))),
    );
  }

  async letGo(of: Draining): Promise<void> {
    await calling(`letting ${of.instance} of ${of.generation} go`, () =>
      unlessGone(() =>
        this.#client.send(
          new CompleteLifecycleActionCommand({ ...named(of), LifecycleActionResult: 'CONTINUE' }),
        ),
      ),
    );
  }

  async waiting(AutoScalingGroupNames: readonly GenerationName[]): Promise<readonly Draining[]> {
    const names = [...AutoScalingGroupNames];
    const { AutoScalingGroups = [] } = await calling(
      `reading the Auto Scaling groups ${names.join(', ')}`,
      () => this.#client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: names })),
    );
    return names.flatMap((generation) => {
      const { Instances = [] } =
        AutoScalingGroups.find(({ AutoScalingGroupName }) => AutoScalingGroupName === generation) ?? {};
      return Instances.filter(({ LifecycleState }) => LifecycleState === 'Terminating:Wait').flatMap(
        ({ InstanceId }) => (InstanceId === undefined ? [] : [{ generation, instance: InstanceId }]),
      );
    });
  }
}

function named({ generation, instance }: Draining) {
  return { AutoScalingGroupName: generation, LifecycleHookName: drainHook, InstanceId: instance };
}

/** `No active Lifecycle Action found with instance ID i-…`, and `AutoScalingGroup name not found`: both are a ValidationError. */
async function unlessGone(call: () => Promise<unknown>): Promise<'kept' | 'gone'> {
  try {
    await call();
    return 'kept';
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : '';
    if (codeOf(thrown) === 'ValidationError' && /no active lifecycle action|not found/i.test(message))
      return 'gone';
    throw thrown;
  }
}
