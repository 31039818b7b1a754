/** Pushes that must start nothing, and what people do in the middle of a deployment. */
import { BatchDeleteImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { GetExecutionHistoryCommand, ListStateMachinesCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inWords } from '../../functions/core/traffic/weights.ts';
import { eventIn, type Said, until, World } from './world.ts';

let world: World;
let heard: () => Promise<readonly Said[]>;
/** The event that put v1 live. */
let first: ReturnType<typeof eventIn>;

beforeAll(async () => {
  world = await World.create();
  heard = await world.subscribe('heard');
  await world.changeSettings({
    strategy: {
      kind: 'custom',
      steps: [
        { weightPercent: 10, bakeSeconds: 60 },
        { weightPercent: 100, bakeSeconds: 10 },
      ],
    },
    retentionSeconds: 400,
  });
  await world.goLive('v1');
  first = eventIn(await world.executionOf('v1'));
});

afterAll(() => world?.close());

const otherDigest = `sha256:${'0'.repeat(64)}`;

/** An event as ECR would send it now, of an image that nobody deployed yet. */
function ecrEvent(change: {
  readonly id: string;
  readonly time?: string;
  readonly detail?: object;
}): typeof first {
  const { detail, ...rest } = change;
  const time = new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    ...first,
    time,
    ...rest,
    detail: { ...first.detail, 'image-digest': otherDigest, 'image-tag': 'v9', ...detail },
  };
}

/** The reason in the ledger's history, and in the message to people, of a push that became no deployment. */
async function told(
  id: string,
): Promise<{ readonly ledger: string | null; readonly message: string | null }> {
  const item = await until(`the history item of ${id}`, async () =>
    (await world.history('push#')).find(({ item }) => item.endsWith(id)),
  );
  const said = await until(`the message of ${id}`, async () =>
    (await heard()).find(({ Message }) => Message.id.endsWith(id)),
  );
  expect(said.Subject).toMatch(/^web: (?:web:\S+|an event) starts no deployment$/);
  expect(said.Message.text).toContain(said.Message.reason);
  return { ledger: item.reason, message: said.Message.reason };
}

describe('an event that asks for nothing starts no deployment, changes nothing, and leaves a reason', () => {
  let before: { readonly at: number; readonly generation: number };
  beforeEach(async () => {
    before = { at: world.clock.now(), generation: (await world.item()).lastGeneration };
  });

  it.each([
    {
      what: 'the event of a deployment, delivered again',
      event: () => first,
      reason: () => `event ${first.id} started a deployment before; EventBridge delivered it again`,
    },
    {
      what: 'a push that failed in ECR',
      event: () => ecrEvent({ id: 'failure', detail: { result: 'FAILURE' } }),
      reason: () => 'the push failed in ECR (result FAILURE); push again',
    },
    {
      what: 'a child manifest of an index',
      event: () => ecrEvent({ id: 'child', detail: { 'image-tag': undefined } }),
      reason: () =>
        'it has no tag: a child manifest of an index, or a push by digest; the tagged push is what deploys',
    },
    {
      what: 'a deletion',
      event: () => ecrEvent({ id: 'deletion', detail: { 'action-type': 'DELETE' } }),
      reason: () => 'the action is DELETE, not PUSH',
    },
    {
      what: 'a push that is older than the last one',
      event: () => ecrEvent({ id: 'older', time: '2020-01-01T00:00:00Z' }),
      reason: () =>
        `a newer push (${new Date(first.time).toISOString()}) was taken before this one (2020-01-01T00:00:00.000Z)`,
    },
  ])('$what', async ({ event, reason }) => {
    const offered = event();
    const { status, output } = await world.startDeployment(offered);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '')).toEqual({
      outcome: expect.stringMatching(/^(?:nothing|superseded)$/),
      reason: reason(),
    });
    expect(await told(offered.id)).toEqual({ ledger: reason(), message: reason() });
    expect(world.mutationsSince(before.at)).toEqual([]);
    expect(await world.item()).toMatchObject({ lastGeneration: before.generation, owner: null });
  });

  it('an event that ECR does not send: rejected, with what is wrong in it', async () => {
    const { status, error, cause } = await world.startDeployment(
      ecrEvent({ id: 'malformed', detail: { 'image-digest': 'sha256:12', result: 'MAYBE' } }),
    );
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Cutover.Rejected' });
    expect(cause).toMatch(
      /^this is not an ECR image event: .*detail\/result: .*detail\/image-digest: must be sha256/,
    );
    expect(await told('malformed')).toEqual({ ledger: cause, message: cause });
    expect(world.mutationsSince(before.at)).toEqual([]);
    expect(await world.item()).toMatchObject({ lastGeneration: before.generation, owner: null });
  });

  it('a pushed tag that the service does not deploy, and one more tag for what is live', async () => {
    await world.push('nightly');
    await world.push('v1-again', 'good', 'v1');
    const [nightly, again] = await Promise.all([world.executionOf('nightly'), world.executionOf('v1-again')]);
    const unmatched = "the tag nightly matches none of this service's patterns (v*)";
    expect(JSON.parse((await world.ended(nightly.executionArn ?? '')).output ?? '')).toEqual({
      outcome: 'nothing',
      reason: unmatched,
    });
    expect(await told(eventIn(nightly).id)).toEqual({ ledger: unmatched, message: unmatched });
    const live = expect.stringMatching(/^web-g0001 is already live with [0-9a-f]{12}$/);
    expect(JSON.parse((await world.ended(again.executionArn ?? '')).output ?? '')).toEqual({
      outcome: 'nothing',
      reason: live,
    });
    expect(await told(eventIn(again).id)).toEqual({ ledger: live, message: live });
    expect(world.mutationsSince(before.at)).toEqual([]);
    expect(await world.item()).toMatchObject({ lastGeneration: before.generation, owner: null });
  });

  it('a deletion in the registry starts no execution at all', async () => {
    const known = await world.executions();
    const ecr = world.closeLater(new ECRClient(world.client));
    await world.push('gone');
    const pushed = await world.executionOf('gone');
    await world.ended(pushed.executionArn ?? '');
    await ecr.send(new BatchDeleteImageCommand({ repositoryName: 'web', imageIds: [{ imageTag: 'gone' }] }));
    // An event that comes after the deletion's: once it has arrived, that one would have, too.
    await world.push('gone-later');
    await world.executionOf('gone-later');
    expect((await world.executions()).length).toBe(known.length + 2);
  });
});

