import type {
  DescribeStackEventsCommandOutput,
  DescribeStackResourcesCommandOutput,
  DescribeStacksCommandOutput,
  ListExportsCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { Account, parameter } from './account.ts';

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };

const denied = new AwsError('ThrottlingException', 'Rate exceeded');

describe('creating', () => {
  it('makes resources in the order of their dependencies and gives outputs', async () => {
    const account = new Account();
    const stack = await account.create({
      Resources: {
        Second: parameter('/second', { 'Fn::GetAtt': ['First', 'Value'] }),
        Third: parameter('/third', 'x', { DependsOn: 'Second' }),
        First: parameter('/first', { Ref: 'AWS::StackName' }),
      },
      Outputs: { Name: { Value: { Ref: 'Second' }, Export: { Name: 'shop:second' } } },
    });
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    expect(stack.Outputs).toEqual([{ OutputKey: 'Name', OutputValue: '/second', ExportName: 'shop:second' }]);
    expect(await account.parameter('/second')).toBe('shop');
    expect(await account.story()).toEqual([
      'shop CREATE_IN_PROGRESS',
      'First CREATE_IN_PROGRESS',
      'First CREATE_COMPLETE',
      'Second CREATE_IN_PROGRESS',
      'Second CREATE_COMPLETE',
      'Third CREATE_IN_PROGRESS',
      'Third CREATE_COMPLETE',
      'shop CREATE_COMPLETE',
    ]);
    const { Exports } = await account.run<ListExportsCommandOutput>('ListExports', {});
    expect(Exports).toEqual([{ ExportingStackId: stack.StackId, Name: 'shop:second', Value: '/second' }]);
    expect(account.failures).toEqual([]);
  });

  it('names what has no name, within the service’s limit', async () => {
    const account = new Account();
    await account.create(
      {
        Resources: {
          AQueueWithARatherLongLogicalIdentifierThatIsMuchTooLongForTheNameOfAQueue0123456789: {
            Type: 'AWS::SQS::Queue',
          },
          Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust } },
        },
      },
      { Capabilities: ['CAPABILITY_IAM'] },
    );
    const { StackResources } = await account.run<DescribeStackResourcesCommandOutput>(
      'DescribeStackResources',
      { StackName: 'shop' },
    );
    const [role, queue] = StackResources!
      .map(({ PhysicalResourceId }) => PhysicalResourceId!)
      .toSorted((a, b) => a.length - b.length);
    expect(role).toMatch(/^shop-Role-[A-Za-z0-9]{12}$/);
    const name = queue!.split('/').at(-1)!;
    expect(name).toHaveLength(80);
    expect(name).toMatch(/^shop-AQueue/);
  });

  it('rolls back in reverse order when a resource fails, and says why', async () => {
    const account = new Account();
    account.failOnce('ssm PutParameter', denied, (input) => (input as { Name: string }).Name === '/third');
    const stack = await account.create({
      Resources: {
        First: parameter('/first', '1'),
        Kept: parameter('/kept', '1', { DependsOn: 'First', DeletionPolicy: 'Retain' }),
        Born: parameter('/born', '1', { DependsOn: 'Kept', DeletionPolicy: 'RetainExceptOnCreate' }),
        Third: parameter('/third', { Ref: 'Born' }),
      },
    });
    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(await account.parameter('/first')).toBeUndefined();
    expect(await account.parameter('/kept')).toBe('1');
    expect(await account.parameter('/born')).toBeUndefined();
    expect((await account.story()).slice(-8)).toEqual(
      [
        'shop ROLLBACK_IN_PROGRESS',
        'Born DELETE_IN_PROGRESS',
        'Born DELETE_COMPLETE',
        'Kept DELETE_SKIPPED',
        'First DELETE_IN_PROGRESS',
        'First DELETE_COMPLETE',
        'shop ROLLBACK_COMPLETE',
      ].toSpliced(0, 0, 'Third CREATE_FAILED'),
    );
    const { StackEvents } = await account.run<DescribeStackEventsCommandOutput>('DescribeStackEvents', {
      StackName: 'shop',
    });
    expect(
      StackEvents!.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED')!.ResourceStatusReason,
    ).toMatch(
      /^Resource handler returned message: "Rate exceeded" \(RequestToken: .*HandlerErrorCode: ThrottlingException\)$/,
    );
    expect(
      StackEvents!.find(({ ResourceStatus }) => ResourceStatus === 'ROLLBACK_IN_PROGRESS')!
        .ResourceStatusReason,
    ).toBe('The following resource(s) failed to create: [Third]. Rollback requested by user.');
  });

  it('deletes what a failed creation left half done', async () => {
    const account = new Account();
    account.failOnce('iam PutRolePolicy', denied);
    const stack = await account.create(
      {
        Resources: {
          Role: {
            Type: 'AWS::IAM::Role',
            Properties: {
              RoleName: 'half',
              AssumeRolePolicyDocument: trust,
              Policies: [{ PolicyName: 'p', PolicyDocument: policy }],
            },
          },
        },
      },
      { Capabilities: ['CAPABILITY_NAMED_IAM'] },
    );
    expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
    expect(account.calls.map(({ operation }) => operation)).toContain('CreateRole');
    await expect(account.call('iam', 'GetRole', { RoleName: 'half' })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    });
  });

  it.each<[string, object, object, string]>([
    [
      'an unknown type, before anything is made',
      { Resources: { A: parameter('/a', 'x'), B: { Type: 'AWS::Nothing::AtAll' } } },
      {},
      'Unrecognized resource types: [AWS::Nothing::AtAll]',
    ],
    [
      'a circle',
      { Resources: { A: parameter('/a', { Ref: 'B' }), B: parameter('/b', { Ref: 'A' }) } },
      {},
      'Circular dependency between resources: [A, B]',
    ],
    [
      'IAM without its capability',
      { Resources: { R: { Type: 'AWS::IAM::Role' } } },
      {},
      'Requires capabilities : [CAPABILITY_IAM]',
    ],
    [
      'a parameter without value',
      { Parameters: { P: { Type: 'String' } }, Resources: { A: parameter('/a', 'x') } },
      {},
      'Parameters: [P] must have values',
    ],
    [
      'a parameter that is not in the template',
      { Resources: { A: parameter('/a', 'x') } },
      { Parameters: [{ ParameterKey: 'Q', ParameterValue: '1' }] },
      'Parameters: [Q] do not exist in the template',
    ],
    [
      'an SSM parameter that is not there',
      {
        Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/none' } },
        Resources: { A: parameter('/a', 'x') },
      },
      {},
      'Unable to fetch parameters [/none] from parameter store for this account.',
    ],
    [
      'a rule that does not hold',
      {
        Rules: {
          R: { Assertions: [{ Assert: { 'Fn::Equals': ['a', 'b'] }, AssertDescription: 'a is not b' }] },
        },
        Resources: { A: parameter('/a', 'x') },
      },
      {},
      'a is not b',
    ],
  ])('refuses %s', async (_name, template, more, message) => {
    const account = new Account();
    await expect(account.create(template, more)).rejects.toThrow(message);
    expect(await account.parameter('/a')).toBeUndefined();
    expect((await account.run<DescribeStacksCommandOutput>('DescribeStacks', {})).Stacks).toEqual([]);
  });

  it('fails a resource on a property that it does not handle, naming it', async () => {
    const account = new Account();
    await account.create({
      Resources: {
        A: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: 'x', Colour: 'red' } },
      },
    });
    const { events } = await account.cloudformation.settled('shop');
    expect(
      events.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED')!.ResourceStatusReason,
    ).toBe('Properties validation failed: #/Colour: extraneous key [Colour] is not permitted');
  });

  it('reads SSM parameters and rules as the CDK’s templates have them', async () => {
    const account = new Account();
    await account.call('ssm', 'PutParameter', {
      Name: '/cdk-bootstrap/hnb659fds/version',
      Type: 'String',
      Value: '33',
    });
    const stack = await account.create({
      Parameters: {
        BootstrapVersion: {
          Type: 'AWS::SSM::Parameter::Value<String>',
          Default: '/cdk-bootstrap/hnb659fds/version',
        },
      },
      Rules: {
        CheckBootstrapVersion: {
          Assertions: [
            {
              Assert: {
                'Fn::Not': [{ 'Fn::Contains': [['1', '2', '3', '4', '5'], { Ref: 'BootstrapVersion' }] }],
              },
            },
          ],
        },
      },
      Resources: { A: parameter('/a', '{{resolve:ssm:/cdk-bootstrap/hnb659fds/version}}') },
    });
    expect(stack.Parameters).toEqual([
      {
        ParameterKey: 'BootstrapVersion',
        ParameterValue: '/cdk-bootstrap/hnb659fds/version',
        ResolvedValue: '33',
      },
    ]);
    expect(await account.parameter('/a')).toBe('33');
  });

  it('knows a stack by name and by id, and says in AWS’s words when there is none', async () => {
    const account = new Account();
    await expect(account.run('DescribeStacks', { StackName: 'shop' })).rejects.toMatchObject({
      code: 'ValidationError',
      message: 'Stack with id shop does not exist',
    });
    const { StackId } = await account.create({ Resources: { A: parameter('/a', 'x') } });
    expect(
      (await account.run<DescribeStacksCommandOutput>('DescribeStacks', { StackName: StackId })).Stacks![0]!
        .StackName,
    ).toBe('shop');
  });
});

