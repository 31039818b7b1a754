/** What PutTargets accepts as a target. */
import type { Target } from '@aws-sdk/client-eventbridge';
import { AwsError } from '../../call.ts';
import { valueAt } from './event-path.ts';

export type TargetKind = 'states' | 'lambda' | 'sqs' | 'sns';

/** "The default is 24 hours and up to 185 times." */
export const MAX_RETRY_ATTEMPTS = 185;
export const MAX_EVENT_AGE_SECONDS = 86_400;

/** The service that a target's ARN names. */
export function targetKind(target: Target): TargetKind {
  const service = /^arn:aws:(states|lambda|sqs|sns):[^:]*:\d{12}:.+$/.exec(target.Arn ?? '')?.[1];
  if (service !== undefined) return service as TargetKind;
  throw invalid(
    `Parameter ${target.Arn} is not valid. Reason: The embedded AWS delivers to state machines, functions, queues and topics only.`,
  );
}

export function checkTarget(target: Target): void {
  const kind = targetKind(target);
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(target.Id ?? ''))
    throw invalid(`Parameter Id is not valid: ${target.Id}`);
  if (kind === 'states' && target.RoleArn === undefined) {
    throw invalid(`RoleArn is required for target ${target.Arn}.`);
  }
  if (kind === 'sqs' && target.SqsParameters !== undefined) {
    throw invalid(`Parameter SqsParameters is for FIFO queues, which are not modelled: ${target.Arn}`);
  }
  checkInput(target);
  checkRetryPolicy(target);
  const deadLetters = target.DeadLetterConfig?.Arn;
  if (deadLetters !== undefined && !/^arn:aws:sqs:[^:]*:\d{12}:[^.]+$/.test(deadLetters)) {
    throw invalid(
      `Parameter DeadLetterConfig.Arn is not valid. Reason: Must be the ARN of a standard queue.`,
    );
  }
}

function checkInput({ Id, Input, InputPath, InputTransformer }: Target): void {
  if ([Input, InputPath, InputTransformer].filter((given) => given !== undefined).length > 1) {
    throw invalid(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`);
  }
  if (Input !== undefined) {
    try {
      JSON.parse(Input);
    } catch {
      throw invalid(`JSON syntax error in input for target ${Id}`);
    }
  }
  for (const path of [InputPath, ...Object.values(InputTransformer?.InputPathsMap ?? {})]) {
    if (path !== undefined) checkPath(path);
  }
  const reserved = Object.keys(InputTransformer?.InputPathsMap ?? {}).find((name) => /^aws\./i.test(name));
  if (reserved !== undefined)
    throw invalid(`InputTransformer for target ${Id} contains the reserved key ${reserved}.`);
}

function checkPath(path: string): void {
  try {
    valueAt({}, path);
  } catch {
    throw invalid(`Parameter InputPath is not valid. Reason: ${path} is not a JSON path.`);
  }
}

function checkRetryPolicy({ RetryPolicy }: Target): void {
  const { MaximumRetryAttempts: attempts = 0, MaximumEventAgeInSeconds: age = 60 } = RetryPolicy ?? {};
  if (attempts < 0 || attempts > MAX_RETRY_ATTEMPTS) {
    throw invalid(`MaximumRetryAttempts must be between 0 and ${MAX_RETRY_ATTEMPTS}: ${attempts}`);
  }
  if (age < 60 || age > MAX_EVENT_AGE_SECONDS) {
    throw invalid(`MaximumEventAgeInSeconds must be between 60 and ${MAX_EVENT_AGE_SECONDS}: ${age}`);
  }
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
