/**
 * Managed signing: what is pushed is signed with the profiles of the rules that match its repository
 * (https://docs.aws.amazon.com/AmazonECR/latest/userguide/managed-signing.html). The signatures themselves, which ECR stores as
 * artifacts that refer to the image, are left out: AWS Signer, whose they are, is not here.
 */
import type {
  DeleteSigningConfigurationCommandOutput,
  DescribeImageSigningStatusCommandInput,
  DescribeImageSigningStatusCommandOutput,
  GetSigningConfigurationCommandOutput,
  ImageSigningStatus,
  PutSigningConfigurationCommandInput,
  PutSigningConfigurationCommandOutput,
  SigningConfiguration,
} from '@aws-sdk/client-ecr';
import { accountId } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Repository, StoredImage } from '../../registry/repository.ts';
import { matchesWildcard } from '../../registry/tag-mutability.ts';
import { identity } from './repositories.ts';

/** AWS documents no time. */
const signingMs = 5_000;

interface Job {
  readonly signingProfileArn: string;
  readonly from: number;
}

export interface SigningFailure {
  readonly failureCode: string;
  readonly failureReason: string;
}

export class Signing {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #jobs = new WeakMap<StoredImage, readonly Job[]>();
  readonly #failures = new Map<string, SigningFailure>();
  #configuration: SigningConfiguration | undefined;

  constructor(options: { registry: Registry; clock: Clock }) {
    this.#registry = options.registry;
    this.#clock = options.clock;
    options.registry.onPush((repository, image) => this.#pushed(repository, image));
  }

  /** From now on, signing with the profile fails: mostly for whoever pushes may not use it. */
  fails(signingProfileArn: string, failure: SigningFailure): void {
    this.#failures.set(signingProfileArn, failure);
  }

  readonly operations = {
    DescribeImageSigningStatus: (
      input: DescribeImageSigningStatusCommandInput,
    ): Output<DescribeImageSigningStatusCommandOutput> => {
      const repository = this.#registry.repository(input.repositoryName ?? '');
      const imageId = input.imageId ?? {};
      const image = repository.get({ digest: imageId.imageDigest, tag: imageId.imageTag });
      return {
        ...identity(repository),
        imageId: { ...imageId, imageDigest: image.manifest.digest },
        signingStatuses: (this.#jobs.get(image) ?? []).map((job) => this.#statusOf(job)),
      };
    },

    PutSigningConfiguration: (
      input: PutSigningConfigurationCommandInput,
    ): Output<PutSigningConfigurationCommandOutput> => {
      this.#configuration = input.signingConfiguration!;
      return { signingConfiguration: this.#configuration };
    },

    GetSigningConfiguration: (): Output<GetSigningConfigurationCommandOutput> => ({
      registryId: accountId,
      signingConfiguration: this.#configured(),
    }),

    DeleteSigningConfiguration: (): Output<DeleteSigningConfigurationCommandOutput> => {
      const signingConfiguration = this.#configured();
      this.#configuration = undefined;
      return { registryId: accountId, signingConfiguration };
    },
  } satisfies Operations;

  #configured(): SigningConfiguration {
    if (this.#configuration !== undefined) return this.#configuration;
    throw new AwsError(
      'SigningConfigurationNotFoundException',
      `Signing configuration does not exist in the registry with id '${accountId}'`,
    );
  }

  #pushed(repository: Repository, image: StoredImage): void {
    // What is about another image is not signed in its turn, or signatures would never end.
    if (image.manifest.subject !== undefined) return;
    const rules = (this.#configuration?.rules ?? []).filter(
      ({ repositoryFilters }) =>
        repositoryFilters === undefined ||
        repositoryFilters.some(({ filter = '' }) => matchesWildcard(repository.name, filter)),
    );
    const from = this.#clock.now();
    this.#jobs.set(
      image,
      rules.map(({ signingProfileArn = '' }) => ({ signingProfileArn, from })),
    );
  }

  #statusOf({ signingProfileArn, from }: Job): ImageSigningStatus {
    if (this.#clock.now() < from + signingMs) return { signingProfileArn, status: 'IN_PROGRESS' };
    const failure = this.#failures.get(signingProfileArn);
    return { signingProfileArn, status: failure === undefined ? 'COMPLETE' : 'FAILED', ...failure };
  }
}
