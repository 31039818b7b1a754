/** What the registry's scan found in an image, and whether a service's policy lets that run. */
import * as z from 'zod';
import { plain } from '../plain-text.ts';
import { together, type Verdict } from './verdict.ts';

/** From harmless to worst, in the words of ECR and of Inspector. */
const severities = ['INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'] as const;
/** Nobody has said how bad it is: ECR's word, and Inspector's. */
const untriaged: ReadonlySet<string> = new Set(['UNDEFINED', 'UNTRIAGED']);

export const scanPolicySchema = z.strictObject({
  maximumSeverity: z
    .enum(['NONE', ...severities])
    .describe('the worst finding that may be in an image; NONE: it may have no finding at all'),
  untriaged: z
    .enum(['refused', 'allowed'])
    .default('refused')
    .describe('findings that nobody has given a severity yet (UNDEFINED, UNTRIAGED)'),
  freshWithinSeconds: z
    .int()
    .min(60)
    .max(31_536_000)
    .nullable()
    .default(null)
    .describe('how long ago the scan may have been completed; null: whenever'),
  ignore: z
    .array(
      z.strictObject({
        vulnerability: z
          .string()
          .regex(/^[A-Z][A-Z0-9]*-[A-Za-z0-9:._-]{1,60}$/, 'must be an id such as CVE-2024-3094')
          .describe('as the scan names it'),
        because: z.string().min(1).max(200).describe('why it does no harm here'),
        until: z.iso
          .date()
          .nullable()
          .default(null)
          .describe('the first day (UTC) it is not ignored any more'),
      }),
    )
    .max(50)
    .default([]),
});
export type ScanPolicy = z.infer<typeof scanPolicySchema>;

export interface Finding {
  /** `CVE-2024-3094`; null when the scan gives no name. */
  readonly vulnerability: string | null;
  /** As the scan says it; null when it says none. */
  readonly severity: string | null;
  readonly package: string | null;
}

/** What is known of one manifest's scan. */
export interface ManifestScan {
  /** `linux/arm64` for a manifest of an index; null for an image of one platform. */
  readonly platform: string | null;
  /** ECR's word for how far the scan is; null: there is no scan. */
  readonly status: string | null;
  /** ECR's own words about the status. */
  readonly description: string | null;
  /** In milliseconds since the epoch. */
  readonly completedAt: number | null;
  readonly findings: readonly Finding[];
  /** How many findings ECR counts, whatever it lists. */
  readonly counted: number;
}

export type ImageScan =
  /** All that tasks may be started from: the image itself, or the manifests of its index. */
  | { readonly kind: 'read'; readonly manifests: readonly ManifestScan[] }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Passes only a scan that is complete, readable and recent, of each manifest, without a finding above the policy. */
export function scanVerdict(policy: ScanPolicy, scan: ImageScan | null, now: number): Verdict {
  if (scan === null) return fails('its scan was not looked at');
  if (scan.kind === 'unreadable') return fails(`its scan cannot be read: ${scan.why}`);
  if (scan.manifests.length === 0) return fails('its index names no image that could have been scanned');
  const readings = scan.manifests.map((each) => readingOf(policy, each, now));
  // A finding is the same one on each platform: they are told together.
  const found = readings.flatMap((each) => each.refused);
  const findings = found.length === 0 ? [] : [fails(findingsInWords(policy, found))];
  return together([...readings.map(({ verdict }) => verdict), ...findings]);
}

interface Reading {
  readonly verdict: Verdict;
  readonly refused: readonly Finding[];
}

/** Statuses that come to nothing by waiting. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanStatus.html */
const hopeless: Readonly<Record<string, string>> = {
  FAILED: 'its scan failed',
  UNSUPPORTED_IMAGE: 'ECR cannot scan what it is made of',
  SCAN_ELIGIBILITY_EXPIRED: 'ECR does not scan it any more, it was pushed or pulled too long ago',
  FINDINGS_UNAVAILABLE: 'ECR has no findings of its scan',
  LIMIT_EXCEEDED: 'its scan went over a limit of the scanner',
  IMAGE_ARCHIVED: 'it is archived, and ECR does not scan what is archived',
};

