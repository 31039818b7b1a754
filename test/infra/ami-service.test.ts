/** A service whose generations are AMIs: what starts a deployment, what its settings say, what the deployer may do, what is a mistake. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, Stack } from 'aws-cdk-lib';
import { Duration } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-autoscaling';
import { InstanceType, LaunchTemplate, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { ListenerCondition } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPush } from '../../functions/core/images/push.ts';
import { serviceSettings } from '../../functions/core/service-settings.ts';
import type { Amis } from '../../infra/ami-source.ts';
import { AsgService, type AsgServiceProps } from '../../infra/asg-service.ts';
import { Cutover } from '../../infra/cutover.ts';
import { amazonLinux } from '../../local/services/amazon-linux.ts';
import { compileEventPattern } from '../../local/services/events/event-pattern.ts';
import { targetInput } from '../../local/services/events/target-input.ts';
import { deployer, regional } from '../autoscaling/region-world.ts';
import { Ground, newApp, newStack } from './apps.ts';
import { type CfnTemplate, grantsOf, readTemplate, resourcesOf } from './templates.ts';

let folder: string;
let apps = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-amis-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Made {
  readonly withRole?: boolean;
  readonly withLog?: boolean;
  readonly images?: boolean;
  readonly imageGate?: AsgServiceProps['imageGate'];
  /** What else is said, whether types allow it or not. */
  readonly changes?: object;
}

function addWorker(stack: Stack, amis: Amis, made: Made = {}): void {
  const { withRole = true, withLog = false, images = false, imageGate, changes } = made;
  const ground = new Ground(stack);
  const common = {
    cutover: new Cutover(stack, 'Deployer'),
    serviceName: 'worker',
    launchTemplate: new LaunchTemplate(stack, 'Template', {
      instanceType: new InstanceType('t3.small'),
      securityGroup: new SecurityGroup(stack, 'Instances', { vpc: ground.vpc }),
      ...(withRole && {
        role: new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }),
      }),
    }),
    vpc: ground.vpc,
    subnets: { subnets: ground.vpc.publicSubnets },
    port: 8080,
    listener: ground.listener,
    priority: 50,
    conditions: [ListenerCondition.pathPatterns(['/worker/*'])],
    strategy: { kind: 'allAtOnce', bakeSeconds: 60 },
    ...(withLog && { logGroup: new LogGroup(stack, 'Log') }),
    ...(imageGate && { imageGate }),
    ...changes,
  } as const;
  // oxlint-disable-next-line no-new -- constructs stand in their scope
  new AsgService(
    stack,
    'Worker',
    images
      ? { ...common, repository: new Repository(stack, 'Repository'), tags: ['v*'] }
      : { ...common, amis },
  );
}

function synthesized(amis: Amis, made?: Made): { readonly app: App; readonly template: CfnTemplate } {
  const app = newApp({ outdir: join(folder, String(apps++)) });
  addWorker(newStack(app, 'Shop'), amis, made);
  return { app, template: readTemplate(app.synth().getStackByName('Shop').templateFullPath) };
}

interface RuleProperties {
  readonly EventPattern: object;
  readonly Targets: readonly { readonly InputPath?: string; readonly InputTransformer?: object }[];
}

/** The rule that starts deployments, and what its machine is started with. */
function pushes(template: CfnTemplate, event: Readonly<Record<string, unknown>>) {
  const [, rule] = resourcesOf(template, 'AWS::Events::Rule').find(([id]) => id.startsWith('WorkerPushes'))!;
  const { EventPattern, Targets } = rule.Properties as unknown as RuleProperties;
  const target = { Id: 'machine', Arn: 'arn', ...(Targets[0] as object) };
  return {
    matches: compileEventPattern(EventPattern)(event),
    input: () =>
      JSON.parse(
        targetInput(target, { event, ruleArn: 'arn', ruleName: 'rule', ingestionTime: '' } as never),
      ) as { service: string; event: unknown },
  };
}

const names = ['worker-*'];
const ami = 'ami-0123456789abcdef0';
const stateChange = (State: string) => ({
  id: 'event-1',
  source: 'aws.ec2',
  'detail-type': 'EC2 AMI State Change',
  time: '2026-01-01T12:00:00Z',
  detail: { RequestId: 'r', ImageId: ami, State, ErrorMessage: '' },
});
const announced = {
  kind: 'announced',
  ami: { eventId: 'event-1', at: Date.UTC(2026, 0, 1, 12), digest: ami },
};