describe('in the middle of a canary', () => {
  it('another push is rejected with words where that is the policy, and the running deployment goes live', async () => {
    await world.changeSettings({ whenBusy: 'reject' });
    const running = world.deploy('v2');
    await world.baking('v2');
    expect(await world.deploy('v3')).toMatchObject({
      outcome: 'rejected',
      reason: expect.stringMatching(
        /^web-g\d+-d\d+ \(web:v2\) holds the service; push it under another tag when it has ended, or stop it with the signal function/,
      ),
    });
    const { executionArn = '' } = await world.executionOf('v3');
    expect(await world.ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'Cutover.Rejected' });
    expect(await running).toMatchObject({ outcome: 'live' });
  });

  it('an abort puts the weights back and says who wanted it and why', async () => {
    const before = await world.weights();
    const outcome = world.deploy('v4');
    const { deployment } = await world.baking('v4');
    expect(await world.weights()).not.toEqual(before);
    const [remark] = await world.signal({
      service: 'web',
      signal: 'abort',
      by: 'ann',
      reason: 'prices are wrong',
    });
    const reason = 'ann ended the deployment: prices are wrong';
    expect(remark).toContain(`latched, its wait ends now: ${reason}`);
    expect(await outcome).toMatchObject({ outcome: 'restored', reason });
    expect(await world.weights()).toEqual(before);
    const { executionArn = '' } = await world.executionOf('v4');
    expect(await world.ended(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'Cutover.Restored',
      cause: reason,
    });
    const chapters = await until('the last history item', async () => {
      const items = await world.history(`deployment#${deployment?.plan.deployment}#`);
      return items.some(({ kind }) => kind === 'restored') ? items : undefined;
    });
    expect(chapters.find(({ kind }) => kind === 'goingBack')).toMatchObject({ reason });
  });
});

describe('a replaced generation', () => {
  it('is retired when its retention is over, and never while a person gives it weight', async () => {
    const { stateMachines } = await world.sfn.send(new ListStateMachinesCommand({}));
    const machine = stateMachines?.find(({ name }) => name?.includes('Retire'))?.stateMachineArn;
    await world.goLive('v5');
    const { retained } = await world.item();
    const kept = retained.at(-1)?.generation;
    if (kept === undefined) throw new Error('the replaced generation is not kept');
    const weights = await world.weights();
    await world.writeWeights({ ...weights, [kept.slot]: 1 });
    // Each deployment has started one visitor; whichever comes first.
    const refusal = await until('a visit at the end of the retention', async () => {
      for (const executionArn of await world.executions(machine)) {
        const { events } = await world.sfn.send(new GetExecutionHistoryCommand({ executionArn }));
        const failures = events?.flatMap(({ taskFailedEventDetails }) => taskFailedEventDetails ?? []);
        const guarded = failures?.find(({ error }) => error === 'Cutover.Guarded');
        if (guarded !== undefined) return guarded;
      }
      return undefined;
    });
    expect(refusal.cause).toContain(`${kept.name} is not ended: its slot ${kept.slot} has weight 1`);
    expect(world.clock.now()).toBeGreaterThan(retained.at(-1)?.until ?? Number.POSITIVE_INFINITY);
    expect(await world.fleetStatus(kept.name)).toEqual(['ACTIVE']);

    await world.writeWeights(weights);
    await world.itemWhere(
      `${kept.name} to be retired`,
      (item) => !item.retained.some(({ generation }) => generation.name === kept.name),
    );
    expect(await world.fleetStatus(kept.name)).not.toEqual(['ACTIVE']);
  });
});

describe('weights that somebody else writes in the middle of a canary', () => {
  it('are not overwritten, and both generations stay up, until a person says so', async () => {
    const { live } = await world.item();
    await world.push('v7');
    const { deployment } = await world.baking('v7');
    const next = deployment?.plan.to;
    if (live === null || next === undefined) throw new Error('nothing is live');
    const theirs = { ...(await world.weights()), [live.slot]: 70, [next.slot]: 30 };
    await world.writeWeights(theirs);
    const held = await world.itemWhere('the hold', ({ wait }) => wait?.for === 'hand');
    expect(held.deployment?.hold?.why).toContain(
      `the rule has ${inWords(theirs)}. They are left as they are`,
    );
    expect(await world.weights()).toEqual(theirs);
    expect(await world.fleetStatus(live.name, next.name)).toEqual(['ACTIVE', 'ACTIVE']);
    await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'a drill' });
    const { executionArn = '' } = await world.executionOf('v7');
    expect(await world.ended(executionArn)).toMatchObject({ status: 'FAILED', error: 'Cutover.Restored' });
  });
});
