/** What Application Auto Scaling asks of the role that calls it, beside its own actions. */
import { expect, it } from 'vitest';
import { autoscaled } from './world.ts';

const roleArn = 'arn:aws:iam::123456789012:role/scaler';
const target = 'arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/*';
const own = {
  Action: 'application-autoscaling:*',
  Resource: target,
  Condition: {
    StringEquals: {
      'application-autoscaling:service-namespace': 'ecs',
      'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
    },
  },
};
const ecs = {
  Action: ['ecs:DescribeServices', 'ecs:UpdateService'],
  Resource: 'arn:aws:ecs:us-east-1:123456789012:service/demo/web',
};
const alarms = {
  Action: ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms'],
  Resource: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:',
};
const reading = { Action: 'cloudwatch:DescribeAlarms', Resource: '*' };
const linkedRole = {
  Action: 'iam:CreateServiceLinkedRole',
  Resource:
    'arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService',
  Condition: { StringLike: { 'iam:AWSServiceName': 'ecs.application-autoscaling.amazonaws.com' } },
};

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

function allowing(...statements: readonly object[]) {
  const world = autoscaled({}, { kind: 'role', roleArn, session: 'test' });
  world.roles.create('scaler', { trust });
  world.roles.putInline(
    'scaler',
    'rights',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: statements.map((statement) => ({ Effect: 'Allow', ...statement })),
    }),
  );
  return world;
}

const bounds = { MinCapacity: 1, MaxCapacity: 4 };

it('a role with all of it registers, and tracks', async () => {
  const { register, track, alarms: made } = allowing(own, ecs, alarms, reading, linkedRole);
  await register(bounds);
  await track(100);
  expect(made()).toHaveLength(2);
});

it.each([
  [
    'nothing of it',
    [reading],
    'AccessDeniedException',
    `application-autoscaling:RegisterScalableTarget on resource: ${target}`,
  ],
  [
    'only its own actions',
    [own],
    'ValidationException',
    'User is missing the following permissions: ecs:DescribeServices, ecs:UpdateService, cloudwatch:PutMetricAlarm, cloudwatch:DescribeAlarms, cloudwatch:DeleteAlarms',
  ],
  [
    'other services',
    [own, { ...ecs, Resource: `${ecs.Resource}-g*` }, alarms, reading, linkedRole],
    'ValidationException',
    'User is missing the following permissions: ecs:DescribeServices, ecs:UpdateService',
  ],
  [
    'no service-linked role',
    [own, ecs, alarms, reading],
    'AccessDeniedException',
    'iam:CreateServiceLinkedRole',
  ],
])('a role that is allowed %s is refused', async (_, statements, name, message) => {
  await expect(allowing(...statements).register(bounds)).rejects.toMatchObject({
    name,
    message: expect.stringContaining(message),
  });
});
