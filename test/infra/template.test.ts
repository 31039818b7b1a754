import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slotHeader } from '../../functions/core/hooks/hook-contract.ts';
import { exampleApp, synthesized } from './apps.ts';
import { type CfnTemplate, definitionOf, denialsOf, grantsOf, normalised, resourcesOf } from './templates.ts';

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
    await expect(definitionOf(template, /DeployerDeployMachine/)).toMatchFileSnapshot(
      'golden/deploy.asl.json',
    );
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
    expect([...all('AWS::ECS::Service'), ...all('AWS::AutoScaling::AutoScalingGroup')]).toEqual([]);
    const forwarding = all('AWS::ElasticLoadBalancingV2::ListenerRule');
    // Of two services.
    expect(forwarding).toHaveLength(6);
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
    const policies = [...all('AWS::SNS::TopicPolicy'), ...all('AWS::SQS::QueuePolicy')];
    expect(policies).toHaveLength(3);
    for (const { PolicyDocument } of policies) {
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

  it('tells of what must never happen, and of no bake or failed deployment', () => {
    const [watch, ...others] = all('AWS::SNS::Topic').filter(
      ({ KmsMasterKeyId }) => KmsMasterKeyId === undefined,
    );
    expect(others).toEqual([]);
    const alarms = all('AWS::CloudWatch::Alarm').filter(({ AlarmActions }) => AlarmActions !== undefined);
    const watched = alarms.map(({ Namespace, MetricName, Dimensions }) => {
      const [{ Value }] = Dimensions as [{ Value: { Ref?: string; 'Fn::GetAtt'?: [string] } }];
      const of = Value.Ref ?? Value['Fn::GetAtt']?.[0] ?? '';
      return `${String(Namespace)} ${String(MetricName)} ${of.replace(/[0-9A-F]{8}$/, '')}`;
    });
    expect(watched.toSorted()).toEqual([
      'AWS/Lambda Errors DeployerAnnounceFunction',
      'AWS/Lambda Errors DeployerSignalFunction',
      'AWS/Lambda Errors DeployerSweeperFunction',
      'AWS/Lambda IteratorAge DeployerAnnounceFunction',
      'AWS/SQS ApproximateNumberOfMessagesVisible DeployerDeadLetters',
      'AWS/States ExecutionsFailed DeployerRecoverMachine',
      'AWS/States ExecutionsFailed DeployerRetireMachine',
    ]);
    for (const alarm of alarms) {
      expect(alarm).toMatchObject({ AlarmActions: [{ Ref: watch?.id }], TreatMissingData: 'notBreaching' });
      expect(String(alarm['AlarmDescription']).length).toBeGreaterThan(20);
    }
  });

  it('lets the alarms of the account, and nobody else, publish to their topic', () => {
    const policies = all('AWS::SNS::TopicPolicy').map(({ PolicyDocument }) => PolicyDocument);
    const allowing = policies.flatMap((policy) =>
      (policy as { Statement: { Effect: string }[] }).Statement.filter(({ Effect }) => Effect === 'Allow'),
    );
    expect(allowing).toEqual([
      expect.objectContaining({
        Action: 'sns:Publish',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Condition: {
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
          ArnLike: {
            'aws:SourceArn': {
              'Fn::Join': ['', expect.arrayContaining([':cloudwatch:', ':alarm:*'])],
            },
          },
        },
      }),
    ]);
  });

  it('loses no event: every target has the dead letter queue, which takes from the rules of the account alone', () => {
    const targets = all('AWS::Events::Rule').flatMap(
      ({ Targets }) => Targets as { DeadLetterConfig?: unknown }[],
    );
    expect(targets).toHaveLength(9);
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
    expect(functions).toHaveLength(14);
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

  it('has a role of its own, without policies of AWS', () => {
    expect(new Set(functionRoles()).size).toBe(14);
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
    const invoking = grantsOf(template).filter(
      ({ role, actions }) => actions.includes('lambda:InvokeFunction') && !role.includes('Announce'),
    );
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

const scalers = ['Launch', 'Shift', 'Promote', 'Terminate', 'Sweeper'];

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
    'Judge',
    'Terminate',
    'ListenerRule',
  ],
  'elasticloadbalancing:DescribeTargetHealth': [
    'PlanDeployment',
    'Await',
    'Shift',
    'Judge',
    'Terminate',
    'ListenerRule',
  ],
  'elasticloadbalancing:DescribeTargetGroups': ['PlanDeployment'],
  'elasticloadbalancing:DescribeAccountLimits': ['PlanDeployment'],
  'ec2:DescribeSubnets': ['PlanDeployment'],
  'ec2:DescribeImages': ['PlanDeployment', 'PlanRollback', 'Sweeper'],
  'ec2:DescribeInstanceTypes': ['PlanDeployment'],
  'ec2:DescribeLaunchTemplates': ['Terminate', 'Sweeper'],
  'ec2:DescribeLaunchTemplateVersions': ['PlanDeployment', 'Launch'],
  'autoscaling:DescribeAutoScalingGroups': ['PlanDeployment', 'Await', 'Judge', ...scalers],
  'autoscaling:DescribePolicies': scalers,
  'autoscaling:DescribeScheduledActions': scalers,
  'autoscaling:DescribeScalingActivities': ['Terminate'],
  'application-autoscaling:DescribeScalableTargets': scalers,
  'application-autoscaling:DescribeScalingPolicies': ['Launch', 'Promote', 'Sweeper'],
  'application-autoscaling:DescribeScheduledActions': ['Promote', 'Sweeper'],
  // A narrower scope returns no composite alarms.
  'cloudwatch:DescribeAlarms': ['PlanDeployment', 'Await', 'Judge', ...scalers],
  'elasticloadbalancing:DescribeTags': ['ListenerRule'],
  'cloudwatch:GetMetricData': ['PlanDeployment', 'Await', 'Judge', 'Terminate'],
  'ecs:DescribeTaskDefinition': ['PlanDeployment', 'Launch', 'Terminate', 'Sweeper'],
  'ecs:ListTaskDefinitionFamilies': ['Terminate', 'Sweeper'],
  'ecs:DeregisterTaskDefinition': ['Terminate'],
  // They know clusters and instances, but no services.
  'ecs:ListTasks': ['Await', 'Shift', 'Judge', 'Terminate'],
  'ecs:ListServices': ['Terminate', 'Sweeper'],
  // Step Functions checks the token.
  'states:SendTaskSuccess': ['Await'],
  'states:SendTaskFailure': ['PlanDeployment', 'Await', 'Signal', 'Hook'],
  'dynamodb:ListStreams': ['Announce'],
  'ecr:GetAuthorizationToken': ['TemplateExecution', 'Worker'],
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
  });

  it('hand on the roles of tasks and instances only, and to these only', () => {
    const passing = grantsOf(template).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passing).toHaveLength(2);
    const { TaskRoleArn, ExecutionRoleArn } = only('AWS::ECS::TaskDefinition');
    expect(passing[0]).toMatchObject({
      role: expect.stringContaining('LaunchRole'),
      actions: ['iam:PassRole'],
      resources: [ExecutionRoleArn, TaskRoleArn],
    });
    expect(passing[1]).toMatchObject({
      role: passing[0]?.role,
      actions: ['iam:PassRole'],
      resources: [{ 'Fn::GetAtt': [expect.stringMatching(/^WorkerRole/), 'Arn'] }],
    });
    expect(denialsOf(template).filter(({ role }) => role === passing[0]?.role)).toEqual([
      {
        role: passing[0]?.role,
        actions: ['iam:PassRole'],
        resources: ['*'],
        condition: {
          StringNotEquals: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com', 'ec2.amazonaws.com'] },
        },
      },
    ]);
  });

  it('change and end nothing but what bears the tags of Cutover, and tag only what they create', () => {
    const conditioned = (action: string) =>
      grantsOf(template)
        .filter(({ role, actions }) => role.startsWith('Deployer') && actions.includes(action))
        .map(({ condition }) =>
          Object.values(condition ?? {}).flatMap((keys) => Object.keys(keys as object)),
        );
    const generation = ['aws:ResourceTag/cutover:generation'];
    const rule = ['aws:ResourceTag/cutover:rule'];
    expect(conditioned('ecs:CreateService')).toEqual([
      ['aws:RequestTag/cutover:generation', 'ecs:task-definition'],
    ]);
    expect(conditioned('ecs:RegisterTaskDefinition')).toEqual([['aws:RequestTag/cutover:generation']]);
    const update = [...generation, 'ecs:task-definition'];
    expect(conditioned('ecs:UpdateService')).toEqual([update, update, update, update, update]);
    expect(conditioned('ecr:PutImage')).toEqual([['aws:ResourceTag/cutover:images']]);
    expect(conditioned('ecr:BatchDeleteImage')).toEqual([['aws:ResourceTag/cutover:images']]);
    expect(conditioned('ecs:DeleteService')).toEqual([generation]);
    expect(conditioned('ecs:TagResource')).toEqual([['ecs:CreateAction']]);
    expect(conditioned('autoscaling:CreateAutoScalingGroup')).toEqual([
      ['aws:RequestTag/cutover:generation'],
    ]);
    expect(conditioned('autoscaling:DeleteAutoScalingGroup')).toEqual([generation]);
    expect(new Set(conditioned('autoscaling:UpdateAutoScalingGroup').flat())).toEqual(new Set(generation));
    expect(conditioned('ec2:CreateLaunchTemplate')).toEqual([['aws:RequestTag/cutover:generation']]);
    expect(conditioned('ec2:DeleteLaunchTemplate')).toEqual([generation]);
    expect(conditioned('ec2:RunInstances')).toEqual([generation, ['ec2:LaunchTemplate']]);
    expect(conditioned('elasticloadbalancing:ModifyRule')).toEqual([rule, rule, rule, rule]);
    expect(conditioned('elasticloadbalancing:DeleteRule')).toEqual([rule]);
    expect(conditioned('elasticloadbalancing:AddTags')).toEqual([['elasticloadbalancing:CreateAction']]);
  });

  it('of a service make rules on its own balancer only', () => {
    const creating = grantsOf(template).filter(({ actions }) =>
      actions.includes('elasticloadbalancing:CreateRule'),
    );
    expect(creating).toHaveLength(2);
    for (const { resources } of creating)
      expect(JSON.stringify(resources)).toContain(
        `"Fn::Split":["/",{"Ref":"${only('AWS::ElasticLoadBalancingV2::Listener').id}"}]`,
      );
  });

  it('leave nothing that cdk-nag finds', () => {
    expect(new AwsSolutionsChecks().validateScope(app).violations).toEqual([]);
  });
});
