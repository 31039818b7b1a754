/** The real SDK client against the operations, through the wire's encoding in process. */
import {
  ClusterNotFoundException,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import { expect, test } from 'vitest';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { Roles } from '../../local/iam/roles.ts';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { serviceEntry } from '../../local/wire/services.ts';
import { request, running } from './world.ts';

function connected() {
  const made = running({ clientToken: 'one' });
  const { clock } = made;
  const endpoint = () => 'http://127.0.0.1:4566';
  const dispatcher = new Dispatcher({
    entries: [serviceEntry('ecs', made.api)],
    authorizer: new PolicyAuthorizer({ roles: new Roles({ clock }), clock }),
    principalOf: () => ({ kind: 'root' }),
    calls: new CallLog(),
    clock,
    endpoint,
    onFailure: (failure) => {
      throw failure;
    },
  });
  const client = new ECSClient({
    endpoint: endpoint(),
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    maxAttempts: 1,
    requestHandler: new InProcessHandler({ dispatcher, endpoint }),
  });
  return { ...made, client };
}

test('what an SDK client reads is what the operations answer', async () => {
  const { client, clock, service, tasks } = connected();
  await clock.advance(100_000);
  const { services } = await client.send(new DescribeServicesCommand({ cluster: 'demo', services: ['web'] }));
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  expect(plain(services?.[0])).toEqual(plain(service()));
  const { taskArns } = await client.send(new ListTasksCommand({ cluster: 'demo', serviceName: 'web' }));
  const described = await client.send(new DescribeTasksCommand({ cluster: 'demo', tasks: taskArns }));
  expect(plain(described.tasks)).toEqual(plain(tasks()));
  expect(described.tasks?.[0]?.startedAt).toBeInstanceOf(Date);
});

test('the same request is the same service by the wire too, and errors have their classes', async () => {
  const { client } = connected();
  const again = await client.send(new CreateServiceCommand({ ...request, clientToken: 'one' }));
  expect(again.service?.status).toBe('ACTIVE');
  await expect(
    client.send(new DescribeServicesCommand({ cluster: 'other', services: ['web'] })),
  ).rejects.toBeInstanceOf(ClusterNotFoundException);
});
