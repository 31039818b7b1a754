/** How a service declares the functions that its deployments ask. */
import * as z from 'zod';

/** Those that are waited for can stop a deployment; of the others a failure is only told. */
const awaited = ['launched', 'testTraffic', 'step'] as const;
const hookStage = z.enum([...awaited, 'promoted', 'restoring', 'draining']);
export type HookStage = z.infer<typeof hookStage>;

const hookSettings = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,29}$/, 'must be 1 to 30 of a-z, 0-9 and -, starting with a letter'),
    stage: hookStage.describe(
      'launched: healthy, without traffic. testTraffic: after those. step: at each weight. promoted, restoring: when that has begun. draining: before a replaced generation is ended',
    ),
    function: z.string().min(1).describe('ARN of a Lambda function'),
    deadlineSeconds: z.int().min(1).max(43_200).default(300).describe('until it must have answered'),
    retries: z
      .int()
      .min(0)
      .max(5)
      .default(2)
      .describe('how often it is called again when it fails to answer'),
    onFailure: z
      .enum(['goBack', 'warn'])
      .optional()
      .describe('of what it refuses, or does not answer; default: goBack where it is waited for'),
  })
  .refine(({ stage, onFailure }) => onFailure !== 'goBack' || isAwaited(stage), {
    path: ['onFailure'],
    message: 'cannot go back: nothing waits for hooks of this stage; say warn, or leave it out',
  });
export type HookSettings = z.infer<typeof hookSettings>;

export const hooksSchema = z
  .array(hookSettings)
  .max(20)
  .superRefine((hooks, context) => {
    hooks.forEach(({ name }, index) => {
      if (hooks.findIndex((other) => other.name === name) === index) return;
      context.addIssue({
        code: 'custom',
        path: [index, 'name'],
        message: `is another hook's already: ${name}`,
      });
    });
  });

export function isAwaited(stage: HookStage): boolean {
  return awaited.some((each) => each === stage);
}
