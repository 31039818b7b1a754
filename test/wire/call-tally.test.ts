import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect, it } from 'vitest';
import { CallTally } from '../../functions/aws/call-tally.ts';

const tally = new CallTally('test', () => 0);
const options = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  maxAttempts: 1,
  requestHandler: { handle: () => Promise.reject(new Error('no network')) },
};

it.each<[string, () => Promise<unknown>]>([
  [
    'application-autoscaling:DescribeScalableTargets',
    () =>
      tally
        .count(new ApplicationAutoScalingClient(options))
        .send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs' })),
  ],
  [
    'cloudwatch:DescribeAlarms',
    () => tally.count(new CloudWatchClient(options)).send(new DescribeAlarmsCommand()),
  ],
  ['dynamodb:ListTables', () => tally.count(new DynamoDBClient(options)).send(new ListTablesCommand())],
  [
    'ecr:PutImage',
    () =>
      tally
        .count(new ECRClient(options))
        .send(new PutImageCommand({ repositoryName: 'web', imageManifest: '{}' })),
  ],
  ['ec2:DescribeSubnets', () => tally.count(new EC2Client(options)).send(new DescribeSubnetsCommand())],
  [
    'servicequotas:GetServiceQuota',
    () =>
      tally
        .count(new ServiceQuotasClient(options))
        .send(new GetServiceQuotaCommand({ ServiceCode: 'fargate', QuotaCode: 'L-1' })),
  ],
  ['ecs:ListTasks', () => tally.count(new ECSClient(options)).send(new ListTasksCommand())],
  [
    'elasticloadbalancing:DescribeRules',
    () => tally.count(new ElasticLoadBalancingV2Client(options)).send(new DescribeRulesCommand()),
  ],
  [
    'states:ListStateMachines',
    () => tally.count(new SFNClient(options)).send(new ListStateMachinesCommand()),
  ],
  ['sns:ListTopics', () => tally.count(new SNSClient(options)).send(new ListTopicsCommand())],
  [
    'ssm:GetParameter',
    () => tally.count(new SSMClient(options)).send(new GetParameterCommand({ Name: 'name' })),
  ],
])('a call counts under the name that IAM has for it: %s', async (action, call) => {
  tally.begin('request');
  await expect(call()).rejects.toThrow('no network');
  expect(tally.written().calls).toEqual({ [action]: { count: 1, errors: 1, ms: 0 } });
});
