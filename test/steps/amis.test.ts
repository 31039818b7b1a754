/** A service whose generations are AMIs, through the steps: its AMIs and their events are the embedded EC2's, asked by the real client. */
import { CreateTagsCommand, DeregisterImageCommand, RegisterImageCommand } from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ec2Images } from '../../functions/aws/ec2-images.ts';
import type { Admission } from '../../functions/core/deployment/admission.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { CutoverError, type ErrorName } from '../../functions/core/errors.ts';
import { eventOf } from '../../functions/core/images/push.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { type Digest, digest } from '../../functions/core/names.ts';
import { lookAfterImages } from '../../functions/steps/look-after-images.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { planRollback, planRollbackInput } from '../../functions/steps/plan-rollback.ts';
import { retire } from '../../functions/steps/retire.ts';
import { execution, settingsOf, start, web } from '../core/examples.ts';
import { compute } from '../ec2/world.ts';
import { deploy } from './machine.ts';
import { World } from './world.ts';

const minute = 60_000;
const hour = 3_600_000;
const amis = { repository: 'ami:self', repositoryUri: 'ami:self', tags: ['web-*'] };

let world: World;
let aws: ReturnType<typeof compute>;
let images: Ec2Images;
let executions: number;
beforeEach(async () => {
  executions = 0;
  world = new World();
  world.settings = settingsOf(amis);
  aws = compute();
  images = new Ec2Images(aws.client);
  Object.assign(world.ports, { images, imagePlatforms: images });
  await aws.clock.advance(start - aws.clock.now());
});

const unanswered = () => new CutoverError('Cutover.AwsUnavailable', 'EC2 did not answer');
const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;

/** Built now: available a minute later, which EC2 tells. */
async function built(Name: string, tags: Readonly<Record<string, string>> = {}): Promise<Digest> {
  await aws.clock.advance(world.time - aws.clock.now());
  const { ImageId } = await aws.client.send(
    new RegisterImageCommand({
      Name,
      Architecture: 'x86_64',
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-0123456789abcdef0' } }],
      TagSpecifications: [
        { ResourceType: 'image', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
      ],
    }),
  );
  await aws.clock.advance(minute);
  world.time = aws.clock.now();
  return digest.parse(ImageId);
}

/** EC2's last event, as the bus hands it on. */
function announced(): Record<string, unknown> {
  const { source, detailType, resources, detail } = aws.events.at(-1)!;
  const time = new Date(aws.clock.now()).toISOString().replace(/\.\d+/, '');
  return {
    version: '0',
    id: `event-${aws.events.length}`,
    source,
    'detail-type': detailType,
    time,
    resources,
    detail,
  };
}

const run = () => ({ arn: execution(`run-${++executions}`), redrives: 0 });
const pushed = (event: object): Promise<Admission> =>
  planDeployment({ service: web, event, execution: run() }, world.ports);
const order = (given: object = {}): Promise<Admission> =>
  planRollback(
    planRollbackInput.parse({ service: 'web', by: 'ann', ...given, execution: run() }),
    world.ports,
  );

/** To its end, as the machine takes it. */
async function through(admission: Admission): Promise<Plan> {
  if (admission.plan === null) throw new Error(admission.reason);
  const plan = JSON.parse(JSON.stringify(admission.plan)) as Plan;
  await deploy(world, plan, 0);
  return plan;
}

/** Built, announced, deployed. */
async function live(name: string): Promise<Digest> {
  const id = await built(name);
  await through(await pushed(announced()));
  return id;
}

const visit = () => retire({ service: web, execution: execution('retire') }, world.ports);
const tagsOf = async (of: Digest) => (await images.find('ami:self', { digest: of }))?.tags;
const lookAfter = () => lookAfterImages(world.item, settingsOf(amis), world.ports);

describe('an AMI that becomes available', () => {
  it('is deployed, and goes live as a generation of its id', async () => {
    const id = await live('web-1');
    expect(world.item).toMatchObject({
      owner: null,
      live: { name: 'web-g0001', repository: 'ami:self', tag: 'web-1', digest: id },
      deployment: { outcome: 'live', imageNotKept: null },
    });
    expect(await tagsOf(id)).toEqual(['web-1', 'retain-web-g0001']);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'of another service',
      () => built('base-1'),
      "is called base-1, which matches none of this service's patterns (web-*)",
    ],
    [
      'that is gone by now',
      async () => {
        const ImageId = await built('web-2');
        const event = announced();
        await aws.client.send(new DeregisterImageCommand({ ImageId }));
        aws.events.push({ ...aws.events.at(-1)!, detail: event['detail'] as object });
      },
      "is none of ami:self: it is another account's, not available (yet), or gone",
    ],
  ])('%s comes to nothing, and nobody is told', async (_, given, reason) => {
    await live('web-1');
    const before = world.item;
    await given();
    expect(await pushed(announced())).toMatchObject({
      admission: 'nothing',
      reason: expect.stringContaining(reason) as unknown,
    });
    expect(world.item).toBe(before);
    expect(chaptersOf(before, world.item)).toEqual([]);
  });

  it('without a tag that is asked for comes to nothing, is told, and is found when it bears the tag', async () => {
    world.settings = settingsOf({ ...amis, labels: { Release: 'true' } });
    const id = await built('web-1', { Release: 'soon' });
    const before = world.item;
    expect(await pushed(announced())).toMatchObject({
      admission: 'nothing',
      reason:
        'ami:self:web-1 is not deployed: its tag Release is soon, and this service deploys what has Release=true',
    });
    expect(chaptersOf(before, world.item).map(({ kind }) => kind)).toEqual(['refused']);
    await aws.client.send(
      new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'Release', Value: 'true' }] }),
    );
    world.time += 5 * minute;
    const found = await lookAfterImages(
      world.item,
      settingsOf({ ...amis, labels: { Release: 'true' } }),
      world.ports,
    );
    expect(await pushed(eventOf(found!))).toMatchObject({ admission: 'admitted' });
  });

  it('for another CPU is refused before anything is launched', async () => {
    world.fleetSurvey = { task: { platform: { os: 'linux', architecture: 'arm64' }, size: 2 } };
    await built('web-1');
    expect(await pushed(announced())).toMatchObject({
      admission: 'rejected',
      reason: expect.stringContaining('is for amd64, but the service') as unknown,
    });
  });

  it('while a deployment runs waits, and is offered again as what it was', async () => {
    world.settings = settingsOf({ ...amis, whenBusy: 'queueLatest' });
    await live('web-1');
    await built('web-2');
    const running = await pushed(announced());
    const third = await built('web-3');
    expect(await pushed(announced())).toMatchObject({ admission: 'queued' });
    await through(running);
    const { pending } = world.item;
    expect(pending).toMatchObject({ repository: 'ami:self', tag: 'web-3', digest: third });
    await through(await pushed(eventOf(pending!)));
    expect(world.item).toMatchObject({
      pending: null,
      live: { name: 'web-g0003', tag: 'web-3', digest: third },
    });
  });

  it('that waited and is gone waits no more, and that is told', async () => {
    world.settings = settingsOf({ ...amis, whenBusy: 'queueLatest' });
    await live('web-1');
    await built('web-2');
    const running = await pushed(announced());
    const ImageId = await built('web-3');
    await pushed(announced());
    await through(running);
    await aws.client.send(new DeregisterImageCommand({ ImageId }));
    const before = world.item;
    expect(await pushed(eventOf(before.pending!))).toMatchObject({ admission: 'nothing' });
    expect(world.item.pending).toBeNull();
    expect(chaptersOf(before, world.item).map(({ kind }) => kind)).toEqual(['refused']);
  });

  it('is tried again while EC2 does not answer, and has changed nothing', async () => {
    await live('web-1');
    await built('web-2');
    const before = world.item;
    Object.assign(world.ports, { images: { find: () => Promise.reject(unanswered()) } });
    await expect(pushed(announced())).rejects.toThrow(named('Cutover.AwsUnavailable'));
    expect(world.item).toBe(before);
  });

  it('that no event announced is found by the sweep, once', async () => {
    await live('web-1');
    const second = await built('web-2');
    await built('base-7');
    world.time += 5 * minute;
    const found = await lookAfter();
    expect(found).toMatchObject({ repository: 'ami:self', tag: 'web-2', digest: second });
    await through(await pushed(eventOf(found!)));
    expect(world.item.live).toMatchObject({ tag: 'web-2', digest: second });
    expect(await lookAfter()).toBeUndefined();
  });
});

