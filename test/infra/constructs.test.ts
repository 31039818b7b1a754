import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Duration, TimeZone } from 'aws-cdk-lib';
import { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import { ListenerCondition } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mistakesInFleet } from '../../functions/aws/fleet-mistakes.ts';
import { Cutover } from '../../infra/cutover.ts';
import type { ServiceScaling } from '../../infra/service-scaling.ts';
import { addService, Ground, newApp, newStack, type ServiceChanges } from './apps.ts';
import { grantsOf, readTemplate, resourcesOf } from './templates.ts';

let folder: string;
let apps = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-constructs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (): App => newApp({ outdir: join(folder, String(apps++)) });

/** What cdk-nag finds where the deployer and its services give rights. */
function wildcards(app: App): readonly string[] {
  return (
    new AwsSolutionsChecks()
      .validateScope(app)
      .violations.filter(({ ruleName }) => ruleName.includes('-IAM'))
      .flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${constructPath} ${ruleName}`),
      )
      // Of the task definition that the test makes, not of the constructs.
      .filter((finding) => !/^\w+\/\w+Template\//.test(finding))
  );
}

describe('one deployer', () => {
  it('deploys two services of its own stack, and hands on the roles of each', () => {
    const app = fresh();
    const stack = newStack(app, 'Both');
    const ground = new Ground(stack);
    const cutover = new Cutover(stack, 'Deployer');
    addService(stack, 'Web', cutover, ground, { priority: 100 });
    addService(stack, 'Api', cutover, ground, { priority: 50 });
    const template = readTemplate(app.synth().getStackByName('Both').templateFullPath);
    expect(wildcards(app)).toEqual([]);
    const passing = grantsOf(template).filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(
      passing.map(({ resources }) => JSON.stringify(resources).match(/"(\w+)TemplateTaskRole/)?.[1]),
    ).toEqual(['Web', 'Api']);
    expect(resourcesOf(template, 'AWS::StepFunctions::StateMachine')).toHaveLength(4);
  });

  it('may end generations in whatever cluster they run, and keeps what is replaced as small as is said', () => {
    const app = fresh();
    const stack = newStack(app, 'Moved');
    addService(stack, 'Web', new Cutover(stack, 'Deployer'), new Ground(stack), { warmAt: 2 });
    const template = readTemplate(app.synth().getStackByName('Moved').templateFullPath);
    const ending = grantsOf(template).filter(({ actions }) => actions.includes('ecs:DeleteService'));
    expect(JSON.stringify(ending.map(({ resources }) => resources))).toContain(':service/*/*-g*');
    expect(JSON.stringify(resourcesOf(template, 'AWS::SSM::Parameter'))).toContain('\\"retentionFloor\\":2');
  });

  it('deploys services of other stacks, without depending on them', () => {
    const app = fresh();
    const home = newStack(app, 'Home');
    const cutover = new Cutover(home, 'Deployer');
    for (const name of ['One', 'Two']) {
      const stack = newStack(app, name);
      // The same id in both stacks: what is attached to the deployer's roles must not collide.
      addService(stack, 'Service', cutover, new Ground(stack), { serviceName: name.toLowerCase() });
    }
    const assembly = app.synth();
    expect(wildcards(app)).toEqual([]);
    const needs = (name: string) => assembly.getStackByName(name).dependencies.map(({ id }) => id);
    expect(needs('Home')).toEqual(['Home.assets']);
    expect(needs('One')).toEqual(['Home', 'One.assets']);
    const policies = ['One', 'Two'].map((name) =>
      resourcesOf(readTemplate(assembly.getStackByName(name).templateFullPath), 'AWS::IAM::Policy').map(
        ([, { Properties }]) => Properties['PolicyName'],
      ),
    );
    expect(policies[0]).toContain('service-one');
    expect(policies[1]).toContain('service-two');
  });

  it('and its service may stand on a balancer and a cluster of a third stack', () => {
    const app = fresh();
    const shared = newStack(app, 'Shared');
    const ground = new Ground(shared);
    const cutover = new Cutover(newStack(app, 'Home'), 'Deployer');
    addService(newStack(app, 'Shop'), 'Web', cutover, ground);
    app.synth();
    expect(wildcards(app)).toEqual([]);
  });

  it('is refused by cdk-nag when a wildcard is given without a reason', () => {
    const app = fresh();
    const cutover = new Cutover(newStack(app, 'Home'), 'Deployer');
    cutover.functions.shift.allow(['s3:GetObject'], ['arn:aws:s3:::bucket/*']);
    app.synth();
    expect(wildcards(app)).toEqual([
      'Home/Deployer/Shift/Role/Rights/Resource AwsSolutions-IAM5[Resource::arn:aws:s3:::bucket/*]',
    ]);
  });
});

describe('a service that scales', () => {
  const scaling: ServiceScaling = {
    minimum: 2,
    maximum: 8,
    policies: [
      { name: 'cpu', metric: 'cpu', target: 60 },
      { name: 'requests', metric: 'requestsPerTarget', target: 500, scaleInCooldown: Duration.minutes(10) },
    ],
    schedule: [
      {
        name: 'morning',
        schedule: Schedule.cron({ hour: '8', minute: '0' }),
        timeZone: TimeZone.EUROPE_BERLIN,
        minimum: 4,
      },
      { name: 'opening', schedule: Schedule.at(new Date(Date.UTC(2026, 0, 5, 8))), maximum: 9 },
    ],
  };

  it('says how in its settings, as the fleet reads them', () => {
    const app = fresh();
    const stack = newStack(app, 'Scaled');
    addService(stack, 'Web', new Cutover(stack, 'Deployer'), new Ground(stack), { scaling });
    const template = readTemplate(app.synth().getStackByName('Scaled').templateFullPath);
    const [[, settings]] = resourcesOf(template, 'AWS::SSM::Parameter') as [
      ReturnType<typeof resourcesOf>[number],
    ];
    const [, parts] = (settings.Properties['Value'] as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
    const text = parts.map((part) => (typeof part === 'string' ? part : 'arn:reference')).join('');
    const { fleet } = JSON.parse(text) as { fleet: Record<string, unknown> };
    expect(fleet['scaling']).toEqual({
      minimum: 2,
      maximum: 8,
      policies: [
        { name: 'cpu', metric: 'cpu', target: 60 },
        { name: 'requests', metric: 'requestsPerTarget', target: 500, scaleInCooldownSeconds: 600 },
      ],
      schedule: [
        { name: 'morning', expression: 'cron(0 8 * * ? *)', timezone: 'Europe/Berlin', minimum: 4 },
        { name: 'opening', expression: 'at(2026-01-05T08:00:00)', maximum: 9 },
      ],
    });
    expect(mistakesInFleet({ kind: 'ecs', ...fleet })).toEqual([]);
  });

  it('needs rights that cdk-nag finds no narrower ones for', () => {
    const app = fresh();
    const stack = newStack(app, 'Scaling');
    // oxlint-disable-next-line no-new -- constructs stand in their scope
    new Cutover(stack, 'Deployer');
    const template = readTemplate(app.synth().getStackByName('Scaling').templateFullPath);
    expect(wildcards(app)).toEqual([]);
    const grants = grantsOf(template).filter(({ role }) => role.startsWith('DeployerPromoteRole'));
    const of = (action: string) => grants.find(({ actions }) => actions.includes(action));
    expect(of('application-autoscaling:RegisterScalableTarget')?.condition).toEqual({
      StringEquals: {
        'application-autoscaling:service-namespace': 'ecs',
        'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
      },
    });
    expect(JSON.stringify(of('cloudwatch:DeleteAlarms')?.resources)).toMatch(/:alarm:"/);
    expect(JSON.stringify(of('iam:CreateServiceLinkedRole')?.resources)).toContain(
      ':role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService',
    );
  });
});

describe('a service with a test listener', () => {
  it('has a rule there by the same conditions, tagged so that deployments may write it, and named in its settings', () => {
    const app = fresh();
    const stack = newStack(app, 'Tested');
    const ground = new Ground(stack);
    addService(stack, 'Web', new Cutover(stack, 'Deployer'), ground, {
      testListener: ground.listen('Test', 8_080),
    });
    const template = readTemplate(app.synth().getStackByName('Tested').templateFullPath);
    const rules = resourcesOf(template, 'AWS::ElasticLoadBalancingV2::ListenerRule');
    const test = rules.find(([id]) => id.includes('Test'));
    expect(test?.[1].Properties).toMatchObject({
      Priority: 100,
      Tags: expect.arrayContaining([{ Key: 'cutover:rule', Value: 'test' }]) as unknown[],
    });
    const [[, settings]] = resourcesOf(template, 'AWS::SSM::Parameter') as [
      ReturnType<typeof resourcesOf>[number],
    ];
    expect(JSON.stringify(settings.Properties['Value'])).toContain('testRule');
  });
});

describe('a service that is described wrongly', () => {
  const make = (changes: ServiceChanges): void => {
    const stack = newStack(fresh(), 'Wrong');
    addService(stack, 'Web', new Cutover(stack, 'Deployer'), new Ground(stack), changes);
  };

  it('is refused with all mistakes at once', () => {
    expect(() =>
      make({
        serviceName: 'Web_1',
        tags: [],
        strategy: {
          kind: 'custom',
          steps: [
            { weightPercent: 50, bakeSeconds: 60 },
            { weightPercent: 40, bakeSeconds: -1 },
          ],
        },
        slots: ['blue'],
        priority: 1,
        minimumCount: 0,
        scaling: { minimum: 3, maximum: 2, policies: [{ name: 'cpu', metric: 'cpu', target: 101 }] },
      }),
    ).toThrow(
      [
        'EcsService Web_1: serviceName: must be 1 to 20 of a-z, 0-9 and -, starting with a letter, not ending with -, got Web_1',
        'tags: Too small: expected array to have >=1 items',
        'strategy/steps/1/bakeSeconds: Too small: expected number to be >=0, got -1',
        'strategy/steps/1/weightPercent: must be above the step before it (50), got 40',
        'strategy/steps/1/weightPercent: must be 100 at the last step, got 40',
        'minimumCount: Too small: expected number to be >=1, got 0',
        'slots: needs at least two slots: one is live while the other is filled',
        'scaling/policies/0/target: is a percentage for this metric: at most 100, got 101',
        'scaling/maximum: is less than minimum, got 2',
        "priority: must be 2 to 50000, the slots' own rules stand before it, got 1",
      ].join('; '),
    );
  });

  it.each<[string, ServiceChanges, string]>([
    ['a slot twice', { slots: ['blue', 'blue'] }, "slots/1/name: is another slot's already: blue"],
    [
      'six slots',
      { slots: ['a', 'b', 'c', 'd', 'e', 'f'] },
      'slots: an ALB forwards to at most five target groups',
    ],
    [
      'a slot that is no name',
      { slots: ['blue', 'Green'] },
      'slots/1/name: must be 1 to 11 of a-z and 0-9, starting with a letter',
    ],
    [
      'a retention that nobody outlives',
      { retention: Duration.days(366) },
      'retention: Too big: expected number to be <=31536000, got 31622400 (in seconds)',
    ],
    [
      'a tag that is a regular expression',
      { tags: ['v\\d+'] },
      'tags/0: must be of letters, digits, _, ., - and *, which stands for any characters, got v\\d+',
    ],
    [
      'tags that are never deployed',
      { tags: ['retain-*'] },
      'tags/0: what starts with retain- is never deployed, got retain-*',
    ],
    [
      'a gate that nothing stands behind',
      {
        strategy: {
          kind: 'custom',
          steps: [
            { weightPercent: 10, bakeSeconds: 60, gates: ['hooks'] },
            { weightPercent: 100, bakeSeconds: 60 },
          ],
        },
      },
      'strategy/steps/0/gates/0: the service has no hooks: declare some',
    ],
    ['an image gate that asks nothing', { imageGate: {} }, 'imageGate: asks nothing'],
    [
      'a metric held to itself',
      {
        metrics: [
          {
            name: 'depth',
            metrics: [{ id: 'depth', namespace: 'Shop', metricName: 'Depth', stat: 'Average' }],
            limit: { kind: 'atMostTimesOld', value: 1.2 },
          },
        ],
      },
      'metrics/0/limit: both generations have the same value: name {generation}',
    ],
    ['a port that is none', { port: 80_800 }, 'port: must be 1 to 65535, got 80800'],
    [
      'a container that is not there',
      { container: 'ap' },
      'container: the task definition has none of that name, got ap',
    ],
    [
      'a health check without a path',
      { healthCheck: { path: 'health' } },
      'healthCheck/path: must start with /, got health',
    ],
    [
      'a deregistration that takes too long',
      { deregistrationDelay: Duration.hours(2) },
      'deregistrationDelay: must be 3600 at most, got 7200 (in seconds)',
    ],
    [
      'a bake that no comparison fits in',
      {
        comparison: {},
        strategy: { kind: 'canary', canaryPercent: 10, canaryBakeSeconds: 60, bakeSeconds: 0 },
      },
      'strategy: the bake at 10 % is 60 s, and a comparison takes 270 s',
    ],
    [
      'a freeze in no time zone',
      {
        freeze: [
          {
            kind: 'weekly',
            days: ['fri'],
            from: '12:00',
            to: '24:00',
            timeZone: 'Bern',
            reason: 'weekend',
          },
        ],
      },
      'freeze/0/timeZone: must be a time zone such as Europe/Zurich',
    ],
    [
      'a priority too low for its slots',
      { priority: 3 },
      "priority: must be 4 to 50000, the slots' own rules stand before it, got 3",
    ],
  ])('is refused for %s', (_, changes, words) => {
    expect(() => make(changes)).toThrow(`EcsService web: ${words}`);
  });

  it('is made at the lowest priority that its slots leave', () => {
    expect(() => make({ priority: 4, conditions: [ListenerCondition.pathPatterns(['/*'])] })).not.toThrow();
  });
});
