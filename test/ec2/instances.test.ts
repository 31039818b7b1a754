/** Instances as EC2 shows them: those that groups launch, their types, what they wrote and what they use of the quota. */
import {
  CreateTagsCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  type Filter,
  GetConsoleOutputCommand,
} from '@aws-sdk/client-ec2';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../local/services/cloudwatch/metric-sink.ts';
import { ServiceQuotas } from '../../local/services/service-quotas.ts';
import { images, minute, scaled, seconds, type WorldOptions } from '../autoscaling/world.ts';
import { embedded } from '../wire/embedded.ts';

async function launched(options: WorldOptions = {}) {
  const world = await scaled(options);
  await world.create({ Tags: [{ Key: 'app', Value: 'web', PropagateAtLaunch: true }] });
  await world.clock.advance(20 * seconds);
  const found = async (input: object = {}) => {
    const { Reservations = [] } = await world.compute.send(new DescribeInstancesCommand(input));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  };
  const [first, second] = world.instances.running();
  return {
    ...world,
    first: first!,
    second: second!,
    found,
    ids: async (Filters: Filter[]) => (await found({ Filters })).map(({ InstanceId }) => InstanceId),
    states: async () => (await found()).map(({ State }) => State?.Name),
  };
}

describe('an instance of a group', () => {
  it('is shown with where it is, what it is and what it is called', async () => {
    const { first, found, clock } = await launched();
    await clock.advance(minute);
    const [instance] = await found({ InstanceIds: [first.id] });
    expect(instance).toMatchObject({
      InstanceId: first.id,
      ImageId: images[0],
      InstanceType: 't3.micro',
      State: { Code: 16, Name: 'running' },
      PrivateIpAddress: first.privateIp,
      PrivateDnsName: `ip-${first.privateIp.replaceAll('.', '-')}.ec2.internal`,
      SubnetId: first.subnetId,
      VpcId: expect.stringMatching(/^vpc-/) as unknown,
      Placement: { AvailabilityZone: 'us-east-1a' },
      Architecture: 'x86_64',
      CpuOptions: { CoreCount: 1, ThreadsPerCore: 2 },
    });
    expect(instance?.Tags).toEqual(
      expect.arrayContaining([
        { Key: 'app', Value: 'web' },
        { Key: 'aws:autoscaling:groupName', Value: 'web-g0001' },
      ]),
    );
  });

  it('goes its way, and is seen for an hour after its end', async () => {
    const { states, found, clock, scale } = await launched();
    expect(await states()).toEqual(['pending', 'pending']);
    await clock.advance(minute);
    expect(await states()).toEqual(['running', 'running']);
    await scale(0);
    await clock.advance(30 * seconds);
    expect(await states()).toEqual(['shutting-down', 'shutting-down']);
    await clock.advance(2 * minute);
    expect(await states()).toEqual(['terminated', 'terminated']);
    expect((await found())[0]).not.toHaveProperty('PrivateIpAddress');
    await clock.advance(60 * minute);
    expect(await states()).toEqual([]);
  });

  it('that ends by itself is terminated at once', async () => {
    const { first, instances, ids } = await launched();
    instances.exit(first.id);
    expect(await ids([{ Name: 'instance-state-name', Values: ['terminated'] }])).toEqual([first.id]);
  });

  it('is found by filters, all of which must fit', async () => {
    const { first, second, ids, compute } = await launched();
    await compute.send(
      new CreateTagsCommand({ Resources: [second.id], Tags: [{ Key: 'role', Value: 'canary' }] }),
    );
    expect(await ids([{ Name: 'instance-id', Values: [first.id] }])).toEqual([first.id]);
    expect(await ids([{ Name: 'private-ip-address', Values: [second.privateIp] }])).toEqual([second.id]);
    expect(await ids([{ Name: 'tag:app', Values: ['web'] }])).toEqual([first.id, second.id]);
    expect(
      await ids([
        { Name: 'tag:app', Values: ['w*'] },
        { Name: 'tag:role', Values: ['canary'] },
        { Name: 'instance-state-name', Values: ['pending', 'running'] },
      ]),
    ).toEqual([second.id]);
    expect(await ids([{ Name: 'instance-state-name', Values: ['stopped'] }])).toEqual([]);
  });

  it('is not there when EC2 refused it, or never heard of it', async () => {
    const { scarce, scale, clock, found } = await launched();
    scarce.add('us-east-1a').add('us-east-1b');
    await scale(3);
    await clock.advance(minute);
    expect(await found()).toHaveLength(2);
    await expect(found({ InstanceIds: ['i-0123456789abcdef0'] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
      message: "The instance ID 'i-0123456789abcdef0' does not exist",
    });
    await expect(found({ InstanceIds: ['web-1'] })).rejects.toMatchObject({
      name: 'InvalidInstanceID.Malformed',
    });
  });

  it('shows what it wrote to its console', async () => {
    const { first, compute } = await launched();
    const { InstanceId, Output = '' } = await compute.send(
      new GetConsoleOutputCommand({ InstanceId: first.id }),
    );
    expect([InstanceId, Buffer.from(Output, 'base64').toString()]).toEqual([first.id, `${first.id} is up\n`]);
  });
});

describe('instance types', () => {
  it.each([
    ['t3.micro', 'x86_64', 2, 1_024],
    ['t3a.large', 'x86_64', 2, 8_192],
    ['t4g.small', 'arm64', 2, 2_048],
    ['m6i.xlarge', 'x86_64', 4, 16_384],
    ['m7g.large', 'arm64', 2, 8_192],
    ['c7g.large', 'arm64', 2, 4_096],
  ] as const)('%s is %s with %d vCPUs and %d MiB', async (InstanceType, architecture, vcpus, memory) => {
    const { compute } = await scaled();
    const { InstanceTypes } = await compute.send(
      new DescribeInstanceTypesCommand({ InstanceTypes: [InstanceType] }),
    );
    expect(InstanceTypes).toMatchObject([
      {
        InstanceType,
        ProcessorInfo: { SupportedArchitectures: [architecture] },
        VCpuInfo: { DefaultVCpus: vcpus },
        MemoryInfo: { SizeInMiB: memory },
      },
    ]);
  });

  it('are found by what they are, and an unknown one is an error', async () => {
    const { compute } = await scaled();
    const { InstanceTypes = [] } = await compute.send(
      new DescribeInstanceTypesCommand({
        Filters: [
          { Name: 'processor-info.supported-architecture', Values: ['arm64'] },
          { Name: 'memory-info.size-in-mib', Values: ['4096'] },
        ],
      }),
    );
    expect(InstanceTypes.map(({ InstanceType }) => InstanceType)).toEqual([
      't4g.medium',
      'c6g.large',
      'c7g.large',
    ]);
    const strange = { InstanceTypes: ['t3.micro', 'm9.tiny'] } as never;
    await expect(compute.send(new DescribeInstanceTypesCommand(strange))).rejects.toMatchObject({
      name: 'InvalidInstanceType',
      message: 'The following supplied instance types do not exist: [m9.tiny]',
    });
  });
});

describe('the quota of vCPUs', () => {
  it("refuses what is beyond it, in EC2's words, and nothing that fits again", async () => {
    let quota = 2;
    const { activities, members, clock, compute } = await launched({ vcpuQuota: () => quota });
    await clock.advance(minute);
    expect(await members()).toHaveLength(1);
    const { Subnets = [] } = await compute.send(new DescribeSubnetsCommand({}));
    expect(Subnets.reduce((free, { AvailableIpAddressCount = 0 }) => free + AvailableIpAddressCount, 0)).toBe(
      2 * 251 - 1,
    );
    expect((await activities()).find(({ StatusCode }) => StatusCode === 'Failed')?.StatusMessage).toBe(
      'You have requested more vCPU capacity than your current vCPU limit of 2 allows for the instance bucket that the specified instance type belongs to. ' +
        'Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. Launching EC2 instance failed.',
    );
    quota = 4;
    await clock.advance(10 * minute);
    expect(await members()).toHaveLength(2);
  });

  it('is in use by instances until they are terminated, as reported each minute', async () => {
    const reported: Observation[] = [];
    const { clock, scale } = await launched({ metrics: { record: (each) => void reported.push(each) } });
    await clock.advance(minute);
    await scale(0);
    await clock.advance(5 * minute);
    expect(reported.at(0)).toMatchObject({
      namespace: 'AWS/Usage',
      metric: 'ResourceCount',
      dimensions: { Service: 'EC2', Type: 'Resource', Resource: 'vCPU', Class: 'Standard/OnDemand' },
    });
    expect(reported.map(({ values }) => values)).toEqual([[4], [4]]);
  });

  it('is told with the metric of its use', async () => {
    const aws = await embedded({ servicequotas: new ServiceQuotas({ ec2Vcpus: 32 }).operations });
    const client = new ServiceQuotasClient(aws.client);
    const { Quota } = await client.send(
      new GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode: 'L-1216C47A' }),
    );
    expect(Quota).toMatchObject({
      QuotaArn: 'arn:aws:servicequotas:us-east-1:123456789012:ec2/L-1216C47A',
      QuotaName: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
      Value: 32,
      UsageMetric: {
        MetricNamespace: 'AWS/Usage',
        MetricDimensions: { Service: 'EC2', Class: 'Standard/OnDemand' },
      },
    });
    client.destroy();
    await aws.close();
  });
});
