/** The two capacity providers that every account has; container instances there are none. */
import type {
  CapacityProvider,
  DescribeCapacityProvidersCommandInput,
  DescribeCapacityProvidersCommandOutput,
  ListContainerInstancesCommandInput,
  ListContainerInstancesCommandOutput,
} from '@aws-sdk/client-ecs';
import { arn } from '../../account.ts';
import type { Operations, Output } from '../../call.ts';
import { nameOf } from './arns.ts';
import type { Clusters } from './clusters.ts';
import { page } from './page.ts';

export const fargateCapacityProviders: readonly string[] = ['FARGATE', 'FARGATE_SPOT'];

const described = (name: string): CapacityProvider => ({
  capacityProviderArn: arn('ecs', `capacity-provider/${name}`),
  name,
  status: 'ACTIVE',
  tags: [],
});

export function capacityProviderOperations(clusters: Clusters) {
  return {
    DescribeCapacityProviders: (
      input: DescribeCapacityProvidersCommandInput,
    ): Output<DescribeCapacityProvidersCommandOutput> => {
      const asked = input.capacityProviders ?? fargateCapacityProviders;
      const known = asked.map(nameOf).filter((name) => fargateCapacityProviders.includes(name));
      const { items, ...more } = page(known.map(described), input);
      return {
        capacityProviders: items,
        failures: asked
          .filter((reference) => !fargateCapacityProviders.includes(nameOf(reference)))
          .map((reference) => ({
            arn: arn('ecs', `capacity-provider/${nameOf(reference)}`),
            reason: 'MISSING',
          })),
        ...more,
      };
    },
    ListContainerInstances: (
      input: ListContainerInstancesCommandInput,
    ): Output<ListContainerInstancesCommandOutput> => {
      clusters.active(input.cluster);
      return { containerInstanceArns: [] };
    },
  } satisfies Operations;
}
