/** Names of the environment variables of the functions: the construct sets them, the entries read them. */
import * as z from 'zod';
import { parseOrThrow } from './parse.ts';

const variable = z.string().min(1);
const descriptions = {
  LEDGER_TABLE: "the ledger table's name",
  SETTINGS_PREFIX: 'path under which the settings of services are stored',
  TOPIC_ARN: 'where messages go',
  HOOK_FUNCTION: 'ARN of the function that calls hooks',
  DEPLOY_MACHINE: 'ARN of the deploy machine',
  RECOVER_MACHINE: 'ARN of the recover machine',
  RETIRE_MACHINE: 'ARN of the retire machine',
} as const;
export type Variable = keyof typeof descriptions;
export type Env = Readonly<Record<string, string | undefined>>;

/** The variables asked for; every one that is missing is named. */
export function variables<Name extends Variable>(env: Env, ...names: Name[]): Record<Name, string> {
  const shape = Object.fromEntries(names.map((name) => [name, variable.describe(descriptions[name])]));
  return parseOrThrow(z.object(shape), env, "the function's environment") as Record<Name, string>;
}
