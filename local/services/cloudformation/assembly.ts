/** A cloud assembly (`cdk.out`): the stacks and assets that the CDK synthesized. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accountId, partition, region } from '../../account.ts';
import { inOrder } from './references.ts';

export interface AssemblyStack {
  readonly id: string;
  readonly name: string;
  readonly templateFile: string;
  /** `s3://bucket/key` where the template is published. */
  readonly templateObject: { readonly bucket: string; readonly key: string } | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly terminationProtection: boolean;
}

export interface FileAsset {
  readonly path: string;
  readonly packaging: 'file' | 'zip';
  readonly destinations: readonly { readonly bucket: string; readonly key: string }[];
}

export interface Assembly {
  /** Each after those it depends on. */
  readonly stacks: readonly AssemblyStack[];
  readonly assets: readonly FileAsset[];
}

interface Artifact {
  readonly type: string;
  readonly properties?: {
    readonly file?: string;
    readonly directoryName?: string;
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly stackTemplateAssetObjectUrl?: string;
    readonly parameters?: Record<string, string>;
    readonly tags?: Record<string, string>;
    readonly terminationProtection?: boolean;
  };
  readonly dependencies?: readonly string[];
}

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path?: string; readonly packaging?: 'file' | 'zip' };
        readonly destinations: Readonly<
          Record<string, { readonly bucketName: string; readonly objectKey: string }>
        >;
      }
    >
  >;
  readonly dockerImages?: Readonly<Record<string, unknown>>;
}

export async function readAssembly(folder: string): Promise<Assembly> {
  const manifest = await json<{ artifacts: Readonly<Record<string, Artifact>> }>(
    join(folder, 'manifest.json'),
  );
  const artifacts = new Map(Object.entries(manifest.artifacts));
  const stacks: AssemblyStack[] = [];
  const assets: FileAsset[] = [];
  const order = inOrder(new Map([...artifacts].map(([id, { dependencies = [] }]) => [id, dependencies])));
  for (const id of order) {
    const { type, properties = {} } = artifacts.get(id)!;
    if (type === 'aws:cloudformation:stack') stacks.push(stackOf(folder, id, properties));
    if (type === 'cdk:asset-manifest') assets.push(...(await assetsOf(folder, properties.file!)));
    if (type === 'cdk:cloud-assembly') {
      const nested = await readAssembly(join(folder, properties.directoryName!));
      stacks.push(...nested.stacks);
      assets.push(...nested.assets);
    }
  }
  return { stacks, assets };
}

function stackOf(folder: string, id: string, properties: NonNullable<Artifact['properties']>): AssemblyStack {
  const [, bucket, key] =
    /^s3:\/\/([^/]+)\/(.+)$/.exec(placed(properties.stackTemplateAssetObjectUrl ?? '')) ?? [];
  return {
    id,
    name: properties.stackName ?? id,
    templateFile: join(folder, properties.templateFile!),
    templateObject: bucket === undefined || key === undefined ? undefined : { bucket, key },
    parameters: properties.parameters ?? {},
    tags: properties.tags ?? {},
    terminationProtection: properties.terminationProtection ?? false,
  };
}

async function assetsOf(folder: string, file: string): Promise<FileAsset[]> {
  const manifest = await json<AssetManifest>(join(folder, file));
  const images = Object.keys(manifest.dockerImages ?? {});
  if (images.length > 0) throw new Error(`${file}: image assets are not supported (${images.join(', ')})`);
  return Object.entries(manifest.files ?? {}).map(([id, { source, destinations }]) => {
    if (source.path === undefined)
      throw new Error(`${file}: asset ${id} has no path; executable sources are not supported`);
    return {
      path: join(folder, source.path),
      packaging: source.packaging ?? 'file',
      destinations: Object.values(destinations).map(({ bucketName, objectKey }) => ({
        bucket: placed(bucketName),
        key: placed(objectKey),
      })),
    };
  });
}

/** Environment-agnostic assemblies leave account and region to whoever deploys. */
function placed(text: string): string {
  return text
    .replaceAll('${AWS::AccountId}', accountId)
    .replaceAll('${AWS::Region}', region)
    .replaceAll('${AWS::Partition}', partition);
}

async function json<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
