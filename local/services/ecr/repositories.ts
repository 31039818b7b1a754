/** ECR's operations on repositories and what is set on them. */
import type {
  CreateRepositoryCommandInput,
  CreateRepositoryCommandOutput,
  DeleteLifecyclePolicyCommandInput,
  DeleteLifecyclePolicyCommandOutput,
  DeleteRepositoryCommandInput,
  DeleteRepositoryCommandOutput,
  DeleteRepositoryPolicyCommandInput,
  DeleteRepositoryPolicyCommandOutput,
  DescribeRepositoriesCommandInput,
  DescribeRepositoriesCommandOutput,
  GetLifecyclePolicyCommandInput,
  GetLifecyclePolicyCommandOutput,
  GetRepositoryPolicyCommandInput,
  GetRepositoryPolicyCommandOutput,
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  PutImageScanningConfigurationCommandInput,
  PutImageScanningConfigurationCommandOutput,
  PutImageTagMutabilityCommandInput,
  PutImageTagMutabilityCommandOutput,
  PutLifecyclePolicyCommandInput,
  PutLifecyclePolicyCommandOutput,
  Repository as RepositoryDescription,
  SetRepositoryPolicyCommandInput,
  SetRepositoryPolicyCommandOutput,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-ecr';
import { accountId, arn, region } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Repository } from '../../registry/repository.ts';
import type { TagMutability } from '../../registry/tag-mutability.ts';
import { page } from './page.ts';
import { addTags, listTags, type RepositorySettings } from './repository-settings.ts';

