/** What stands against a launch: each objection in its words, all at once, and none when all is well. */
import { describe, expect, it } from 'vitest';
import { CutoverError } from '../../functions/core/errors.ts';
import type { AlarmState } from '../../functions/core/gates/alarms.ts';
import type { TargetState } from '../../functions/core/gates/health.ts';
import { type Objection, refusalIn, warningsIn } from '../../functions/core/preflight/objection.ts';
import {
  type FleetSurvey,
  objectionsTo,
  type Seen,
  sizeFor,
} from '../../functions/core/preflight/preflight.ts';
import type { Place, Quota } from '../../functions/core/preflight/room.ts';
import type { SlotState, TargetGroupState } from '../../functions/core/preflight/slot-state.ts';
import { reading } from '../../functions/core/reading.ts';
import { amiOf, blue, digestOf, generationOf, green, group, red, weightsOf } from './examples.ts';

const balancer = 'app/main/1';
const settings = {
  minimumCount: 2,
  fleet: { kind: 'ecs' },
  alarmPolicy: { redAtStart: 'refuse', noData: 'pass' },
} as const;
const arm = { os: 'linux', architecture: 'arm64' };
const intel = { os: 'linux', architecture: 'amd64' };
const places: readonly Place[] = [
  { name: 'subnet-a', zone: 'eu-west-1a', free: 10 },
  { name: 'subnet-b', zone: 'eu-west-1b', free: 10 },
];
const quota: Quota = {
  name: 'Fargate On-Demand vCPU resource count (L-3032A538)',
  unit: 'vCPU',
  limit: 16,
  used: [4, 4, 4],
  minutes: 15,
};
const liveName = generationOf(1).name;
const targets = (...states: TargetState['state'][]): readonly TargetState[] =>
  states.map((state, index) => ({ id: `10.0.0.${index}`, state }));
const healthy = (count: number) => targets(...Array.from({ length: count }, () => 'healthy' as const));

const slot = (name: typeof blue, changes: Partial<TargetGroupState> = {}): SlotState => ({
  name,
  targetGroup: group(name),
  group: {
    targetType: 'ip',
    protocol: 'HTTP',
    healthChecked: true,
    balancers: [balancer],
    ...changes,
  },
});

const fleetSeen: FleetSurvey = {
  objections: [],
  task: { platform: arm, size: 1 },
  places: { value: places },
  quota: { value: quota },
};
/** Four tasks are live and healthy, and all is well. */
const well: Seen = {
  image: { name: 'shop/web:v2', digest: digestOf(2), platforms: { value: [arm] } },
  alarms: [{ name: 'web-errors', state: 'OK', reason: '', since: null }],
  live: { value: { name: liveName, wanted: 4, targets: healthy(4) } },
  fleet: fleetSeen,
  traffic: {
    rule: { value: weightsOf({ blue: 100 }) },
    balancer,
    slots: { value: [slot(blue), slot(green), slot(red)] },
    limits: { value: { ofBalancer: 1_000, ofSlot: 1_000 } },
  },
};
const told = (seen: Seen): readonly string[] =>
  objectionsTo(seen, settings).map(({ severity, check, words }) => `${severity} ${check}: ${words}`);
const inFleet = (changes: Partial<FleetSurvey>): Seen => ({ ...well, fleet: { ...fleetSeen, ...changes } });
const inTraffic = (changes: Partial<Seen['traffic']>): Seen => ({
  ...well,
  traffic: { ...well.traffic, ...changes },
});
const withImage = (...platforms: { os: string; architecture: string }[]): Seen => ({
  ...well,
  image: { ...well.image, platforms: { value: platforms } },
});
const withAmi = (...platforms: { os: string; architecture: string }[]): Seen => ({
  ...well,
  image: { name: 'ami:self:web-2', digest: amiOf(2), platforms: { value: platforms } },
});
const withFree = (...free: number[]): Seen =>
  inFleet({ places: { value: places.map((place, at) => ({ ...place, free: free[at] ?? 0 })) } });
const withQuota = (limit: number, ...used: number[]): Seen =>
  inFleet({ quota: { value: { ...quota, limit, used } } });
const withLive = (wanted: number | undefined, live: readonly TargetState[]): Seen => ({
  ...well,
  live: { value: { name: liveName, wanted, targets: live } },
});
const anew = "Deploy the service's stack again, or mend it by hand";

