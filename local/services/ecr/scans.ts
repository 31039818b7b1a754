/**
 * Scans of images, basic and by Amazon Inspector ("enhanced"): when they run, and what they find as a test says. Images have no
 * packages here, so without a test's word a scan finds nothing. Left out: rescans when a new vulnerability becomes known, and
 * what DescribeImages tells of scans, which basic scanning does not fill any more
 * (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html).
 */
import { createHash } from 'node:crypto';
import type {
  DescribeImageScanFindingsCommandInput,
  DescribeImageScanFindingsCommandOutput,
  FindingSeverity,
  GetRegistryScanningConfigurationCommandOutput,
  ImageScanStatus,
  PutRegistryScanningConfigurationCommandInput,
  PutRegistryScanningConfigurationCommandOutput,
  RegistryScanningConfiguration,
  ScanFrequency,
  ScanStatus,
  StartImageScanCommandInput,
  StartImageScanCommandOutput,
} from '@aws-sdk/client-ecr';
import { accountId, arn } from '../../account.ts';
import type { Emit } from '../../aws-event.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Repository, StoredImage } from '../../registry/repository.ts';
import { matchesWildcard } from '../../registry/tag-mutability.ts';
import { basicFinding, enhancedFinding, type Vulnerability } from './findings.ts';
import { page } from './page.ts';
import { identity } from './repositories.ts';

/** What a scan of an image comes to. */
export interface ScanOutcome {
  readonly vulnerabilities?: readonly Vulnerability[];
  /** Instead of a result, such as `UNSUPPORTED_IMAGE`. */
  readonly status?: ScanStatus;
  /** With `status`. */
  readonly description?: string;
}

interface Run {
  readonly kind: 'basic' | 'enhanced';
  readonly frequency: ScanFrequency;
  readonly from: number;
}

/** What is seen of a scan while it is under way: for so long, this status; null: there is no scan yet. */
interface Phase {
  readonly ms: number;
  readonly status: ImageScanStatus | null;
}

/**
 * AWS documents no times. Basic scans take some seconds. Inspector takes images in within about a minute, in which ECR knows of no
 * scan; then there is a status before there are findings (aws/aws-sdk#289, alexjurkiewicz/ecr-scan-image#51).
 */
const phases: Readonly<Record<Run['kind'], readonly Phase[]>> = {
  basic: [
    { ms: 2_000, status: null },
    { ms: 10_000, status: { status: 'IN_PROGRESS' } },
  ],
  enhanced: [
    { ms: 60_000, status: null },
    { ms: 10_000, status: { status: 'PENDING', description: 'Pending start of the image scan.' } },
    { ms: 5_000, status: { status: 'COMPLETE', description: 'The scan was completed successfully.' } },
  ],
};

const dayMs = 24 * 60 * 60 * 1_000;

/** Configuration types of images; others are artifacts, which are not scanned. */
const images: ReadonlySet<string | undefined> = new Set([
  'application/vnd.docker.container.image.v1+json',
  'application/vnd.oci.image.config.v1+json',
]);

export interface ScansOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly emit: Emit;
  /** The repository's own setting, which basic scanning still heeds. */
  readonly scansOnPush: (repository: Repository) => boolean;
}

export class Scans {
  readonly #options: ScansOptions;
  readonly #runs = new WeakMap<StoredImage, Run>();
  readonly #outcomes = new Map<string, ScanOutcome>();
  #configuration: RegistryScanningConfiguration = { scanType: 'BASIC', rules: [] };

