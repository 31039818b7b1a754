/** What is told of Fargate before a launch, through the real clients and the embedded EC2, ECS, CloudWatch and Service Quotas. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient, RegisterTaskDefinitionCommand, type TaskDefinition } from '@aws-sdk/client-ecs';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EcsSettings } from '../../functions/aws/ecs-settings.ts';
import { EcsSurvey } from '../../functions/aws/ecs-survey.ts';
import { objectionsToTemplate, taskOf } from '../../functions/aws/ecs-template.ts';
import { AwsError, type Call, type Operations } from '../../local/call.ts';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { Ec2 } from '../../local/services/ec2/ec2.ts';
import { ServiceQuotas } from '../../local/services/service-quotas.ts';
import { settingsOf } from '../core/examples.ts';
import { call, definition, request, world } from '../ecs/world.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

const executionRole = 'arn:aws:iam::123456789012:role/execution';
const taskRole = 'arn:aws:iam::123456789012:role/task';
const name = 'Fargate On-Demand vCPU resource count (L-3032A538)';

/** Operations that AWS refuses or throttles. */
let broken: Readonly<Record<string, string>>;
const breakable = (operations: Operations): Operations =>
  Object.fromEntries(
    Object.entries(operations).map(([operation, run]) => [
      operation,
      (input: never, of: Call) => {
        const code = broken[operation];
        if (code !== undefined) throw new AwsError(code, 'not now');
        return run(input, of);
      },
    ]),
  );

let made: ReturnType<typeof world>;
let cloudwatch: CloudWatch;
let aws: Awaited<ReturnType<typeof embedded>>;
let survey: EcsSurvey;
let fleet: EcsSettings;
beforeEach(async () => {
  broken = {};
  const ec2 = new Ec2({ clock: new ManualClock() });
  const quotas = new ServiceQuotas({ fargateVcpus: 6 });
  made = world({
    network: ec2,
    metrics: { record: (observation) => cloudwatch.record(observation) },
    vcpuQuota: () => quotas.fargateVcpus,
  });
  cloudwatch = new CloudWatch({ clock: made.clock, emit: () => undefined, publish: () => undefined });
  aws = await embedded({
    ecs: breakable(made.api),
    ec2: breakable(ec2.operations),
    servicequotas: breakable(quotas.operations),
    cloudwatch: breakable(cloudwatch.operations),
  });
  const clients = {
    ecs: new ECSClient(aws.client),
    ec2: new EC2Client(aws.client),
    quotas: new ServiceQuotasClient(aws.client),
    cloudwatch: new CloudWatchClient(aws.client),
  };
  survey = new EcsSurvey({ ...clients, now: () => made.clock.now() });
  const { Vpc } = await clients.ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const subnets: string[] = [];
  for (const [zone, CidrBlock] of [
    ['us-east-1a', '10.0.0.0/28'],
    ['us-east-1b', '10.0.0.16/28'],
  ]) {
    const input = { VpcId: Vpc?.VpcId ?? '', CidrBlock, AvailabilityZone: zone };
    const { Subnet } = await clients.ec2.send(new CreateSubnetCommand(input));
    subnets.push(Subnet?.SubnetId ?? '');
  }
  const { taskDefinition } = await clients.ecs.send(new RegisterTaskDefinitionCommand(definition));
  fleet = {
    kind: 'ecs',
    cluster: 'demo',
    taskDefinition: taskDefinition?.taskDefinitionArn ?? '',
    container: 'app',
    port: 8080,
    subnets,
    securityGroups: [],
    assignPublicIp: false,
    roles: [executionRole],
    scaling: null,
  };
});
afterEach(async () => {
  cloudwatch.close();
  made.ecs.close();
  await aws.close();
});

const look = (changes: Partial<EcsSettings> = {}) =>
  survey.survey(settingsOf({ fleet: { ...fleet, ...changes } }));

describe('a survey', () => {
  it('tells of free addresses, quota and task, by four calls and with nothing to object', async () => {
    const before = aws.calls.records().length;
    expect(await look()).toEqual({
      objections: [],
      task: { platform: { os: 'linux', architecture: 'amd64' }, size: 0.25 },
      places: {
        value: [
          { name: fleet.subnets[0], zone: 'us-east-1a', free: 11 },
          { name: fleet.subnets[1], zone: 'us-east-1b', free: 11 },
        ],
      },
      quota: { value: { name, unit: 'vCPU', limit: 6, used: [], minutes: 15 } },
    });
    const calls = aws.calls.records().slice(before);
    expect(calls.map(({ operation }) => operation).toSorted()).toEqual([
      'DescribeSubnets',
      'DescribeTaskDefinition',
      'GetMetricData',
      'GetServiceQuota',
    ]);
  });

  it('sees what runs', async () => {
    const awsvpcConfiguration = { subnets: [...fleet.subnets] };
    made.api.CreateService(
      { ...request, desiredCount: 3, networkConfiguration: { awsvpcConfiguration } },
      call,
    );
    await made.clock.advance(300_000);
    const { places, quota } = await look();
    expect(places).toMatchObject({ value: [{ free: 9 }, { free: 10 }] });
    expect(quota).toMatchObject({ value: { used: [0.75, 0.75, 0.75] } });
  });

  it('objects to a task definition and to subnets that do not exist', async () => {
    const seen = await look({ taskDefinition: 'nope:1', subnets: [...fleet.subnets, 'subnet-0'] });
    expect(seen.objections).toEqual([
      {
        severity: 'refuse',
        check: 'template',
        words: "the task definition nope:1 does not exist (any more). Deploy the service's stack again",
      },
      {
        severity: 'refuse',
        check: 'addresses',
        words:
          "the service is to run in subnets that do not exist (any more): subnet-0. Deploy the service's stack again",
      },
    ]);
    expect(seen).toMatchObject({ task: undefined, places: { value: [{ free: 11 }, { free: 11 }] } });
  });

  it.each(['AccessDeniedException', 'ThrottlingException'])(
    'throws nothing when AWS answers %s: it tells what could not be read',
    async (code) => {
      broken = {
        DescribeTaskDefinition: code,
        DescribeSubnets: code,
        GetServiceQuota: code,
        GetMetricData: code,
      };
      const { objections, ...rest } = await look();
      expect(objections).toEqual([
        {
          severity: 'warn',
          check: 'template',
          words: expect.stringMatching(
            `^the task definition ${fleet.taskDefinition} was not checked: AWS .* while reading the task definition .*${code}: not now`,
          ),
        },
      ]);
      expect(rest).toEqual({
        task: undefined,
        places: { unread: expect.stringContaining('while reading the subnets') },
        quota: {
          unread: expect.stringMatching('while reading (the quota L-3032A538 of fargate|how many vCPUs)'),
        },
      });
    },
  );
});

