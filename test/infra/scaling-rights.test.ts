/** The rights to scale, held to by the embedded AWS: enough for all that is done, of generations alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApplicationAutoScaling } from '../../functions/aws/application-autoscaling.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import { Cutover } from '../../infra/cutover.ts';
import { autoscaled } from '../application-autoscaling/world.ts';
import { generationOf, settingsOf, web } from '../core/examples.ts';
import { call, request } from '../ecs/world.ts';
import { newApp, newStack } from './apps.ts';
import { policiesOf, readTemplate } from './templates.ts';

const roleArn = 'arn:aws:iam::123456789012:role/promote';
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
const pseudo: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
};
const settings = settingsOf({
  fleet: {
    kind: 'ecs',
    cluster: 'demo',
    taskDefinition: 'web:1',
    container: 'app',
    port: 8080,
    subnets: ['subnet-a'],
    securityGroups: ['sg-1'],
    assignPublicIp: false,
    scaling: {
      minimum: 1,
      maximum: 4,
      policies: [{ name: 'requests', metric: 'requestsPerTarget', target: 500 }],
      schedule: [{ name: 'morning', expression: 'cron(0 8 * * ? *)', minimum: 2 }],
    },
  },
});

let folder: string;
let policies: readonly string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-scaling-rights-'));
  const app = newApp({ outdir: folder });
  const stack = newStack(app, 'Scaling');
  // oxlint-disable-next-line no-new -- constructs stand in their scope
  new Cutover(stack, 'Deployer');
  const template = readTemplate(app.synth().getStackByName('Scaling').templateFullPath);
  policies = policiesOf(template)
    .filter(({ role, managed }) => managed && /^Deployer(?:Promote|Terminate)Role/.test(role))
    .map(({ document }) => JSON.stringify(document, (_, value: unknown) => resolved(value)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As CloudFormation resolves it, as far as pseudo parameters do; the rights to the ledger are not asked for here. */
function resolved(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('Ref' in value) return pseudo[String(value.Ref)] ?? 'another';
  if ('Fn::GetAtt' in value) return 'arn:aws:of:another';
  if (!('Fn::Join' in value)) return value;
  const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
  return parts.map(resolved).join(separator);
}

/** Application Auto Scaling as that role calls it, and a generation, ours by its tags or a stranger's. */
function asRole(generation: Generation, tags: Readonly<Record<string, string>>) {
  const world = autoscaled({}, { kind: 'role', roleArn, session: 'test' });
  world.api.CreateService(
    {
      ...request,
      serviceName: generation.name,
      loadBalancers: [],
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
    call,
  );
  world.roles.create('promote', { trust });
  policies.forEach((policy, index) => world.roles.putInline('promote', `rights-${index}`, policy));
  return { world, scaling: new ApplicationAutoScaling(world.client, () => world.clock.now()) };
}

it('they are enough to let a generation scale, to hold it, and to end that', async () => {
  const generation = generationOf(1);
  const { world, scaling } = asRole(generation, ownerTags(web, generation.name));
  await scaling.carry(settings, null, generation, { minimum: 2, maximum: 4 });
  await scaling.carrySchedule(settings, null, generation);
  expect(await scaling.bounds(settings, generation)).toEqual({ minimum: 2, maximum: 4 });
  await scaling.bound(settings, generation, { minimum: 3, maximum: 4 });
  // What no settings say, and what lies behind, goes: policies and actions are deleted, too.
  const without = settingsOf({ fleet: { ...settings.fleet, scaling: { minimum: 1, maximum: 4 } } });
  await scaling.carry(without, null, generation, { minimum: 3, maximum: 4 });
  await scaling.carrySchedule(without, null, generation);
  await scaling.release(settings, generation);
  const made = world.calls.records({ service: 'application-autoscaling' });
  expect(made.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(new Set(made.map(({ operation }) => operation)).size).toBe(9);
});

it("they let nobody scale a stranger's service, whatever its name", async () => {
  const generation = generationOf(1);
  const { scaling } = asRole(generation, {});
  await expect(scaling.carry(settings, null, generation, { minimum: 2, maximum: 4 })).rejects.toMatchObject({
    name: 'Cutover.AwsRefused',
    message: expect.stringContaining('User is missing the following permissions: ecs:UpdateService'),
  });
});
