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
import { type DeployerFunction, localArn } from './deployer-function.ts';

const generations = '*-g*';
const namespace = 'ecs.application-autoscaling.amazonaws.com';
const anEcsService = {
  StringEquals: {
    'application-autoscaling:service-namespace': 'ecs',
    'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
  },
};

export function allowScaling(scope: Construct, functions: readonly DeployerFunction[]): void {
  const targets = localArn(scope, 'application-autoscaling', 'scalable-target/*');
  const services = localArn(scope, 'ecs', `service/*/${generations}`);
  const linkedRole = Stack.of(scope).formatArn({
    service: 'iam',
    region: '',
    resource: `role/aws-service-role/${namespace}/AWSServiceRoleForApplicationAutoScaling_ECSService`,
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
  for (const each of functions) {
    each.allow(
      [
        'application-autoscaling:DescribeScalableTargets',
        'application-autoscaling:DescribeScalingPolicies',
        'application-autoscaling:DescribeScheduledActions',
      ],
      ['*'],
      { because: 'The actions cannot be limited to targets' },
    );
    each.allow(
      [
        'application-autoscaling:RegisterScalableTarget',
        'application-autoscaling:DeregisterScalableTarget',
        'application-autoscaling:PutScalingPolicy',
        'application-autoscaling:DeleteScalingPolicy',
        'application-autoscaling:PutScheduledAction',
        'application-autoscaling:DeleteScheduledAction',
      ],
      [targets],
      { conditions: anEcsService, because: 'The ids of scalable targets are made by AWS' },
    );
    each.allow(['ecs:DescribeServices'], [services], {
      because: 'Generations of all services: deployments give them their names',
    });
    each.allow(['ecs:UpdateService'], [services], {
      conditions: { StringLike: { [`aws:ResourceTag/${generationTag}`]: generations } },
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
