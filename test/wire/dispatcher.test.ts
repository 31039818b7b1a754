import { createServer } from 'node:net';
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { breakpoint } from '../../local/wire/breakpoint.ts';
import { CallLog, type CallRecord } from '../../local/wire/call-log.ts';
import { listen } from '../../local/wire/http.ts';
import { ConnectionLost } from '../../local/wire/message.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { embedded } from './embedded.ts';

const update = vi.fn<(input: { service: string }) => object>((input) => ({
  service: { serviceName: input.service },
}));
const receive = vi.fn<() => object>(() => ({
  Messages: [{ Body: 'hello', MD5OfBody: '5d41402abc4b2a76b9719d911017c592' }],
}));
const describeServices = (_: unknown, call: { endpoint: string }) => ({
  services: [{ serviceName: call.endpoint }],
});

let aws: Awaited<ReturnType<typeof embedded>>;
beforeEach(async () => {
  vi.clearAllMocks();
  aws = await embedded({
    ecs: { UpdateService: update, DescribeServices: describeServices },
    sqs: { ReceiveMessage: receive },
  });
});
afterEach(() => aws.close());

const updateWeb = new UpdateServiceCommand({ cluster: 'main', service: 'web-g0001', desiredCount: 2 });
const webArn = 'arn:aws:ecs:us-east-1:123456789012:service/main/web-g0001';

describe('the call log', () => {
  it('records who called what on which resources, and how it ended', async () => {
    const heard: CallRecord[] = [];
    aws.calls.subscribe((record) => heard.push(record));
    const ecs = new ECSClient(aws.client);
    await ecs.send(updateWeb);
    update.mockImplementationOnce(() => {
      throw new AwsError('ServiceNotFoundException', 'Service not found.');
    });
    await expect(ecs.send(updateWeb)).rejects.toThrow('Service not found.');
    const expected = {
      service: 'ecs',
      operation: 'UpdateService',
      principal: { kind: 'root' },
      resources: [webArn],
    };
    expect(aws.calls.records({ operation: 'UpdateService' })).toMatchObject([
      { ...expected, at: aws.clock.now(), durationMs: 0 },
      { ...expected, error: 'ServiceNotFoundException' },
    ]);
    expect(heard).toEqual(aws.calls.records());
  });

  it('forgets the oldest beyond its bound', () => {
    const log = new CallLog({ capacity: 3 });
    const record = (at: number): CallRecord => ({
      at,
      requestId: String(at),
      service: 'ecs',
      operation: 'X',
      principal: { kind: 'root' },
      resources: ['*'],
      durationMs: 0,
    });
    for (let at = 1; at <= 5; at++) log.record(record(at));
    expect(log.records().map(({ at }) => at)).toEqual([3, 4, 5]);
    expect(log.records({ since: 5 })).toHaveLength(1);
  });
});

describe('hooks', () => {
  it('hold a call before it has any effect', async () => {
    const held = breakpoint(aws.calls, 'before', ({ operation }) => operation === 'UpdateService');
    const answer = new ECSClient(aws.client).send(updateWeb);
    expect((await held.reached).input).toMatchObject({ service: 'web-g0001' });
    expect(update).not.toHaveBeenCalled();
    held.release();
    expect((await answer).service?.serviceName).toBe('web-g0001');
  });

  it('hold the answer of a call that took effect, and may lose it', async () => {
    const held = breakpoint(aws.calls, 'after', ({ operation }) => operation === 'UpdateService');
    const answer = new ECSClient(aws.client).send(updateWeb);
    const failure = answer.catch((error: unknown) => error);
    await held.reached;
    expect(update).toHaveBeenCalledOnce();
    held.release(new ConnectionLost());
    expect(await failure).toMatchObject({ code: 'ECONNRESET' });
    expect(aws.calls.records()).toMatchObject([{ error: 'ConnectionLost' }]);
    expect(aws.onFailure).not.toHaveBeenCalled();
  });

  it('fail a call without effect, in the words of its protocol', async () => {
    const remove = aws.calls.hook({
      before() {
        throw new AwsError('ThrottlingException', 'Rate exceeded');
      },
    });
    await expect(new ECSClient(aws.client).send(updateWeb)).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
    expect(update).not.toHaveBeenCalled();
    remove();
    await new ECSClient(aws.client).send(updateWeb);
    expect(update).toHaveBeenCalledOnce();
  });
});

