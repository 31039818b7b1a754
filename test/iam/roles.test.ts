import { ECSClient, RegisterTaskDefinitionCommand, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeleteConflictException,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  EntityAlreadyExistsException,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  LimitExceededException,
  ListAttachedRolePoliciesCommand,
  ListPolicyVersionsCommand,
  ListRolesCommand,
  MalformedPolicyDocumentException,
  NoSuchEntityException,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { readPolicy } from '../../local/iam/roles.ts';
import { clientOptions, embedded } from '../wire/embedded.ts';

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
const policy = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });

let aws: Awaited<ReturnType<typeof embedded>>;
let iam: IAMClient;
beforeEach(async () => {
  aws = await embedded({
    ecs: { UpdateService: () => ({}), RegisterTaskDefinition: () => ({}) },
    elbv2: { DescribeRules: () => ({ Rules: [] }) },
  });
  iam = new IAMClient(aws.client);
});
afterEach(() => aws.close());

describe("a role's session", () => {
  async function session(...statements: object[]) {
    const { Role } = await iam.send(
      new CreateRoleCommand({ RoleName: 'shift', AssumeRolePolicyDocument: trust }),
    );
    const inline = { RoleName: 'shift', PolicyName: 'own', PolicyDocument: policy(...statements) };
    if (statements.length > 0) await iam.send(new PutRolePolicyCommand(inline));
    return clientOptions(aws.endpoint, aws.sessions.issue(Role!.Arn!, 'run-1'));
  }
  const updateWeb = new UpdateServiceCommand({ cluster: 'main', service: 'web-g0001' });

  it('may do what its role may, and is named in the call log', async () => {
    const options = await session({
      Effect: 'Allow',
      Action: 'ecs:UpdateService',
      Resource: 'arn:aws:ecs:*:*:service/main/*',
    });
    await new ECSClient(options).send(updateWeb);
    expect(aws.calls.records({ operation: 'UpdateService' })).toMatchObject([
      { principal: { kind: 'role', roleArn: 'arn:aws:iam::123456789012:role/shift', session: 'run-1' } },
    ]);
  });

  it("is denied all else, in AWS's words", async () => {
    const options = await session({
      Effect: 'Allow',
      Action: 'ecs:UpdateService',
      Resource: 'arn:aws:ecs:*:*:service/other/*',
    });
    await expect(new ECSClient(options).send(updateWeb)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message:
        'User: arn:aws:sts::123456789012:assumed-role/shift/run-1 is not authorized to perform: ecs:UpdateService on ' +
        'resource: arn:aws:ecs:us-east-1:123456789012:service/main/web-g0001 because no identity-based policy allows ' +
        'the ecs:UpdateService action',
    });
    await expect(
      new ElasticLoadBalancingV2Client(options).send(new DescribeRulesCommand({ RuleArns: ['r'] })),
    ).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    aws.buckets.create('assets');
    await expect(
      new S3Client({ ...options, forcePathStyle: true }).send(
        new GetObjectCommand({ Bucket: 'assets', Key: 'k' }),
      ),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('arn:aws:s3:::assets/k'),
    });
    expect(aws.calls.records({ operation: 'UpdateService' })).toMatchObject([
      { error: 'AccessDeniedException' },
    ]);
  });

  it('is told of an explicit deny', async () => {
    const options = await session(
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: 'ecs:*', Resource: '*' },
    );
    await expect(new ECSClient(options).send(updateWeb)).rejects.toThrow(
      'with an explicit deny in an identity-based policy',
    );
  });

  it('may pass a role only to the service that the policy names', async () => {
    const taskRoleArn = 'arn:aws:iam::123456789012:role/task';
    const passing = (service: string) => ({
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: taskRoleArn,
      Condition: { StringEquals: { 'iam:PassedToService': service } },
    });
    const register = new RegisterTaskDefinitionCommand({
      family: 'web',
      containerDefinitions: [],
      taskRoleArn,
    });
    const all = { Effect: 'Allow', Action: 'ecs:*', Resource: '*' };
    const options = await session(all, passing('lambda.amazonaws.com'));
    await expect(new ECSClient(options).send(register)).rejects.toThrow(
      'not authorized to perform: iam:PassRole',
    );
    const document = policy(all, passing('ecs-tasks.amazonaws.com'));
    await iam.send(
      new PutRolePolicyCommand({ RoleName: 'shift', PolicyName: 'own', PolicyDocument: document }),
    );
    await new ECSClient(options).send(register);
  });

  it('may nothing once its role is gone', async () => {
    const options = await session();
    await iam.send(new DeleteRoleCommand({ RoleName: 'shift' }));
    await expect(new ECSClient(options).send(updateWeb)).rejects.toThrow('is not authorized');
  });

  it("is held to a resource's tags", () => {
    const role = aws.roles.create('tagged', { trust });
    const byTag = {
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/team': 'web' } },
    };
    role.inline.set('own', readPolicy(policy(byTag), 'identity'));
    const authorizer = new PolicyAuthorizer({
      roles: aws.roles,
      clock: aws.clock,
      tagsOf: (arn) => (arn.endsWith('/web') ? { team: 'web' } : undefined),
    });
    const request = {
      principal: { kind: 'role', roleArn: role.arn, session: 's' },
      action: 'ecs:DeleteService',
    } as const;
    authorizer.authorize({ ...request, resources: ['arn:aws:ecs:::service/main/web'] });
    expect(() =>
      authorizer.authorize({ ...request, resources: ['arn:aws:ecs:::service/main/other'] }),
    ).toThrow('is not authorized to perform: ecs:DeleteService');
    expect(() =>
      authorizer.authorize({
        ...request,
        action: 'elasticloadbalancing:SetRulePriorities',
        resources: ['arn:aws:elasticloadbalancing:::listener-rule/app/web'],
      }),
    ).toThrow('is not authorized to perform: elasticloadbalancing:SetRulePriorities');
  });
});

