/** What the registry's side can do to a service: events that are lost or late, and images that are gone. */
import { BatchDeleteImageCommand, DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Delivery } from '../../local/services/events/delivery.ts';
import { eventIn, type Said, until, World } from './world.ts';

let world: World;
let ecr: ECRClient;
let heard: () => Promise<readonly Said[]>;
/** Events that EventBridge never delivers. */
let isLost: (delivery: Delivery) => boolean = () => false;

beforeAll(async () => {
  world = await World.create({ deliveries: (delivery) => (isLost(delivery) ? 'drop' : 'deliver') });
  ecr = world.closeLater(new ECRClient(world.client));
  heard = await world.subscribe('heard');
  await world.changeSettings({ strategy: { kind: 'allAtOnce', bakeSeconds: 10 }, retentionSeconds: 0 });
  await world.goLive('v1');
});

afterAll(() => world?.close());

async function tags(): Promise<readonly string[]> {
  const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: 'web' }));
  return imageDetails.flatMap(({ imageTags }) => imageTags ?? []).toSorted();
}

it('a push whose event is lost is deployed by the sweep, a minute after it was due by its period at the latest', async () => {
  isLost = ({ event }) => event.source === 'aws.ecr';
  const pushed = world.clock.now();
  expect(await world.deploy('v2')).toMatchObject({ outcome: 'live' });
  isLost = () => false;
  const found = await world.executionOf('v2');
  expect(found.name).toMatch(/^web-\d+-sweep-v2-[0-9a-f]{12}$/);
  const seconds = Math.round(((found.startDate?.getTime() ?? Infinity) - pushed) / 1_000);
  console.log(`from the push to the start of its deployment by the sweep: ${seconds} s of the clock`);
  expect(seconds).toBeLessThanOrEqual(365);
});

it('and comes to nothing when it arrives late after all', async () => {
  const { live } = await world.item();
  const event = eventIn(await world.executionOf('v2'));
  const late = await world.startDeployment({ ...event, id: 'late' });
  expect(JSON.parse(late.output ?? '')).toEqual({
    outcome: 'nothing',
    reason: 'the sweep found the push of v2 before its event came',
  });
  expect((await world.item()).live).toEqual(live);
});

it('the images of what is live, and of what may be gone back to, bear a tag that keeps them', async () => {
  expect(await tags()).toEqual(['retain-web-g0001', 'retain-web-g0002', 'v1', 'v2']);
  expect((await world.item()).deployment?.imageNotKept).toBeNull();
  const started = await Promise.all((await world.executions()).map((arn) => world.ended(arn)));
  // Those tags are pushes too, and start nothing.
  expect(started.map((each) => eventIn(each).detail['image-tag'])).not.toContain('retain-web-g0002');
});

it('an order to go back to a generation whose image is gone is refused before anything is changed', async () => {
  await world.itemWhere('the retirement of v1', ({ retained }) => retained.length === 0);
  const imageDigest = (await world.item()).proven[0]?.digest;
  await ecr.send(new BatchDeleteImageCommand({ repositoryName: 'web', imageIds: [{ imageDigest }] }));
  const since = world.clock.now();
  const { executionArn } = await world.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: world.output('RollbackMachineArn'),
      input: JSON.stringify({ service: 'web', by: 'ann' }),
    }),
  );
  const { status, error, cause } = await world.ended(executionArn ?? '');
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'Cutover.Rejected' });
  expect(cause).toMatch(
    /^web-g0001 \(web:v1\) must be launched anew, but its image [0-9a-f]{12} is not in web any more\. One can go back to: none$/,
  );
  expect(world.mutationsSince(since)).toEqual([]);
  expect(await world.item()).toMatchObject({ owner: null, live: { tag: 'v2' } });
});

it('and people are told that it is gone, before anybody needs it', async () => {
  const said = await until('the message', async () =>
    (await heard()).find(({ Message }) => Message.kind === 'imageMissing'),
  );
  expect(said.Subject).toBe('web: the image web:v1 of web-g0001 is gone');
  expect(said.Message.reason).toBe(
    'web-g0001 may be gone back to, but its image is not in web any more: push the image again',
  );
});