describe('a rollback of an AMI', () => {
  it('that is warm launches nothing, asks nobody for it, and is live at once', async () => {
    const [first, second] = [await live('web-1'), await live('web-2')];
    world.written();
    Object.assign(world.ports, { images: {} });
    const plan = await through(await order());
    expect(plan).toMatchObject({ direction: 'back', kept: true, to: { name: 'web-g0001' } });
    expect(world.written().filter((write) => write.startsWith('fleet'))).toEqual([]);
    expect(world.item).toMatchObject({
      live: { name: 'web-g0001', digest: first },
      retained: [{ generation: { name: 'web-g0002' } }],
      held: [{ digest: second }],
    });
  });

  it('that is cold launches the same AMI anew, as the generation before was made', async () => {
    const [first] = [await live('web-1'), await live('web-2')];
    world.time += 2 * hour;
    expect(await visit()).toMatchObject({ retired: ['web-g0001'] });
    world.written();
    const plan = await through(await order());
    expect(plan).toMatchObject({
      kept: false,
      to: { name: 'web-g0003', tag: 'web-1', digest: first },
      copyOf: { name: 'web-g0001' },
    });
    expect(world.written()).toContain('fleet: web-g0003 launched with 2 like web-g0001');
    expect(world.item).toMatchObject({ owner: null, live: { name: 'web-g0003', digest: first } });
  });

  it('whose AMI is gone is refused in words, and changes nothing', async () => {
    const [ImageId] = [await live('web-1'), await live('web-2')];
    world.time += 2 * hour;
    await visit();
    await aws.client.send(new DeregisterImageCommand({ ImageId }));
    expect(await order()).toMatchObject({
      admission: 'rejected',
      reason: `web-g0001 (ami:self:web-1) must be launched anew, but its image ${ImageId} is not in ami:self any more. One can go back to: none`,
    });
    expect(world.item.live).toMatchObject({ name: 'web-g0002' });
  });
});

describe('the sweep', () => {
  it('takes off the tags that keep AMIs that nobody needs, and no other', async () => {
    const [first, second] = [await live('web-1'), await live('web-2')];
    await lookAfter();
    expect(await tagsOf(first)).toEqual(['web-1', 'retain-web-g0001']);
    world.time += 2 * hour;
    await visit();
    // As twenty generations later.
    world.item = { ...world.item, proven: world.item.proven.slice(-1) };
    await lookAfter();
    expect(await tagsOf(first)).toEqual(['web-1']);
    expect(await tagsOf(second)).toEqual(['web-2', 'retain-web-g0002']);
  });

  it('tells of an AMI that is gone though a generation runs it', async () => {
    const ImageId = await live('web-1');
    await aws.client.send(new DeregisterImageCommand({ ImageId }));
    await lookAfter();
    expect(world.item.imagesMissing).toMatchObject([{ generation: { name: 'web-g0001', digest: ImageId } }]);
  });
});
