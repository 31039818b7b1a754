import type {
  CreateChangeSetCommandOutput,
  DescribeChangeSetCommandOutput,
  DescribeStacksCommandOutput,
  GetTemplateCommandOutput,
  ListChangeSetsCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { describe, expect, it } from 'vitest';
import { Account, parameter } from './account.ts';

async function changeSet(
  account: Account,
  template: object,
  more: object = {},
): Promise<DescribeChangeSetCommandOutput> {
  const { Id } = await account.run<CreateChangeSetCommandOutput>('CreateChangeSet', {
    StackName: 'shop',
    ChangeSetName: 'next',
    TemplateBody: JSON.stringify(template),
    ...more,
  });
  return account.run('DescribeChangeSet', { ChangeSetName: Id, IncludePropertyValues: true });
}

async function execute(account: Account, ChangeSetName = 'next'): Promise<void> {
  await account.run('ExecuteChangeSet', { StackName: 'shop', ChangeSetName });
  await account.settled();
}

describe('a change set', () => {
  const first = { Resources: { A: parameter('/a', '1'), B: parameter('/b', { Ref: 'A' }) } };

  it('creates a stack that waits for review, and makes it when executed', async () => {
    const account = new Account();
    const made = await changeSet(account, first, { ChangeSetType: 'CREATE' });
    expect(made).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
    expect(
      made.Changes!.map(({ ResourceChange }) => [ResourceChange!.Action, ResourceChange!.LogicalResourceId]),
    ).toEqual([
      ['Add', 'A'],
      ['Add', 'B'],
    ]);
    expect((await account.settled()).StackStatus).toBe('REVIEW_IN_PROGRESS');
    await execute(account);
    expect(await account.settled()).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
      ChangeSetId: made.ChangeSetId,
    });
    const { TemplateBody } = await account.run<GetTemplateCommandOutput>('GetTemplate', {
      StackName: 'shop',
    });
    expect(JSON.parse(TemplateBody!)).toEqual(first);
    const executed = await account.run<DescribeChangeSetCommandOutput>('DescribeChangeSet', {
      ChangeSetName: made.ChangeSetId,
    });
    expect(executed.ExecutionStatus).toBe('EXECUTE_COMPLETE');
    await expect(
      account.run('DescribeChangeSet', { StackName: 'shop', ChangeSetName: 'next' }),
    ).rejects.toMatchObject({
      code: 'ChangeSetNotFoundException',
    });
  });

  it('tells updates, replacements, what follows from them, and removals', async () => {
    const account = new Account();
    await account.create({
      Resources: { ...first.Resources, C: parameter('/c', '1'), D: parameter('/d', '1') },
    });
    const { Changes } = await changeSet(account, {
      Resources: { A: parameter('/a2', '1'), B: parameter('/b', { Ref: 'A' }), C: parameter('/c', '2') },
    });
    expect(Changes!.map(({ ResourceChange }) => ResourceChange)).toMatchObject([
      {
        LogicalResourceId: 'A',
        Action: 'Modify',
        Replacement: 'True',
        Details: [
          {
            Target: { Name: 'Name', RequiresRecreation: 'Always', BeforeValue: '/a', AfterValue: '/a2' },
            Evaluation: 'Static',
          },
        ],
      },
      {
        LogicalResourceId: 'B',
        Action: 'Modify',
        Replacement: 'False',
        Details: [{ Target: { Name: 'Value' }, Evaluation: 'Dynamic', ChangeSource: 'ResourceReference' }],
      },
      { LogicalResourceId: 'C', Action: 'Modify', Replacement: 'False' },
      { LogicalResourceId: 'D', Action: 'Remove', PolicyAction: 'Delete' },
    ]);
    expect(await account.parameter('/a')).toBe('1');
    await execute(account);
    expect([await account.parameter('/b'), await account.parameter('/c')]).toEqual(['/a2', '2']);
  });

  it('without changes fails in the words that clients look for', async () => {
    const account = new Account();
    await account.create(first);
    const same = await changeSet(account, { ...first, Description: 'told otherwise' });
    expect(same).toMatchObject({ Status: 'FAILED', ExecutionStatus: 'UNAVAILABLE' });
    expect(same.StatusReason).toMatch(/^The submitted information didn't contain changes\./);
    await expect(execute(account)).rejects.toMatchObject({ code: 'InvalidChangeSetStatusException' });
    await expect(account.update(first)).rejects.toThrow('No updates are to be performed.');
  });

  it('sees a change of outputs or metadata alone', async () => {
    const account = new Account();
    await account.create(first);
    const outputs = await changeSet(account, { ...first, Outputs: { O: { Value: 'x' } } });
    expect(outputs).toMatchObject({ Status: 'CREATE_COMPLETE', Changes: [] });
    await execute(account);
    expect((await account.settled()).Outputs).toEqual([{ OutputKey: 'O', OutputValue: 'x' }]);
    const metadata = await changeSet(account, {
      Resources: { ...first.Resources, A: parameter('/a', '1', { Metadata: { path: 'a' } }) },
    });
    expect(metadata.Changes).toMatchObject([
      { ResourceChange: { LogicalResourceId: 'A', Scope: ['Metadata'] } },
    ]);
  });

  it('reads its template from S3', async () => {
    const account = new Account();
    account.buckets.create('assets');
    account.buckets.put('assets', 'shop.json', new TextEncoder().encode(JSON.stringify(first)));
    const made = await changeSet(
      account,
      {},
      {
        ChangeSetType: 'CREATE',
        TemplateBody: undefined,
        TemplateURL: 'https://s3.us-east-1.amazonaws.com/assets/shop.json',
      },
    );
    expect(made.Changes).toHaveLength(2);
  });

  it('fails for an export that nobody has', async () => {
    const account = new Account();
    const made = await changeSet(
      account,
      { Resources: { A: parameter('/a', { 'Fn::ImportValue': 'none' }) } },
      { ChangeSetType: 'CREATE' },
    );
    expect(made).toMatchObject({ Status: 'FAILED', StatusReason: 'No export named none found.' });
  });

  it('is listed, deleted, and gone when another one was executed', async () => {
    const account = new Account();
    await account.create(first);
    await changeSet(account, { Resources: { A: parameter('/a', '2') } });
    await changeSet(account, { Resources: { A: parameter('/a', '3') } }, { ChangeSetName: 'other' });
    const listed = await account.run<ListChangeSetsCommandOutput>('ListChangeSets', { StackName: 'shop' });
    expect(listed.Summaries!.map(({ ChangeSetName }) => ChangeSetName)).toEqual(['next', 'other']);
    await account.run('DeleteChangeSet', { StackName: 'shop', ChangeSetName: 'next' });
    await execute(account, 'other');
    expect(await account.run('ListChangeSets', { StackName: 'shop' })).toEqual({ Summaries: [] });
  });

  it('of a template that cannot be read leaves no stack behind', async () => {
    const account = new Account();
    await expect(changeSet(account, { Resources: {} }, { ChangeSetType: 'CREATE' })).rejects.toThrow(
      'At least one Resources member',
    );
    expect((await account.run<DescribeStacksCommandOutput>('DescribeStacks', {})).Stacks).toEqual([]);
    await expect(changeSet(account, first)).rejects.toThrow('Stack [shop] does not exist');
  });
});
