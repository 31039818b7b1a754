/**
 * What IAM allows of policies, in characters without white space, and in numbers:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
import { AwsError } from '../call.ts';

export const quotas = {
  /** Of all inline policies of a role together. */
  inlinePolicies: 10_240,
  managedPolicy: 6144,
  /** By default; Service Quotas raises it to 25. */
  managedPoliciesPerRole: 10,
  versionsPerPolicy: 5,
} as const;

/** White space does not count, wherever it stands. */
export function policySize(document: string): number {
  return document.replaceAll(/\s/g, '').length;
}

/** In the words that people report, such as https://github.com/aws/aws-cdk/issues/4465. */
export function checkInline(roleName: string, documents: readonly string[]): void {
  const size = documents.reduce((sum, document) => sum + policySize(document), 0);
  if (size > quotas.inlinePolicies)
    throw exceeded(`Maximum policy size of ${quotas.inlinePolicies} bytes exceeded for role ${roleName}`);
}

export function checkManaged(document: string): void {
  if (policySize(document) > quotas.managedPolicy)
    throw exceeded(`Cannot exceed quota for PolicySize: ${quotas.managedPolicy}`);
}

/** `before`: how many the role has without the new one. */
export function checkAttached(before: number): void {
  if (before >= quotas.managedPoliciesPerRole)
    throw exceeded(`Cannot exceed quota for PoliciesPerRole: ${quotas.managedPoliciesPerRole}`);
}

/** `before`: how many the policy has without the new one. */
export function checkVersions(before: number): void {
  if (before >= quotas.versionsPerPolicy) {
    throw exceeded(
      `A managed policy can have up to ${quotas.versionsPerPolicy} versions. Before you create a new version, you must delete an existing version.`,
    );
  }
}

function exceeded(message: string): AwsError {
  return new AwsError('LimitExceededException', message, { status: 409 });
}
