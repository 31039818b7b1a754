/** A vulnerability as ECR's own scan and as Inspector tells it. */
import type { EnhancedImageScanFinding, FindingSeverity, ImageScanFinding } from '@aws-sdk/client-ecr';
import { accountId, arn } from '../../account.ts';

export interface Vulnerability {
  /** `CVE-2024-3094` */
  readonly name: string;
  readonly severity: FindingSeverity;
  readonly package: string;
  readonly version?: string;
}

/** Shaped like the sample of https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-basic-describe-scan-findings.html */
export function basicFinding(vulnerability: Vulnerability): ImageScanFinding {
  const { name, severity, version = '1.0.0' } = vulnerability;
  return {
    name,
    uri: `http://people.ubuntu.com/~ubuntu-security/cve/${name}`,
    severity,
    attributes: [
      { key: 'package_version', value: version },
      { key: 'package_name', value: vulnerability.package },
    ],
  };
}

/** Shaped like the sample of https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html */
export function enhancedFinding(
  vulnerability: Vulnerability,
  at: Date,
  repository: string,
  digest: string,
): EnhancedImageScanFinding {
  const { name, severity, version = '1.0.0' } = vulnerability;
  return {
    awsAccountId: accountId,
    findingArn: arn('inspector2', `finding/${name.toLowerCase()}`),
    firstObservedAt: at,
    lastObservedAt: at,
    updatedAt: at,
    packageVulnerabilityDetails: {
      source: 'NVD',
      vulnerabilityId: name,
      vulnerablePackages: [{ name: vulnerability.package, version }],
    },
    resources: [
      {
        type: 'AWS_ECR_CONTAINER_IMAGE',
        id: `${arn('ecr', `repository/${repository}`)}/${digest}`,
        details: {
          awsEcrContainerImage: { imageHash: digest, registry: accountId, repositoryName: repository },
        },
      },
    ],
    // Inspector has another word for it.
    severity: severity === 'UNDEFINED' ? 'UNTRIAGED' : severity,
    status: 'ACTIVE',
    title: `${name} - ${vulnerability.package}`,
    type: 'PACKAGE_VULNERABILITY',
  };
}