describe('nothing stands against a launch', () => {
  it.each<[string, Seen]>([
    ['when all is well', well],
    ['when nothing is live yet', { ...well, live: { value: null } }],
    ['when one image of an index fits', withImage(intel, arm)],
    ['when an AMI brings another operating system', withAmi({ os: 'windows', architecture: 'arm64' })],
    ['when the addresses are just enough', withFree(2, 2)],
    ['when the quota is just enough', withQuota(8, 4)],
    ['when no use was reported', withQuota(4)],
    [
      'when a target that drains leaves the balancer just enough',
      {
        ...inTraffic({ limits: { value: { ofBalancer: 8, ofSlot: 4 } } }),
        live: { value: { name: liveName, wanted: 4, targets: [...healthy(4), ...targets('draining')] } },
      },
    ],
    ['when a target is draining', withLive(4, [...healthy(4), ...targets('draining')])],
    [
      'when AWS tells no limits',
      inTraffic({ limits: { value: { ofBalancer: undefined, ofSlot: undefined } } }),
    ],
    [
      'when all slots speak HTTPS',
      inTraffic({ slots: { value: [blue, green].map((name) => slot(name, { protocol: 'HTTPS' })) } }),
    ],
  ])('%s', (_, seen) => {
    expect(told(seen)).toEqual([]);
  });
});

