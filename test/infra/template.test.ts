import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotHeader } from '../../infra/ecs-service.ts';
import { exampleApp, synthesized } from './apps.ts';
import { type CfnTemplate, definitionOf, grantsOf, normalised, resourcesOf } from './templates.ts';

let folder: string;
let app: App;
let template: CfnTemplate;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-template-'));
  app = exampleApp({ outdir: join(folder, 'cdk.out') });
  template = synthesized(app, 'Cutover');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = (type: string) =>
  resourcesOf(template, type).map(
    ([id, { Properties }]) => ({ id, ...Properties }) as Record<string, unknown> & { id: string },
  );
const only = (type: string) => {
  const [resource, ...others] = all(type);
  if (resource === undefined || others.length > 0) throw new Error(`Not exactly one ${type}`);
  return resource;
};
/** Of the deployer's functions: roles that Lambda may take. */
const functionRoles = () =>
  all('AWS::Lambda::Function').map(
    ({ Role }) => (Role as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0],
  );

describe('what goes to AWS', () => {
  it('is the golden template', async () => {
    await expect(normalised(template)).toMatchFileSnapshot('golden/cutover.template.json');
  });

  it('has the golden machine definitions', async () => {
    await expect(definitionOf(template, /Deploy\w*Machine/)).toMatchFileSnapshot('golden/deploy.asl.json');
    await expect(definitionOf(template, /Retire\w*Machine/)).toMatchFileSnapshot('golden/retire.asl.json');
  });

  it('names no account and no region', () => {
    expect(JSON.stringify(template)).not.toMatch(/\b\d{12}\b|\b(?:eu|us|ap)-[a-z]+-\d\b/);
  });
});

