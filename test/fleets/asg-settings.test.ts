/** Mistakes in how a service runs on instances, each with its path. */
import { expect, it } from 'vitest';
import { mistakesInFleet } from '../../functions/aws/fleet-mistakes.ts';
import { readAsg } from '../../functions/core/fleet/asg-settings.ts';
import { settingsOf } from '../core/examples.ts';

const fit = {
  kind: 'asg',
  unit: 'instance' as const,
  launchTemplate: 'lt-0123456789abcdef0',
  launchTemplateVersion: '1',
  subnets: ['subnet-1'],
};
const hook = { name: 'warm', at: 'launching', heartbeatSeconds: 60, onTimeout: 'abandon' };
const drain = { function: 'arn', deadlineSeconds: 60, atOnce: 1 };
const scaling = { minimum: 2, maximum: 6 };
const cpu = { name: 'cpu', metric: 'cpu', target: 60 };
const morning = { name: 'morning', recurrence: '0 8 * * *', minimum: 2 };

it('there are none in what is fit, and what is not said is none', () => {
  expect(mistakesInFleet(fit)).toEqual([]);
  expect(readAsg(settingsOf({ fleet: fit }))).toEqual({
    ...fit,
    environment: null,
    hooks: [],
    drain: null,
    logGroup: null,
    scaling: null,
  });
  const full = { ...scaling, policies: [cpu], schedule: [{ ...morning, timezone: 'Europe/Berlin' }] };
  expect(
    mistakesInFleet({ ...fit, environment: 'prod', hooks: [hook], drain, logGroup: '/web', scaling: full }),
  ).toEqual([]);
});

it.each<[object, readonly string[]]>([
  [{ unit: 'task' }, ['unit: ']],
  [{ launchTemplate: 'web' }, ['launchTemplate: ']],
  [
    { launchTemplateVersion: '$Latest' },
    ['launchTemplateVersion: must be a number: what $Latest and $Default mean may change, got $Latest'],
  ],
  [{ launchTemplateVersion: '0' }, ['launchTemplateVersion: must be a number']],
  [{ subnets: [] }, ['subnets: ']],
  [{ subnets: [''] }, ['subnets/0: ']],
  [{ environment: '' }, ['environment: ']],
  [{ instanceType: 't3.micro' }, ['Unrecognized key: "instanceType"']],
  [{ hooks: [hook, hook] }, ["hooks/1/name: is another one's already: warm"]],
  [
    { hooks: [{ ...hook, at: 'running', heartbeatSeconds: 10 }] },
    ['hooks/0/at: ', 'hooks/0/heartbeatSeconds: '],
  ],
  [{ hooks: [{ ...hook, name: 'a:b', onTimeout: 'retry' }] }, ['hooks/0/name: ', 'hooks/0/onTimeout: ']],
  [
    { hooks: [{ ...hook, name: 'cutover-drain' }] },
    ['hooks/0/name: is the name of the hook that drains, got cutover-drain'],
  ],
  [{ drain: { ...drain, deadlineSeconds: 7_201, atOnce: 0 } }, ['drain/deadlineSeconds: ', 'drain/atOnce: ']],
  [{ scaling: { minimum: 0, maximum: 2 } }, ['scaling/minimum: ']],
  [{ scaling: { minimum: 3, maximum: 2 } }, ['scaling/maximum: is less than minimum']],
  [
    { scaling: { ...scaling, policies: [{ ...cpu, target: 101 }] } },
    ['scaling/policies/0/target: is a percentage'],
  ],
  [
    { scaling: { ...scaling, policies: [cpu, { ...cpu, name: 'other' }] } },
    ["scaling/policies/1/metric: is another one's already: cpu"],
  ],
  [{ scaling: { ...scaling, policies: [{ ...cpu, metric: 'memory' }] } }, ['scaling/policies/0/metric: ']],
  [
    { scaling: { ...scaling, schedule: [{ ...morning, recurrence: 'cron(0 8 * * ? *)' }] } },
    ['scaling/schedule/0/recurrence: must be a cron expression of five fields'],
  ],
  [
    { scaling: { ...scaling, schedule: [{ ...morning, minimum: undefined }] } },
    ['scaling/schedule/0: changes nothing'],
  ],
  [
    { scaling: { ...scaling, schedule: [{ ...morning, maximum: 1 }] } },
    ['scaling/schedule/0/maximum: is less than minimum'],
  ],
  [
    { scaling: { ...scaling, schedule: [{ ...morning, timezone: 'Mars' }] } },
    ['scaling/schedule/0/timezone: '],
  ],
])('%j has %j', (changes, expected) => {
  const found = mistakesInFleet({ ...fit, ...changes });
  expect(found).toHaveLength(expected.length);
  for (const [index, each] of expected.entries()) expect(found[index]).toContain(each);
});
