/** Which invocation wrote a change of the service item, and what it had done until then: who, which calls, how long. */
import * as z from 'zod';
import { growing } from '../parse.ts';

const calls = growing({
  count: z.int(),
  /** How many of them failed. */
  errors: z.int(),
  /** Milliseconds, all of them together. */
  ms: z.number(),
});
export type Calls = z.infer<typeof calls>;

export const written = growing({
  /** The function, such as `shift`. */
  by: z.string(),
  /** Lambda's id of the invocation: the key to its log. */
  request: z.string(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Milliseconds that the invocation had run. */
  ms: z.number(),
  /** What it had called, by action: `elasticloadbalancing:ModifyRule`. The write that carries this is not among them. */
  calls: z.record(z.string(), calls),
});
export type Written = z.infer<typeof written>;
