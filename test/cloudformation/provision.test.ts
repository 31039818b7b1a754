import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  DescribeStackResourcesCommandOutput,
  DescribeStacksCommandOutput,
} from '@aws-sdk/client-cloudformation';
import type { DescribeVpcsCommandOutput } from '@aws-sdk/client-ec2';
import type { ListTaskDefinitionsCommandOutput } from '@aws-sdk/client-ecs';
import type { DescribeTargetGroupsCommandOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ListFunctionsCommandOutput } from '@aws-sdk/client-lambda';
import { Stack } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';
import { definition, Example, functionCode, newApp } from './example-app.ts';

let folder: string;
let clock: FastForwardClock;
let aws: EmbeddedAws;
let failures: unknown[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assembly-'));
  failures = [];
  const onFailure = (failure: unknown): void => void failures.push(failure);
  clock = new FastForwardClock({ speed: 20, onFailure });
  aws = await createEmbeddedAws({ clock, sharedOffset: clock.shared, port: 0, onFailure });
});

afterEach(async () => {
  await aws.close();
  clock.stop();
  await rm(folder, { recursive: true });
  if (failures.length > 0) throw new AggregateError(failures, 'faults of the embedded AWS');
});

const call = <T>(service: string, operation: string, input: object = {}): Promise<T> =>
  aws.dispatcher.call(service, operation, input, { kind: 'root' }) as Promise<T>;

async function parameter(Name: string): Promise<string> {
  return (await call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name })).Parameter.Value;
}

async function example(edition: 1 | 2): Promise<string> {
  const code = join(folder, 'code');
  await mkdir(code, { recursive: true });
  await writeFile(join(code, 'index.mjs'), functionCode);
  await writeFile(join(code, 'deploy.asl.json'), definition);
  const app = newApp(join(folder, `cdk.out.${edition}`));
  new Example(app, 'Shop', code, edition);
  return app.synth().directory;
}

describe('provisioning an assembly of the CDK', () => {
  it('makes all of its resources in the services, and finds nothing to do the second time', async () => {
    const directory = await example(1);
    const outputs = (await aws.provision(directory)).get('Shop')!;
    expect(outputs['Url']).toMatch(/^http:\/\/Shop-Balancer.*\.elb\.amazonaws\.com$/);
    expect(await parameter('/shown')).toBe('10');
    const { definition: made } = await call<{ definition: string }>('states', 'DescribeStateMachine', {
      stateMachineArn: outputs['MachineArn'],
    });
    expect(JSON.parse(made).States.Go.Arguments.FunctionName).toMatch(
      /^arn:aws:lambda:us-east-1:123456789012:function:Shop-Fn.*:1$/,
    );
    expect(
      await call('ecs', 'DescribeTaskDefinition', { taskDefinition: 'web', include: ['TAGS'] }),
    ).toMatchObject({
      taskDefinition: {
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        containerDefinitions: [
          {
            name: 'app',
            portMappings: [{ containerPort: 8080 }],
            environment: [{ name: 'MODE', value: 'x1' }],
          },
        ],
      },
      tags: [{ key: 'team', value: 'red' }],
    });

    const before = aws.calls.records().length;
    await aws.provision(directory);
    expect(
      aws.calls
        .records()
        .slice(before)
        .map(({ operation }) => operation),
    ).toEqual(['GetParameter']);
  });

  it('changes what can be changed in place, and takes all away again', async () => {
    const outputs = (await aws.provision(await example(1))).get('Shop')!;
    const after = (await aws.provision(await example(2))).get('Shop')!;
    expect(after).toEqual(outputs);
    expect(await parameter('/shown')).toBe('20');
    const { TargetGroups } = await call<DescribeTargetGroupsCommandOutput>(
      'elasticloadbalancing',
      'DescribeTargetGroups',
    );
    expect(TargetGroups!.map(({ HealthCheckPath }) => HealthCheckPath)).toEqual(['/health/2', '/health/2']);
    const { Functions } = await call<ListFunctionsCommandOutput>('lambda', 'ListFunctions');
    expect(Functions![0]!.Environment!.Variables).toMatchObject({ EDITION: '2' });
    const { taskDefinitionArns } = await call<ListTaskDefinitionsCommandOutput>(
      'ecs',
      'ListTaskDefinitions',
      { status: 'ACTIVE' },
    );
    expect(taskDefinitionArns).toEqual(['arn:aws:ecs:us-east-1:123456789012:task-definition/web:2']);
    const { StackResources } = await call<DescribeStackResourcesCommandOutput>(
      'cloudformation',
      'DescribeStackResources',
      {
        StackName: 'Shop',
      },
    );
    const replaced = StackResources!.filter(({ ResourceStatus }) => ResourceStatus?.startsWith('UPDATE'));
    expect(replaced.length).toBeGreaterThan(10);

    const { Stacks } = await call<DescribeStacksCommandOutput>('cloudformation', 'DescribeStacks', {
      StackName: 'Shop',
    });
    const StackName = Stacks![0]!.StackId!;
    await call('cloudformation', 'DeleteStack', { StackName });
    await vi.waitFor(async () => {
      const gone = await call<DescribeStacksCommandOutput>('cloudformation', 'DescribeStacks', { StackName });
      expect(gone.Stacks![0]).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    }, 5000);
    expect((await call<ListFunctionsCommandOutput>('lambda', 'ListFunctions')).Functions).toEqual([]);
    expect((await call<DescribeVpcsCommandOutput>('ec2', 'DescribeVpcs')).Vpcs).toEqual([]);
  });

  it('goes from stack to stack in the order of their dependencies, with exports between them', async () => {
    const app = newApp(join(folder, 'cdk.out'));
    const made = new StringParameter(new Stack(app, 'Later'), 'Made', {
      parameterName: '/made',
      stringValue: 'm',
    });
    const user = new Stack(app, 'Earlier');
    new StringParameter(user, 'User', { parameterName: '/user', stringValue: `uses ${made.parameterArn}` });
    const outputs = await aws.provision(app.synth().directory);
    expect([...outputs.keys()]).toEqual(['Later', 'Earlier']);
    expect(await parameter('/user')).toBe('uses arn:aws:ssm:us-east-1:123456789012:parameter/made');
  });

  it('fails with the reason of the first resource that failed, and begins anew the next time', async () => {
    const app = newApp(join(folder, 'cdk.out'));
    const stack = new Stack(app, 'Shop');
    new StringParameter(stack, 'Fine', { parameterName: '/fine', stringValue: 'x' });
    new StringParameter(stack, 'Twin', { parameterName: '/taken', stringValue: 'x' });
    const { directory } = app.synth();
    await call('ssm', 'PutParameter', { Name: '/taken', Type: 'String', Value: 'y' });
    await expect(aws.provision(directory)).rejects.toThrow(
      /^Stack Shop is ROLLBACK_COMPLETE: Twin\w+ \(AWS::SSM::Parameter\): .*already exists/,
    );
    await call('ssm', 'DeleteParameter', { Name: '/taken' });
    await aws.provision(directory);
    expect(await parameter('/taken')).toBe('x');
  });

  it('names a resource type that it does not have', async () => {
    const app = newApp(join(folder, 'cdk.out'));
    new TableV2(new Stack(app, 'Shop'), 'T', { partitionKey: { name: 'pk', type: AttributeType.STRING } });
    await expect(aws.provision(app.synth().directory)).rejects.toThrow(
      'Unrecognized resource types: [AWS::DynamoDB::GlobalTable]',
    );
  });
});