describe('a service of AMIs', () => {
  it('is deployed by those that become available, as Plan reads them', () => {
    const { template } = synthesized({ names });
    expect(pushes(template, stateChange('pending')).matches).toBe(false);
    expect(pushes(template, stateChange('deregistered')).matches).toBe(false);
    const { matches: starts, input } = pushes(template, stateChange('available'));
    expect(starts).toBe(true);
    const { service, event } = input();
    expect(service).toBe('worker');
    expect(readPush(event, { repository: 'ami:self', tags: names })).toEqual(announced);
  });

  it("is deployed by its pipeline's own event instead, as Plan reads it", () => {
    const { template } = synthesized({
      names,
      event: {
        pattern: { source: ['shop.pipeline'], detailType: ['Image Tested'] },
        imageId: '$.detail.ami-id',
      },
    });
    expect(pushes(template, stateChange('available')).matches).toBe(false);
    const { matches: starts, input } = pushes(template, {
      id: 'event-1',
      source: 'shop.pipeline',
      'detail-type': 'Image Tested',
      time: '2026-01-01T12:00:00Z',
      detail: { 'ami-id': ami, more: { of: 'it' } },
    });
    expect(starts).toBe(true);
    expect(readPush(input().event, { repository: 'ami:self', tags: names })).toEqual(announced);
  });

  it.each<[string, Amis, object]>([
    [
      'of its own account',
      { names },
      { repository: 'ami:self', repositoryUri: 'ami:self', tags: names, labels: {}, findings: true },
    ],
    [
      'that a pipeline announces',
      { names, event: { pattern: { source: ['shop'] }, imageId: '$.detail.id' } },
      { repository: 'ami:self', tags: names, findings: false },
    ],
    [
      'of another account, with tags',
      { names, owner: '210987654321', tags: { Release: 'true' } },
      {
        repository: 'ami:210987654321',
        repositoryUri: 'ami:210987654321',
        tags: names,
        labels: { Release: 'true' },
      },
    ],
  ])('%s says so in its settings', (_, amis, source) => {
    const { template } = synthesized(amis);
    const [[, settings]] = resourcesOf(template, 'AWS::SSM::Parameter') as [
      ReturnType<typeof resourcesOf>[number],
    ];
    const [, parts] = (settings.Properties['Value'] as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
    const text = parts.map((part, at) => (typeof part === 'string' ? part : `reference-${at}`)).join('');
    expect(serviceSettings.parse(JSON.parse(text))).toMatchObject(source);
  });

  it('needs no role of its instances, and no repository', () => {
    const { template } = synthesized({ names }, { withRole: false });
    expect(resourcesOf(template, 'AWS::ECR::Repository')).toEqual([]);
    const passed = grantsOf(template).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passed).toEqual([]);
  });

  it('lets its AMIs be kept by tags of that name alone, and cdk-nag finds no narrower rights', () => {
    const { app, template } = synthesized({ names }, { withRole: false });
    const findings = new AwsSolutionsChecks()
      .validateScope(app)
      .violations.filter(({ ruleName }) => ruleName.includes('-IAM'))
      .flatMap(({ violatingResources }) => violatingResources.map(({ constructPath }) => constructPath));
    expect(findings).toEqual([]);
    const of = (role: string, action: string) =>
      grantsOf(template)
        .filter((grant) => grant.role.startsWith(`Deployer${role}Role`) && grant.actions.includes(action))
        .filter(({ resources }) => JSON.stringify(resources).includes(':image/*'))
        .map(({ condition }) => condition);
    const keeping = [
      { 'ForAllValues:StringLike': { 'aws:TagKeys': ['retain-*'] }, Null: { 'aws:TagKeys': 'false' } },
    ];
    expect(of('Launch', 'ec2:CreateTags')).toEqual(keeping);
    expect(of('Sweeper', 'ec2:DeleteTags')).toEqual(keeping);
    const looking = grantsOf(template)
      .filter(({ actions }) => actions.includes('ec2:DescribeImages'))
      .map(({ role }) => /Deployer(\w+)Role/.exec(role)?.[1] ?? role);
    expect(looking.toSorted()).toEqual(['PlanDeployment', 'PlanRollback', 'Sweeper']);
  });
});

it('the deployer may put its own tags on AMIs, and take these off, and nothing else', async () => {
  const { template } = synthesized({ names }, { withRole: false });
  const region = await regional();
  try {
    const statements = grantsOf(template)
      .filter(({ resources }) => JSON.stringify(resources).endsWith(':image/*"]]}]'))
      .filter(({ actions }) => actions.some((action) => /^ec2:(?:Create|Delete)Tags$/.test(action)))
      .map(({ actions: Action, condition: Condition }) => ({
        Action,
        Condition,
        Resource: 'arn:aws:ec2:us-east-1::image/*',
      }));
    expect(statements).toHaveLength(2);
    await region.allow(...statements);
    const id = amazonLinux[0]?.id;
    const ask = (operation: string, Tags?: readonly object[], of = id) =>
      region.ask('ec2', operation, { Resources: [of], ...(Tags && { Tags }) }, deployer);
    const denied = { code: expect.stringMatching(/^(?:UnauthorizedOperation|AccessDenied)/) as unknown };
    const kept = { Key: 'retain-worker-g0001', Value: '' };
    const release = { Key: 'Release', Value: 'true' };
    await ask('CreateTags', [kept]);
    await ask('DeleteTags', [{ Key: kept.Key }]);
    await expect(ask('CreateTags', [release])).rejects.toMatchObject(denied);
    await expect(ask('CreateTags', [kept, release])).rejects.toMatchObject(denied);
    await expect(ask('DeleteTags', [{ Key: 'Release' }])).rejects.toMatchObject(denied);
    await expect(ask('DeleteTags')).rejects.toMatchObject(denied);
    await expect(ask('CreateTags', [kept], region.subnetId)).rejects.toMatchObject(denied);
  } finally {
    await region.close();
  }
});

