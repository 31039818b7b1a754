/** The expressions of a definition: syntax, and that all they refer to is there when they are evaluated. */
import { EvaluationError, expressionIn, parse } from '../expression.ts';
import { forbiddenFunctions, functionNames } from '../functions.ts';
import type { Finding } from './finding.ts';
import { type References, referencesIn } from './references.ts';
import type { Offers, Site } from './sites.ts';

/** Members of `$states.context`; null where anything may follow. */
const contextTree: Tree = {
  Execution: { Id: {}, Input: null, Name: {}, RoleArn: {}, StartTime: {}, RedriveCount: {}, RedriveTime: {} },
  State: { EnteredTime: {}, Name: {}, RetryCount: {} },
  StateMachine: { Id: {}, Name: {} },
  Task: { Token: {} },
  Map: { Item: { Index: {}, Value: null } },
};

interface Tree {
  readonly [name: string]: Tree | null;
}

/** `assigned`: the variables that some path to the state assigns. */
export function expressionFindings(site: Site, assigned: ReadonlySet<string>): Finding[] {
  const { path, text } = site;
  const source = expressionIn(text);
  if (source === undefined) return looseBraces(text, path);
  const references = readReferences(source, path);
  if ('code' in references) return [references];
  return [
    ...references.context.map((name) => unsupported(path, contextMessage(name))),
    ...references.variables.flatMap(({ name, called }) => variableFindings(name, called, assigned, path)),
    ...references.states.flatMap((members) => statesFindings(members, site.offers, path)),
  ];
}

function readReferences(source: string, path: string): References | Finding {
  try {
    return referencesIn(parse(source));
  } catch (failure) {
    if (!(failure instanceof EvaluationError)) throw failure;
    return { code: 'INVALID_JSONATA_EXPRESSION', message: failure.message, path };
  }
}

function looseBraces(text: string, path: string): Finding[] {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{%') && !trimmed.endsWith('%}')) return [];
  const message = `An expression starts with '{%' and ends with '%}', with nothing around; this text would be taken literally`;
  return [{ code: 'INVALID_JSONATA_EXPRESSION', message, path }];
}

function contextMessage(name: string): string {
  return name === '$$'
    ? `Reference to '$$' is not supported.`
    : `Reference to '${name}' at the top level is not supported.`;
}

function variableFindings(
  name: string,
  called: boolean,
  assigned: ReadonlySet<string>,
  path: string,
): Finding[] {
  if (assigned.has(name)) return [];
  if (forbiddenFunctions.has(name))
    return [unsupported(path, `The function $${name} is not supported; use $parse`)];
  if (functionNames.has(name)) return [];
  const message = called
    ? `There is no function $${name}`
    : `The variable $${name} is not assigned in any state on the way to this one`;
  return [{ code: 'UNASSIGNED_VARIABLE', message, path }];
}

function statesFindings(members: readonly string[], offers: Offers, path: string): Finding[] {
  const [first, ...rest] = members;
  switch (first) {
    case undefined:
    case 'input':
      return [];
    case 'result':
      return offers.result
        ? []
        : [unavailable(path, members, `only the 'Output' and 'Assign' of Task and Map states have a result`)];
    case 'errorOutput':
      return offers.errorOutput
        ? []
        : [unavailable(path, members, `only the 'Output' and 'Assign' of a catcher have an error`)];
    case 'context':
      return contextFindings(rest, offers, path);
    default:
      return [
        unsupported(
          path,
          `'$states.${first}' does not exist; there are input, result, errorOutput and context`,
        ),
      ];
  }
}

function contextFindings(members: readonly string[], offers: Offers, path: string): Finding[] {
  const whole = ['context', ...members];
  let tree: Tree | null = contextTree;
  for (const [depth, name] of members.entries()) {
    if (tree === null) break;
    const next: Tree | null | undefined = Object.hasOwn(tree, name) ? tree[name] : undefined;
    if (next === undefined) {
      return [
        unsupported(
          path,
          `'$states.${whole.slice(0, depth + 2).join('.')}' does not exist in the context object`,
        ),
      ];
    }
    tree = next;
  }
  if (members[0] === 'Task' && !offers.token) {
    return [unavailable(path, whole, `only a Task whose resource ends in '.waitForTaskToken' has a token`)];
  }
  if (members[0] === 'Map' && !offers.item) {
    return [unavailable(path, whole, `only 'ItemSelector' and the states of an ItemProcessor have an item`)];
  }
  return [];
}

function unavailable(path: string, members: readonly string[], why: string): Finding {
  return unsupported(path, `'$states.${members.join('.')}' is not available here: ${why}`);
}

function unsupported(path: string, message: string): Finding {
  return { code: 'UNSUPPORTED_JSONATA_EXPRESSION', message, path };
}

/** Whether an expression reads the task token, itself or in a larger part of the context. */
export function readsToken({ text, path }: Site): boolean {
  const source = expressionIn(text);
  if (source === undefined) return false;
  const references = readReferences(source, path);
  if ('code' in references) return false;
  const token = ['context', 'Task', 'Token'];
  return references.states.some((members) => members.every((name, depth) => token[depth] === name));
}
