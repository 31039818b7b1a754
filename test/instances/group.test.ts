/** A group of instances behind the real load balancer, from a pushed image. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../end-to-end/world.ts';
import { noNetworkNamespaces } from '../tasks/own-network.ts';
import { processesWith } from '../tasks/tasks.ts';
import { GroupWorld } from './world.ts';

const missing = noNetworkNamespaces();

describe.skipIf(missing !== undefined)(
  `a group of real instances${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let world: GroupWorld;
    beforeEach(async () => {
      world = await GroupWorld.create();
    });
    afterEach(() => world.close());

    const answer = async (path = '/') => {
      const response = await fetch(`${world.site}${path}`);
      return { status: response.status, body: await response.text() };
    };
    const serving = async (count: number) => {
      const seen = new Set<string>();
      for (let request = 0; request < 10 * count; request += 1) seen.add((await answer()).body);
      return [...seen].toSorted();
    };

    it('serves from each of its instances, and ends them with the embedded AWS', async () => {
      await world.group(2);
      const ids = await world.healthy(2);
      expect(await serving(2)).toEqual(ids);
      expect(await processesWith(`serves as ${ids[0]}`)).toHaveLength(1);
      await world.close();
      for (const id of ids) expect(await processesWith(`serves as ${id}`)).toEqual([]);
    });

    it('replaces an instance whose container died for good, and no other', async () => {
      await world.group(2);
      const before = await world.healthy(2);
      expect((await answer('/die')).status).toBe(502);
      const after = await until('the replacement', async () => {
        const ids = await world.healthy(2);
        return ids.join() === before.join() ? undefined : ids;
      });
      expect(after.filter((id) => before.includes(id))).toHaveLength(1);
      expect(await serving(2)).toEqual(after);
      expect(await world.causes()).toContainEqual(
        expect.stringContaining('in response to an ELB system health check failure'),
      );
    });

    it('keeps an instance whose container Docker starts again', async () => {
      await world.group(1, { options: '--restart always' });
      const ids = await world.healthy(1);
      expect((await answer('/die')).status).toBe(502);
      await until('an answer', async () => ((await answer()).status === 200 ? true : undefined));
      expect(await world.healthy(1)).toEqual(ids);
      expect(await world.instances()).toEqual([`${ids[0]} InService`]);
    });

    it('answers the request under way of an instance that it terminates: it drains, then it is asked to stop', async () => {
      await world.group(1);
      const [id = ''] = await world.healthy(1);
      let isAnswered = false;
      const slow = answer('/slow').finally(() => {
        isAnswered = true;
      });
      await until('the request', async () =>
        (await world.logged()).includes(`${id} slow began`) ? true : undefined,
      );
      await world.scale(0);
      await until('draining', async () => ((await world.health())[id] === 'draining' ? true : undefined));
      expect(isAnswered).toBe(false);
      expect(await slow).toEqual({ status: 200, body: id });
      await until('its end', async () => ((await world.instances()).length === 0 ? true : undefined));
      expect(await world.logged()).toEqual([
        `${id} slow began`,
        `${id} slow answered`,
        `${id} asked to stop`,
      ]);
      expect((await answer()).status).toBe(503);
    });

    it('whose script fails has instances in service that answer nothing', async () => {
      await world.group(1, { before: 'false' });
      const first = await until('an unhealthy target', async () =>
        Object.entries(await world.health()).find(([, state]) => state === 'unhealthy'),
      );
      expect((await answer()).status).toBe(502);
      expect(await world.instances()).toContainEqual(`${first[0]} InService`);
    });
  },
);
