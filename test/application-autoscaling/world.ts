/** An embedded ECS with a service `web`, its CloudWatch and its Application Auto Scaling, by the real SDK client. */
import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  type PredefinedMetricSpecification,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  type PutScheduledActionCommandInput,
  RegisterScalableTargetCommand,
  type RegisterScalableTargetCommandInput,
} from '@aws-sdk/client-application-auto-scaling';
import type { DescribeAlarmsCommandOutput } from '@aws-sdk/client-cloudwatch';
import type { CreateServiceCommandInput } from '@aws-sdk/client-ecs';
import type { AwsEvent } from '../../local/aws-event.ts';
import type { Principal } from '../../local/call.ts';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { Roles } from '../../local/iam/roles.ts';
import { ApplicationAutoScaling } from '../../local/services/application-autoscaling/application-autoscaling.ts';
import { ecsServices } from '../../local/services/application-autoscaling/scaled-services.ts';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { serviceEntry } from '../../local/wire/services.ts';
import { running } from '../ecs/world.ts';

export const minute = 60_000;
export const label = 'app/main/0123456789abcdef/targetgroup/web-blue/0123456789abcdef';
const TargetGroup = 'targetgroup/web-blue/0123456789abcdef';
export const web = {
  ServiceNamespace: 'ecs',
  ResourceId: 'service/demo/web',
  ScalableDimension: 'ecs:service:DesiredCount',
} as const;
export const perTarget: PredefinedMetricSpecification = {
  PredefinedMetricType: 'ALBRequestCountPerTarget',
  ResourceLabel: label,
};
const endpoint = () => 'http://127.0.0.1:4566';

export function autoscaled(
  service: Partial<CreateServiceCommandInput> = {},
  principal: Principal = { kind: 'root' },
) {
  const ecs = running(service);
  const { clock } = ecs;
  const roles = new Roles({ clock });
  const authorizer = new PolicyAuthorizer({ roles, clock, tagsOf: (arn) => ecs.ecs.tagsOf(arn) });
  const events: AwsEvent[] = [];
  const cloudwatch = new CloudWatch({
    clock,
    emit: (event) => events.push(event),
    publish: () => undefined,
  });
  const autoscaling = new ApplicationAutoScaling({
    clock,
    services: ecsServices(ecs.ecs),
    cloudwatch: cloudwatch.operations,
    authorizer,
  });
  const calls = new CallLog();
  const dispatcher = new Dispatcher({
    entries: [
      serviceEntry('applicationAutoScaling', autoscaling.operations),
      serviceEntry('ecs', ecs.ecs.operations),
    ],
    authorizer,
    principalOf: () => principal,
    calls,
    clock,
    endpoint,
    onFailure: (failure) => {
      throw failure;
    },
  });
  const options = {
    endpoint: endpoint(),
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    maxAttempts: 1,
    requestHandler: new InProcessHandler({ dispatcher, endpoint }),
  };
  const client = new ApplicationAutoScalingClient(options);
  return {
    ...ecs,
    roles,
    calls,
    client,
    autoscaling,
    desired: (name = 'web') => ecs.service(name).desiredCount,
    register: (changes: Partial<RegisterScalableTargetCommandInput> = {}) =>
      client.send(new RegisterScalableTargetCommand({ ...web, ...changes })),
    bounds: async () => {
      const { ScalableTargets = [] } = await client.send(
        new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' }),
      );
      return ScalableTargets.map(({ MinCapacity, MaxCapacity }) => [MinCapacity, MaxCapacity]);
    },
    /** Tracks so many requests by target and minute. */
    track: (TargetValue: number, PredefinedMetricSpecification = perTarget, PolicyName = 'requests') =>
      client.send(
        new PutScalingPolicyCommand({
          ...web,
          PolicyName,
          PolicyType: 'TargetTrackingScaling',
          TargetTrackingScalingPolicyConfiguration: { TargetValue, PredefinedMetricSpecification },
        }),
      ),
    schedule: (changes: Partial<PutScheduledActionCommandInput>) =>
      client.send(new PutScheduledActionCommand({ ...web, ScheduledActionName: 'action', ...changes })),
    /** Lets minutes pass in each of which this many requests come to each target. */
    minutes: async (count: number, requests: number) => {
      for (let passed = 0; passed < count; passed += 1) {
        cloudwatch.record({
          namespace: 'AWS/ApplicationELB',
          metric: 'RequestCountPerTarget',
          dimensions: { LoadBalancer: 'app/main/0123456789abcdef', TargetGroup },
          unit: 'Count',
          at: clock.now(),
          values: [requests],
        });
        await clock.advance(minute);
      }
    },
    alarms: (): string[] => {
      const input = {} as never;
      const call = { principal: { kind: 'root' }, requestId: 'test', endpoint: '' } as const;
      const { MetricAlarms } = cloudwatch.operations['DescribeAlarms']!(
        input,
        call,
      ) as DescribeAlarmsCommandOutput;
      return (MetricAlarms ?? []).map(
        ({ AlarmName = '', Threshold, EvaluationPeriods, StateValue }) =>
          `${AlarmName.replace(/[0-9a-f-]{36}$/, 'ID')} ${Threshold} ${EvaluationPeriods} ${StateValue}`,
      );
    },
  };
}
