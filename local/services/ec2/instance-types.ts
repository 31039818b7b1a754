/**
 * Some of EC2's common instance types, by https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html and co.html. Those that
 * AWS has and this table has not are unknown here: describing them is an error, and they count for no quota.
 */
import type {
  DescribeInstanceTypesCommandInput,
  DescribeInstanceTypesCommandOutput,
  InstanceTypeInfo,
} from '@aws-sdk/client-ec2';
import { AwsError, type Output } from '../../call.ts';
import { filtered, page, type Tagged } from './resources.ts';

type Architecture = 'x86_64' | 'arm64';

interface TypeFacts {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architecture: Architecture;
}

/** Each with GiB of memory by size; all of these sizes but xlarge, with four, have two vCPUs. */
const families: Readonly<
  Record<string, { architecture: Architecture; gib: Readonly<Record<string, number>> }>
> = {
  t3: { architecture: 'x86_64', gib: { micro: 1, small: 2, medium: 4, large: 8 } },
  t3a: { architecture: 'x86_64', gib: { micro: 1, small: 2, medium: 4, large: 8 } },
  t4g: { architecture: 'arm64', gib: { micro: 1, small: 2, medium: 4, large: 8 } },
  m5: { architecture: 'x86_64', gib: { large: 8, xlarge: 16 } },
  m6i: { architecture: 'x86_64', gib: { large: 8, xlarge: 16 } },
  m7g: { architecture: 'arm64', gib: { large: 8, xlarge: 16 } },
  c5: { architecture: 'x86_64', gib: { large: 4 } },
  c6g: { architecture: 'arm64', gib: { large: 4 } },
  c7g: { architecture: 'arm64', gib: { large: 4 } },
};

const types: ReadonlyMap<string, TypeFacts> = new Map(
  Object.entries(families).flatMap(([family, { architecture, gib }]) =>
    Object.entries(gib).map(([size, memory]) => {
      const name = `${family}.${size}`;
      return [name, { name, vcpus: size === 'xlarge' ? 4 : 2, memoryMib: memory * 1024, architecture }];
    }),
  ),
);

/** Undefined for a type that the table has not. */
export function instanceType(name: string | undefined): TypeFacts | undefined {
  return types.get(name ?? '');
}

/** What carries two threads each on x86, and one on Graviton. */
export function coresOf({ vcpus, architecture }: TypeFacts): { CoreCount: number; ThreadsPerCore: number } {
  const ThreadsPerCore = architecture === 'x86_64' ? 2 : 1;
  return { CoreCount: vcpus / ThreadsPerCore, ThreadsPerCore };
}

export function describeInstanceTypes(
  input: DescribeInstanceTypesCommandInput,
): Output<DescribeInstanceTypesCommandOutput> {
  const names: readonly string[] = input.InstanceTypes ?? [];
  // In EC2's words, as moto's tests have them.
  const unknown = names.filter((name) => !types.has(name));
  if (unknown.length > 0)
    throw new AwsError(
      'InvalidInstanceType',
      `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
    );
  const chosen = [...types.values()].filter(({ name }) => names.length === 0 || names.includes(name));
  const found = filtered(
    chosen.map((facts): Tagged & { readonly facts: TypeFacts } => ({ facts })),
    input.Filters,
    {
      'instance-type': ({ facts }) => [facts.name],
      'processor-info.supported-architecture': ({ facts }) => [facts.architecture],
      'vcpu-info.default-vcpus': ({ facts }) => [String(facts.vcpus)],
      'memory-info.size-in-mib': ({ facts }) => [String(facts.memoryMib)],
      'burstable-performance-supported': ({ facts }) => [String(isBurstable(facts))],
      'current-generation': () => ['true'],
    },
  );
  const { items, ...more } = page(found, input.MaxResults ?? 100, input.NextToken);
  return { InstanceTypes: items.map(({ facts }) => described(facts)), ...more };
}

function described(facts: TypeFacts): InstanceTypeInfo {
  const { CoreCount, ThreadsPerCore } = coresOf(facts);
  return {
    InstanceType: facts.name as NonNullable<InstanceTypeInfo['InstanceType']>,
    CurrentGeneration: true,
    SupportedUsageClasses: ['on-demand', 'spot'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    BareMetal: false,
    Hypervisor: 'nitro',
    ProcessorInfo: { SupportedArchitectures: [facts.architecture] },
    VCpuInfo: {
      DefaultVCpus: facts.vcpus,
      DefaultCores: CoreCount,
      DefaultThreadsPerCore: ThreadsPerCore,
    },
    MemoryInfo: { SizeInMiB: facts.memoryMib },
    InstanceStorageSupported: false,
    BurstablePerformanceSupported: isBurstable(facts),
  };
}

function isBurstable({ name }: TypeFacts): boolean {
  return name.startsWith('t');
}
