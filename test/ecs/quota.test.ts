/** What an account may run on Fargate, what of it is in use, and the addresses that tasks take. */
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterEach, describe, expect, it } from 'vitest';
import type { Observation } from '../../local/services/cloudwatch/metric-sink.ts';
import { ServiceQuotas } from '../../local/services/service-quotas.ts';
import { embedded } from '../wire/embedded.ts';
import { call, definition, request, running, world } from './world.ts';

/** Each task has a quarter of a vCPU. */
const limited = "unable to place a task. Reason: You've reached the limit on the number of vCPUs";

describe('the quota of vCPUs', () => {
  it('leaves out the tasks that it has no room for, says so, and starts them when it has', async () => {
    let quota = 0.5;
    const made = running({ desiredCount: 3 }, { vcpuQuota: () => quota });
    await made.clock.advance(60_000);
    expect(made.service()).toMatchObject({ runningCount: 2, desiredCount: 3 });
    expect(made.said()).toContainEqual(expect.stringContaining(limited));
    expect(made.on('ECS Service Action').map(({ detail }) => detail)).toContainEqual(
      expect.objectContaining({ eventName: 'SERVICE_TASK_PLACEMENT_FAILURE', reason: 'RESOURCE:FARGATE' }),
    );
    quota = 0.75;
    await made.clock.advance(60_000);
    expect(made.service().runningCount).toBe(3);
  });

  it('counts for tasks without a service too', () => {
    const made = world({ vcpuQuota: () => 0.25 });
    made.api.RegisterTaskDefinition(definition, call);
    const { networkConfiguration } = request;
    const run = () =>
      made.api.RunTask({
        cluster: 'demo',
        taskDefinition: 'web-g0001',
        launchType: 'FARGATE',
        networkConfiguration,
      });
    expect(run().tasks).toHaveLength(1);
    expect(run()).toMatchObject({ tasks: [], failures: [{ reason: expect.stringContaining('vCPUs') }] });
  });

  it('is in use by tasks until they are stopped, as reported each minute', async () => {
    const reported: Observation[] = [];
    const metrics = { record: (observation: Observation) => void reported.push(observation) };
    const made = running({ desiredCount: 2 }, { metrics });
    await made.clock.advance(60_000);
    made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 0 });
    await made.clock.advance(180_000);
    expect(reported).toEqual([
      {
        namespace: 'AWS/Usage',
        metric: 'ResourceCount',
        dimensions: { Service: 'Fargate', Type: 'Resource', Resource: 'vCPU', Class: 'Standard/OnDemand' },
        unit: 'None',
        at: expect.any(Number),
        values: [0.5],
      },
    ]);
  });
});

describe('a subnet without a free address', () => {
  it('fails the tasks that are placed there', async () => {
    const network = { subnetExists: () => true, address: () => undefined };
    const made = running({}, { network });
    await made.clock.advance(60_000);
    expect(made.tasks('STOPPED')[0]?.stoppedReason).toBe(
      "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-a': InsufficientFreeAddressesInSubnet",
    );
  });
});

describe('Service Quotas', () => {
  let aws: Awaited<ReturnType<typeof embedded>>;
  afterEach(() => aws.close());

  it('tells the value, and the metric of its use', async () => {
    aws = await embedded({ servicequotas: new ServiceQuotas({ fargateVcpus: 6 }).operations });
    const client = new ServiceQuotasClient(aws.client);
    const quota = (QuotaCode: string) =>
      client.send(new GetServiceQuotaCommand({ ServiceCode: 'fargate', QuotaCode }));
    expect((await quota('L-3032A538')).Quota).toMatchObject({
      QuotaName: 'Fargate On-Demand vCPU resource count',
      Value: 6,
      UsageMetric: { MetricNamespace: 'AWS/Usage', MetricName: 'ResourceCount' },
    });
    await expect(quota('L-0')).rejects.toMatchObject({ name: 'NoSuchResourceException' });
    client.destroy();
  });
});
