/** Decides one action on one resource by a role's policies: an explicit deny wins, then an allow, else it is denied. */
import { conditionHolds } from './condition.ts';
import type { Policy, Statement } from './policy.ts';
import { type Context, matchesArn, matchesWildcard, substituted } from './wildcard.ts';

export type Decision = 'allowed' | 'explicitly denied' | 'not allowed';

export interface Question {
  readonly action: string;
  /** An ARN, or `*` for actions that name no resource. */
  readonly resource: string;
  readonly context: Context;
}

export function evaluate(policies: readonly Policy[], question: Question): Decision {
  const matching = policies.flatMap(({ statements }) => statements.filter((each) => applies(each, question)));
  if (matching.some(({ effect }) => effect === 'Deny')) return 'explicitly denied';
  return matching.length > 0 ? 'allowed' : 'not allowed';
}

function applies(statement: Statement, { action, resource, context }: Question): boolean {
  return (
    matchesAction(statement, action) &&
    matchesResource(statement, resource, context) &&
    conditionsHold(statement, context)
  );
}

export function matchesAction({ actions, notActions }: Statement, action: string): boolean {
  // Actions are not case-sensitive.
  const matches = (pattern: string): boolean => matchesWildcard(pattern, action, { ignoreCase: true });
  return actions === undefined ? !(notActions ?? []).some(matches) : actions.some(matches);
}

function matchesResource(
  { resources, notResources }: Statement,
  resource: string,
  context: Context,
): boolean {
  const matches = (pattern: string): boolean => {
    const concrete = substituted(pattern, context);
    return concrete !== undefined && matchesArn(concrete, resource);
  };
  return resources === undefined ? !(notResources ?? []).some(matches) : resources.some(matches);
}

/** All operators and all keys must hold; any one of a key's values will do. */
export function conditionsHold({ conditions }: Statement, context: Context): boolean {
  return Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => conditionHolds(operator, key, wanted, context)),
  );
}