describe('it is refused', () => {
  it.each<[string, Seen, string]>([
    [
      'when an alarm does not exist',
      { ...well, alarms: [{ name: 'web-errors', state: 'missing', reason: '', since: null }] },
      "alarms: the alarm web-errors does not exist: create it, or take it out of the service's alarms",
    ],
    [
      'when an alarm is red',
      { ...well, alarms: [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1', since: 1 }] },
      'alarms: the alarm web-errors is red: 5 > 1',
    ],
    [
      'when the image is for another CPU',
      withImage(intel),
      "image: shop/web:v2 is for linux/amd64, but the tasks run on linux/arm64: build it for that (docker build --platform linux/arm64), or declare the image's platform for the tasks",
    ],
    [
      'when an AMI is for another CPU',
      withAmi(intel),
      "image: the AMI ami:self:web-2 is for amd64, but the service's instances are arm64: build it for these, or name another instance type in the launch template",
    ],
    [
      'when no image of an index fits',
      withImage(intel, { os: 'windows', architecture: 'amd64' }),
      "image: shop/web:v2 is for linux/amd64 and windows/amd64, but the tasks run on linux/arm64: build it for that (docker build --platform linux/arm64), or declare the image's platform for the tasks",
    ],
    [
      'when all subnets together have too few addresses',
      withFree(3, 0),
      'addresses: the new generation needs 4 addresses, one for each task, and its subnets have 3 free: subnet-a (eu-west-1a) 3, subnet-b (eu-west-1b) 0. Free some, or give the service more or larger subnets',
    ],
    [
      'when it alone is more than the quota',
      withQuota(3),
      'quota: the new generation needs 4 vCPU (4 tasks of 1), more than the quota Fargate On-Demand vCPU resource count (L-3032A538) of 3. Ask for more in Service Quotas, or launch fewer or smaller tasks',
    ],
    [
      'when the quota had no room at any time',
      withQuota(6, 4, 5, 3),
      'quota: the new generation needs 4 vCPU (4 tasks of 1), and of the quota Fargate On-Demand vCPU resource count (L-3032A538) of 6 never less than 3 were in use in the last 15 minutes. Ask for more in Service Quotas, or end something else that runs there',
    ],
    [
      'when the balancer cannot have twice the targets',
      inTraffic({ limits: { value: { ofBalancer: 7, ofSlot: 1_000 } } }),
      'targets: the new generation needs 4 targets beside the 4 of the live one, and a load balancer takes 7. Ask for more in Service Quotas, or launch fewer, larger tasks',
    ],
    [
      'when a target group is too small',
      inTraffic({ limits: { value: { ofBalancer: 1_000, ofSlot: 3 } } }),
      'targets: the new generation needs 4 targets, and a target group takes 3. Ask for more in Service Quotas, or launch fewer, larger tasks',
    ],
    [
      'when the rule is not ours, such as with sticky groups',
      inTraffic({ rule: { unread: 'the rule R is left alone: its target groups are sticky' } }),
      'rule: the rule R is left alone: its target groups are sticky',
    ],
    [
      'when the slots cannot be read',
      inTraffic({ slots: { unread: 'AWS refused while reading the target groups of R: AccessDenied: no' } }),
      'slots: AWS refused while reading the target groups of R: AccessDenied: no',
    ],
    [
      'when the target group of a slot is gone',
      inTraffic({ slots: { value: [slot(blue), { ...slot(green), group: null }] } }),
      `slots: the target group of green does not exist (any more): ${group('green')}. ${anew}`,
    ],
    [
      'when a slot takes instances',
      inTraffic({ slots: { value: [slot(blue), slot(green, { targetType: 'instance' })] } }),
      `slots: the target group of green takes targets by instance, and tasks have addresses (ip). ${anew}`,
    ],
    [
      'when a slot speaks what the balancer does not',
      inTraffic({ slots: { value: [slot(blue), slot(green, { protocol: 'TCP' })] } }),
      `slots: the target group of green speaks TCP, not HTTP or HTTPS. ${anew}`,
    ],
    [
      'when a slot speaks otherwise than another',
      inTraffic({ slots: { value: [slot(blue), slot(green, { protocol: 'HTTPS' })] } }),
      `slots: the target group of green speaks HTTPS, and that of another slot HTTP. ${anew}`,
    ],
    [
      'when a slot is not health-checked',
      inTraffic({ slots: { value: [slot(blue), slot(green, { healthChecked: false })] } }),
      'slots: the target group of green checks no health, so nobody could tell when a generation is ready. Enable its health check',
    ],
    [
      'when no rule names a slot',
      inTraffic({ slots: { value: [slot(blue), slot(green, { balancers: [] })] } }),
      `slots: no rule names the target group of green, so its targets are not health-checked and tasks cannot be registered there. ${anew}`,
    ],
    [
      "when a slot is another balancer's",
      inTraffic({ slots: { value: [slot(blue), slot(green, { balancers: ['app/other/2'] })] } }),
      `slots: the target group of green belongs to the load balancer app/other/2, and the production rule to app/main/1. ${anew}`,
    ],
  ])('%s', (_, seen, words) => {
    expect(told(seen)).toEqual([`refuse ${words}`]);
  });
});

describe('it is told, and goes on', () => {
  const goesOn =
    'The push goes on, for it may be what mends that; until then a way back leads to nothing better';
  it.each<[string, Seen, string]>([
    [
      'when a zone has fewer addresses than its share',
      withFree(9, 1),
      'addresses: tasks are spread evenly over zones, up to 2 of 4 in each, and not every zone has as many addresses free: subnet-b (eu-west-1b) 1. Some tasks may fail to start. Free some, or give the service larger subnets there',
    ],
    [
      'when the quota had room at times',
      withQuota(8, 4, 5, 6),
      'quota: the new generation needs 4 vCPU (4 tasks of 1), and of the quota Fargate On-Demand vCPU resource count (L-3032A538) of 8 up to 6 were in use in the last 15 minutes: tasks may fail to start. Ask for more in Service Quotas, or end something else that runs there',
    ],
    [
      'when the live generation ails',
      withLive(4, targets('healthy', 'unhealthy', 'initial', 'draining')),
      `live: web-g0001, which is live, has 1 of 4 targets healthy. ${goesOn}`,
    ],
    [
      'when the live generation is gone',
      withLive(undefined, []),
      `live: web-g0001, which is live, does not exist any more. ${goesOn}`,
    ],
    [
      'when the live generation is scaled to nothing',
      withLive(0, []),
      `live: web-g0001, which is live, is scaled to 0 tasks. ${goesOn}`,
    ],
    [
      'when the image does not say for what it is',
      withImage(),
      'image: shop/web:v2 does not say for which platform it is; the tasks run on linux/arm64',
    ],
    [
      'when the registry does not show the image yet',
      { ...well, image: { ...well.image, platforms: { value: undefined } } },
      'image: the platform of shop/web:v2 was not checked: the registry does not show the image yet',
    ],
    [
      'when the image cannot be read',
      { ...well, image: { ...well.image, platforms: { unread: 'AWS refused' } } },
      'image: the platform of shop/web:v2 was not checked: AWS refused',
    ],
    [
      'when subnets cannot be read',
      inFleet({ places: { unread: 'AWS refused while reading the subnets: no' } }),
      'addresses: free addresses were not checked: AWS refused while reading the subnets: no',
    ],
    [
      'when the quota cannot be read',
      inFleet({ quota: { unread: 'throttled' } }),
      'quota: the quota was not checked: throttled',
    ],
    [
      'when limits of targets cannot be read',
      inTraffic({ limits: { unread: 'throttled' } }),
      'targets: limits of targets were not checked: throttled',
    ],
    [
      'when the live generation cannot be read',
      { ...well, live: { unread: 'AWS refused' } },
      'live: the live generation, and how large the new one must be, were not checked: AWS refused',
    ],
    [
      'when the fleet warns by itself',
      inFleet({ objections: [{ severity: 'warn', check: 'roles', words: 'roles were not checked: x' }] }),
      'roles: roles were not checked: x',
    ],
  ])('%s', (_, seen, words) => {
    expect(told(seen)).toEqual([`warn ${words}`]);
  });
});

describe('an uneven number of tasks', () => {
  it('may have one more in any zone', () => {
    const seen: Seen = {
      ...withFree(9, 2),
      live: { value: { name: liveName, wanted: 5, targets: healthy(5) } },
    };
    expect(told(seen)).toEqual([expect.stringContaining('up to 3 of 5 in each')]);
  });
});

describe('subnets of one zone', () => {
  it('hold its share together', () => {
    const seen = inFleet({
      places: {
        value: [
          { name: 'subnet-a', zone: 'eu-west-1a', free: 0 },
          { name: 'subnet-c', zone: 'eu-west-1a', free: 2 },
          { name: 'subnet-b', zone: 'eu-west-1b', free: 2 },
        ],
      },
    });
    expect(told(seen)).toEqual([]);
  });
});

describe('all that stands against a launch', () => {
  const wrong: Seen = {
    image: { name: 'shop/web:v2', digest: digestOf(2), platforms: { value: [intel] } },
    alarms: [{ name: 'web-errors', state: 'missing', reason: '', since: null } satisfies AlarmState],
    live: { value: { name: liveName, wanted: 4, targets: [] } },
    fleet: {
      objections: [{ severity: 'refuse', check: 'template', words: 'no such container' }],
      task: { platform: arm, size: 8 },
      places: { value: [] },
      quota: { value: quota },
    },
    traffic: {
      rule: { unread: 'not ours' },
      balancer,
      slots: { value: [slot(blue, { balancers: [] }), slot(green, { healthChecked: false })] },
      limits: { value: { ofBalancer: 3, ofSlot: 3 } },
    },
  };

  it('is told at once', () => {
    const objections = objectionsTo(wrong, settings);
    expect(objections.map(({ severity, check }) => [severity, check])).toEqual([
      ['refuse', 'alarms'],
      ['refuse', 'rule'],
      ['refuse', 'slots'],
      ['refuse', 'slots'],
      ['refuse', 'image'],
      ['refuse', 'template'],
      ['refuse', 'addresses'],
      ['refuse', 'quota'],
      ['refuse', 'targets'],
      ['refuse', 'targets'],
      ['warn', 'live'],
    ]);
    expect(warningsIn(objections)).toHaveLength(1);
    expect(refusalIn(objections)).toMatch(
      /^the alarm web-errors does not exist: .*; not ours; no rule names /,
    );
  });

  it('is nothing when there is only to be told', () => {
    const only: readonly Objection[] = [{ severity: 'warn', check: 'live', words: 'x' }];
    expect(refusalIn(only)).toBeUndefined();
    expect(warningsIn(only)).toEqual(['x']);
  });
});

describe('the new generation', () => {
  it.each<[string, number, Seen['live']]>([
    ['is as large as the live one', 4, well.live],
    ['is never smaller than declared', 2, withLive(1, []).live],
    ['has the declared size when nothing is live', 2, { value: null }],
    ['has at least the declared size when the live one cannot be read', 2, { unread: 'x' }],
  ])('%s', (_, size, live) => {
    expect(sizeFor(settings, live)).toBe(size);
  });
});

describe('a reading', () => {
  const failing = (failure: Error) => reading(() => Promise.reject(failure));

  it('is the value, or why AWS did not give it', async () => {
    expect(await reading(async () => 1)).toEqual({ value: 1 });
    expect(await failing(new CutoverError('Cutover.AwsRefused', 'no'))).toEqual({ unread: 'no' });
    expect(await failing(new CutoverError('Cutover.AwsUnavailable', 'later'))).toEqual({ unread: 'later' });
  });

  it.each([new CutoverError('Cutover.Guarded', 'never'), new TypeError('a fault of ours')])(
    'hides no other failure: %s',
    async (failure) => {
      await expect(failing(failure)).rejects.toBe(failure);
    },
  );
});
