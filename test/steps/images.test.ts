/** What the registry decides in the steps of a deployment, and what its failures come to. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CutoverError, ErrorName } from '../../functions/core/errors.ts';
import { isSpoken } from '../../functions/core/messages/chapter.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { launch } from '../../functions/steps/launch.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { planRollback, planRollbackInput } from '../../functions/steps/plan-rollback.ts';
import {
  ecrEvent,
  execution,
  generationOf,
  green,
  imageOf,
  liveItem,
  pushOf,
  replacedItem,
  settingsOf,
  start,
  web,
  weightsOf,
} from '../core/examples.ts';
import { type Call, World } from './world.ts';

let world: World;
let calls: Call[];
beforeEach(() => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  calls = [];
  world.onCall = (call, when) => void (when === 'before' && calls.push(call));
});

const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;
const asked = () => calls.filter((call) => call.startsWith('images'));
const plan = (number = 2) =>
  planDeployment(
    {
      service: web,
      event: ecrEvent(pushOf(number)),
      execution: { arn: execution(`event-${number}`), redrives: 0 },
    },
    world.ports,
  );

describe('a push', () => {
  it('asks the registry once for its record and once for its platform, and is remembered with what it said', async () => {
    expect(await plan()).toMatchObject({ admission: 'admitted' });
    expect(asked()).toEqual(['images.platforms', 'images.find']);
    expect(world.item.seen).toMatchObject([{ tag: 'v2', digest: imageOf(2).digest, pushedAt: pushOf(2).at }]);
  });

  it('of an artifact comes to nothing, and is remembered', async () => {
    world.registry = [imageOf(2, { artifactType: 'application/vnd.cncf.helm.config.v1+json' })];
    expect(await plan()).toMatchObject({ admission: 'nothing' });
    expect(world.item.seen).toHaveLength(1);
  });

  it('that the registry does not show goes on: it fails at launch if it is gone', async () => {
    world.registry = [];
    expect(await plan()).toMatchObject({ admission: 'admitted' });
  });

  it('waits when the registry does not answer', async () => {
    world.fail('images.find');
    await expect(plan()).rejects.toThrow(named('Cutover.AwsUnavailable'));
    expect(world.item).toMatchObject({ pending: { tag: 'v2' }, seen: [] });
  });

  it.each<[string, (to: World) => unknown]>([
    ['the registry refuses to say', (to) => to.fail('images.find', 'before', 'Cutover.AwsRefused')],
    ['the rule is not ours', (to) => to.fail('traffic.weights', 'before', 'Cutover.RuleNotOurs')],
    ['an alarm is red', (to) => (to.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '' }])],
    ['the weights are foreign', (to) => (to.rule = weightsOf({ red: 100 }))],
  ])(
    'that is rejected because %s is remembered, so that the sweep does not try it again',
    async (_, given) => {
      given(world);
      expect(await plan()).toMatchObject({ admission: 'rejected' });
      expect(world.item.seen).toMatchObject([{ tag: 'v2' }]);
    },
  );

  it('that the service does not deploy is not remembered', async () => {
    world.settings = settingsOf({ tags: ['release-*'] });
    expect(await plan()).toMatchObject({ admission: 'nothing' });
    expect(world.item.seen).toEqual([]);
  });
});

describe('launch', () => {
  const admittedPlan = async () => world.plan(pushOf(2));

  it('keeps the image of what goes forward', async () => {
    await launch({ plan: await admittedPlan() }, world.ports);
    expect(world.registry.find(({ digest }) => digest === imageOf(2).digest)?.tags).toEqual([
      'v2',
      'retain-web-g0002',
    ]);
    expect(world.item.deployment?.imageNotKept).toBeNull();
  });

  it.each<ErrorName>(['Cutover.AwsUnavailable', 'Cutover.AwsRefused'])(
    'goes on when the image cannot be kept (%s), and says so',
    async (name) => {
      const admission = await admittedPlan();
      const before = world.item;
      world.fail('images.tag', 'before', name);
      expect(await launch({ plan: admission }, world.ports)).toEqual({ desired: 4 });
      expect(world.item.deployment).toMatchObject({ phase: 'proving', imageNotKept: 'images.tag failed' });
      const chapter = chaptersOf(before, world.item).find(({ kind }) => kind === 'imageNotKept');
      expect(chapter).toMatchObject({ reason: 'images.tag failed', deployment: 'web-g0002-d2' });
      expect(isSpoken(chapter!)).toBe(true);
    },
  );
});

describe('an order to go back', () => {
  const order = (given: object = {}) =>
    planRollback(
      planRollbackInput.parse({
        service: 'web',
        ...given,
        execution: { arn: execution('rollback'), redrives: 0 },
      }),
      world.ports,
    );
  beforeEach(() => {
    world.item = replacedItem({ retained: [] });
    world.rule = weightsOf({ green: 100 });
    world.live(generationOf(2, green));
    world.time = start + 600_000;
  });

  it('to what is kept warm asks nothing of the registry, which may be down', async () => {
    world.item = replacedItem();
    world.fail('images.existing');
    expect(await order()).toMatchObject({ admission: 'admitted', plan: { kept: true } });
    expect(asked()).toEqual([]);
  });

  it('to what must be launched anew asks once', async () => {
    expect(await order()).toMatchObject({ admission: 'admitted', plan: { kept: false } });
    expect(asked()).toEqual(['images.existing']);
  });

  it('whose image is gone is rejected, and nothing is changed but what was noted of it', async () => {
    world.registry = [imageOf(2)];
    const { intake: _, version: __, ...before } = world.item;
    expect(await order()).toMatchObject({
      admission: 'rejected',
      plan: null,
      reason: expect.stringMatching(/is not in shop\/web any more\. One can go back to: none$/) as string,
    });
    expect(world.item).toMatchObject({ ...before, intake: { admission: 'rejected' } });
    expect(world.trace.filter((each) => !each.startsWith('ledger'))).toEqual([]);
  });

  it('is tried again while the registry does not answer', async () => {
    world.fail('images.existing');
    await expect(order()).rejects.toThrow(named('Cutover.AwsUnavailable'));
    expect(world.item.owner).toBeNull();
    expect(await order()).toMatchObject({ admission: 'admitted' });
  });
});
