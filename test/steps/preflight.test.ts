/** The look before a launch as a whole: all adapters with their real clients, every call counted, all of them at once. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlbSurvey } from '../../functions/aws/alb-survey.ts';
import { AlbTraffic } from '../../functions/aws/alb-traffic.ts';
import { EcrPlatforms } from '../../functions/aws/ecr-platforms.ts';
import { EcsFleet } from '../../functions/aws/ecs-fleet.ts';
import { EcsSurvey } from '../../functions/aws/ecs-survey.ts';
import { type PreflightPorts, preflight } from '../../functions/steps/preflight.ts';
import { AwsError, type Operations } from '../../local/call.ts';
import { generationOf, pushOf, rule, settingsOf, start } from '../core/examples.ts';
import { embedded } from '../wire/embedded.ts';

const role = 'arn:aws:iam::123456789012:role/execution';
const settings = settingsOf({
  minimumCount: 1,
  fleet: {
    kind: 'ecs',
    cluster: 'demo',
    taskDefinition: 'web:7',
    container: 'app',
    port: 8080,
    subnets: ['subnet-a'],
    securityGroups: [],
    assignPublicIp: false,
    roles: [role],
  },
});
const slots = settings.traffic.slots.map(({ targetGroup }) => targetGroup);
const LoadBalancerArns = ['arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/main/1'];

/** As AWS answers when all is well; two tasks are live. */
const answers: Readonly<Record<string, object>> = {
  DescribeTaskDefinition: {
    taskDefinition: {
      compatibilities: ['EC2', 'FARGATE'],
      networkMode: 'awsvpc',
      cpu: '1024',
      executionRoleArn: role,
      containerDefinitions: [{ name: 'app', portMappings: [{ containerPort: 8080 }] }],
    },
  },
  DescribeServices: { services: [{ serviceName: 'web-g0001', status: 'ACTIVE', desiredCount: 2 }] },
  DescribeSubnets: {
    Subnets: [{ SubnetId: 'subnet-a', AvailabilityZone: 'eu-west-1a', AvailableIpAddressCount: 2 }],
  },
  GetServiceQuota: { Quota: { QuotaName: 'Fargate On-Demand vCPU resource count', Value: 6 } },
  GetMetricData: { MetricDataResults: [{ Id: 'used', Values: [2, 2] }] },
  DescribeRules: {
    Rules: [
      {
        RuleArn: rule,
        Actions: [
          {
            Type: 'forward',
            ForwardConfig: {
              TargetGroups: slots.map((TargetGroupArn, at) => ({
                TargetGroupArn,
                Weight: at === 0 ? 100 : 0,
              })),
            },
          },
        ],
      },
    ],
  },
  DescribeTargetGroups: {
    TargetGroups: slots.map((TargetGroupArn) => ({
      TargetGroupArn,
      TargetType: 'ip',
      Protocol: 'HTTP',
      HealthCheckEnabled: true,
      LoadBalancerArns,
    })),
  },
  DescribeAccountLimits: { Limits: [{ Name: 'targets-per-application-load-balancer', Max: '1000' }] },
  DescribeTargetHealth: {
    TargetHealthDescriptions: ['10.0.0.1', '10.0.0.2'].map((Id) => ({
      Target: { Id },
      TargetHealth: { State: 'healthy' },
    })),
  },
  BatchGetImage: {
    images: [{ imageManifest: JSON.stringify({ config: { digest: 'sha256:1', size: 1 } }) }],
  },
  GetDownloadUrlForLayer: { downloadUrl: 'data:,{"os":"linux","architecture":"amd64"}' },
};
const services = {
  ecs: ['DescribeTaskDefinition', 'DescribeServices'],
  ec2: ['DescribeSubnets'],
  ecr: ['BatchGetImage', 'GetDownloadUrlForLayer'],
  elbv2: ['DescribeRules', 'DescribeTargetGroups', 'DescribeAccountLimits', 'DescribeTargetHealth'],
  servicequotas: ['GetServiceQuota'],
  cloudwatch: ['GetMetricData'],
} as const;

