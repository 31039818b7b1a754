/** Amazon ECR: the API over the embedded registry. */
import type {
  DescribeRegistryCommandOutput,
  GetAuthorizationTokenCommandInput,
  GetAuthorizationTokenCommandOutput,
} from '@aws-sdk/client-ecr';
import { accountId } from '../../account.ts';
import type { Emit } from '../../aws-event.ts';
import type { Call, Operations, Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Registry } from '../../registry/registry.ts';
import { Images } from './images.ts';
import { Repositories } from './repositories.ts';
import { Scans } from './scans.ts';
import { Signing } from './signing.ts';

/** How long ECR's tokens are good (GetAuthorizationToken). */
const tokenLifetimeMs = 12 * 60 * 60 * 1_000;

export class Ecr {
  readonly operations: Operations;
  /** Where a test says what a scan finds. */
  readonly scans: Scans;
  /** Where a test says with which profile signing fails. */
  readonly signing: Signing;
  readonly #clock: Clock;
  readonly #repositories: Repositories;

  constructor(options: { registry: Registry; clock: Clock; emit: Emit }) {
    this.#clock = options.clock;
    const repositories = new Repositories(options.registry);
    this.#repositories = repositories;
    this.scans = new Scans({ ...options, scansOnPush: (repository) => repositories.scansOnPush(repository) });
    this.signing = new Signing(options);
    this.operations = {
      ...repositories.operations,
      ...new Images(options.registry).operations,
      ...this.scans.operations,
      ...this.signing.operations,
      DescribeRegistry: (): Output<DescribeRegistryCommandOutput> => ({
        registryId: accountId,
        replicationConfiguration: { rules: [] },
      }),
      GetAuthorizationToken: (
        _input: GetAuthorizationTokenCommandInput,
        call: Call,
      ): Output<GetAuthorizationTokenCommandOutput> => ({
        authorizationData: [
          {
            // `docker login` splits it into user and password; the registry looks at neither.
            authorizationToken: Buffer.from(`AWS:${call.requestId}`).toString('base64'),
            expiresAt: new Date(this.#clock.now() + tokenLifetimeMs),
            // Unlike on AWS, the registry is where the API is.
            proxyEndpoint: call.endpoint,
          },
        ],
      }),
    };
  }

  /** For policies that go by tags. */
  tagsOf(arn: string): Readonly<Record<string, string>> | undefined {
    return this.#repositories.tagsOf(arn);
  }
}
