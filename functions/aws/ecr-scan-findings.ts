/** What ECR says of a scan, basic or by Inspector. */
import {
  DescribeImageScanFindingsCommand,
  type DescribeImageScanFindingsCommandOutput,
  type ECRClient,
  type EnhancedImageScanFinding,
  type ImageScanFinding,
} from '@aws-sdk/client-ecr';
import { CutoverError } from '../core/errors.ts';
import type { Finding, ManifestScan } from '../core/gates/image-scan.ts';
import type { Digest } from '../core/names.ts';
import { codeOf } from './failures.ts';

/** The most that a page takes: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html */
const findingsPerPage = 1_000;
/** A hundred thousand findings: more than any image has, and what keeps a wrong token from turning for ever. */
const mostPages = 100;

export async function readScan(
  client: ECRClient,
  repositoryName: string,
  imageDigest: Digest,
): Promise<Omit<ManifestScan, 'platform'>> {
  const pages: DescribeImageScanFindingsCommandOutput[] = [];
  let nextToken: string | undefined;
  try {
    do {
      const page = await client.send(
        new DescribeImageScanFindingsCommand({
          repositoryName,
          imageId: { imageDigest },
          maxResults: findingsPerPage,
          ...(nextToken && { nextToken }),
        }),
      );
      pages.push(page);
      nextToken = page.nextToken;
      if (pages.length > mostPages)
        throw new CutoverError(
          'Cutover.AwsRefused',
          `ECR lists the findings of ${repositoryName}@${imageDigest} without an end`,
        );
    } while (nextToken !== undefined);
  } catch (thrown) {
    // Also for the first minute of a scan by Inspector.
    if (codeOf(thrown) !== 'ScanNotFoundException') throw thrown;
    return { status: null, description: null, completedAt: null, findings: [], counted: 0 };
  }
  const last = pages.at(-1);
  const counts = Object.values(last?.imageScanFindings?.findingSeverityCounts ?? {});
  return {
    // A status that is missing is none that is known, unlike that of a scan that there is not.
    status: last?.imageScanStatus?.status ?? 'nothing',
    description: last?.imageScanStatus?.description ?? null,
    completedAt: last?.imageScanFindings?.imageScanCompletedAt?.getTime() ?? null,
    findings: pages.flatMap(({ imageScanFindings }) => [
      ...(imageScanFindings?.findings ?? []).map(basic),
      ...(imageScanFindings?.enhancedFindings ?? []).map(enhanced),
    ]),
    counted: counts.reduce((sum, count) => sum + count, 0),
  };
}

function basic({ name, severity, attributes = [] }: ImageScanFinding): Finding {
  const { value } = attributes.find(({ key }) => key === 'package_name') ?? {};
  return { vulnerability: name ?? null, severity: severity ?? null, package: value ?? null };
}

/** Also what is suppressed in Inspector: what a service lets pass stands in its policy, with the reason. */
function enhanced({ severity, title, packageVulnerabilityDetails }: EnhancedImageScanFinding): Finding {
  const { vulnerabilityId, vulnerablePackages } = packageVulnerabilityDetails ?? {};
  return {
    // Of what is no vulnerability of a package there is only a title.
    vulnerability: vulnerabilityId ?? title ?? null,
    severity: severity ?? null,
    package: vulnerablePackages?.[0]?.name ?? null,
  };
}
