/** Keeps a number of connections busy for a while and counts the answers. A thread of its own, so that it delays nobody. */
import { parentPort } from 'node:worker_threads';
import { Pool } from 'undici';

export interface Order {
  readonly url: string;
  readonly connections: number;
  readonly ms: number;
}

export interface Load {
  readonly answers: number;
  readonly ms: number;
}

parentPort?.on('message', (order: Order) => {
  void load(order).then((counted) => parentPort?.postMessage(counted));
});

async function load({ url, connections, ms }: Order): Promise<Load> {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const began = performance.now();
  let answers = 0;
  const keepAsking = async (): Promise<void> => {
    while (performance.now() - began < ms) {
      const { statusCode, body } = await pool.request({ path: '/', method: 'GET' });
      await body.dump();
      if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`);
      answers += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, keepAsking));
  const took = performance.now() - began;
  await pool.close();
  return { answers, ms: took };
}
