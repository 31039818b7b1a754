/** What is scaled: ECS services, by what Application Auto Scaling itself asks and orders of ECS. */
import { AwsError } from '../../call.ts';
import type { Ecs } from '../ecs/ecs.ts';

export interface Place {
  readonly cluster: string;
  readonly service: string;
}

interface ScaledService {
  readonly desired: number;
  /** A deployment of ECS's own is under way. */
  readonly deploying: boolean;
}

export interface ScaledServices {
  /** Undefined when there is no active service there. */
  find(place: Place): ScaledService | undefined;
  scale(place: Place, desired: number): void;
}

export function ecsServices(ecs: Pick<Ecs, 'operations'>): ScaledServices {
  return {
    find: ({ cluster, service }) => {
      const found = described(ecs, cluster, service);
      if (found?.status !== 'ACTIVE') return undefined;
      const deploying = found.deployments?.some(({ rolloutState }) => rolloutState === 'IN_PROGRESS');
      return { desired: found.desiredCount ?? 0, deploying: deploying ?? false };
    },
    scale: ({ cluster, service }, desiredCount) => {
      ecs.operations.UpdateService({ cluster, service, desiredCount });
    },
  };
}

function described({ operations }: Pick<Ecs, 'operations'>, cluster: string, service: string) {
  try {
    return operations.DescribeServices({ cluster, services: [service] }).services?.[0];
  } catch (thrown) {
    if (thrown instanceof AwsError && thrown.code === 'ClusterNotFoundException') return undefined;
    throw thrown;
  }
}
