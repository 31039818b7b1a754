import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedLambda, role, zip } from './embedded-lambda.ts';

let aws: EmbeddedLambda;

beforeEach(() => {
  aws = new EmbeddedLambda();
});
afterEach(() => aws.lambda.close());

const answering = (text: string) => `export const handler = async () => "${text}";`;

describe('a published version', () => {
  it('keeps its code and variables when the function is updated', async () => {
    const source =
      'export const handler = async () => `one ${process.env.X} ${process.env.AWS_LAMBDA_FUNCTION_VERSION}`;';
    await aws.create('f', source, { Environment: { Variables: { X: 'a' } } });
    const one = await aws.call('PublishVersion', { FunctionName: 'f', Description: 'first' });
    await aws.call('UpdateFunctionCode', {
      FunctionName: 'f',
      ZipFile: zip({ 'index.mjs': answering('two') }),
    });
    await aws.call('UpdateFunctionConfiguration', {
      FunctionName: 'f',
      Environment: { Variables: { X: 'b' } },
    });
    const two = await aws.call('PublishVersion', { FunctionName: 'f' });
    expect([one['Version'], one['Description'], two['Version']]).toEqual(['1', 'first', '2']);
    expect((await aws.invoke(one['FunctionArn'] as string)).value).toBe('one a 1');
    expect((await aws.invoke('f')).value).toBe('two');
    expect((await aws.invoke('f:2')).value).toBe('two');
  });

  it('lets an invocation that runs finish on the old code', async () => {
    await aws.create(
      'f',
      'export const handler = async () => { await new Promise((r) => setTimeout(r, 80)); return "old"; };',
    );
    const running = aws.invoke('f');
    await expect.poll(() => aws.lines.length).toBe(1);
    await aws.call('UpdateFunctionCode', {
      FunctionName: 'f',
      ZipFile: zip({ 'index.mjs': answering('new') }),
    });
    expect((await aws.invoke('f')).value).toBe('new');
    expect((await running).value).toBe('old');
  });

  it('is the same again when nothing has changed', async () => {
    await aws.create('f', answering('x'));
    const first = await aws.call('PublishVersion', { FunctionName: 'f' });
    const again = await aws.call('PublishVersion', { FunctionName: 'f' });
    expect(again).toEqual(first);
    await expect(
      aws.call('PublishVersion', { FunctionName: 'f', CodeSha256: 'other' }),
    ).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
    });
  });

  it('can be deleted unless an alias names it, and its number is not used again', async () => {
    await aws.create('f', answering('x'), { Publish: true });
    await aws.call('CreateAlias', { FunctionName: 'f', Name: 'live', FunctionVersion: '1' });
    await expect(aws.call('DeleteFunction', { FunctionName: 'f', Qualifier: '1' })).rejects.toMatchObject({
      code: 'ResourceConflictException',
    });
    await aws.call('DeleteAlias', { FunctionName: 'f', Name: 'live' });
    await aws.call('DeleteFunction', { FunctionName: 'f', Qualifier: '1' });
    await expect(aws.invoke('f:1')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    expect((await aws.call('PublishVersion', { FunctionName: 'f' }))['Version']).toBe('2');
  });

  it('is listed page by page', async () => {
    await aws.create('f', answering('0'));
    for (const text of ['1', '2', '3']) {
      await aws.call('UpdateFunctionCode', {
        FunctionName: 'f',
        ZipFile: zip({ 'index.mjs': answering(text) }),
        Publish: true,
      });
    }
    const seen: unknown[] = [];
    let Marker: unknown;
    do {
      const page = await aws.call('ListVersionsByFunction', { FunctionName: 'f', MaxItems: 3, Marker });
      seen.push((page['Versions'] as { Version: string }[]).map(({ Version }) => Version));
      Marker = page['NextMarker'];
    } while (Marker !== undefined);
    expect(seen).toEqual([['$LATEST', '1', '2'], ['3']]);
  });
});

