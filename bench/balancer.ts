/** Requests per second through the embedded load balancer, against the application asked directly. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Balancer } from '../local/balancer/balancer.ts';
import type { Load, Order } from './load-worker.ts';
import { against, median, type Report } from './measure.ts';

const connections = 32;
const rounds = 5;
const roundMs = 1_000;
const targetGroupArn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/bench/1';
const loadBalancerArn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/bench/1';

export async function measureBalancer(report: Report): Promise<void> {
  const app = fork(fileURLToPath(new URL('app.mjs', import.meta.url)), { execArgv: [] });
  const worker = new Worker(new URL('load-worker.ts', import.meta.url));
  const balancer = new Balancer({
    onCounts: () => undefined,
    onFailure: (failure) => {
      throw new Error('the balancer failed', { cause: failure });
    },
  });
  try {
    const [port] = (await once(app, 'message')) as [number];
    const direct = `http://127.0.0.1:${port}`;
    const through = await listenBefore(balancer, port);
    const ask = async (url: string): Promise<number> => {
      worker.postMessage({ url, connections, ms: roundMs } satisfies Order);
      const [{ answers, ms }] = (await once(worker, 'message')) as [Load];
      return answers / (ms / 1_000);
    };
    // Alternating, so that a slow moment of the machine meets both; the first round of each only warms up.
    const rates: { readonly direct: number; readonly through: number }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const pair = { direct: await ask(direct), through: await ask(through) };
      if (round > 0) rates.push(pair);
    }
    tell(report, median(rates.map((each) => each.direct)), median(rates.map((each) => each.through)));
  } finally {
    await worker.terminate();
    await balancer.close();
    app.kill();
  }
}

function tell(report: Report, direct: number, through: number): void {
  const section = `Balancer: ${connections} connections, median of ${rounds} rounds`;
  report({ section, name: 'the application itself', value: Math.round(direct), unit: '/s' });
  report({
    section,
    name: 'through the embedded load balancer',
    value: Math.round(through),
    unit: '/s',
    against: against(through, 'the application itself', direct),
  });
}

async function listenBefore(balancer: Balancer, port: number): Promise<string> {
  await balancer.group({
    targetGroupArn,
    targets: [{ key: '10.0.0.1:80', address: { host: '127.0.0.1', port }, state: 'healthy' }],
    leastOutstandingRequests: false,
    minimumHealthy: { count: 1, percentage: 0 },
  });
  const listener = {
    listenerArn: `${loadBalancerArn}/listener`,
    loadBalancerArn,
    port: 80,
    protocol: 'http',
    idleTimeoutMs: 60_000,
    dropInvalidHeaders: false,
  } as const;
  const forward: Action = {
    Type: 'forward',
    ForwardConfig: { TargetGroups: [{ TargetGroupArn: targetGroupArn, Weight: 1 }] },
  };
  const localPort = await balancer.listen(listener, 0, [
    { priority: undefined, conditions: [], actions: [forward] },
  ]);
  return `http://127.0.0.1:${localPort}`;
}
