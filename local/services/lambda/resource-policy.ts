/** A function's resource policy: who besides its account's roles may invoke it. */
import { randomUUID } from 'node:crypto';
import type {
  AddPermissionCommandInput,
  AddPermissionCommandOutput,
  GetPolicyCommandInput,
  GetPolicyCommandOutput,
  RemovePermissionCommandInput,
} from '@aws-sdk/client-lambda';
import { accountId } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Statement } from './function.ts';
import { functionArn } from './function-name.ts';
import type { Functions } from './functions.ts';

export function resourcePolicyOperations(functions: Functions): Operations {
  const statementsOf = (given: string, qualifier: string | undefined) => {
    const { fn, qualifier: resolved } = functions.locate(given, qualifier);
    fn.resolve(resolved);
    const key = resolved ?? '';
    const statements = fn.statements.get(key) ?? [];
    return { fn, qualifier: resolved, statements, save: (list: Statement[]) => fn.statements.set(key, list) };
  };
  return {
    AddPermission(input: AddPermissionCommandInput): Output<AddPermissionCommandOutput> {
      const { fn, qualifier, statements, save } = statementsOf(input.FunctionName!, input.Qualifier);
      if (statements.some(({ Sid }) => Sid === input.StatementId)) {
        throw new AwsError(
          'ResourceConflictException',
          `The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
          { status: 409 },
        );
      }
      const statement = statementFrom(input, functionArn(fn.name, qualifier));
      save([...statements, statement]);
      return { Statement: JSON.stringify(statement) };
    },

    RemovePermission(input: RemovePermissionCommandInput) {
      const { statements, save } = statementsOf(input.FunctionName!, input.Qualifier);
      const rest = statements.filter(({ Sid }) => Sid !== input.StatementId);
      if (rest.length === statements.length) {
        throw notFound(`Statement ${input.StatementId} is not found in resource policy.`);
      }
      save(rest);
      return {};
    },

    GetPolicy(input: GetPolicyCommandInput): Output<GetPolicyCommandOutput> {
      const { statements } = statementsOf(input.FunctionName!, input.Qualifier);
      if (statements.length === 0) throw notFound('The resource you requested does not exist.');
      const policy = { Version: '2012-10-17', Id: 'default', Statement: statements };
      return { Policy: JSON.stringify(policy), RevisionId: randomUUID() };
    },
  };
}

/** Whether the policy lets a service invoke, on behalf of a resource when the statement asks for one. */
export function permits(
  statements: readonly Statement[],
  request: { readonly service: string; readonly sourceArn?: string | undefined },
): boolean {
  return statements.some((statement) => {
    const principal = (statement.Principal as { Service?: string }).Service;
    const source = statement.Condition?.['ArnLike']?.['AWS:SourceArn'];
    const account = statement.Condition?.['StringEquals']?.['AWS:SourceAccount'];
    return (
      principal === request.service &&
      ['lambda:InvokeFunction', 'lambda:*'].includes(statement.Action) &&
      (source === undefined || arnLike(source, request.sourceArn ?? '')) &&
      (account === undefined || account === accountId)
    );
  });
}

function statementFrom(input: AddPermissionCommandInput, resource: string): Statement {
  const principal = input.Principal!;
  const condition = {
    ...(input.SourceArn === undefined ? {} : { ArnLike: { 'AWS:SourceArn': input.SourceArn } }),
    ...(input.SourceAccount === undefined
      ? {}
      : { StringEquals: { 'AWS:SourceAccount': input.SourceAccount } }),
  };
  return {
    Sid: input.StatementId!,
    Effect: 'Allow',
    Principal:
      principal === '*'
        ? '*'
        : /^[a-z0-9.-]+\.amazonaws\.com$/.test(principal)
          ? { Service: principal }
          : { AWS: /^\d{12}$/.test(principal) ? `arn:aws:iam::${principal}:root` : principal },
    Action: input.Action!,
    Resource: resource,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}

function arnLike(pattern: string, value: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(value);
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, { status: 404, members: { Type: 'User' } });
}