describe('AMIs that are described wrongly', () => {
  const make = (amis: Amis, made?: Made) => () =>
    addWorker(newStack(newApp({ outdir: join(folder, String(apps++)) }), 'Wrong'), amis, made);
  const event = { pattern: { source: ['shop'] }, imageId: '$.detail.ami-id' };

  it.each<[string, Amis, Made, string]>([
    ['no name', { names: [] }, {}, 'amis/names: Too small: expected array to have >=1 items'],
    [
      'a name that is a regular expression',
      { names: ['worker-\\d+'] },
      {},
      "amis/names/0: must be of what names of AMIs have (letters, digits, spaces, ()[]./-'@_) and *, which stands for any characters, got worker-\\d+",
    ],
    [
      'names that are never deployed',
      { names: ['worker-*', 'retain-*'] },
      {},
      'amis/names/1: what starts with retain- is never deployed, got retain-*',
    ],
    [
      'an owner that is no account',
      { names, owner: 'amazon' },
      {},
      'amis/owner: must be an account of 12 digits, got amazon',
    ],
    [
      'a tag that is too long',
      { names, tags: { Release: 'x'.repeat(257) } },
      {},
      'amis/tags/Release: Too big: expected string to have <=256 characters',
    ],
    [
      'a tag that deployments put on',
      { names, tags: { 'retain-worker-g0001': '' } },
      {},
      'amis/tags/retain-worker-g0001: tags that start with retain- are put on by deployments: name another one',
    ],
    [
      'an event without a pattern',
      { names, event: { ...event, pattern: {} } },
      {},
      'amis/event/pattern: is empty, and would take every event',
    ],
    ...['detail.ami-id', '$.detail.*', '$.detail.amis[0]', '$'].map(
      (imageId): [string, Amis, Made, string] => [
        `an id at ${imageId}`,
        { names, event: { ...event, imageId } },
        {},
        `amis/event/imageId: must be a path in the event, such as $.detail.ami-id, got ${imageId}`,
      ],
    ),
    [
      'an image gate',
      { names },
      { imageGate: { scan: { maximumSeverity: 'HIGH' } } },
      'imageGate: asks ECR for scan and signature of an image, which AMIs do not have: leave it out',
    ],
    [
      'a log that nobody may write to',
      { names },
      { withRole: false, withLog: true },
      'launchTemplate: has no role: give it one, by which its instances write to the logGroup',
    ],
    ['half a port', { names }, { changes: { port: 80.5 } }, 'port: must be 1 to 65535, got 80.5'],
    [
      'more instances than scale',
      { names },
      { changes: { minimumCount: 6, scaling: { minimum: 1, maximum: 4 } } },
      'minimumCount: must be scaling/maximum at most (4), got 6',
    ],
    [
      'a lifecycle hook that waits too long',
      { names },
      { changes: { lifecycleHooks: [{ name: 'warm-up', at: 'launching', heartbeat: Duration.hours(3) }] } },
      'lifecycleHooks/0/heartbeat: ',
    ],
    [
      'a time that never comes',
      { names },
      {
        changes: {
          scaling: {
            minimum: 1,
            maximum: 4,
            schedule: [{ name: 'm', schedule: Schedule.expression('99 8 * * *'), minimum: 2 }],
          },
        },
      },
      'scaling/schedule/0/schedule: must be a cron expression of five fields, minute hour day month weekday, such as 0 8 * * 1-5, got 99 8 * * *',
    ],
    [
      'the schedule of another service',
      { names },
      {
        changes: {
          scaling: {
            minimum: 1,
            maximum: 4,
            schedule: [{ name: 'm', schedule: Schedule.expression('cron(0 8 * * ? *)'), minimum: 2 }],
          },
        },
      },
      'got cron(0 8 * * ? *): take Schedule from aws-cdk-lib/aws-autoscaling',
    ],
    [
      'images and AMIs',
      { names },
      { changes: { tags: ['v*'] } },
      'AsgService worker: must have repository and tags, or amis, got tags and amis',
    ],
    [
      'images that nobody may pull',
      { names },
      { withRole: false, images: true },
      'launchTemplate: has no role: give it one, by which its instances pull the image',
    ],
  ])('are refused with %s', (_, amis, made, words) => {
    expect(make(amis, made)).toThrow(words);
    expect(make(amis, made)).toThrow(/^AsgService worker: /);
  });
});
