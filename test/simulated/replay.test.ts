import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Call } from '../../local/call.ts';
import { BlobStore } from '../../local/registry/blob-store.ts';
import { Registry } from '../../local/registry/registry.ts';
import { Ecs } from '../../local/services/ecs/ecs.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import { wellBehaved } from '../../local/simulated/behaviour.ts';
import { ModelledBalancer } from '../../local/simulated/modelled-balancer.ts';
import { ModelledImages, pushModelledImage } from '../../local/simulated/modelled-images.ts';
import { ModelledTasks } from '../../local/simulated/modelled-tasks.ts';
import { seededRandom } from '../../local/simulated/seeded-random.ts';
import { ManualClock } from '../manual-clock.ts';

const call: Call = { principal: { kind: 'root' }, requestId: 'request', endpoint: '' };

/** A canary by hand on ECS, its images and its load balancer, whose new generation dies when it has all the traffic. */
async function story(seed: number) {
  const clock = new ManualClock(0);
  const random = seededRandom(seed);
  const events: unknown[] = [];
  const note = (kind: string, what: object): void => {
    events.push({ at: clock.now(), kind, ...what });
  };
  const hexadecimal = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  const blobs = await BlobStore.create(await mkdtemp(join(tmpdir(), 'replay-test-')));
  const emit = (event: object): void => note('event', event);
  const registry = new Registry({ clock, blobs, emit });
  registry.createRepository('web', { imageTagMutability: 'MUTABLE' });
  const behaviourOf = () => ({ ...wellBehaved, pullMs: 3_000 });
  const tasks = new ModelledTasks({ clock, behaviourOf });
  const balancer = new ModelledBalancer({ clock, random, targets: tasks });
  const elb = new ElasticLoadBalancing({
    clock,
    random,
    metrics: { record: (observation) => note('metric', observation) },
    dataPlane: ({ onCounts }) => balancer.reportTo(onCounts),
    onFailure: (failure) => {
      throw failure;
    },
  });
  let addresses = 0;
  const ecs = new Ecs({
    clock,
    random,
    uuid: () => [8, 4, 4, 4, 12].map(hexadecimal).join('-'),
    emit,
    targets: elb,
    images: new ModelledImages({ clock, registry, behaviourOf }),
    tasks,
    network: {
      address: () => {
        addresses += 1;
        const privateIp = `10.0.0.${addresses}`;
        return {
          eniId: `eni-${addresses}`,
          privateIp,
          mac: '0a:00:00:00:00:01',
          availabilityZone: 'us-east-1a',
        };
      },
    },
  });

  const { LoadBalancers } = elb.operations.CreateLoadBalancer({ Name: 'web', Subnets: ['a', 'b'] });
  const { Listeners } = await elb.operations.CreateListener({
    LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
  });
  const listenerArn = Listeners?.[0]?.ListenerArn ?? '';
  const [blue = '', green = ''] = ['blue', 'green'].map(
    (Name) =>
      elb.operations.CreateTargetGroup({
        Name,
        Protocol: 'HTTP',
        Port: 8080,
        VpcId: 'vpc-1',
        TargetType: 'ip',
        HealthCheckIntervalSeconds: 10,
      }).TargetGroups?.[0]?.TargetGroupArn ?? '',
  );
  const weights = (one: number, other: number) => [
    {
      Type: 'forward' as const,
      ForwardConfig: {
        TargetGroups: [
          { TargetGroupArn: blue, Weight: one },
          { TargetGroupArn: green, Weight: other },
        ],
      },
    },
  ];
  const { Rules } = await elb.operations.CreateRule({
    ListenerArn: listenerArn,
    Priority: 10,
    Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
    Actions: weights(100, 0),
  });
  const shift = (one: number, other: number) =>
    elb.operations.ModifyRule({ RuleArn: Rules?.[0]?.RuleArn, Actions: weights(one, other) });
  ecs.operations.CreateCluster({ clusterName: 'demo' });
  const launch = (tag: string, targetGroupArn: string): string => {
    const digest = pushModelledImage(registry, { repository: 'web', tag, content: tag });
    const container = {
      name: 'app',
      image: `registry/web@${digest}`,
      portMappings: [{ containerPort: 8080 }],
    };
    ecs.operations.RegisterTaskDefinition(
      {
        family: `web-${tag}`,
        requiresCompatibilities: ['FARGATE'],
        networkMode: 'awsvpc',
        cpu: '256',
        memory: '512',
        executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
        containerDefinitions: [container],
      },
      call,
    );
    ecs.operations.CreateService(
      {
        cluster: 'demo',
        serviceName: `web-${tag}`,
        taskDefinition: `web-${tag}`,
        desiredCount: 2,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-a'], securityGroups: ['sg-1'] } },
        loadBalancers: [{ targetGroupArn, containerName: 'app', containerPort: 8080 }],
      },
      call,
    );
    return digest;
  };
  const healthy = () => [blue, green].map((arn) => balancer.healthy().get(arn) ?? 0);
  const applied = () => [blue, green].map((arn) => balancer.applied('web').get(arn));

  const seen: Record<string, unknown> = {};
  launch('v1', blue);
  await clock.advance(120_000);
  balancer.carry({ name: 'web', listenerArn, perSecond: 50 });
  const dying = launch('v2', green);
  await clock.advance(120_000);
  seen['launched'] = { healthy: healthy(), applied: applied() };
  await shift(90, 10);
  seen['written'] = applied();
  await clock.advance(60_000);
  seen['canary'] = applied();
  await shift(0, 100);
  await clock.advance(60_000);
  seen['shifted'] = { applied: applied(), lost: balancer.lost() };
  const diedAt = clock.now();
  tasks.becomeUnhealthy(({ image }) => image.digest === dying);
  await clock.advance(20_000);
  seen['dead'] = { healthy: healthy() };
  await shift(100, 0);
  await clock.advance(40_000);
  const restored = balancer.spans().findLast(({ lost }) => lost > 0)?.to ?? 0;
  seen['restored'] = { healthy: healthy(), applied: applied(), lost: balancer.lost() };
  const [elapsed, lost] = [restored - diedAt, balancer.lost()];
  await clock.advance(60_000);
  ecs.close();
  await elb.close();
  await tasks.close();
  await blobs.close();
  events.push(...balancer.spans());
  return { seen, elapsed, lost, events: events.map((event) => JSON.stringify(event)).join('\n') };
}

test('a generation that dies with all the traffic loses requests until the way back is applied', async () => {
  const { seen, elapsed, lost } = await story(1);
  expect(seen).toEqual({
    launched: { healthy: [2, 2], applied: [1, 0] },
    written: [1, 0],
    canary: [0.9, 0.1],
    shifted: { applied: [0, 1], lost: 0 },
    dead: { healthy: [2, 0] },
    restored: { healthy: [2, 0], applied: [1, 0], lost },
  });
  // 20 s until the way back was written and 1 to 10 until it was applied.
  expect(elapsed).toBeGreaterThanOrEqual(21_000);
  expect(elapsed).toBeLessThanOrEqual(30_000);
  expect(lost).toBeCloseTo((elapsed / 1000) * 50, 6);
});

test('the same seed tells the same story byte for byte, another seed another', async () => {
  const [first, again, other] = [await story(7), await story(7), await story(8)];
  expect(first.events.length).toBeGreaterThan(10_000);
  expect(again.events).toBe(first.events);
  expect(other.events).not.toBe(first.events);
});
