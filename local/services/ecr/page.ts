/** Pagination as ECR's list operations do it. */
import { AwsError } from '../../call.ts';

/** ECR's own default and maximum (DescribeImages, ListImages, DescribeRepositories, DescribeImageScanFindings). */
const usual = { default: 100, most: 1_000 };

export function page<T>(
  all: readonly T[],
  request: { maxResults?: number | undefined; nextToken?: string | undefined },
  sizes: { readonly default: number; readonly most: number } = usual,
): { items: T[]; nextToken?: string } {
  const size = request.maxResults ?? sizes.default;
  if (size < 1 || size > sizes.most) {
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must be between 1 and ${sizes.most}'`,
    );
  }
  const start =
    request.nextToken === undefined ? 0 : Number(Buffer.from(request.nextToken, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) {
    throw new AwsError(
      'InvalidParameterException',
      "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'",
    );
  }
  const end = start + size;
  const items = all.slice(start, end);
  return end < all.length ? { items, nextToken: Buffer.from(String(end)).toString('base64url') } : { items };
}
