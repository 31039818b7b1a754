/** An IAM policy document, read once: shapes are checked here so that evaluation can trust them. */
import { AwsError } from '../call.ts';
import { isConditionOperator } from './condition.ts';
import { lowerKey } from './wildcard.ts';

type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[] | undefined;
  readonly notActions: readonly string[] | undefined;
  readonly resources: readonly string[] | undefined;
  readonly notResources: readonly string[] | undefined;
  /** In trust policies: principals by kind (`AWS`, `Service`), `*` under `AWS` for everyone. */
  readonly principals: Readonly<Record<string, readonly string[]>> | undefined;
  readonly conditions: Conditions;
}

export interface Policy {
  readonly statements: readonly Statement[];
}

const members = new Set([
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'Condition',
]);

/** Throws `MalformedPolicyDocumentException` with AWS's words where they are known. */
export function parsePolicy(document: string, kind: 'identity' | 'trust'): Policy {
  let parsed: unknown;
  try {
    parsed = JSON.parse(document);
  } catch {
    throw malformed('Syntax errors in policy.');
  }
  if (!isRecord(parsed)) throw malformed('Syntax errors in policy.');
  if (!['2012-10-17', '2008-10-17', undefined].includes(parsed['Version'] as string | undefined)) {
    throw malformed('The policy must contain a valid version string');
  }
  const statements = parsed['Statement'];
  const list = Array.isArray(statements) ? (statements as unknown[]) : [statements];
  if (list.length === 0 || statements === undefined) throw malformed('Syntax errors in policy.');
  return { statements: list.map((statement) => parseStatement(statement, kind)) };
}

function parseStatement(value: unknown, kind: 'identity' | 'trust'): Statement {
  if (!isRecord(value)) throw malformed('Syntax errors in policy.');
  for (const member of Object.keys(value)) {
    if (!members.has(member)) throw malformed(`Syntax errors in policy. (unknown element ${member})`);
  }
  const effect = value['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') throw malformed('Syntax errors in policy.');
  const statement: Statement = {
    sid: typeof value['Sid'] === 'string' ? value['Sid'] : undefined,
    effect,
    actions: strings(value['Action']),
    notActions: strings(value['NotAction']),
    resources: strings(value['Resource']),
    notResources: strings(value['NotResource']),
    principals: parsePrincipals(value['Principal']),
    conditions: parseConditions(value['Condition']),
  };
  if ((statement.actions === undefined) === (statement.notActions === undefined)) {
    throw malformed('Policy statement must contain actions.');
  }
  for (const action of [...(statement.actions ?? []), ...(statement.notActions ?? [])]) {
    if (action !== '*' && !/^[\w-]+:[\w*?]+$/.test(action)) {
      throw malformed('Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.');
    }
  }
  if (kind === 'trust') {
    if (statement.resources !== undefined) throw malformed('Has prohibited field Resource');
    if (statement.principals === undefined) throw malformed('Missing required field Principal');
  } else {
    if (statement.principals !== undefined)
      throw malformed('Policy document should not specify a principal.');
    if ((statement.resources === undefined) === (statement.notResources === undefined)) {
      throw malformed('Policy statement must contain resources.');
    }
  }
  return statement;
}

function parsePrincipals(value: unknown): Statement['principals'] {
  if (value === undefined) return undefined;
  if (value === '*') return { AWS: ['*'] };
  if (!isRecord(value)) throw malformed('Invalid principal in policy.');
  return Object.fromEntries(Object.entries(value).map(([kind, names]) => [kind, strings(names) ?? []]));
}

function parseConditions(value: unknown): Conditions {
  if (value === undefined) return {};
  if (!isRecord(value)) throw malformed('Syntax errors in policy.');
  return Object.fromEntries(
    Object.entries(value).map(([operator, keys]) => {
      if (!isConditionOperator(operator)) throw malformed(`Invalid Condition type : ${operator}.`);
      if (!isRecord(keys)) throw malformed('Syntax errors in policy.');
      return [
        operator,
        Object.fromEntries(
          Object.entries(keys).map(([key, wanted]) => [lowerKey(key), strings(wanted) ?? []]),
        ),
      ];
    }),
  );
}

function strings(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  return list.map((item) => {
    if (typeof item === 'string') return item;
    if (typeof item === 'boolean' || typeof item === 'number') return String(item);
    throw malformed('Syntax errors in policy.');
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', message);
}
