/**
 * What a function needs that lets generations scale. Targets have ids that nobody knows before, so the rights go by the keys
 * of namespace and dimension: the counts of ECS services, and nothing else
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html).
 *
 * Application Auto Scaling also tries what its caller may do to ECS and CloudWatch, and refuses with what is missing
 * (https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html). Alarms it makes
 * by a role of its own; the caller's right it tries without naming one.
 */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { generationTag } from '../functions/core/tags.ts';
import type { Cutover } from './cutover.ts';
import { type DeployerFunction, localArn } from './deployer-function.ts';

const generations = '*-g*';
const namespace = 'ecs.application-autoscaling.amazonaws.com';
const anEcsService = {
  StringEquals: {
    'application-autoscaling:service-namespace': 'ecs',
    'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
  },
};

type Scalers = Pick<Cutover['functions'], 'launch' | 'shift' | 'promote' | 'terminate' | 'sweep'>;

export function allowScaling(scope: Construct, { launch, shift, promote, terminate, sweep }: Scalers): void {
  const targets = localArn(scope, 'application-autoscaling', 'scalable-target/*');
  const services = localArn(scope, 'ecs', `service/*/${generations}`);
  const linkedRole = Stack.of(scope).formatArn({
    service: 'iam',
    region: '',
    resource: `role/aws-service-role/${namespace}/AWSServiceRoleForApplicationAutoScaling_ECSService`,
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
  const read = (each: DeployerFunction, ...actions: string[]) =>
    each.allow(actions.map(ofScaling), ['*'], { because: 'The actions cannot be limited to targets' });
  const write = (each: DeployerFunction, ...actions: string[]) =>
    each.allow(actions.map(ofScaling), [targets], {
      conditions: anEcsService,
      because: 'The ids of scalable targets are made by AWS',
    });
  // Policies come with the launch, or where that could not be asked with the end; the schedule with the end alone.
  for (const each of [launch, promote, sweep]) {
    read(each, 'DescribeScalingPolicies');
    write(each, 'PutScalingPolicy', 'DeleteScalingPolicy');
  }
  for (const each of [promote, sweep]) {
    read(each, 'DescribeScheduledActions');
    write(each, 'PutScheduledAction', 'DeleteScheduledAction');
  }
  write(terminate, 'DeregisterScalableTarget');
  for (const each of [launch, shift, promote, terminate, sweep]) {
    read(each, 'DescribeScalableTargets');
    write(each, 'RegisterScalableTarget');
    each.allow(['ecs:DescribeServices'], [services], {
      because: 'Generations of all services: deployments give them their names',
    });
    each.allow(['ecs:UpdateService'], [services], {
      conditions: {
        StringLike: { [`aws:ResourceTag/${generationTag}`]: generations },
        // Its count alone: whoever may scale it must not give it something else to run.
        ArnLikeIfExists: {
          'ecs:task-definition': localArn(scope, 'ecs', `task-definition/${generations}:*`),
        },
      },
      because: 'Limited to what Cutover made by a condition on its tags',
    });
    each.allow(['cloudwatch:DescribeAlarms'], ['*'], {
      because: 'Tried by AWS, without the name of an alarm',
    });
    each.allow(
      ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms'],
      [localArn(scope, 'cloudwatch', 'alarm:')],
    );
    each.allow(['iam:CreateServiceLinkedRole'], [linkedRole], {
      conditions: { StringEquals: { 'iam:AWSServiceName': namespace } },
    });
  }
}

function ofScaling(action: string): string {
  return `application-autoscaling:${action}`;
}