describe('the clock', () => {
  it('counts every call as work in flight, but not a long poll', async () => {
    const busy = vi.spyOn(aws.clock, 'busy');
    await new ECSClient(aws.client).send(updateWeb);
    expect(busy).toHaveBeenCalledOnce();
    const { Messages } = await new SQSClient(aws.client).send(
      new ReceiveMessageCommand({ QueueUrl: `${aws.endpoint}/123456789012/q`, WaitTimeSeconds: 20 }),
    );
    expect(Messages?.[0]?.Body).toBe('hello');
    expect(busy).toHaveBeenCalledOnce();
  });
});

describe('in process', () => {
  it('an SDK client takes the same way without a socket', async () => {
    const handler = new InProcessHandler({ dispatcher: aws.dispatcher, endpoint: () => 'http://in-process' });
    const ecs = new ECSClient({ ...aws.client, endpoint: 'http://nowhere.invalid', requestHandler: handler });
    const { services } = await ecs.send(new DescribeServicesCommand({ services: ['web'] }));
    expect(services).toEqual([{ serviceName: 'http://in-process' }]);
    update.mockImplementationOnce(() => {
      throw new AwsError('ServiceNotFoundException', 'Service not found.');
    });
    await expect(ecs.send(updateWeb)).rejects.toMatchObject({ name: 'ServiceNotFoundException' });
  });

  it('an SDK client reads streams', async () => {
    aws.buckets.create('assets');
    const handler = new InProcessHandler({ dispatcher: aws.dispatcher, endpoint: () => 'http://in-process' });
    const s3 = new S3Client({ ...aws.client, requestHandler: handler, forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: 'assets', Key: 'a/b c.json', Body: '{"a":1}' }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'assets', Key: 'a/b c.json' }));
    expect(await Body?.transformToString()).toBe('{"a":1}');
  });

  it('gives up when its caller does', async () => {
    const held = breakpoint(aws.calls, 'before', () => true);
    const handler = new InProcessHandler({ dispatcher: aws.dispatcher, endpoint: () => '' });
    const aborting = new AbortController();
    const answer = new ECSClient({ ...aws.client, requestHandler: handler }).send(updateWeb, {
      abortSignal: aborting.signal,
    });
    const failure = answer.catch((error: unknown) => error);
    await held.reached;
    aborting.abort();
    expect(await failure).toMatchObject({ name: 'AbortError' });
    held.release();
  });

  it('a service calls another without encoding', async () => {
    const root = { kind: 'root' } as const;
    const output = await aws.dispatcher.call('ecs', 'UpdateService', { service: 'web' }, root);
    expect(output).toEqual({ service: { serviceName: 'web' } });
    await expect(aws.dispatcher.call('ecs', 'UpdateService', {}, root)).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
    await expect(aws.dispatcher.call('ecs', 'Nothing', {}, root)).rejects.toMatchObject({
      code: 'UnknownOperationException',
    });
    expect(aws.calls.records()).toMatchObject([
      { operation: 'UpdateService' },
      { error: 'InvalidParameterException' },
    ]);
  });
});

describe('the port', () => {
  it('is shared with what is not an AWS API', async () => {
    const port = await listen(aws.dispatcher, {
      port: 0,
      onFailure: aws.onFailure,
      fallback: (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end('registry'),
    });
    const response = await fetch(`${port.endpoint}/v2/`, { headers: { authorization: 'Basic QVdTOng=' } });
    expect([response.status, await response.text()]).toEqual([401, 'registry']);
    const { services } = await new ECSClient({ ...aws.client, endpoint: port.endpoint }).send(
      new DescribeServicesCommand({ services: ['web'] }),
    );
    expect(services).toEqual([{ serviceName: port.endpoint }]);
    await port.close();
  });

  it('that is taken is said to be', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(listen(aws.dispatcher, { port, onFailure: aws.onFailure })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await new Promise((resolve) => taken.close(resolve));
  });
});
