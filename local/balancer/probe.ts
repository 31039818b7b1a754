/** One health check: a request on a connection of its own, as the load balancer's health checker makes it. */
import { request } from 'node:http';
import type { ProbeRequest, ProbeResult } from './protocol.ts';

/** Resolves with the answer's status as soon as its headers are there; the body is read and thrown away. */
export function probe(asked: ProbeRequest): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const sent = request({
      ...('socketPath' in asked.address
        ? { socketPath: asked.address.socketPath }
        : { host: asked.address.host, port: asked.address.port }),
      path: asked.path,
      agent: false,
      headers: { Host: asked.host, 'User-Agent': 'ELB-HealthChecker/2.0', Connection: 'close' },
    });
    const deadline = setTimeout(() => {
      resolve({ kind: 'timedOut' });
      sent.destroy();
    }, asked.timeoutMs);
    sent.on('response', (response) => {
      resolve({ kind: 'answered', status: response.statusCode ?? 0 });
      response.resume();
    });
    // After an answer or a deadline this changes nothing: the promise is settled.
    sent.on('error', () => resolve({ kind: 'failed' }));
    sent.on('close', () => clearTimeout(deadline));
    sent.end();
  });
}
