import { ECSClient, RegisterTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Throttle } from '../../local/wire/throttle.ts';
import { clientOptions, embedded } from './embedded.ts';

let aws: Awaited<ReturnType<typeof embedded>>;
let role: ReturnType<typeof clientOptions>;

beforeEach(async () => {
  aws = await embedded({
    ecs: { RegisterTaskDefinition: () => ({}) },
    elbv2: { ModifyRule: () => ({ Rules: [] }), DescribeRules: () => ({ Rules: [] }) },
  });
  aws.calls.hook(new Throttle({ clock: aws.clock }));
  const iam = new IAMClient(aws.client);
  const document = (statement: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: 'shift',
      AssumeRolePolicyDocument: document({ Principal: '*', Action: 'sts:AssumeRole' }),
    }),
  );
  const PolicyDocument = document({ Action: '*', Resource: '*' });
  await iam.send(new PutRolePolicyCommand({ RoleName: 'shift', PolicyName: 'all', PolicyDocument }));
  role = clientOptions(aws.endpoint, aws.sessions.issue(Role!.Arn!, 'run'));
});
afterEach(() => aws.close());

/** How many of so many calls were answered. */
async function answered(count: number, call: () => Promise<unknown>): Promise<number> {
  let done = 0;
  for (let index = 0; index < count; index++)
    done += await call().then(
      () => 1,
      () => 0,
    );
  return done;
}

it('lets a burst through, then so many a second, and never saves more than a burst', async () => {
  const client = new ECSClient(role);
  const register = () =>
    client.send(new RegisterTaskDefinitionCommand({ family: 'web', containerDefinitions: [] }));
  expect(await answered(25, register)).toBe(20);
  await expect(register()).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
  await aws.clock.advance(3000);
  expect(await answered(5, register)).toBe(3);
  await aws.clock.advance(3_600_000);
  expect(await answered(25, register)).toBe(20);
});

it('draws the changes of ELB from their own bucket and from that of all calls', async () => {
  const client = new ElasticLoadBalancingV2Client(role);
  const modify = () => client.send(new ModifyRuleCommand({ RuleArn: 'r' }));
  const read = () => client.send(new DescribeRulesCommand({ RuleArns: ['r'] }));
  expect(await answered(25, modify)).toBe(20);
  await expect(modify()).rejects.toMatchObject({ name: 'Throttling', $metadata: { httpStatusCode: 400 } });
  expect(await answered(25, read)).toBe(20);
});

it('holds nobody up but roles', async () => {
  const client = new ElasticLoadBalancingV2Client(aws.client);
  expect(await answered(50, () => client.send(new ModifyRuleCommand({ RuleArn: 'r' })))).toBe(50);
});