describe('the API', () => {
  const create = (RoleName: string) =>
    iam.send(
      new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, Tags: [{ Key: 'a', Value: 'b' }] }),
    );

  it('gives back what was put, documents URL-encoded', async () => {
    await create('plan');
    const document = policy({ Effect: 'Allow', Action: 's3:*', Resource: '*' });
    await iam.send(new PutRolePolicyCommand({ RoleName: 'plan', PolicyName: 'p', PolicyDocument: document }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'plan' }));
    expect(Role).toMatchObject({
      Arn: 'arn:aws:iam::123456789012:role/plan',
      CreateDate: new Date(aws.clock.now()),
      Tags: [{ Key: 'a', Value: 'b' }],
    });
    expect(decodeURIComponent(Role!.AssumeRolePolicyDocument!)).toBe(trust);
    const got = await iam.send(new GetRolePolicyCommand({ RoleName: 'plan', PolicyName: 'p' }));
    expect(decodeURIComponent(got.PolicyDocument!)).toBe(document);
  });

  it('lists by pages', async () => {
    for (const name of ['a', 'b', 'c']) await create(name);
    const first = await iam.send(new ListRolesCommand({ MaxItems: 2 }));
    expect(first.Roles?.map(({ RoleName }) => RoleName)).toEqual(['a', 'b']);
    const second = await iam.send(new ListRolesCommand({ MaxItems: 2, Marker: first.Marker }));
    expect(second).toMatchObject({ Roles: [{ RoleName: 'c' }], IsTruncated: false });
  });

  it('knows few AWS managed policies, and says so of others', async () => {
    await create('plan');
    const PolicyArn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'plan', PolicyArn }));
    expect(await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: 'plan' }))).toMatchObject({
      AttachedPolicies: [{ PolicyArn, PolicyName: 'AWSLambdaBasicExecutionRole' }],
    });
    await expect(
      iam.send(
        new AttachRolePolicyCommand({
          RoleName: 'plan',
          PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
        }),
      ),
    ).rejects.toBeInstanceOf(NoSuchEntityException);
  });

  it('refuses what AWS refuses', async () => {
    await create('plan');
    await expect(create('plan')).rejects.toBeInstanceOf(EntityAlreadyExistsException);
    await expect(iam.send(new GetRoleCommand({ RoleName: 'none' }))).rejects.toBeInstanceOf(
      NoSuchEntityException,
    );
    const put = { RoleName: 'plan', PolicyName: 'p' };
    await expect(
      iam.send(new PutRolePolicyCommand({ ...put, PolicyDocument: '{"Statement":[]}' })),
    ).rejects.toBeInstanceOf(MalformedPolicyDocumentException);

    const PolicyArn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
    const remove = () => iam.send(new DeleteRoleCommand({ RoleName: 'plan' }));
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'plan', PolicyArn }));
    await expect(remove()).rejects.toBeInstanceOf(DeleteConflictException);
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'plan', PolicyArn }));
    await iam.send(
      new PutRolePolicyCommand({
        ...put,
        PolicyDocument: policy({ Effect: 'Allow', Action: '*', Resource: '*' }),
      }),
    );
    await expect(remove()).rejects.toThrow('must delete policies first');
    await iam.send(new DeleteRolePolicyCommand(put));
    await remove();
  });

  /** A policy of exactly so many characters that count, laid out with some that do not. */
  function ofSize(size: number): string {
    const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '' };
    const empty = policy(statement).length;
    const document = { ...statement, Resource: 'a'.repeat(size - empty) };
    return JSON.stringify(JSON.parse(policy(document)), undefined, 4);
  }

  it('counts the characters of all inline policies of a role together, without white space', async () => {
    await create('plan');
    const put = (PolicyName: string, size: number) =>
      iam.send(new PutRolePolicyCommand({ RoleName: 'plan', PolicyName, PolicyDocument: ofSize(size) }));
    await put('a', 10_000);
    await put('b', 240);
    await put('a', 9_999);
    await expect(put('b', 242)).rejects.toMatchObject({
      name: 'LimitExceededException',
      message: 'Maximum policy size of 10240 bytes exceeded for role plan',
      $metadata: { httpStatusCode: 409 },
    });
    await expect(put('c', 200)).rejects.toBeInstanceOf(LimitExceededException);
    await put('b', 241);
  });

  it('counts the characters of a managed policy, its versions, and those of a role', async () => {
    const make = (PolicyName: string, size: number) =>
      iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: ofSize(size) }));
    await expect(make('large', 6145)).rejects.toThrow('Cannot exceed quota for PolicySize: 6144');
    const { Policy } = await make('full', 6144);
    const PolicyArn = Policy!.Arn!;
    const change = (size: number) =>
      iam.send(
        new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: ofSize(size), SetAsDefault: true }),
      );
    await expect(change(6145)).rejects.toBeInstanceOf(LimitExceededException);
    for (let version = 2; version <= 5; version++) await change(200 + version);
    await expect(change(300)).rejects.toThrow('can have up to 5 versions');

    await create('plan');
    const attach = (arn: string) =>
      iam.send(new AttachRolePolicyCommand({ RoleName: 'plan', PolicyArn: arn }));
    await attach(PolicyArn);
    for (let other = 1; other <= 9; other++) await attach((await make(`p${other}`, 200)).Policy!.Arn!);
    await attach(PolicyArn);
    const { Policy: eleventh } = await make('p10', 200);
    await expect(attach(eleventh!.Arn!)).rejects.toThrow('Cannot exceed quota for PoliciesPerRole: 10');
  });

  it('holds to the default version of a managed policy', async () => {
    const document = (Action: string) => policy({ Effect: 'Allow', Action, Resource: '*' });
    const { Policy } = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: document('ecs:ListTasks') }),
    );
    const PolicyArn = Policy!.Arn!;
    const { Role } = await create('plan');
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'plan', PolicyArn }));
    const updateWeb = () =>
      new ECSClient(clientOptions(aws.endpoint, aws.sessions.issue(Role!.Arn!, 'run-1'))).send(
        new UpdateServiceCommand({ service: 'web' }),
      );
    const PolicyDocument = document('ecs:UpdateService');
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument }));
    await expect(updateWeb()).rejects.toThrow('is not authorized');
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }));
    await updateWeb();

    const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions?.map(({ VersionId, IsDefaultVersion }) => [VersionId, IsDefaultVersion])).toEqual([
      ['v3', true],
      ['v2', false],
      ['v1', false],
    ]);
    expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.DefaultVersionId).toBe('v3');
    const third = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v3' }));
    expect(decodeURIComponent(third.PolicyVersion!.Document!)).toBe(PolicyDocument);

    const remove = (VersionId: string) => iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }));
    await expect(remove('v3')).rejects.toBeInstanceOf(DeleteConflictException);
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'plan', PolicyArn }));
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toThrow('more than one version');
    await remove('v1');
    await remove('v2');
    await iam.send(new DeletePolicyCommand({ PolicyArn }));
  });

  it('says which services may take a role', async () => {
    const { Role } = await create('plan');
    expect(aws.roles.assumableByService(Role!.Arn!, 'lambda.amazonaws.com')).toBe(true);
    expect(aws.roles.assumableByService(Role!.Arn!, 'ecs-tasks.amazonaws.com')).toBe(false);
    expect(aws.roles.assumableByService('arn:aws:iam::123456789012:role/none', 'lambda.amazonaws.com')).toBe(
      false,
    );
  });
});
