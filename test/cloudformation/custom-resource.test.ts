import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DescribeStackEventsCommandOutput } from '@aws-sdk/client-cloudformation';
import type { InvokeCommandInput } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.ts';
import { Account } from './account.ts';

interface Event {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Record<string, unknown>;
  readonly OldResourceProperties?: Record<string, unknown>;
}

/** What the function answers, by the request; `undefined` answers nothing. */
type Handler = (event: Event) => object | undefined;

const ServiceToken = 'arn:aws:lambda:us-east-1:123456789012:function:provider';

function template(properties: object, more: object = {}): object {
  return {
    Resources: {
      Thing: { Type: 'Custom::Thing', Properties: { ServiceToken, ...properties } },
      User: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Name: '/user', Type: 'String', Value: { 'Fn::GetAtt': ['Thing', 'Answer'] } },
      },
    },
    ...more,
  };
}

describe('a custom resource', () => {
  let server: Server;
  let account: Account;
  let events: Event[];
  let handler: Handler;

  const clock = (): ManualClock => account.clock as ManualClock;

  beforeEach(async () => {
    events = [];
    server = createServer((request, response) => {
      if (!account.cloudformation.handleResponse(request, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const Invoke = ({ FunctionName, InvocationType, Payload }: InvokeCommandInput): object => {
      expect([FunctionName, InvocationType]).toEqual([ServiceToken, 'Event']);
      const event = JSON.parse(new TextDecoder().decode(Payload as Uint8Array)) as Event;
      events.push(event);
      const answer = handler(event);
      if (answer !== undefined) {
        void fetch(event.ResponseURL, {
          method: 'PUT',
          body: JSON.stringify({ Status: 'SUCCESS', ...answer }),
        }).then((response) => expect(response.status).toBe(200));
      }
      return { StatusCode: 202 };
    };
    account = new Account({
      clock: new ManualClock(),
      services: { lambda: { Invoke } },
      endpoint: () => endpoint,
    });
  });

  afterEach(async () => {
    if (account.failures.length > 0) throw new AggregateError(account.failures, 'faults of CloudFormation');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is created, updated and deleted by its function, with every scalar as a string', async () => {
    handler = ({ RequestType, ResourceProperties }) => ({
      PhysicalResourceId: 'thing-1',
      Data: { Answer: `${RequestType} ${String(ResourceProperties['Size'])}` },
    });
    await account.create(template({ Size: 3, On: true, List: [1, { Deep: false }] }));
    expect(await account.parameter('/user')).toBe('Create 3');
    await account.update(template({ Size: 4 }));
    expect(await account.parameter('/user')).toBe('Update 4');
    await account.delete();
    expect(events).toMatchObject([
      {
        RequestType: 'Create',
        ServiceToken,
        LogicalResourceId: 'Thing',
        ResourceType: 'Custom::Thing',
        ResourceProperties: { ServiceToken, Size: '3', On: 'true', List: ['1', { Deep: 'false' }] },
      },
      {
        RequestType: 'Update',
        PhysicalResourceId: 'thing-1',
        ResourceProperties: { Size: '4' },
        OldResourceProperties: { Size: '3', On: 'true' },
      },
      { RequestType: 'Delete', PhysicalResourceId: 'thing-1', ResourceProperties: { Size: '4' } },
    ]);
    expect(events[0]).not.toHaveProperty('PhysicalResourceId');
  });

  it('that gets a new physical id by an update is deleted under its old one, after all else', async () => {
    handler = ({ ResourceProperties, PhysicalResourceId, RequestType }) => ({
      PhysicalResourceId:
        RequestType === 'Delete' ? PhysicalResourceId : `thing-${String(ResourceProperties['Size'])}`,
      Data: { Answer: 'x' },
    });
    await account.create(template({ Size: 1 }));
    await account.update(template({ Size: 2 }));
    expect(events.map(({ RequestType, PhysicalResourceId }) => [RequestType, PhysicalResourceId])).toEqual([
      ['Create', undefined],
      ['Update', 'thing-1'],
      ['Delete', 'thing-1'],
    ]);
    expect((await account.story()).slice(-4)).toEqual([
      'shop UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'Thing DELETE_IN_PROGRESS',
      'Thing DELETE_COMPLETE',
      'shop UPDATE_COMPLETE',
    ]);
  });

  it('fails with the reason that its function gives, and is deleted by the id it gave', async () => {
    handler = ({ RequestType }) =>
      RequestType === 'Create'
        ? { Status: 'FAILED', Reason: 'no such slot', PhysicalResourceId: 'half' }
        : {};
    expect((await account.create(template({}))).StackStatus).toBe('ROLLBACK_COMPLETE');
    const { events: told } = await account.cloudformation.settled('shop');
    expect(
      told.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED')!.ResourceStatusReason,
    ).toContain('Received response status [FAILED] from custom resource. Message returned: no such slot');
    expect(events.at(-1)).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'half' });
  });

  it('is put back by an update when the stack rolls back', async () => {
    handler = ({ ResourceProperties }) => ({
      PhysicalResourceId: 'one',
      Data: ResourceProperties['Bad'] === 'true' ? {} : { Answer: 'x' },
    });
    await account.create(template({ Size: 1 }));
    expect((await account.update(template({ Size: 2, Bad: true }))).StackStatus).toBe(
      'UPDATE_ROLLBACK_COMPLETE',
    );
    expect(events.at(-1)).toMatchObject({
      RequestType: 'Update',
      ResourceProperties: { Size: '1' },
      OldResourceProperties: { Size: '2', Bad: 'true' },
    });
  });

  it('fails when its function does not answer within ServiceTimeout', async () => {
    handler = ({ RequestType }) => (RequestType === 'Delete' ? {} : undefined);
    await account.run('CreateStack', {
      StackName: 'shop',
      TemplateBody: JSON.stringify(template({ ServiceTimeout: 30 })),
    });
    const done = account.settled();
    await settled();
    await clock().advance(29_000);
    const { StackEvents } = await account.run<DescribeStackEventsCommandOutput>('DescribeStackEvents', {
      StackName: 'shop',
    });
    expect(StackEvents![0]).toMatchObject({
      LogicalResourceId: 'Thing',
      ResourceStatus: 'CREATE_IN_PROGRESS',
    });
    await clock().advance(2_000);
    expect((await done).StackStatus).toBe('ROLLBACK_COMPLETE');
    expect((await account.story()).slice(-4)).toContain('Thing DELETE_COMPLETE');
  });

  it('counts one answer only, and refuses others', async () => {
    handler = () => ({ PhysicalResourceId: 'one', Data: { Answer: 'x' } });
    await account.create(template({}));
    const late = await fetch(events[0]!.ResponseURL, { method: 'PUT', body: '{"Status":"FAILED"}' });
    expect(late.status).toBe(403);
    expect((await account.settled()).StackStatus).toBe('CREATE_COMPLETE');
  });
});