describe('an alias', () => {
  it('moves, and shares by weight', async () => {
    let random = 0.5;
    await aws.lambda.close();
    aws = new EmbeddedLambda({ random: () => random });
    await aws.create('f', answering('one'), { Publish: true });
    await aws.call('UpdateFunctionCode', {
      FunctionName: 'f',
      ZipFile: zip({ 'index.mjs': answering('two') }),
      Publish: true,
    });
    await aws.call('CreateAlias', { FunctionName: 'f', Name: 'live', FunctionVersion: '1' });
    expect((await aws.invoke('f:live')).value).toBe('one');
    await aws.call('UpdateAlias', {
      FunctionName: 'f',
      Name: 'live',
      RoutingConfig: { AdditionalVersionWeights: { 2: 0.6 } },
    });
    expect((await aws.invoke('f:live')).value).toBe('two');
    random = 0.7;
    expect((await aws.invoke('f:live')).value).toBe('one');
    expect(await aws.call('GetAlias', { FunctionName: 'f', Name: 'live' })).toMatchObject({
      AliasArn: 'arn:aws:lambda:us-east-1:123456789012:function:f:live',
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: { 2: 0.6 } },
    });
  });
});

describe('a function', () => {
  it('is described with its defaults', async () => {
    const created = await aws.create('f', answering('x'));
    expect(created).toMatchObject({
      FunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:f',
      Version: '$LATEST',
      Timeout: 3,
      MemorySize: 128,
      State: 'Active',
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/f' },
      Role: role,
    });
    expect(created).not.toHaveProperty('Environment');
    const found = await aws.call('GetFunction', { FunctionName: created['FunctionArn'] });
    expect(found['Configuration']).toEqual(created);
  });

  const refused: [string, object, string][] = [
    ['a runtime that is not Node.js', { Runtime: 'python3.13' }, 'runs Node.js only'],
    ['no handler', { Handler: undefined }, 'Runtime and Handler are mandatory'],
    ['a role that is none', { Role: 'me' }, "at 'role' failed"],
    [
      'reserved variables',
      { Environment: { Variables: { AWS_REGION: 'eu' } } },
      'Reserved keys used in this request: AWS_REGION',
    ],
    ['too many variables', { Environment: { Variables: { A: 'x'.repeat(4096) } } }, 'exceeded the 4KB limit'],
    ['layers', { Layers: ['arn:aws:lambda:us-east-1:1:layer:l:1'] }, 'no layers'],
    ['an image', { Code: { ImageUri: 'x' } }, 'not container images'],
    ['a broken archive', { Code: { ZipFile: new Uint8Array(9) } }, 'Could not unzip uploaded file'],
    ['code that S3 does not have', { Code: { S3Bucket: 'b', S3Key: 'k' } }, 'S3 Error Code: NoSuchKey'],
  ];
  it.each(refused)('is refused with %s', async (_, options, message) => {
    await expect(aws.create('f', answering('x'), options)).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
      message: expect.stringContaining(message) as string,
    });
  });

  it('takes its code from S3', async () => {
    await aws.lambda.close();
    aws = new EmbeddedLambda({
      code: async (bucket, key) => zip({ 'index.mjs': answering(`${bucket}/${key}`) }),
    });
    await aws.create('f', '', { Code: { S3Bucket: 'assets', S3Key: 'code.zip' } });
    expect((await aws.invoke('f')).value).toBe('assets/code.zip');
  });

  it('has a policy that says which service may invoke it for which resource', async () => {
    await aws.create('f', answering('x'));
    const rule = 'arn:aws:events:us-east-1:123456789012:rule/push';
    await aws.call('AddPermission', {
      FunctionName: 'f',
      StatementId: 's',
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn: rule,
    });
    expect(aws.lambda.permits('f', 'events.amazonaws.com', rule)).toBe(true);
    expect(aws.lambda.permits('f', 'events.amazonaws.com', `${rule}x`)).toBe(false);
    expect(aws.lambda.permits('f', 'sns.amazonaws.com', rule)).toBe(false);
    const policy = JSON.parse(
      (await aws.call('GetPolicy', { FunctionName: 'f' }))['Policy'] as string,
    ) as object;
    expect(policy).toMatchObject({
      Statement: [{ Sid: 's', Condition: { ArnLike: { 'AWS:SourceArn': rule } } }],
    });
    await aws.call('RemovePermission', { FunctionName: 'f', StatementId: 's' });
    await expect(aws.call('GetPolicy', { FunctionName: 'f' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('carries tags', async () => {
    const { FunctionArn: Resource } = await aws.create('f', answering('x'), { Tags: { a: '1' } });
    await aws.call('TagResource', { Resource, Tags: { b: '2' } });
    await aws.call('UntagResource', { Resource, TagKeys: ['a'] });
    expect(await aws.call('ListTags', { Resource })).toEqual({ Tags: { b: '2' } });
  });
});