export class Repositories {
  readonly #registry: Registry;
  readonly #settings = new WeakMap<Repository, RepositorySettings>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** For policies that go by tags. */
  tagsOf(resourceArn: string): Readonly<Record<string, string>> | undefined {
    const name = resourceArn.slice(arn('ecr', 'repository/').length);
    const repository = this.#registry.repositories().find((each) => each.name === name);
    return repository === undefined ? undefined : Object.fromEntries(this.#settingsOf(repository).tags);
  }

  /** What `PutImageScanningConfiguration` set. */
  scansOnPush(repository: Repository): boolean {
    return this.#settings.get(repository)?.scanning.scanOnPush ?? false;
  }

  readonly operations = {
    CreateRepository: (input: CreateRepositoryCommandInput): Output<CreateRepositoryCommandOutput> => {
      const repository = this.#registry.createRepository(input.repositoryName ?? '', tagMutability(input));
      const settings: RepositorySettings = {
        scanning: { scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false },
        encryption: input.encryptionConfiguration ?? { encryptionType: 'AES256' },
        tags: new Map(),
      };
      addTags(settings, input.tags);
      this.#settings.set(repository, settings);
      return { repository: this.#describe(repository) };
    },

    DeleteRepository: (input: DeleteRepositoryCommandInput): Output<DeleteRepositoryCommandOutput> => {
      const description = this.#describe(this.#repository(input));
      this.#registry.deleteRepository(input.repositoryName ?? '', { force: input.force ?? false });
      return { repository: description };
    },

    DescribeRepositories: (
      input: DescribeRepositoriesCommandInput,
    ): Output<DescribeRepositoriesCommandOutput> => {
      const { items, nextToken } =
        input.repositoryNames === undefined
          ? page(this.#registry.repositories(), input)
          : { items: input.repositoryNames.map((name) => this.#registry.repository(name)) };
      return {
        repositories: items.map((repository) => this.#describe(repository)),
        ...(nextToken === undefined ? {} : { nextToken }),
      };
    },

    PutImageTagMutability: (
      input: PutImageTagMutabilityCommandInput,
    ): Output<PutImageTagMutabilityCommandOutput> => {
      const repository = this.#repository(input);
      repository.mutability = tagMutability(input);
      return { ...identity(repository), ...repository.mutability };
    },

    PutImageScanningConfiguration: (
      input: PutImageScanningConfigurationCommandInput,
    ): Output<PutImageScanningConfigurationCommandOutput> => {
      const repository = this.#repository(input);
      const scanning = { scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false };
      this.#settingsOf(repository).scanning = scanning;
      return { ...identity(repository), imageScanningConfiguration: scanning };
    },

    PutLifecyclePolicy: (input: PutLifecyclePolicyCommandInput): Output<PutLifecyclePolicyCommandOutput> => {
      const repository = this.#repository(input);
      const lifecyclePolicyText = jsonText(input.lifecyclePolicyText, 'lifecyclePolicyText');
      this.#settingsOf(repository).lifecyclePolicy = lifecyclePolicyText;
      return { ...identity(repository), lifecyclePolicyText };
    },

    GetLifecyclePolicy: (input: GetLifecyclePolicyCommandInput): Output<GetLifecyclePolicyCommandOutput> => {
      const repository = this.#repository(input);
      return { ...identity(repository), lifecyclePolicyText: this.#lifecyclePolicy(repository) };
    },

    DeleteLifecyclePolicy: (
      input: DeleteLifecyclePolicyCommandInput,
    ): Output<DeleteLifecyclePolicyCommandOutput> => {
      const repository = this.#repository(input);
      const lifecyclePolicyText = this.#lifecyclePolicy(repository);
      delete this.#settingsOf(repository).lifecyclePolicy;
      return { ...identity(repository), lifecyclePolicyText };
    },

    SetRepositoryPolicy: (
      input: SetRepositoryPolicyCommandInput,
    ): Output<SetRepositoryPolicyCommandOutput> => {
      const repository = this.#repository(input);
      const policyText = jsonText(input.policyText, 'policyText');
      this.#settingsOf(repository).policy = policyText;
      return { ...identity(repository), policyText };
    },

    GetRepositoryPolicy: (
      input: GetRepositoryPolicyCommandInput,
    ): Output<GetRepositoryPolicyCommandOutput> => {
      const repository = this.#repository(input);
      return { ...identity(repository), policyText: this.#policy(repository) };
    },

    DeleteRepositoryPolicy: (
      input: DeleteRepositoryPolicyCommandInput,
    ): Output<DeleteRepositoryPolicyCommandOutput> => {
      const repository = this.#repository(input);
      const policyText = this.#policy(repository);
      delete this.#settingsOf(repository).policy;
      return { ...identity(repository), policyText };
    },

    TagResource: (input: TagResourceCommandInput): object => {
      addTags(this.#settingsOf(this.#byArn(input.resourceArn)), input.tags);
      return {};
    },

    UntagResource: (input: UntagResourceCommandInput): object => {
      const { tags } = this.#settingsOf(this.#byArn(input.resourceArn));
      for (const key of input.tagKeys ?? []) tags.delete(key);
      return {};
    },

    ListTagsForResource: (
      input: ListTagsForResourceCommandInput,
    ): Output<ListTagsForResourceCommandOutput> => ({
      tags: listTags(this.#settingsOf(this.#byArn(input.resourceArn))),
    }),
  } satisfies Operations;

  #repository(input: { repositoryName: string | undefined }): Repository {
    return this.#registry.repository(input.repositoryName ?? '');
  }

  #byArn(resourceArn: string | undefined): Repository {
    const prefix = arn('ecr', 'repository/');
    if (resourceArn?.startsWith(prefix) !== true) {
      throw new AwsError(
        'InvalidParameterException',
        `Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'`,
      );
    }
    return this.#registry.repository(resourceArn.slice(prefix.length));
  }

  #settingsOf(repository: Repository): RepositorySettings {
    const settings = this.#settings.get(repository);
    if (settings === undefined) throw new Error(`${repository.name} was not created through the API`);
    return settings;
  }

  #lifecyclePolicy(repository: Repository): string {
    const text = this.#settingsOf(repository).lifecyclePolicy;
    if (text === undefined) throw absent('LifecyclePolicyNotFoundException', 'Lifecycle policy', repository);
    return text;
  }

  #policy(repository: Repository): string {
    const text = this.#settingsOf(repository).policy;
    if (text === undefined)
      throw absent('RepositoryPolicyNotFoundException', 'Repository policy', repository);
    return text;
  }

  #describe(repository: Repository): RepositoryDescription {
    const settings = this.#settingsOf(repository);
    return {
      ...identity(repository),
      repositoryArn: arn('ecr', `repository/${repository.name}`),
      repositoryUri: `${accountId}.dkr.ecr.${region}.amazonaws.com/${repository.name}`,
      createdAt: new Date(repository.createdAt),
      ...repository.mutability,
      imageScanningConfiguration: settings.scanning,
      encryptionConfiguration: settings.encryption,
    };
  }
}

/** What every answer about a repository begins with. */
export function identity(repository: Repository): { registryId: string; repositoryName: string } {
  return { registryId: accountId, repositoryName: repository.name };
}

function tagMutability(
  input: Pick<PutImageTagMutabilityCommandInput, 'imageTagMutabilityExclusionFilters'> & {
    imageTagMutability?: TagMutability['imageTagMutability'] | undefined;
  },
): TagMutability {
  const filters = input.imageTagMutabilityExclusionFilters;
  return {
    imageTagMutability: input.imageTagMutability ?? 'MUTABLE',
    ...(filters === undefined ? {} : { imageTagMutabilityExclusionFilters: filters }),
  };
}

function jsonText(text: string | undefined, parameter: string): string {
  try {
    JSON.parse(text ?? '');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter at '${parameter}' failed to satisfy constraint: 'Invalid JSON syntax'`,
    );
  }
  return text ?? '';
}

function absent(code: string, what: string, repository: Repository): AwsError {
  return new AwsError(
    code,
    `${what} does not exist for the repository with name '${repository.name}' in the registry with id '${accountId}'`,
  );
}