describe('updating', () => {
  const base = {
    A: parameter('/a', '1'),
    B: parameter('/b', { 'Fn::GetAtt': ['A', 'Value'] }),
    C: parameter('/c', 'c'),
  };

  it('changes in place, adds, and removes last what the template has no more', async () => {
    const account = new Account();
    await account.create({ Resources: base });
    const before = (await account.story()).length;
    const { C: _, ...rest } = base;
    const stack = await account.update({
      Resources: { ...rest, A: parameter('/a', '2'), D: parameter('/d', 'd') },
    });
    expect(stack.StackStatus).toBe('UPDATE_COMPLETE');
    expect(await Promise.all(['/a', '/b', '/c', '/d'].map((name) => account.parameter(name)))).toEqual([
      '2',
      '2',
      undefined,
      'd',
    ]);
    expect((await account.story()).slice(before)).toEqual([
      'shop UPDATE_IN_PROGRESS',
      'A UPDATE_IN_PROGRESS',
      'A UPDATE_COMPLETE',
      'B UPDATE_IN_PROGRESS',
      'B UPDATE_COMPLETE',
      'D CREATE_IN_PROGRESS',
      'D CREATE_COMPLETE',
      'shop UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'C DELETE_IN_PROGRESS',
      'C DELETE_COMPLETE',
      'shop UPDATE_COMPLETE',
    ]);
  });

  it('replaces what cannot change in place: the new one first, the old one deleted in the end', async () => {
    const account = new Account();
    await account.create({ Resources: base });
    const stack = await account.update({ Resources: { ...base, A: parameter('/a2', '1') } });
    expect(stack.StackStatus).toBe('UPDATE_COMPLETE');
    expect(await account.parameter('/a2')).toBe('1');
    expect(await account.parameter('/a')).toBeUndefined();
    const names = account.calls.filter(
      ({ operation }) => operation === 'PutParameter' || operation === 'DeleteParameter',
    );
    expect(
      names.slice(-2).map(({ operation, input }) => `${operation} ${(input as { Name: string }).Name}`),
    ).toEqual(['PutParameter /a2', 'DeleteParameter /a']);
  });

  it('keeps a replaced resource that asks for it', async () => {
    const account = new Account();
    await account.create({ Resources: { A: parameter('/a', '1', { UpdateReplacePolicy: 'Retain' }) } });
    await account.update({ Resources: { A: parameter('/a2', '1') } });
    expect(await account.parameter('/a')).toBe('1');
  });

  it('restores everything when a resource fails', async () => {
    const account = new Account();
    await account.create({ Resources: base, Outputs: { O: { Value: 'old' } } });
    account.failOnce('ssm PutParameter', denied, (input) => (input as { Value: string }).Value === 'z');
    const stack = await account.update({
      Resources: {
        ...base,
        A: parameter('/a', '2'),
        C: parameter('/c2', 'c'),
        D: parameter('/d', 'd'),
        Z: parameter('/z', 'z', { DependsOn: ['D', 'C', 'B'] }),
      },
      Outputs: { O: { Value: 'new' } },
    });
    expect(stack.StackStatus).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stack.Outputs![0]!.OutputValue).toBe('old');
    expect(
      await Promise.all(['/a', '/b', '/c', '/c2', '/d', '/z'].map((name) => account.parameter(name))),
    ).toEqual(['1', '1', 'c', undefined, undefined, undefined]);
    await expect(account.update({ Resources: base, Outputs: { O: { Value: 'old' } } })).rejects.toThrow(
      'No updates are to be performed.',
    );
  });

  it('leaves a failed update as it is when it may not roll back, and repairs it with the next one', async () => {
    const account = new Account();
    await account.create({ Resources: base });
    account.failOnce('ssm PutParameter', denied);
    const next = { Resources: { ...base, A: parameter('/a', '2') } };
    expect((await account.update(next, { DisableRollback: true })).StackStatus).toBe('UPDATE_FAILED');
    expect((await account.update(next)).StackStatus).toBe('UPDATE_COMPLETE');
    expect(await account.parameter('/a')).toBe('2');
  });

  it('refuses to replace under the same name, and to change a type', async () => {
    const account = new Account();
    const group = (LogGroupClass: string) => ({
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: '/named', LogGroupClass },
    });
    await account.create({ Resources: { G: group('STANDARD') } });
    expect((await account.update({ Resources: { G: group('INFREQUENT_ACCESS') } })).StackStatus).toBe(
      'UPDATE_ROLLBACK_COMPLETE',
    );
    const { events } = await account.cloudformation.settled('shop');
    expect(
      events.find(({ ResourceStatus }) => ResourceStatus === 'UPDATE_FAILED')!.ResourceStatusReason,
    ).toBe(
      'CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename /named and update the stack again.',
    );
    await expect(account.update({ Resources: { G: parameter('/g', 'x') } })).rejects.toThrow(
      'Update of resource type is not permitted',
    );
  });

  it('changes tags by the service’s own operations, the stack’s tags among them', async () => {
    const account = new Account();
    const Resources = { A: parameter('/a', '1') };
    await account.create({ Resources }, { Tags: [{ Key: 'team', Value: 'red' }] });
    await account.update({ Resources }, { Tags: [{ Key: 'owner', Value: 'ann' }] });
    const tags = await account.call('ssm', 'ListTagsForResource', {
      ResourceType: 'Parameter',
      ResourceId: '/a',
    });
    expect(tags).toMatchObject({ TagList: [{ Key: 'owner', Value: 'ann' }] });
    expect(account.calls.filter(({ operation }) => operation === 'PutParameter')).toHaveLength(1);
  });
});

