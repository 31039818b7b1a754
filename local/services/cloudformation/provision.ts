/** What `cdk deploy` does, in process: publishes an assembly's assets and brings its stacks to their templates. */
import { readFile } from 'node:fs/promises';
import type {
  CreateStackCommandInput,
  DeleteStackCommandInput,
  Stack as ShownStack,
  StackEvent,
  UpdateStackCommandInput,
} from '@aws-sdk/client-cloudformation';
import { region } from '../../account.ts';
import type { Call } from '../../call.ts';
import { archive } from './archive.ts';
import { type AssemblyStack, type FileAsset, readAssembly } from './assembly.ts';
import type { CloudFormation } from './cloudformation.ts';

export interface ProvisionOptions {
  /** A `cdk.out` folder. */
  readonly assembly: string;
  /** Names of the stacks to provision; all of the assembly without. */
  readonly stacks?: readonly string[];
  readonly cloudformation: CloudFormation;
  readonly createBucket: (bucket: string) => Promise<void>;
  readonly putObject: (bucket: string, key: string, bytes: Uint8Array) => Promise<void>;
}

/** A stack's outputs. */
export type Outputs = Readonly<Record<string, string>>;

/** Who provisions: the account's root, from no request. */
const call: Call = { principal: { kind: 'root' }, requestId: 'provision', endpoint: '' };

/** Resolves when every stack is as its template says; rejects with the reason of the first resource that failed. */
export async function provision(options: ProvisionOptions): Promise<ReadonlyMap<string, Outputs>> {
  const { stacks, assets } = await readAssembly(options.assembly);
  const unknown = (options.stacks ?? []).filter((wanted) => !stacks.some(({ name }) => name === wanted));
  if (unknown.length > 0) throw new Error(`No stack ${unknown.join(', ')} in ${options.assembly}`);
  await publish(assets, options);
  const outputs = new Map<string, Outputs>();
  for (const stack of stacks) {
    if (options.stacks !== undefined && !options.stacks.includes(stack.name)) continue;
    outputs.set(stack.name, await deploy(stack, options.cloudformation));
  }
  return outputs;
}

async function publish(
  assets: readonly FileAsset[],
  { createBucket, putObject }: ProvisionOptions,
): Promise<void> {
  const buckets = new Set(assets.flatMap(({ destinations }) => destinations.map(({ bucket }) => bucket)));
  for (const bucket of buckets) await createBucket(bucket);
  await Promise.all(
    assets.map(async ({ path, packaging, destinations }) => {
      const bytes = packaging === 'zip' ? await archive(path) : new Uint8Array(await readFile(path));
      for (const { bucket, key } of destinations) await putObject(bucket, key, bytes);
    }),
  );
}

async function deploy(stack: AssemblyStack, cloudformation: CloudFormation): Promise<Outputs> {
  const run = async (operation: string, input: object): Promise<void> => {
    await cloudformation.operations[operation]!(input as never, call);
  };
  const shared = {
    StackName: stack.name,
    ...(stack.templateObject === undefined
      ? { TemplateBody: await readFile(stack.templateFile, 'utf8') }
      : {
          TemplateURL: `https://s3.${region}.amazonaws.com/${stack.templateObject.bucket}/${stack.templateObject.key}`,
        }),
    Parameters: Object.entries(stack.parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    Tags: Object.entries(stack.tags).map(([Key, Value]) => ({ Key, Value })),
    Capabilities: ['CAPABILITY_NAMED_IAM' as const],
  };
  const existing = await current(stack.name, cloudformation);
  if (existing?.StackStatus === 'ROLLBACK_COMPLETE') {
    await run('DeleteStack', { StackName: stack.name } satisfies DeleteStackCommandInput);
    await cloudformation.settled(existing.StackId!);
  }
  if (existing === undefined || existing.StackStatus === 'ROLLBACK_COMPLETE') {
    await run('CreateStack', {
      ...shared,
      EnableTerminationProtection: stack.terminationProtection,
    } satisfies CreateStackCommandInput);
  } else {
    try {
      await run('UpdateStack', shared satisfies UpdateStackCommandInput);
    } catch (failure) {
      if (!(failure instanceof Error) || failure.message !== 'No updates are to be performed.') throw failure;
    }
  }
  const { stack: settled, events } = await cloudformation.settled(stack.name);
  if (settled.StackStatus !== 'CREATE_COMPLETE' && settled.StackStatus !== 'UPDATE_COMPLETE') {
    throw new ProvisioningFailed(settled, events);
  }
  return Object.fromEntries(
    (settled.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue!]),
  );
}

async function current(name: string, cloudformation: CloudFormation): Promise<ShownStack | undefined> {
  try {
    return (await cloudformation.settled(name)).stack;
  } catch (failure) {
    if (failure instanceof Error && failure.name === 'ValidationError') return undefined;
    throw failure;
  }
}

/** A stack that did not come to where its template says, with the first failure of its last operation. */
class ProvisioningFailed extends Error {
  constructor(stack: ShownStack, events: readonly StackEvent[]) {
    const begun = events.findIndex(
      ({ ResourceStatusReason, PhysicalResourceId, StackId }) =>
        PhysicalResourceId === StackId && ResourceStatusReason === 'User Initiated',
    );
    const first = events
      .slice(0, begun === -1 ? undefined : begun)
      .findLast(({ ResourceStatus }) => ResourceStatus?.endsWith('_FAILED'));
    const cause =
      first === undefined
        ? stack.StackStatusReason
        : `${first.LogicalResourceId} (${first.ResourceType}): ${first.ResourceStatusReason}`;
    super(`Stack ${stack.StackName} is ${stack.StackStatus}: ${cause}`);
    this.name = 'ProvisioningFailed';
  }
}
