/** Fargate, for the suite. */
import {
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  type Tag,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { ApplicationAutoScaling } from '../../functions/aws/application-autoscaling.ts';
import { EcsFleet } from '../../functions/aws/ecs-fleet.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { settingsOf } from '../core/examples.ts';
import { container, definition } from '../ecs/world.ts';
import type { Kind } from './kind.ts';
import { fleetRegion } from './region.ts';

const cluster = 'demo';
const tagsOf = (tags: readonly Tag[] | undefined = []) =>
  Object.fromEntries(tags.map(({ key = '', value = '' }) => [key, value]));
const target = ({ name }: Generation) =>
  ({
    ServiceNamespace: 'ecs',
    ResourceId: `service/${cluster}/${name}`,
    ScalableDimension: 'ecs:service:DesiredCount',
  }) as const;

export async function ecsKind(): Promise<Kind> {
  const region = await fleetRegion('ip');
  const { ecs, applicationAutoScaling } = region;
  await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  const template = async (value: string) => {
    const containerDefinitions = [{ ...container, environment: [{ name: 'TEMPLATE', value }] }];
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({ ...definition, family: 'web', containerDefinitions }),
    );
    return taskDefinition?.taskDefinitionArn;
  };
  const fleet = {
    kind: 'ecs',
    cluster,
    taskDefinition: await template('old'),
    container: 'app',
    port: 8080,
    subnets: region.subnets,
    securityGroups: [region.securityGroup],
    assignPublicIp: false,
  };
  const scaling = {
    minimum: 2,
    maximum: 6,
    policies: [
      { name: 'cpu', metric: 'cpu', target: 60 },
      { name: 'requests', metric: 'requestsPerTarget', target: 500 },
    ],
    schedule: [{ name: 'morning', expression: 'cron(10 0 * * ? *)', minimum: 4 }],
  };
  const { traffic } = region;
  const service = async ({ name }: Generation) => {
    const { services } = await ecs.send(
      new DescribeServicesCommand({ cluster, services: [name], include: ['TAGS'] }),
    );
    return services?.find(({ status }) => status === 'ACTIVE');
  };
  const definitionOf = async (named: string) => {
    try {
      return await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: named, include: ['TAGS'] }));
    } catch {
      return undefined;
    }
  };

  return {
    region,
    fleet: new EcsFleet(ecs),
    scaling: new ApplicationAutoScaling(applicationAutoScaling, () => region.clock.now()),
    settings: settingsOf({ fleet, traffic }),
    scaled: settingsOf({ fleet: { ...fleet, scaling }, traffic }),
    newer: settingsOf({ fleet: { ...fleet, taskDefinition: await template('new') }, traffic }),
    creation: 'CreateService',
    made: async (generation) => {
      const known = await definitionOf((await service(generation))?.taskDefinition ?? '');
      const app = known?.taskDefinition?.containerDefinitions?.[0];
      return { image: app?.image, template: app?.environment?.[0]?.value };
    },
    tags: async (generation) => {
      const [running, made] = await Promise.all([service(generation), definitionOf(generation.name)]);
      return [running && tagsOf(running.tags), made && tagsOf(made.tags)];
    },
    squat: async ({ name }) => {
      const awsvpcConfiguration = { subnets: region.subnets, securityGroups: [region.securityGroup] };
      await ecs.send(
        new CreateServiceCommand({
          cluster,
          serviceName: name,
          taskDefinition: 'web',
          desiredCount: 1,
          launchType: 'FARGATE',
          networkConfiguration: { awsvpcConfiguration },
        }),
      );
    },
    squatTemplate: async ({ name }) => {
      await ecs.send(new RegisterTaskDefinitionCommand({ ...definition, family: name }));
    },
    scaleTo: async ({ name }, desiredCount) => {
      await ecs.send(new UpdateServiceCommand({ cluster, service: name, desiredCount }));
    },
    policies: async (generation) => {
      const { ScalingPolicies = [] } = await applicationAutoScaling.send(
        new DescribeScalingPoliciesCommand(target(generation)),
      );
      return ScalingPolicies.map(({ PolicyName, TargetTrackingScalingPolicyConfiguration: tracking }) => {
        const label = tracking?.PredefinedMetricSpecification?.ResourceLabel?.split('/')[4];
        return [PolicyName, tracking?.TargetValue, label].filter((each) => each !== undefined).join(' ');
      });
    },
    schedule: async (generation) => {
      const { ScheduledActions = [] } = await applicationAutoScaling.send(
        new DescribeScheduledActionsCommand(target(generation)),
      );
      return ScheduledActions.map(
        ({ ScheduledActionName, ScalableTargetAction }) =>
          `${ScheduledActionName} ${ScalableTargetAction?.MinCapacity}`,
      );
    },
  };
}