function readingOf(policy: ScanPolicy, scan: ManifestScan, now: number): Reading {
  const of = scan.platform === null ? '' : ` (${plain(scan.platform)})`;
  const without = (verdict: Verdict): Reading => ({ verdict, refused: [] });
  const failed = (what: string): Reading => without(fails(`${what}${of}`));
  const waiting = (why: string): Reading =>
    without({ verdict: 'wait', missing: [`the result of its scan${of}: ${why}`] });

  if (scan.status === null) return waiting('ECR has none yet (does the repository scan on push?)');
  if (scan.status === 'PENDING' || scan.status === 'IN_PROGRESS') return waiting('ECR is scanning');
  if (scan.status !== 'COMPLETE' && scan.status !== 'ACTIVE') {
    const known = hopeless[scan.status] ?? `ECR says ${plain(scan.status)} of its scan, which is no result`;
    return failed(scan.description === null ? known : `${known}: ${plain(scan.description)}`);
  }
  // Right after a push ECR calls an enhanced scan complete and lists nothing (aws/aws-sdk#289): what it lists then is no result.
  if (scan.completedAt === null) return waiting('ECR calls it complete and has no findings yet');
  if (!Number.isFinite(scan.completedAt)) return failed('ECR gives no readable time of its scan');
  if (scan.findings.length === 0 && scan.counted !== 0)
    return failed(`ECR counts ${scan.counted} findings of its scan and lists none`);
  const { freshWithinSeconds } = policy;
  // Written so that a time that is no number is not fresh.
  if (freshWithinSeconds !== null && !(now - scan.completedAt <= freshWithinSeconds * 1_000)) {
    const at = new Date(scan.completedAt).toISOString();
    return failed(
      `its scan of ${at} is older than ${freshWithinSeconds} s: scan it again (aws ecr start-image-scan), then push again`,
    );
  }
  return {
    verdict: { verdict: 'pass' },
    refused: scan.findings.filter((each) => isRefused(policy, each, now)),
  };
}

function isRefused(policy: ScanPolicy, finding: Finding, now: number): boolean {
  const isIgnored = policy.ignore.some(
    ({ vulnerability, until }) =>
      vulnerability === finding.vulnerability && (until === null || now < Date.parse(until)),
  );
  if (isIgnored) return false;
  if (policy.untriaged === 'allowed' && untriaged.has(finding.severity ?? '')) return false;
  const rank = rankOf(finding.severity);
  // A severity that nobody knows is above every other.
  return rank === -1 || rank > rankOf(policy.maximumSeverity);
}

/** -1 for what is no severity, such as `NONE`. */
function rankOf(severity: string | null): number {
  return severities.findIndex((each) => each === severity);
}

/** How many a phone shows. */
const shown = 3;

function findingsInWords(policy: ScanPolicy, findings: readonly Finding[]): string {
  const worstFirst = findings.toSorted((one, other) => rankOf(other.severity) - rankOf(one.severity));
  const named = [...new Set(worstFirst.map(inWords))];
  const more = named.length > shown ? ` and ${named.length - shown} more` : '';
  const allowed =
    policy.maximumSeverity === 'NONE' ? 'allows none' : `allows no worse than ${policy.maximumSeverity}`;
  return `its scan found ${named.slice(0, shown).join(', ')}${more}; the service ${allowed}`;
}

/** What scanners say comes from the image's own files. */
function inWords(finding: Finding): string {
  const of = finding.package === null ? '' : `, ${plain(finding.package)}`;
  return `${plain(finding.vulnerability ?? 'a finding without a name')} (${plain(finding.severity ?? 'no severity')}${of})`;
}

function fails(reason: string): Verdict {
  return { verdict: 'fail', reasons: [reason] };
}