describe('deleting', () => {
  it('takes resources away in reverse order, keeps what asks for it, and frees the name', async () => {
    const account = new Account();
    await account.create({
      Resources: { A: parameter('/a', '1', { DeletionPolicy: 'Retain' }), B: parameter('/b', { Ref: 'A' }) },
    });
    const stack = await account.delete();
    expect(stack.StackStatus).toBe('DELETE_COMPLETE');
    expect([await account.parameter('/a'), await account.parameter('/b')]).toEqual(['1', undefined]);
    await expect(account.run('DescribeStacks', { StackName: 'shop' })).rejects.toThrow(
      'Stack with id shop does not exist',
    );
    await account.run('DeleteStack', { StackName: 'shop' });
  });

  it('does not mind what is gone already, but says when something does not go', async () => {
    const account = new Account();
    await account.create({ Resources: { A: parameter('/a', '1'), B: parameter('/b', '1') } });
    await account.call('ssm', 'DeleteParameter', { Name: '/a' });
    account.failOnce('ssm DeleteParameter', denied, (input) => (input as { Name: string }).Name === '/b');
    expect(await account.delete()).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'The following resource(s) failed to delete: [B]. ',
    });
    expect((await account.delete()).StackStatus).toBe('DELETE_COMPLETE');
  });

  it('is refused under termination protection and while an export is in use', async () => {
    const account = new Account();
    await account.create({
      Resources: { A: parameter('/a', '1') },
      Outputs: { O: { Value: 'v', Export: { Name: 'e' } } },
    });
    await account.run('CreateStack', {
      StackName: 'user',
      TemplateBody: JSON.stringify({ Resources: { B: parameter('/b', { 'Fn::ImportValue': 'e' }) } }),
    });
    await account.settled('user');
    expect(await account.parameter('/b')).toBe('v');
    expect(await account.delete()).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
      StackStatusReason: 'Delete canceled. Cannot delete export e as it is in use by user.',
    });
    await account.run('UpdateTerminationProtection', {
      StackName: 'shop',
      EnableTerminationProtection: true,
    });
    await expect(account.run('DeleteStack', { StackName: 'shop' })).rejects.toThrow(
      'Stack [shop] cannot be deleted while TerminationProtection is enabled',
    );
  });
});