  constructor(options: ScansOptions) {
    this.#options = options;
    options.registry.onPush((repository, image) => this.#pushed(repository, image));
  }

  /** What a scan of the digest finds, in whichever repository it is; also one that is over. */
  finds(digest: string, outcome: ScanOutcome): void {
    this.#outcomes.set(digest, outcome);
  }

  readonly operations = {
    DescribeImageScanFindings: (
      input: DescribeImageScanFindingsCommandInput,
    ): Output<DescribeImageScanFindingsCommandOutput> => {
      const { repository, image, imageId } = this.#find(input);
      const run = this.#runs.get(image);
      const status = run === undefined ? null : this.#phaseOf(run);
      if (run === undefined || status === null) throw this.#scanNotFound(repository, imageId);
      const known = { ...identity(repository), imageId: { ...imageId, imageDigest: image.manifest.digest } };
      if (status !== 'over') {
        const nothing = { imageScanFindings: { findings: [], enhancedFindings: [] } };
        return { ...known, imageScanStatus: status, ...(run.kind === 'enhanced' && nothing) };
      }
      return { ...known, ...this.#result(run, repository, image, input) };
    },

    StartImageScan: (input: StartImageScanCommandInput): Output<StartImageScanCommandOutput> => {
      const { repository, image, imageId } = this.#find(input);
      // Seen with enhanced scanning, without a source that says so (alexjurkiewicz/ecr-scan-image#44).
      if (this.#configuration.scanType === 'ENHANCED')
        throw new AwsError('ValidationException', 'This feature is disabled');
      if (!isScannable(image)) {
        // alexjurkiewicz/ecr-scan-image#43
        throw new AwsError(
          'UnsupportedImageTypeException',
          `An artifact with media type '${image.manifest.mediaType}' cannot be scanned. For more information, see the Amazon ECR documentation.`,
        );
      }
      const last = this.#runs.get(image);
      if (last !== undefined && this.#options.clock.now() - last.from < dayMs) {
        throw new AwsError(
          'LimitExceededException',
          'The scan quota per image has been exceeded. Wait and try again.',
        );
      }
      // Asked for, it begins at once: without the phase in which there is none.
      const queuedMs = phases.basic[0]!.ms;
      this.#begin(repository, image, {
        kind: 'basic',
        frequency: 'MANUAL',
        from: this.#options.clock.now() - queuedMs,
      });
      return {
        ...identity(repository),
        imageId: { ...imageId, imageDigest: image.manifest.digest },
        imageScanStatus: { status: 'IN_PROGRESS' },
      };
    },

    PutRegistryScanningConfiguration: (
      input: PutRegistryScanningConfigurationCommandInput,
    ): Output<PutRegistryScanningConfigurationCommandOutput> => {
      this.#configuration = { scanType: input.scanType ?? 'BASIC', rules: input.rules ?? [] };
      return { registryScanningConfiguration: this.#configuration };
    },

    GetRegistryScanningConfiguration: (): Output<GetRegistryScanningConfigurationCommandOutput> => ({
      registryId: accountId,
      scanningConfiguration: this.#configuration,
    }),
  } satisfies Operations;

  #find(input: Pick<StartImageScanCommandInput, 'repositoryName' | 'imageId'>) {
    const repository = this.#options.registry.repository(input.repositoryName ?? '');
    const imageId = input.imageId ?? {};
    return {
      repository,
      imageId,
      image: repository.get({ digest: imageId.imageDigest, tag: imageId.imageTag }),
    };
  }

  #pushed(repository: Repository, image: StoredImage): void {
    if (!isScannable(image)) return;
    const frequency = this.#frequencyOf(repository);
    if (frequency === 'MANUAL') return;
    const kind = this.#configuration.scanType === 'ENHANCED' ? 'enhanced' : 'basic';
    this.#begin(repository, image, { kind, frequency, from: this.#options.clock.now() });
  }

  /** Continuous scanning goes before scanning on push (the user guide, "Using filters"). */
  #frequencyOf(repository: Repository): ScanFrequency {
    const frequencies = (this.#configuration.rules ?? [])
      .filter(({ repositoryFilters = [] }) =>
        repositoryFilters.some(({ filter = '' }) => matchesWildcard(repository.name, filter)),
      )
      .map(({ scanFrequency }) => scanFrequency);
    const { scanType } = this.#configuration;
    if (scanType === 'ENHANCED' && frequencies.includes('CONTINUOUS_SCAN')) return 'CONTINUOUS_SCAN';
    if (frequencies.includes('SCAN_ON_PUSH')) return 'SCAN_ON_PUSH';
    return scanType !== 'ENHANCED' && this.#options.scansOnPush(repository) ? 'SCAN_ON_PUSH' : 'MANUAL';
  }