describe('infrastructure code', () => {
  it('owns no weights and no counts', () => {
    const text = JSON.stringify(template.Resources);
    expect(text).not.toMatch(/"Weight"|"DesiredCount"|"MinimumHealthyPercent"/);
    expect(all('AWS::ECS::Service')).toEqual([]);
    const forwarding = all('AWS::ElasticLoadBalancingV2::ListenerRule');
    expect(forwarding).toHaveLength(3);
    for (const { Conditions } of forwarding) {
      expect(Conditions).toMatchObject([{ HttpHeaderConfig: { HttpHeaderName: slotHeader } }]);
    }
  });

  it('keeps the ledger whatever happens to the stack, encrypted, with its stream and point in time recovery', () => {
    const [, ledger] = resourcesOf(template, 'AWS::DynamoDB::Table')[0]!;
    expect(ledger.DeletionPolicy).toBe('Retain');
    expect(ledger.Properties).toMatchObject({
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    });
  });

  it('takes messages and dead letters over TLS only', () => {
    for (const type of ['AWS::SNS::TopicPolicy', 'AWS::SQS::QueuePolicy']) {
      const { PolicyDocument } = only(type);
      expect(PolicyDocument).toMatchObject({
        Statement: expect.arrayContaining([
          expect.objectContaining({
            Effect: 'Deny',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      });
    }
  });

  it('loses no event: every target has the dead letter queue, which takes from the rules of the account alone', () => {
    const targets = all('AWS::Events::Rule').flatMap(
      ({ Targets }) => Targets as { DeadLetterConfig?: unknown }[],
    );
    expect(targets).toHaveLength(6);
    const queue = { 'Fn::GetAtt': [only('AWS::SQS::Queue').id, 'Arn'] };
    for (const { DeadLetterConfig } of targets) expect(DeadLetterConfig).toEqual({ Arn: queue });
    expect(only('AWS::SQS::QueuePolicy')['PolicyDocument']).toMatchObject({
      Statement: expect.arrayContaining([
        {
          Effect: 'Allow',
          Action: 'sqs:SendMessage',
          Principal: { Service: 'events.amazonaws.com' },
          Resource: queue,
          Condition: {
            ArnLike: {
              'aws:SourceArn': {
                'Fn::Join': [
                  '',
                  [
                    'arn:',
                    { Ref: 'AWS::Partition' },
                    ':events:',
                    { Ref: 'AWS::Region' },
                    ':',
                    { Ref: 'AWS::AccountId' },
                    ':rule/*',
                  ],
                ],
              },
            },
          },
        },
      ]),
    });
  });
});

describe('each function', () => {
  it('runs Node 24 on arm64, is traced, and logs into a group that forgets', () => {
    const groups = new Map(
      all('AWS::Logs::LogGroup').map(({ id, RetentionInDays }) => [id, RetentionInDays]),
    );
    const functions = all('AWS::Lambda::Function');
    expect(functions).toHaveLength(13);
    for (const each of functions) {
      expect(each).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
      const { LogGroup } = each['LoggingConfig'] as { LogGroup: { Ref: string } };
      expect(groups.get(LogGroup.Ref)).toBeTypeOf('number');
    }
  });

  it('has a role of its own, without managed policies', () => {
    expect(new Set(functionRoles()).size).toBe(13);
    for (const role of functionRoles())
      expect(template.Resources[role]?.Properties).not.toHaveProperty('ManagedPolicyArns');
  });

  it('is called by machines as a version that stays when a newer one comes', () => {
    const versions = resourcesOf(template, 'AWS::Lambda::Version');
    expect(versions.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Retain')).toEqual([]);
    const named = all('AWS::StepFunctions::StateMachine').flatMap(({ DefinitionSubstitutions }) =>
      Object.entries(DefinitionSubstitutions as Record<string, { Ref: string }>).filter(
        ([name]) => !name.endsWith('Machine'),
      ),
    );
    expect(new Set(named.map(([, { Ref }]) => Ref))).toEqual(new Set(versions.map(([id]) => id)));
  });

  it('may be called by machines in all its versions, so that a running execution keeps its code', () => {
    const invoking = grantsOf(template).filter(({ actions }) => actions.includes('lambda:InvokeFunction'));
    expect(invoking).toHaveLength(4);
    for (const { resources } of invoking) {
      for (const resource of resources) {
        expect(resource).toEqual({
          'Fn::Join': ['', [{ 'Fn::GetAtt': [expect.stringMatching(/^Deployer\w+Function/), 'Arn'] }, ':*']],
        });
      }
    }
  });
});

const machines = ['RetireMachine', 'DeployMachine', 'RollbackMachine', 'RecoverMachine'];

/** Actions that AWS cannot limit to resources, by who may do them. */
const unlimited: Readonly<Record<string, readonly string[]>> = {
  'xray:PutTraceSegments': ['*'],
  'xray:PutTelemetryRecords': ['*'],
  'xray:GetSamplingRules': machines,
  'xray:GetSamplingTargets': machines,
  'logs:CreateLogDelivery': machines,
  'logs:GetLogDelivery': machines,
  'logs:UpdateLogDelivery': machines,
  'logs:DeleteLogDelivery': machines,
  'logs:ListLogDeliveries': machines,
  'logs:PutResourcePolicy': machines,
  'logs:DescribeResourcePolicies': machines,
  'logs:DescribeLogGroups': machines,
  'elasticloadbalancing:DescribeRules': [
    'PlanDeployment',
    'PlanRollback',
    'Shift',
    'Terminate',
    'ListenerRule',
  ],
  'elasticloadbalancing:DescribeTargetHealth': ['Await', 'Shift', 'Judge', 'Terminate', 'ListenerRule'],
  // A narrower scope returns no composite alarms.
  'cloudwatch:DescribeAlarms': ['PlanDeployment', 'Await', 'Judge'],
  'elasticloadbalancing:DescribeTags': ['ListenerRule'],
  'cloudwatch:GetMetricData': ['Terminate'],
  'ecs:DescribeTaskDefinition': ['Launch', 'Terminate'],
  'ecs:DeregisterTaskDefinition': ['Terminate'],
  // By a condition to the cluster.
  'ecs:ListTasks': ['Await', 'Shift', 'Judge'],
  // Step Functions checks the token.
  'states:SendTaskSuccess': ['Await'],
  'states:SendTaskFailure': ['Await', 'Signal'],
  'dynamodb:ListStreams': ['Announce'],
  'ecr:GetAuthorizationToken': ['TemplateExecution'],
};

describe('roles', () => {
  it('name every action', () => {
    const open = grantsOf(template).filter(({ actions }) => actions.some((action) => action.includes('*')));
    expect(open).toEqual([]);
  });

  it('name every resource, but for actions that cannot be limited', () => {
    const everywhere = grantsOf(template).filter(({ resources }) => resources.includes('*'));
    const strangers = everywhere.flatMap(({ role, actions, condition }) =>
      actions
        .filter(
          (action) => !(unlimited[action] ?? []).some((who) => who === '*' || role.includes(`${who}Role`)),
        )
        .map((action) => `${role} ${action} ${JSON.stringify(condition)}`),
    );
    expect(strangers).toEqual([]);
    const listing = everywhere.filter(({ actions }) => actions.includes('ecs:ListTasks'));
    for (const { actions, condition } of listing) {
      expect(actions).toEqual(['ecs:ListTasks']);
      expect(condition).toEqual({
        ArnEquals: { 'ecs:cluster': { 'Fn::GetAtt': [only('AWS::ECS::Cluster').id, 'Arn'] } },
      });
    }
  });

  it('hand on two roles only, those of the task definition, and to ECS tasks only', () => {
    const passing = grantsOf(template).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passing).toHaveLength(1);
    const { TaskRoleArn, ExecutionRoleArn } = only('AWS::ECS::TaskDefinition');
    expect(passing[0]).toMatchObject({
      role: expect.stringContaining('LaunchRole'),
      actions: ['iam:PassRole'],
      resources: [ExecutionRoleArn, TaskRoleArn],
      condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    });
  });

  it('of a service reach the rules of its own balancer only', () => {
    const deleting = grantsOf(template).filter(({ actions }) =>
      actions.includes('elasticloadbalancing:DeleteRule'),
    );
    expect(deleting).toHaveLength(1);
    expect(JSON.stringify(deleting[0]?.resources)).toContain(
      `"Fn::Split":["/",{"Ref":"${only('AWS::ElasticLoadBalancingV2::Listener').id}"}]`,
    );
  });

  it('leave nothing that cdk-nag finds', () => {
    expect(new AwsSolutionsChecks().validateScope(app).violations).toEqual([]);
  });
});
