/** The example's smoke test as a hook of the service: asked before any traffic, by the slot's own header, and believed. */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { buildSync } from 'esbuild';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hooksSchema } from '../../functions/core/hooks/hook-settings.ts';
import { bundleOptions } from '../../infra/bundle.ts';
import { until, World } from './world.ts';

const statement = (of: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...of }] });

let world: World;
beforeAll(async () => {
  world = await World.create();
  const iam = world.closeLater(new IAMClient(world.client));
  const trust = statement({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' });
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: 'smoke', AssumeRolePolicyDocument: trust }),
  );
  const { outputFiles } = buildSync({ ...bundleOptions('handler', 'infra/smoke-test'), write: false });
  const { FunctionArn = '' } = await world.lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'smoke',
      Role: Role?.Arn,
      Runtime: 'nodejs24.x',
      Handler: 'handler.handler',
      Timeout: 60,
      Code: { ZipFile: zipSync({ 'handler.mjs': outputFiles[0]!.contents }) },
      Environment: { Variables: { URL: world.site, PATHS: '/,/health', REQUESTS: '10' } },
    }),
  );
  // As the construct of a service with hooks does.
  const caller = await world.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: await world.functionNamed('DeployerHook') }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: caller.Role?.split('/').at(-1),
      PolicyName: 'service-web',
      PolicyDocument: statement({ Action: 'lambda:InvokeFunction', Resource: FunctionArn }),
    }),
  );
  await world.changeSettings({
    alarms: [],
    hooks: hooksSchema.parse([
      { name: 'smoke', stage: 'testTraffic', function: FunctionArn },
      { name: 'told', stage: 'promoted', function: FunctionArn },
    ]),
  });
  await world.goLive('v1');
  world.traffic(2);
}, 120_000);
afterAll(() => world.close());

it('a generation that answers as it should goes live, and the hook is told so', async () => {
  expect(await world.deploy('v2')).toMatchObject({ outcome: 'live' });
  const { hooks } = await world.itemWhere('both hooks answered', (item) =>
    ['smoke', 'told'].every((name) => item.hooks.some((run) => run.hook === name && run.answer !== null)),
  );
  const said = hooks.map(({ hook, answer }) => `${hook} ${answer?.verdict}`);
  expect(said).toEqual(expect.arrayContaining(['smoke pass', 'told pass']));
}, 120_000);

it('one that fails never gets a request of anybody else, and the way back says what the hook saw', async () => {
  const { outcome, reason } = await world.deploy('v3', 'failing');
  expect(outcome).toBe('restored');
  expect(reason).toMatch(
    /^web-g0003 gets no traffic: the hook smoke refused: \d+ of 10 requests to \/ failed \(5\d\d/,
  );
  expect((await world.item()).deployment).toMatchObject({ step: -1, shiftedAt: null });
  await until('the refusal is told', async () =>
    (await world.history('hook#')).some(({ kind }) => kind === 'hookFailed') ? true : undefined,
  );
}, 120_000);
