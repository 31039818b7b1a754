/**
 * Fifty pushes in a row to three services of one deployer; their events come late, twice and in any order. The newest of
 * each service is live in the end, deployments of one service never overlap, and nothing is left over.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ECSClient, ListServicesCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import {
  type ExecutionListItem,
  type HistoryEvent,
  paginateGetExecutionHistory,
  paginateListExecutions,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { CfnOutput, Duration } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { serviceSettings } from '../../functions/core/service-settings.ts';
import { Cutover } from '../../infra/cutover.ts';
import { FastForwardClock } from '../../local/clock.ts';
import { demoImage, nodeRuntime } from '../../local/demo/images.ts';
import { readServiceItem, readSlots } from '../../local/demo/service-view.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import type { Delivery, Interception } from '../../local/services/events/delivery.ts';
import { addService, Ground, newApp, newStack } from '../infra/apps.ts';
import { clientOptions } from '../wire/embedded.ts';
import { until } from './world.ts';

const services = ['api', 'shop', 'web'] as const;
type Name = (typeof services)[number];

interface Push {
  readonly to: Name;
  /** The image that was pushed to the service before, under one more tag. */
  readonly again: boolean;
  readonly delivery: 'deliver' | 'twice' | { readonly delayMs: number };
}

const push: fc.Arbitrary<Push> = fc.record({
  to: fc.constantFrom(...services),
  again: fc.nat(4).map((n) => n === 0),
  delivery: fc.oneof(
    fc.constantFrom('deliver' as const, 'twice' as const),
    fc.record({ delayMs: fc.nat(60_000) }),
  ),
});
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const [pushes = []] = fc.sample(fc.array(push, { minLength: 50, maxLength: 50 }), { numRuns: 1, seed });

const faults: unknown[] = [];
const onFailure = (failure: unknown): void => void faults.push(failure);
const clock = new FastForwardClock({ speed: 60, onFailure });
let folder: string;
let aws: EmbeddedAws;
let outputs: Readonly<Record<string, string>>;
let ecs: ECSClient;
let sfn: SFNClient;
let sqs: SQSClient;
let ssm: SSMClient;
/** How many events were given to the deploy machine. */
let delivered = 0;
let deliveries: readonly Push['delivery'][] = [];

beforeAll(async () => {
  console.log(`seed ${seed}`);
  folder = await mkdtemp(join(tmpdir(), 'cutover-pushes-'));
  aws = await createEmbeddedAws({
    clock,
    sharedOffset: clock.shared,
    port: 0,
    onFailure,
    deliveries: intercept,
  });
  outputs = (await aws.provision(assembly())).get('Three') ?? {};
  const client = clientOptions(aws.endpoint);
  ecs = new ECSClient(client);
  sfn = new SFNClient(client);
  sqs = new SQSClient(client);
  ssm = new SSMClient(client);
});

afterAll(async () => {
  for (const client of [ecs, sfn, sqs, ssm]) client?.destroy();
  await aws?.close();
  clock.stop();
  await rm(folder, { recursive: true, force: true });
  if (faults.length > 0) throw new AggregateError(faults, 'faults of the embedded AWS');
});

function assembly(): string {
  const app = newApp({ outdir: folder, bundled: true });
  const stack = newStack(app, 'Three');
  const ground = new Ground(stack);
  const cutover = new Cutover(stack, 'Deployer');
  services.forEach((serviceName, index) => {
    addService(stack, serviceName, cutover, ground, {
      serviceName,
      repository: new Repository(stack, `${serviceName}-repository`, { repositoryName: serviceName }),
      priority: 100 + 10 * index,
      strategy: { kind: 'allAtOnce', bakeSeconds: 5 },
      healthCheck: { path: '/health', interval: Duration.seconds(5) },
      retention: Duration.seconds(0),
    });
  });
  const machines = {
    Deploy: cutover.deploy,
    Rollback: cutover.rollback,
    Recover: cutover.recover,
    Retire: cutover.retire,
  };
  for (const [id, machine] of Object.entries(machines))
    new CfnOutput(stack, id, { value: machine.stateMachineArn });
  new CfnOutput(stack, 'LedgerTable', { value: cutover.table.tableName });
  new CfnOutput(stack, 'ClusterName', { value: ground.cluster.clusterName });
  return app.synth().directory;
}

function intercept({ event, target }: Delivery): Interception {
  if (event.source !== 'aws.ecr' || target.Arn !== outputs['Deploy']) return 'deliver';
  const detail = event.detail as { readonly 'image-tag'?: string };
  const delivery = deliveries[Number(detail['image-tag']?.slice(1))] ?? 'deliver';
  delivered += delivery === 'twice' ? 2 : 1;
  return delivery;
}

async function item(service: Name): Promise<ServiceItem | undefined> {
  return readServiceItem(aws, outputs['LedgerTable'] ?? '', service);
}

async function slotsOf(service: Name): ReturnType<typeof readSlots> {
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: `/cutover/${service}` }));
  return readSlots(aws, serviceSettings.parse(JSON.parse(Parameter?.Value ?? '')));
}

