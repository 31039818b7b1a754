/**
 * What the deployer's functions may do to generations and production rules, of all services at once: a copy for each
 * service would soon fill what IAM allows a role. Reads go by the names of generations. Writes go by owner tags, which
 * only creation sets: no function may tag what exists, so none can make a stranger's service or rule its own.
 *
 * A new right of all services goes here. Where its action knows no tags
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html and
 * list_awselasticloadbalancingv2.html), it names what belongs to one service in a `ServiceRights` of that service.
 */
import type { Construct } from 'constructs';
import { generationTag, imagesTag, ruleTag } from '../functions/core/tags.ts';
import type { Cutover } from './cutover.ts';
import { localArn } from './deployer-function.ts';

const generations = '*-g*';
const aGeneration = { StringLike: { [`aws:ResourceTag/${generationTag}`]: generations } };
const asGeneration = { StringLike: { [`aws:RequestTag/${generationTag}`]: generations } };
const aKeptRepository = { StringEquals: { [`aws:ResourceTag/${imagesTag}`]: 'kept' } };
const aTestRule = { StringEquals: { [`aws:ResourceTag/${ruleTag}`]: 'test' } };
const aProductionRule = { StringEquals: { [`aws:ResourceTag/${ruleTag}`]: 'production' } };

export function allowGenerations(scope: Construct, functions: Cutover['functions']): void {
  const { launch, await: waiting, shift, judge, terminate, sweep, plan, planRollback, rule } = functions;
  const services = localArn(scope, 'ecs', `service/*/${generations}`);
  const definitions = localArn(scope, 'ecs', `task-definition/${generations}:*`);
  const rules = localArn(scope, 'elasticloadbalancing', 'listener-rule/app/*');
  const byName = 'Generations of all services: deployments give them their names';
  const byTag = 'Limited to what Cutover made by a condition on its tags';

  // Without a condition on tags: what does not exist has none, and would be denied instead of missing.
  for (const each of [plan, launch, waiting, shift, judge, terminate, sweep])
    each.allow(['ecs:DescribeServices'], [services], { because: byName });
  for (const each of [terminate, sweep])
    each.allow(['ecs:ListServices'], ['*'], { because: 'The action cannot be limited to services' });
  terminate.allow(['ecs:ListTasks'], ['*'], { because: 'The action cannot be limited to services' });
  for (const each of [waiting, shift, judge]) {
    each.allow(['ecs:ListTasks'], ['*'], { because: 'The action cannot be limited to services' });
    each.allow(['ecs:DescribeTasks'], [localArn(scope, 'ecs', 'task/*')], {
      because: 'The ids of tasks are made by ECS',
    });
  }

  // Read, of whatever repository; changed, of those that the construct of a service tagged.
  const images = localArn(scope, 'ecr', 'repository/*');
  const because = 'Repositories belong to services, whose number is not limited here';
  for (const each of [plan, sweep]) each.allow(['ecr:DescribeImages'], [images], { because });
  for (const each of [plan, planRollback, launch, sweep])
    each.allow(['ecr:BatchGetImage'], [images], { because });
  // The configuration of an image says for which platform it is; signatures are layers, too.
  for (const each of [plan, launch]) each.allow(['ecr:GetDownloadUrlForLayer'], [images], { because });
  launch.allow(
    [
      'ecr:DescribeImages',
      'ecr:DescribeImageScanFindings',
      'ecr:DescribeImageSigningStatus',
      'ecr:ListImageReferrers',
    ],
    [images],
    { because },
  );
  launch.allow(['ecr:PutImage'], [images], { conditions: aKeptRepository, because: byTag });
  sweep.allow(['ecr:BatchDeleteImage'], [images], { conditions: aKeptRepository, because: byTag });

  launch.allow(['ecs:CreateService'], [services], {
    // A service starts whatever its task definition says, with the roles that stand in it.
    conditions: { ...asGeneration, ArnLike: { 'ecs:task-definition': definitions } },
    because: byTag,
  });
  launch.allow(['ecs:RegisterTaskDefinition'], [definitions], { conditions: asGeneration, because: byTag });
  launch.allow(['ecs:TagResource'], [services, definitions], {
    conditions: { StringEquals: { 'ecs:CreateAction': ['CreateService', 'RegisterTaskDefinition'] } },
  });
  // Each service allows its own roles; that they go to tasks and instances alone is said once for all of them.
  launch.deny(['iam:PassRole'], ['*'], {
    StringNotEquals: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com', 'ec2.amazonaws.com'] },
  });
  for (const each of [launch, shift, terminate])
    each.allow(['ecs:UpdateService'], [services], {
      conditions: { ...aGeneration, ArnLikeIfExists: { 'ecs:task-definition': definitions } },
      because: byTag,
    });
  terminate.allow(['ecs:DeleteService'], [services], { conditions: aGeneration, because: byTag });

  shift.allow(['elasticloadbalancing:ModifyRule'], [rules], { conditions: aProductionRule, because: byTag });
  for (const each of [shift, terminate])
    each.allow(['elasticloadbalancing:ModifyRule'], [rules], { conditions: aTestRule, because: byTag });
  rule.allow(['elasticloadbalancing:ModifyRule', 'elasticloadbalancing:DeleteRule'], [rules], {
    conditions: aProductionRule,
    because: byTag,
  });
  rule.allow(['elasticloadbalancing:AddTags'], [rules], {
    conditions: { StringEquals: { 'elasticloadbalancing:CreateAction': 'CreateRule' } },
  });
}