describe('a task definition', () => {
  const template: TaskDefinition = {
    compatibilities: ['EC2', 'FARGATE'],
    networkMode: 'awsvpc',
    cpu: '512',
    executionRoleArn: executionRole,
    taskRoleArn: taskRole,
    containerDefinitions: [
      { name: 'log' },
      { name: 'app', portMappings: [{ containerPort: 8080 }, { containerPort: 9090 }] },
    ],
  };
  const settings = (changes: Partial<EcsSettings> = {}): EcsSettings => ({
    kind: 'ecs',
    cluster: 'demo',
    taskDefinition: 'web:7',
    container: 'app',
    port: 8080,
    subnets: ['subnet-a'],
    securityGroups: [],
    assignPublicIp: false,
    roles: [taskRole, executionRole],
    scaling: null,
    ...changes,
  });
  const told = (changes: Partial<TaskDefinition>, ecs: EcsSettings = settings()) =>
    objectionsToTemplate({ ...template, ...changes }, ecs).map(
      ({ severity, check, words }) => `${severity} ${check}: ${words}`,
    );

  it('is fit as it is, with or without a task role', () => {
    expect(told({})).toEqual([]);
    expect(told({ taskRoleArn: undefined })).toEqual([]);
  });

  it.each<[string, Partial<TaskDefinition>, EcsSettings, string]>([
    [
      'without the container',
      {},
      settings({ container: 'web' }),
      'refuse template: the task definition web:7 has no container web; it has log, app. Declare which one the image replaces',
    ],
    [
      'without the port',
      {},
      settings({ port: 80 }),
      'refuse template: the container app of web:7 declares port 8080, 9090, not 80, which requests are to be sent to. Add it to its port mappings, or declare another port',
    ],
    [
      'without any port',
      {},
      settings({ container: 'log' }),
      'refuse template: the container log of web:7 declares no port, not 8080, which requests are to be sent to. Add it to its port mappings, or declare another port',
    ],
    [
      'not for Fargate',
      { compatibilities: ['EC2'] },
      settings(),
      'refuse template: the task definition web:7 fits EC2, and generations run on FARGATE. Make it a Fargate one',
    ],
    [
      'of another network mode',
      { networkMode: 'bridge' },
      settings(),
      'refuse template: the task definition web:7 has the network mode bridge, and Fargate knows only awsvpc. Change it',
    ],
    [
      'without an execution role',
      { executionRoleArn: undefined },
      settings(),
      'refuse template: the task definition web:7 has no execution role, and without one Fargate pulls nothing from ECR. Give it one',
    ],
    [
      'with a role that may not be passed',
      {},
      settings({ roles: [executionRole] }),
      `refuse roles: the task role of web:7 is ${taskRole}, which the deployer may not pass; it may pass ${executionRole}. Deploy the service's stack again, so that it allows that role`,
    ],
    [
      'of which nobody wrote down what may be passed',
      {},
      settings({ roles: undefined }),
      "warn roles: the roles of web:7 were not checked: its settings do not say what the deployer may pass; deploy the service's stack again",
    ],
  ])('%s', (_, changes, ecs, words) => {
    expect(told(changes, ecs)).toEqual([words]);
  });

  it('tells all that is wrong with it at once', () => {
    expect(told({ networkMode: 'host', compatibilities: [], containerDefinitions: [] })).toHaveLength(3);
  });

  it.each<[TaskDefinition['runtimePlatform'], string]>([
    [undefined, 'linux/amd64'],
    [{ cpuArchitecture: 'ARM64' }, 'linux/arm64'],
    [{ operatingSystemFamily: 'LINUX', cpuArchitecture: 'X86_64' }, 'linux/amd64'],
    [{ operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' }, 'windows/amd64'],
  ])('with %j runs on %s', (runtimePlatform, expected) => {
    const { platform, size } = taskOf({ runtimePlatform, cpu: '2048' });
    expect([`${platform.os}/${platform.architecture}`, size]).toEqual([expected, 2]);
  });
});