  #begin(repository: Repository, image: StoredImage, run: Run): void {
    this.#runs.set(image, run);
    // Inspector has events of its own, from another source, which nobody here asks for.
    if (run.kind === 'enhanced') return;
    const { clock, emit } = this.#options;
    clock.after(completedAt(run) - clock.now(), () => {
      const { digest } = image.manifest;
      if (repository.images.get(digest) !== image) return;
      const { status = 'COMPLETE', vulnerabilities = [] } = this.#outcomes.get(digest) ?? {};
      // https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
      emit({
        // Made of what it is about: the bus would draw one, and every simulated story after it would be another.
        id: idOf(`${repository.name} ${digest} ${run.from}`),
        source: 'aws.ecr',
        detailType: 'ECR Image Scan',
        resources: [arn('ecr', `repository/${repository.name}`)],
        detail: {
          'scan-status': status,
          'repository-name': repository.name,
          'finding-severity-counts': countsOf(status === 'COMPLETE' ? vulnerabilities : []),
          'image-digest': digest,
          'image-tags': repository.tagsOf(digest),
        },
      });
    });
  }

  #phaseOf(run: Run): ImageScanStatus | null | 'over' {
    let until = run.from;
    for (const { ms, status } of phases[run.kind]) {
      until += ms;
      if (this.#options.clock.now() < until) return status;
    }
    return 'over';
  }

  #result(
    run: Run,
    repository: Repository,
    { manifest }: StoredImage,
    request: DescribeImageScanFindingsCommandInput,
  ): Pick<DescribeImageScanFindingsCommandOutput, 'imageScanStatus' | 'imageScanFindings' | 'nextToken'> {
    const outcome = this.#outcomes.get(manifest.digest) ?? {};
    const { vulnerabilities = [], status, description } = outcome;
    if (status !== undefined)
      return { imageScanStatus: { status, ...(description === undefined ? {} : { description }) } };
    const at = new Date(completedAt(run));
    const { items, nextToken } = page(vulnerabilities, request);
    const isContinuous = run.frequency === 'CONTINUOUS_SCAN';
    return {
      imageScanStatus: isContinuous
        ? { status: 'ACTIVE', description: 'Continuous scan is selected for image.' }
        : { status: 'COMPLETE', description: 'The scan was completed successfully.' },
      imageScanFindings: {
        imageScanCompletedAt: at,
        vulnerabilitySourceUpdatedAt: at,
        findingSeverityCounts: countsOf(vulnerabilities),
        ...(run.kind === 'basic'
          ? { findings: items.map(basicFinding) }
          : {
              enhancedFindings: items.map((each) =>
                enhancedFinding(each, at, repository.name, manifest.digest),
              ),
            }),
      },
      ...(nextToken === undefined ? {} : { nextToken }),
    };
  }

  #scanNotFound(
    repository: Repository,
    id: { imageDigest?: string | undefined; imageTag?: string | undefined },
  ) {
    const name = `{imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'}`;
    return new AwsError(
      'ScanNotFoundException',
      `Image scan does not exist for the image with '${name}' in the repository with name '${repository.name}' in the registry with id '${accountId}'`,
    );
  }
}

function idOf(event: string): string {
  const hex = createHash('sha256').update(event).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

function completedAt(run: Run): number {
  return phases[run.kind].reduce((at, { ms }) => at + ms, run.from);
}

/** Indexes are not scanned (aws/containers-roadmap#1683), the images that they name are, each by its digest. */
function isScannable({ manifest }: StoredImage): boolean {
  return manifest.subject === undefined && images.has(manifest.artifactMediaType);
}

function countsOf(vulnerabilities: readonly Vulnerability[]): Partial<Record<FindingSeverity, number>> {
  const counts: Partial<Record<FindingSeverity, number>> = {};
  for (const { severity } of vulnerabilities) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}