/** What is answered otherwise. */
let changed: Readonly<Record<string, object | string>>;
/** Holds every answer until so many calls are there. */
let awaited: number;
let arrived: PromiseWithResolvers<void>;
let aws: Awaited<ReturnType<typeof embedded>>;
let ports: PreflightPorts;
beforeEach(async () => {
  changed = {};
  awaited = 0;
  arrived = Promise.withResolvers();
  const answering = (operation: string) => async () => {
    awaited -= 1;
    if (awaited <= 0) arrived.resolve();
    await arrived.promise;
    const answer = changed[operation] ?? answers[operation]!;
    if (typeof answer === 'string') throw new AwsError(answer, 'not now');
    return answer;
  };
  const operationsOf = (names: readonly string[]): Operations =>
    Object.fromEntries(names.map((name) => [name, answering(name)]));
  aws = await embedded(
    Object.fromEntries(
      Object.entries(services).map(([name, operations]) => [name, operationsOf(operations)]),
    ),
  );
  const ecs = new ECSClient(aws.client);
  const elb = new ElasticLoadBalancingV2Client(aws.client);
  const traffic = new AlbTraffic(elb, async () => undefined);
  ports = {
    fleet: new EcsFleet(ecs),
    fleetSurveyor: new EcsSurvey({
      ecs,
      ec2: new EC2Client(aws.client),
      quotas: new ServiceQuotasClient(aws.client),
      cloudwatch: new CloudWatchClient(aws.client),
      now: () => start,
    }),
    traffic,
    trafficSurveyor: new AlbSurvey(elb, traffic),
    imagePlatforms: new EcrPlatforms(new ECRClient(aws.client)),
  };
});
afterEach(() => aws.close());

const look = (live = true) =>
  preflight({ push: pushOf(2), live: live ? generationOf(1) : null, settings }, ports);
const calls = () =>
  aws.calls
    .records()
    .map(({ operation }) => operation)
    .toSorted();

describe('a look before a launch', () => {
  it('asks ten things at once, and one more for the configuration of an image', async () => {
    awaited = 10;
    const { objections, weights } = await look();
    expect(objections([{ name: 'web-errors', state: 'OK', reason: '' }])).toEqual([]);
    expect(weights).toEqual({ blue: 100, green: 0, red: 0 });
    expect(calls()).toEqual([
      'BatchGetImage',
      'DescribeAccountLimits',
      'DescribeRules',
      'DescribeServices',
      'DescribeSubnets',
      'DescribeTargetGroups',
      'DescribeTargetHealth',
      'DescribeTaskDefinition',
      'GetDownloadUrlForLayer',
      'GetMetricData',
      'GetServiceQuota',
    ]);
  });

  it('asks nothing of a live generation that is not', async () => {
    expect((await look(false)).objections([])).toEqual([]);
    expect(calls()).not.toContain('DescribeServices');
    expect(calls()).not.toContain('DescribeTargetHealth');
  });

  it('judges by the size of what is live now', async () => {
    changed = { DescribeServices: { services: [{ status: 'ACTIVE', desiredCount: 5 }] } };
    const { objections } = await look();
    expect(objections([]).map(({ severity, check }) => [severity, check])).toEqual([
      ['refuse', 'addresses'],
      ['refuse', 'quota'],
      ['warn', 'live'],
    ]);
  });

  it('goes on with what only speeds a failure up unread, and says so', async () => {
    const unread = [
      'DescribeTaskDefinition',
      'DescribeServices',
      'DescribeSubnets',
      'GetServiceQuota',
      'BatchGetImage',
      'DescribeAccountLimits',
    ];
    changed = Object.fromEntries(unread.map((operation) => [operation, 'ThrottlingException']));
    const { objections, weights } = await look();
    expect(weights).toBeDefined();
    expect(objections([]).map(({ severity, check }) => [severity, check])).toEqual([
      ['warn', 'image'],
      ['warn', 'template'],
      ['warn', 'addresses'],
      ['warn', 'quota'],
      ['warn', 'targets'],
      ['warn', 'live'],
    ]);
    for (const { words } of objections([]))
      expect(words).toMatch(
        /(?:was|were) not checked: .*(?:ThrottlingException|RequestLimitExceeded|Throttling)/,
      );
  });

  it('refuses when rule or slots may not be read, and gives no weights', async () => {
    changed = { DescribeRules: 'AccessDenied', DescribeTargetGroups: 'AccessDenied' };
    const { objections, weights } = await look();
    expect(weights).toBeUndefined();
    expect(objections([]).map(({ severity, check }) => [severity, check])).toEqual([
      ['refuse', 'rule'],
      ['refuse', 'slots'],
    ]);
  });

  it('fails, to be tried again, when AWS does not answer for the slots', async () => {
    changed = { DescribeTargetGroups: 'Throttling' };
    await expect(look()).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
  });

  it('changes nothing when it is made again', async () => {
    const first = (await look()).objections([]);
    expect((await look()).objections([])).toEqual(first);
    expect(calls().filter((operation) => !/^(?:Describe|Get|BatchGet)/.test(operation))).toEqual([]);
  });
});
