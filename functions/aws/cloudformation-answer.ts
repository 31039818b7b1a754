/**
 * The answer to a custom resource's request: a PUT to its ResponseURL, whatever happens, or the stack waits until its time-out.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html
 */
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';

export const customResourceRequest = z.looseObject({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
});
export type CustomResourceRequest = z.infer<typeof customResourceRequest>;

export type Answer =
  | { readonly Status: 'SUCCESS'; readonly Data: Readonly<Record<string, string>> }
  | { readonly Status: 'FAILED'; readonly Reason: string };

/** CloudFormation shows this much of a reason in its events. */
const reasonLimit = 1_000;

export async function answerCloudFormation(
  request: CustomResourceRequest,
  physicalId: string,
  answer: Answer,
): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = request;
  const said =
    answer.Status === 'FAILED' ? { ...answer, Reason: answer.Reason.slice(0, reasonLimit) } : answer;
  const body = JSON.stringify({
    StackId,
    RequestId,
    LogicalResourceId,
    PhysicalResourceId: physicalId,
    ...said,
  });
  const response = await fetch(request.ResponseURL, {
    method: 'PUT',
    body,
    // The URL is presigned for S3 without a content type.
    headers: { 'content-type': '' },
  });
  if (!response.ok) {
    throw new CutoverError(
      'Cutover.AwsUnavailable',
      `CloudFormation did not take the answer for ${LogicalResourceId}: HTTP ${response.status}`,
    );
  }
}
