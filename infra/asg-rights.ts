/**
 * What the deployer's functions may do to Auto Scaling groups and launch templates, of all services at once, as
 * `generation-rights.ts` says it of ECS: reads cannot be limited, writes go by owner tags, which only creation sets.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html and list_amazonec2.html
 */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { retainPrefix } from '../functions/core/images/tag-pattern.ts';
import { generationTag } from '../functions/core/tags.ts';
import type { Cutover } from './cutover.ts';
import { type DeployerFunction, localArn } from './deployer-function.ts';

const generations = '*-g*';
const aGeneration = { StringLike: { [`aws:ResourceTag/${generationTag}`]: generations } };
const asGeneration = { StringLike: { [`aws:RequestTag/${generationTag}`]: generations } };
const service = 'autoscaling.amazonaws.com';

export function allowInstances(scope: Construct, functions: Cutover['functions']): void {
  const { plan, launch, await: waiting, shift, judge, promote, terminate, sweep, hook } = functions;
  const groups = localArn(scope, 'autoscaling', `autoScalingGroup:*:autoScalingGroupName/${generations}`);
  const templates = localArn(scope, 'ec2', 'launch-template/*');
  // AMIs may be another account's, and bear none in their ARNs.
  const images = Stack.of(scope).formatArn({
    service: 'ec2',
    account: '',
    resource: 'image',
    resourceName: '*',
  });
  const because = 'Limited to what Cutover made by a condition on its tags';
  const read = (each: DeployerFunction, ...actions: string[]) =>
    each.allow(actions, ['*'], { because: 'The actions cannot be limited to resources' });
  const write = (each: DeployerFunction, ...actions: string[]) =>
    each.allow(
      actions.map((action) => `autoscaling:${action}`),
      [groups],
      { conditions: aGeneration, because },
    );

  for (const each of [plan, launch, waiting, shift, judge, promote, terminate, sweep])
    read(each, 'autoscaling:DescribeAutoScalingGroups');
  for (const each of [launch, shift, promote, terminate, sweep]) {
    read(each, 'autoscaling:DescribePolicies', 'autoscaling:DescribeScheduledActions');
    write(each, 'UpdateAutoScalingGroup');
  }
  for (const each of [launch, promote, sweep])
    write(each, 'PutScalingPolicy', 'DeletePolicy', 'SuspendProcesses', 'ResumeProcesses');
  for (const each of [promote, sweep]) write(each, 'PutScheduledUpdateGroupAction', 'DeleteScheduledAction');
  write(terminate, 'DeletePolicy', 'DeleteScheduledAction', 'DeleteAutoScalingGroup');
  for (const each of [hook, sweep]) write(each, 'CompleteLifecycleAction', 'RecordLifecycleActionHeartbeat');
  read(terminate, 'autoscaling:DescribeScalingActivities');

  read(plan, 'ec2:DescribeLaunchTemplateVersions', 'ec2:DescribeInstanceTypes');
  plan.allow(['servicequotas:GetServiceQuota'], [localArn(scope, 'servicequotas', 'ec2/*')], {
    because: 'One quota among those of EC2, whose number is not known here',
  });
  read(launch, 'ec2:DescribeLaunchTemplateVersions');
  for (const each of [terminate, sweep]) read(each, 'ec2:DescribeLaunchTemplates');
  terminate.allow(['ec2:DeleteLaunchTemplate'], [templates], { conditions: aGeneration, because });
  terminate.allow(['ec2:GetConsoleOutput'], [localArn(scope, 'ec2', 'instance/*')], {
    conditions: aGeneration,
    because,
  });

  allowAmis(functions, images);

  launch.allow(['autoscaling:CreateAutoScalingGroup'], [groups], { conditions: asGeneration, because });
  launch.allow(['ec2:CreateLaunchTemplate'], [templates], { conditions: asGeneration, because });
  // A group launches what its template says; EC2 Auto Scaling tries whether its caller could
  // (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html).
  launch.allow(['ec2:RunInstances'], [templates], { conditions: aGeneration, because });
  const launched = [
    'image',
    'instance',
    'key-pair',
    'network-interface',
    'security-group',
    'subnet',
    'volume',
  ];
  launch.allow(
    ['ec2:RunInstances'],
    launched.map((kind) => (kind === 'image' ? images : localArn(scope, 'ec2', `${kind}/*`))),
    {
      conditions: { ArnLike: { 'ec2:LaunchTemplate': templates } },
      because: 'Limited to what a launch template of a generation names',
    },
  );
  launch.allow(
    ['ec2:CreateTags'],
    ['instance', 'launch-template', 'network-interface', 'volume'].map((kind) =>
      localArn(scope, 'ec2', `${kind}/*`),
    ),
    {
      conditions: { StringEquals: { 'ec2:CreateAction': ['CreateLaunchTemplate', 'RunInstances'] } },
      because: 'Limited to what is being created',
    },
  );
  launch.allow(
    ['iam:CreateServiceLinkedRole'],
    [
      Stack.of(scope).formatArn({
        service: 'iam',
        region: '',
        resource: `role/aws-service-role/${service}/AWSServiceRoleForAutoScaling`,
        arnFormat: ArnFormat.NO_RESOURCE_NAME,
      }),
    ],
    { conditions: { StringEquals: { 'iam:AWSServiceName': service } } },
  );
}

/** AMIs that are deployed: looked for, and kept by tags of their own. No other tag of an AMI is put on or taken off. */
function allowAmis({ plan, planRollback, launch, sweep }: Cutover['functions'], images: string): void {
  for (const each of [plan, planRollback, sweep])
    each.allow(['ec2:DescribeImages'], ['*'], { because: 'The action cannot be limited to resources' });
  const keeping = {
    'ForAllValues:StringLike': { 'aws:TagKeys': [`${retainPrefix}*`] },
    // Without tags all of them would be taken off, and of none all are alike.
    Null: { 'aws:TagKeys': 'false' },
  };
  const because = 'Limited to the tags that keep AMIs from being cleaned up';
  launch.allow(['ec2:CreateTags'], [images], { conditions: keeping, because });
  sweep.allow(['ec2:DeleteTags'], [images], { conditions: keeping, because });
}
