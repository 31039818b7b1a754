import { describe, expect, it } from 'vitest';
import { authorizationsOf } from '../../local/iam/resources.ts';

const of = (service: string, rest: string) => `arn:aws:${service}:us-east-1:123456789012:${rest}`;
const service = of('ecs', 'service/main/web-g0001');
const rule = of('elasticloadbalancing', 'listener-rule/app/lb/1/2/3');

describe('an operation acts on', () => {
  it.each<[string, string, object, string[]]>([
    ['ecs', 'CreateService', { cluster: 'main', serviceName: 'web-g0001' }, [service]],
    ['ecs', 'UpdateService', { cluster: of('ecs', 'cluster/main'), service: 'web-g0001' }, [service]],
    ['ecs', 'DeleteService', { service }, [service]],
    ['ecs', 'DescribeServices', { services: ['a', service] }, [of('ecs', 'service/default/a'), service]],
    ['ecs', 'DescribeTasks', { cluster: 'main', tasks: ['t1'] }, [of('ecs', 'task/main/t1')]],
    ['ecs', 'ListTasks', { cluster: 'main' }, [of('ecs', 'container-instance/main/*')]],
    ['ecs', 'ListServices', { cluster: 'main' }, ['*']],
    ['ecs', 'RegisterTaskDefinition', { family: 'web-g0001' }, [of('ecs', 'task-definition/web-g0001:*')]],
    ['ecs', 'DescribeTaskDefinition', { taskDefinition: 'web' }, ['*']],
    [
      'ecs',
      'DescribeServiceDeployments',
      { serviceDeploymentArns: [of('ecs', 'service-deployment/main/web-g0001/x1')] },
      [service, of('ecs', 'service-deployment/main/web-g0001/x1')],
    ],
    [
      'autoscaling',
      'SetDesiredCapacity',
      { AutoScalingGroupName: 'web-g0001' },
      [of('autoscaling', 'autoScalingGroup:*:autoScalingGroupName/web-g0001')],
    ],
    [
      'autoscaling',
      'CreateOrUpdateTags',
      { Tags: [{ ResourceId: 'web-g0001', ResourceType: 'auto-scaling-group', Key: 'a' }] },
      [of('autoscaling', 'autoScalingGroup:*:autoScalingGroupName/web-g0001')],
    ],
    [
      'autoscaling',
      'DeletePolicy',
      { PolicyName: of('autoscaling', 'scalingPolicy:u-1:autoScalingGroupName/web-g0001:policyName/cpu') },
      [of('autoscaling', 'autoScalingGroup:*:autoScalingGroupName/web-g0001')],
    ],
    [
      'autoscaling',
      'TerminateInstanceInAutoScalingGroup',
      { InstanceId: 'i-1' },
      [of('autoscaling', 'autoScalingGroup:*:autoScalingGroupName/*')],
    ],
    ['autoscaling', 'DescribeScalingActivities', { AutoScalingGroupName: 'web-g0001' }, ['*']],
    ['autoscaling', 'DescribeAutoScalingGroups', { AutoScalingGroupNames: ['web-g0001'] }, ['*']],
    ['ec2', 'CreateLaunchTemplateVersion', { LaunchTemplateId: 'lt-1' }, [of('ec2', 'launch-template/lt-1')]],
    ['ec2', 'DescribeLaunchTemplateVersions', { LaunchTemplateId: 'lt-1' }, ['*']],
    ['ec2', 'DescribeImages', { ImageIds: ['ami-1'] }, ['*']],
    ['ec2', 'DeregisterImage', { ImageId: 'ami-1' }, ['arn:aws:ec2:us-east-1::image/ami-1']],
    [
      'ec2',
      'RegisterImage',
      { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-1' } }] },
      ['arn:aws:ec2:us-east-1::image/*', 'arn:aws:ec2:us-east-1::snapshot/snap-1'],
    ],
    [
      'ec2',
      'CreateImage',
      { InstanceId: 'i-1' },
      ['arn:aws:ec2:us-east-1::image/*', of('ec2', 'instance/i-1'), 'arn:aws:ec2:us-east-1::snapshot/*'],
    ],
    [
      'ec2',
      'CreateTags',
      { Resources: ['ami-1', 'lt-1', 'vpc-1'] },
      ['arn:aws:ec2:us-east-1::image/ami-1', of('ec2', 'launch-template/lt-1'), of('ec2', 'vpc/vpc-1')],
    ],
    ['elasticloadbalancing', 'ModifyRule', { RuleArn: rule }, [rule]],
    ['elasticloadbalancing', 'DescribeRules', { RuleArns: [rule] }, ['*']],
    [
      'elasticloadbalancing',
      'SetRulePriorities',
      { RulePriorities: [{ RuleArn: rule, Priority: 1 }] },
      [rule],
    ],
    [
      'states',
      'StartExecution',
      { stateMachineArn: of('states', 'stateMachine:deploy:3') },
      [of('states', 'stateMachine:deploy')],
    ],
    ['states', 'SendTaskSuccess', { taskToken: 't' }, ['*']],
    ['dynamodb', 'UpdateItem', { TableName: 'ledger' }, [of('dynamodb', 'table/ledger')]],
    [
      'dynamodb',
      'Query',
      { TableName: 'ledger', IndexName: 'by' },
      [of('dynamodb', 'table/ledger/index/by')],
    ],
    [
      'dynamodb',
      'BatchGetItem',
      { RequestItems: { a: {}, b: {} } },
      [of('dynamodb', 'table/a'), of('dynamodb', 'table/b')],
    ],
    ['ecr', 'DescribeImages', { repositoryName: 'shop/web' }, [of('ecr', 'repository/shop/web')]],
    ['ecr', 'GetAuthorizationToken', {}, ['*']],
    ['ecr', 'DescribeImageScanFindings', { repositoryName: 'web' }, [of('ecr', 'repository/web')]],
    ['ecr', 'StartImageScan', { repositoryName: 'web' }, [of('ecr', 'repository/web')]],
    ['ecr', 'DescribeImageSigningStatus', { repositoryName: 'web' }, [of('ecr', 'repository/web')]],
    ['ecr', 'GetDownloadUrlForLayer', { repositoryName: 'web' }, [of('ecr', 'repository/web')]],
    ['ecr', 'ListImageReferrers', { repositoryName: 'web' }, [of('ecr', 'repository/web')]],
    ['ecr', 'PutSigningConfiguration', {}, ['*']],
    ['ecr', 'PutRegistryScanningConfiguration', {}, ['*']],
    ['ec2', 'DescribeSubnets', {}, ['*']],
    [
      'servicequotas',
      'GetServiceQuota',
      { ServiceCode: 'fargate', QuotaCode: 'L-1' },
      [of('servicequotas', 'fargate/L-1')],
    ],
    ['elasticloadbalancing', 'DescribeTargetGroups', { TargetGroupArns: ['x'] }, ['*']],
    ['elasticloadbalancing', 'DescribeAccountLimits', {}, ['*']],
    ['ssm', 'GetParameter', { Name: '/web/hold:3' }, [of('ssm', 'parameter/web/hold')]],
    [
      'ssm',
      'GetParameters',
      { Names: ['/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64'] },
      [
        'arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
      ],
    ],
    ['sns', 'Publish', { TopicArn: of('sns', 'news') }, [of('sns', 'news')]],
    ['sqs', 'SendMessage', { QueueUrl: 'http://127.0.0.1:1/123456789012/dlq' }, [of('sqs', 'dlq')]],
    ['lambda', 'Invoke', { FunctionName: 'shift', Qualifier: '3' }, [of('lambda', 'function:shift:3')]],
    [
      'lambda',
      'GetFunction',
      { FunctionName: '123456789012:function:shift' },
      [of('lambda', 'function:shift')],
    ],
    ['cloudwatch', 'DescribeAlarms', {}, [of('cloudwatch', 'alarm:*')]],
    ['cloudwatch', 'GetMetricData', {}, ['*']],
    [
      'logs',
      'PutLogEvents',
      { logGroupName: '/g', logStreamName: 's' },
      [of('logs', 'log-group:/g:log-stream:s')],
    ],
    ['events', 'PutRule', { Name: 'pushes' }, [of('events', 'rule/pushes')]],
    ['events', 'PutEvents', { Entries: [{}] }, [of('events', 'event-bus/default')]],
    ['events', 'ListRules', {}, ['*']],
  ])('%s %s', (prefix, operation, input, resources) => {
    expect(authorizationsOf(prefix, operation, input as Record<string, unknown>)[0]?.resources).toEqual(
      resources,
    );
  });

  it('nothing that AWS does not ask for', () => {
    expect(authorizationsOf('sts', 'GetCallerIdentity', {})).toEqual([]);
  });
});

it('listing what refers to an image needs to read images', () => {
  const [own] = authorizationsOf('ecr', 'ListImageReferrers', { repositoryName: 'web' });
  expect(own?.action).toBe('ecr:BatchGetImage');
});

describe('an operation also needs', () => {
  it('to pass the roles of a task definition', () => {
    const [own, ...passes] = authorizationsOf('ecs', 'RegisterTaskDefinition', {
      family: 'web',
      taskRoleArn: 'arn:aws:iam::123456789012:role/task',
      executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
    });
    expect(own?.action).toBe('ecs:RegisterTaskDefinition');
    const context = { 'iam:passedtoservice': 'ecs-tasks.amazonaws.com' };
    expect(passes).toEqual([
      { action: 'iam:PassRole', resources: ['arn:aws:iam::123456789012:role/task'], context },
      { action: 'iam:PassRole', resources: ['arn:aws:iam::123456789012:role/execution'], context },
    ]);
  });

  it('to pass the role that it puts into an instance profile', () => {
    const [own, pass] = authorizationsOf('iam', 'AddRoleToInstanceProfile', {
      InstanceProfileName: 'web',
      RoleName: 'web',
    });
    expect(own?.resources).toEqual(['arn:aws:iam::123456789012:instance-profile/web']);
    expect(pass).toEqual({
      action: 'iam:PassRole',
      resources: ['arn:aws:iam::*:role/web'],
      context: { 'iam:passedtoservice': 'ec2.amazonaws.com' },
    });
  });

  it('to tag what it creates with tags', () => {
    const [own, tagging] = authorizationsOf('ecs', 'CreateService', {
      cluster: 'main',
      serviceName: 'web-g0001',
      tags: [{ key: 'cutover:service', value: 'web' }],
    });
    const tags = { 'aws:requesttag/cutover:service': 'web', 'aws:tagkeys': ['cutover:service'] };
    expect(own?.context).toEqual({ ...tags, 'ecs:cluster': of('ecs', 'cluster/main') });
    expect(tagging).toEqual({
      action: 'ecs:TagResource',
      resources: [service],
      context: { ...tags, 'ecs:createaction': 'CreateService' },
    });
  });

  it('to be asked which task definition a service runs', () => {
    const revision = of('ecs', 'task-definition/web-g0001:1');
    for (const taskDefinition of [revision, 'web-g0001:1']) {
      const [own] = authorizationsOf('ecs', 'UpdateService', { service, taskDefinition });
      expect(own?.context).toMatchObject({ 'ecs:task-definition': revision });
    }
    const [scaling] = authorizationsOf('ecs', 'UpdateService', { service, desiredCount: 2 });
    expect(scaling?.context).not.toHaveProperty('ecs:task-definition');
  });

  it("the tagging of a launch template, with the tags in EC2's shape", () => {
    const [own, tagging] = authorizationsOf('ec2', 'CreateLaunchTemplate', {
      LaunchTemplateName: 'web',
      TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'a', Value: 'b' }] }],
    });
    const resources = [of('ec2', 'launch-template/*')];
    expect(own).toMatchObject({ resources, context: { 'aws:requesttag/a': 'b' } });
    expect(tagging).toEqual({
      action: 'ec2:CreateTags',
      resources,
      context: {
        'aws:requesttag/a': 'b',
        'aws:tagkeys': ['a'],
        'ec2:createaction': 'CreateLaunchTemplate',
      },
    });
  });

  it('the tagging of each kind of what it creates, with the tags of that kind', () => {
    const [own, ...tagging] = authorizationsOf('ec2', 'CreateImage', {
      InstanceId: 'i-1',
      Name: 'web-7',
      TagSpecifications: [
        { ResourceType: 'image', Tags: [{ Key: 'version', Value: '7' }] },
        { ResourceType: 'snapshot', Tags: [{ Key: 'of', Value: 'web' }] },
      ],
    });
    expect(own?.context).toMatchObject({ 'aws:tagkeys': ['version', 'of'] });
    expect(tagging).toEqual([
      {
        action: 'ec2:CreateTags',
        resources: ['arn:aws:ec2:us-east-1::image/*'],
        context: {
          'aws:requesttag/version': '7',
          'aws:tagkeys': ['version'],
          'ec2:createaction': 'CreateImage',
        },
      },
      {
        action: 'ec2:CreateTags',
        resources: ['arn:aws:ec2:us-east-1::snapshot/*'],
        context: { 'aws:requesttag/of': 'web', 'aws:tagkeys': ['of'], 'ec2:createaction': 'CreateImage' },
      },
    ]);
  });

  it('to be asked what a group is made with', () => {
    const [own] = authorizationsOf('autoscaling', 'CreateAutoScalingGroup', {
      AutoScalingGroupName: 'web-g0001',
      MinSize: 0,
      MaxSize: 4,
      LaunchTemplate: { LaunchTemplateName: 'web', Version: '7' },
      VPCZoneIdentifier: 'subnet-1, subnet-2',
      TargetGroupARNs: ['arn:blue'],
      Tags: [{ Key: 'app', Value: 'web', PropagateAtLaunch: true }],
    });
    expect(own?.context).toEqual({
      'aws:requesttag/app': 'web',
      'aws:tagkeys': ['app'],
      'aws:resourcetag/app': 'web',
      'autoscaling:resourcetag/app': 'web',
      'autoscaling:minsize': '0',
      'autoscaling:maxsize': '4',
      'autoscaling:launchtemplateversionspecified': 'true',
      'autoscaling:vpczoneidentifiers': ['subnet-1', 'subnet-2'],
      'autoscaling:targetgrouparns': ['arn:blue'],
    });
  });

  it.each(['$Latest', '$Default', undefined])(
    'to be asked that %s is no version of a template',
    (Version) => {
      const [own] = authorizationsOf('autoscaling', 'UpdateAutoScalingGroup', {
        AutoScalingGroupName: 'web-g0001',
        LaunchTemplate: { LaunchTemplateName: 'web', Version },
      });
      expect(own?.context).toEqual({ 'autoscaling:launchtemplateversionspecified': 'false' });
    },
  );

  it('the tagging of a rule on the rule, not its listener', () => {
    const [, tagging] = authorizationsOf('elasticloadbalancing', 'CreateRule', {
      ListenerArn: of('elasticloadbalancing', 'listener/app/lb/1/2'),
      Tags: [{ Key: 'a', Value: 'b' }],
    });
    expect(tagging).toMatchObject({
      action: 'elasticloadbalancing:AddTags',
      resources: [of('elasticloadbalancing', 'listener-rule/app/lb/1/2/*')],
    });
  });

  it('what the writes of a transaction need', () => {
    const TransactItems = [{ Put: { TableName: 'a' } }, { ConditionCheck: { TableName: 'b' } }];
    expect(authorizationsOf('dynamodb', 'TransactWriteItems', { TransactItems })).toEqual([
      { action: 'dynamodb:PutItem', resources: [of('dynamodb', 'table/a')] },
      { action: 'dynamodb:ConditionCheckItem', resources: [of('dynamodb', 'table/b')] },
    ]);
  });
});
