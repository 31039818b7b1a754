import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  InvalidDefinition,
  paginateGetExecutionHistory,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, expect, test } from 'vitest';
import { embedded as onTheWire } from '../wire/embedded.ts';
import { awaitToken, EmbeddedStates, only, roleArn } from './embedded-states.ts';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function client(embedded: EmbeddedStates): Promise<SFNClient> {
  const wire = await onTheWire({ states: embedded.states.operations });
  open.push(wire, embedded.states);
  return new SFNClient(wire.client);
}

test('the SDK runs an execution to its end and reads its history page by page', async () => {
  const embedded = new EmbeddedStates();
  const token = Promise.withResolvers<string>();
  embedded.handlers.set('f', (payload: { token: string }) => token.resolve(payload.token));
  const sfn = await client(embedded);
  const definition = JSON.stringify({ QueryLanguage: 'JSONata', ...only(awaitToken('f', { End: true })) });
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({ name: 'm', roleArn, definition }),
  );
  const { executionArn, startDate } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, name: 'one', input: '{}' }),
  );
  expect(startDate).toEqual(new Date(embedded.clock.now()));
  await sfn.send(new SendTaskSuccessCommand({ taskToken: await token.promise, output: '{"ok":true}' }));
  expect(await sfn.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
    status: 'SUCCEEDED',
    output: '{"ok":true}',
    redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
  });
  const ids: (number | undefined)[] = [];
  for await (const { events } of paginateGetExecutionHistory(
    { client: sfn, pageSize: 3 },
    { executionArn },
  )) {
    ids.push(...(events ?? []).map(({ id }) => id));
  }
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const last = await sfn.send(
    new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }),
  );
  expect(last.events?.[0]).toMatchObject({ type: 'ExecutionSucceeded', previousEventId: 7 });
});

test('the SDK knows the errors by their classes', async () => {
  const sfn = await client(new EmbeddedStates());
  const created = sfn.send(new CreateStateMachineCommand({ name: 'm', roleArn, definition: '{}' }));
  await expect(created).rejects.toBeInstanceOf(InvalidDefinition);
});
