import {
  AddTagsToResourceCommand,
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  ListTagsForResourceCommand,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientOptions, embedded } from './embedded.ts';

let aws: Awaited<ReturnType<typeof embedded>>;
beforeEach(async () => {
  aws = await embedded();
});
afterEach(() => aws.close());

const trust = (principal: object) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
  });

describe('sts', () => {
  it('says root to credentials that nobody issued', async () => {
    const identity = await new STSClient(aws.client).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Account: '123456789012', Arn: 'arn:aws:iam::123456789012:root' });
  });

  it('gives sessions of a role that trusts the account', async () => {
    const role = aws.roles.create('deploy', { trust: trust({ AWS: 'arn:aws:iam::123456789012:root' }) });
    const sts = new STSClient(aws.client);
    const { Credentials, AssumedRoleUser } = await sts.send(
      new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'me' }),
    );
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::123456789012:assumed-role/deploy/me');
    expect(Credentials?.Expiration).toEqual(new Date(aws.clock.now() + 3_600_000));
    const session = new STSClient(
      clientOptions(aws.endpoint, {
        accessKeyId: Credentials!.AccessKeyId!,
        secretAccessKey: Credentials!.SecretAccessKey!,
      }),
    );
    expect(await session.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: 'arn:aws:sts::123456789012:assumed-role/deploy/me',
      UserId: `${role.id}:me`,
    });
    await expect(session.send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it.each([
    { about: 'a role that trusts only a service', arn: 'arn:aws:iam::123456789012:role/function' },
    { about: 'a role that does not exist', arn: 'arn:aws:iam::123456789012:role/cdk-deploy' },
  ])('refuses $about', async ({ arn }) => {
    aws.roles.create('function', { trust: trust({ Service: 'lambda.amazonaws.com' }) });
    const assumed = new STSClient(aws.client).send(
      new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 's' }),
    );
    await expect(assumed).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:iam::123456789012:root is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
    });
  });
});

describe('ssm', () => {
  let ssm: SSMClient;
  beforeEach(() => {
    ssm = new SSMClient(aws.client);
  });
  const put = (Name: string, Value = 'v', more = {}) =>
    ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', ...more }));

  it('keeps versions', async () => {
    await put('/cdk-bootstrap/x/version', '20');
    expect(await put('/cdk-bootstrap/x/version', '21', { Overwrite: true })).toMatchObject({ Version: 2 });
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: '/cdk-bootstrap/x/version' }));
    expect(Parameter).toMatchObject({
      Value: '21',
      Version: 2,
      ARN: 'arn:aws:ssm:us-east-1:123456789012:parameter/cdk-bootstrap/x/version',
      LastModifiedDate: new Date(aws.clock.now()),
    });
    const first = await ssm.send(new GetParameterCommand({ Name: `${Parameter!.ARN!}:1` }));
    expect(first.Parameter).toMatchObject({ Value: '20', Selector: ':1' });
    await expect(
      ssm.send(new GetParameterCommand({ Name: '/cdk-bootstrap/x/version:9' })),
    ).rejects.toMatchObject({
      name: 'ParameterVersionNotFound',
    });
  });

  it('refuses what AWS refuses', async () => {
    await put('plain');
    await expect(put('plain')).rejects.toBeInstanceOf(ParameterAlreadyExists);
    await expect(put('a/b')).rejects.toThrow('must be a fully qualified name');
    await expect(put('/aws/x')).rejects.toThrow('prefixed with "aws" or "ssm"');
    await expect(put('big', 'x'.repeat(4097))).rejects.toThrow('Standard tier parameters support a maximum');
    expect(await put('big', 'x'.repeat(4097), { Tier: 'Intelligent-Tiering' })).toMatchObject({
      Tier: 'Advanced',
    });
    await expect(put('big', 'y', { Tier: 'Standard', Overwrite: true })).rejects.toThrow("can't downgrade");
    await expect(ssm.send(new GetParameterCommand({ Name: 'none' }))).rejects.toBeInstanceOf(
      ParameterNotFound,
    );
    await expect(ssm.send(new PutParameterCommand({ Name: 'typeless', Value: 'v' }))).rejects.toThrow(
      'A parameter type is required',
    );
  });

  it("offers the images of Amazon Linux to everyone, apart from what is the account's own", async () => {
    const Path = '/aws/service/ami-amazon-linux-latest';
    const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path }));
    const Name = `${Path}/al2023-ami-kernel-default-x86_64`;
    const found = Parameters.find((each) => each.Name === Name);
    expect(found).toMatchObject({
      Value: expect.stringMatching(/^ami-[0-9a-f]{17}$/) as unknown,
      ARN: `arn:aws:ssm:us-east-1::parameter${Name}`,
    });
    expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter).toEqual(found);
    expect((await ssm.send(new DescribeParametersCommand({}))).Parameters).toEqual([]);
    expect((await ssm.send(new DeleteParametersCommand({ Names: [Name] }))).InvalidParameters).toEqual([
      Name,
    ]);
  });

  it('tells found names from others', async () => {
    await put('/a');
    await put('b');
    const { Parameters, InvalidParameters } = await ssm.send(
      new GetParametersCommand({ Names: ['/a', 'b', 'c'] }),
    );
    expect(Parameters?.map(({ Name }) => Name)).toEqual(['/a', 'b']);
    expect(InvalidParameters).toEqual(['c']);
    expect(await ssm.send(new DeleteParametersCommand({ Names: ['b', 'c'] }))).toMatchObject({
      DeletedParameters: ['b'],
      InvalidParameters: ['c'],
    });
  });

  it('walks a path by pages', async () => {
    for (const name of ['/web/a', '/web/b', '/web/deep/c', '/website']) await put(name);
    const names = async (more: object) => {
      const { Parameters, NextToken } = await ssm.send(
        new GetParametersByPathCommand({ Path: '/web', ...more }),
      );
      return [Parameters?.map(({ Name }) => Name), NextToken];
    };
    expect(await names({})).toEqual([['/web/a', '/web/b'], undefined]);
    expect(await names({ Recursive: true, MaxResults: 2 })).toEqual([['/web/a', '/web/b'], '2']);
    expect(await names({ Recursive: true, MaxResults: 2, NextToken: '2' })).toEqual([
      ['/web/deep/c'],
      undefined,
    ]);
  });

  it('filters and tags', async () => {
    await put('/web/a', 'v', { Tags: [{ Key: 'team', Value: 'x' }] });
    await put('other');
    const found = await ssm.send(
      new DescribeParametersCommand({
        ParameterFilters: [{ Key: 'Name', Option: 'BeginsWith', Values: ['/web'] }],
      }),
    );
    expect(found.Parameters?.map(({ Name, Tier }) => [Name, Tier])).toEqual([['/web/a', 'Standard']]);
    const resource = { ResourceType: 'Parameter', ResourceId: '/web/a' } as const;
    await ssm.send(new AddTagsToResourceCommand({ ...resource, Tags: [{ Key: 'more', Value: 'y' }] }));
    expect((await ssm.send(new ListTagsForResourceCommand(resource))).TagList).toEqual([
      { Key: 'team', Value: 'x' },
      { Key: 'more', Value: 'y' },
    ]);
  });
});