async function executions(machine: string): Promise<readonly ExecutionListItem[]> {
  const found: ExecutionListItem[] = [];
  const stateMachineArn = outputs[machine] ?? '';
  for await (const { executions = [] } of paginateListExecutions({ client: sfn }, { stateMachineArn }))
    found.push(...executions);
  return found;
}

/** An execution that launched something: from its launch to its end, in milliseconds of the clock. */
interface Deployment {
  readonly service: string;
  readonly image: string;
  readonly from: number;
  readonly to: number;
}

async function deploymentOf({ executionArn, stopDate }: ExecutionListItem): Promise<Deployment | undefined> {
  const events: HistoryEvent[] = [];
  for await (const page of paginateGetExecutionHistory({ client: sfn }, { executionArn }))
    events.push(...(page.events ?? []));
  const launch = events.find(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === 'Launch');
  if (launch === undefined) return undefined;
  const input = JSON.parse(events[0]?.executionStartedEventDetails?.input ?? '') as {
    service: string;
    event: { detail: { 'image-tag': string } };
  };
  return {
    service: input.service,
    image: input.event.detail['image-tag'],
    from: launch.timestamp?.getTime() ?? 0,
    to: stopDate?.getTime() ?? Infinity,
  };
}

it('fifty pushes in a row to three services', { timeout: 240_000 }, async () => {
  const runtime = await nodeRuntime();
  const newest = new Map<Name, { readonly content: string; readonly digest: string }>();
  deliveries = pushes.map(({ delivery }) => delivery);
  for (const [index, { to, again }] of pushes.entries()) {
    const tag = `v${index}`;
    const content = (again ? newest.get(to)?.content : undefined) ?? tag;
    const image = demoImage({ tag: content, behaviour: 'good' }, runtime);
    const target = { registry: aws.endpoint, repository: to, tag };
    const digest = await clock.busy(() => pushImage(image, target));
    newest.set(to, { content, digest });
    // ECR tells the time of a push to the second.
    const second = Math.floor(clock.now() / 1_000);
    await until('another second', async () => (Math.floor(clock.now() / 1_000) > second ? true : undefined));
  }
  expect(delivered).toBeGreaterThanOrEqual(pushes.length);

  const settled = async (): Promise<true | undefined> => {
    const items = await Promise.all(services.map(item));
    const idle = items.every(
      (each) =>
        each !== undefined && each.owner === null && each.pending === null && each.retained.length === 0,
    );
    if (!idle) return undefined;
    const all = (await Promise.all(['Deploy', 'Recover', 'Retire'].map(executions))).flat();
    return all.every(({ status }) => status !== 'RUNNING') ? true : undefined;
  };
  await until('the end of all that was begun', settled, 150_000);
  // ECS stops the tasks after it has answered DeleteService.
  const left = async (): Promise<true | undefined> => {
    const slots = (await Promise.all(services.map(slotsOf))).flat();
    return slots.filter(({ targets }) => targets > 0).length === services.length ? true : undefined;
  };
  await until('the end of the tasks that were replaced', left, 30_000);

  const deploys = await executions('Deploy');
  expect(deploys.length).toBeGreaterThanOrEqual(delivered);
  expect(deploys.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
  const deployments = (await Promise.all(deploys.map(deploymentOf))).flatMap((each) => each ?? []);
  console.log(`${delivered} events, ${deploys.length} executions, ${deployments.length} deployments`);

  const cluster = outputs['ClusterName'];
  const { serviceArns = [] } = await ecs.send(new ListServicesCommand({ cluster }));
  const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster }));
  const liveNames: string[] = [];
  for (const service of services) {
    const { live, lastGeneration } = (await item(service))!;
    liveNames.push(live?.name ?? '');
    expect([service, live?.digest]).toEqual([service, newest.get(service)?.digest]);

    const own = deployments
      .filter((each) => each.service === service)
      .toSorted((one, other) => one.from - other.from);
    expect([service, own.length]).toEqual([service, lastGeneration]);
    for (const [index, { from, image }] of own.entries()) {
      const before = own[index - 1];
      if (before === undefined) continue;
      expect(from).toBeGreaterThanOrEqual(before.to);
      expect(Number(image.slice(1))).toBeGreaterThan(Number(before.image.slice(1)));
    }

    const slots = await slotsOf(service);
    expect(slots.map(({ name, weight, healthy, targets }) => ({ name, weight, healthy, targets }))).toEqual(
      slots.map(({ name }) =>
        name === live?.slot
          ? { name, weight: 100, healthy: 1, targets: 1 }
          : { name, weight: 0, healthy: 0, targets: 0 },
      ),
    );
  }
  expect(new Set(serviceArns.map((arn) => arn.split('/').at(-1)))).toEqual(new Set(liveNames));
  expect(taskArns).toHaveLength(services.length);
  const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
  expect(QueueUrls.length).toBeGreaterThan(0);
  for (const QueueUrl of QueueUrls) {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    expect(Attributes?.['ApproximateNumberOfMessages']).toBe('0');
  }
});
