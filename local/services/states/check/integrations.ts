/** What Tasks call, and whether who is to answer gets the token. */
import type { TaskState } from '../definition.ts';
import { expressionIn } from '../expression.ts';
import { integrationArns, parseResource, type Resource } from '../integrations/resource.ts';
import { isObject } from '../json.ts';
import { readsToken } from './expressions.ts';
import { type Finding, notEmbedded, schemaFinding } from './finding.ts';
import { sitesOf } from './sites.ts';

/** Members of `Arguments`, the required ones first. */
const argumentsOf: Readonly<
  Record<Exclude<Resource['kind'], 'function'>, { required: string; optional: readonly string[] }>
> = {
  'lambda:invoke': { required: 'FunctionName', optional: ['Payload', 'Qualifier', 'InvocationType'] },
  'states:startExecution': { required: 'StateMachineArn', optional: ['Name', 'Input'] },
};

export function integrationFindings(task: TaskState, path: string): Finding[] {
  const resource = parseResource(task.Resource);
  if (resource === undefined) {
    const message = `The resource ${task.Resource} is not embedded; there are ${integrationArns.join(', ')} and the ARNs of functions`;
    return [notEmbedded(`${path}/Resource`, message)];
  }
  const findings =
    resource.kind === 'function' ? [] : argumentFindings(task, resource.kind, `${path}/Arguments`);
  if (resource.kind === 'lambda:invoke' && resource.waitsForToken) {
    const sites = sitesOf(task, path, true).filter((site) => site.path.startsWith(`${path}/Arguments`));
    if (!sites.some(readsToken)) {
      const message = `Nobody can answer this task: its Arguments pass on no $states.context.Task.Token`;
      findings.push({ code: 'UNUSED_TASK_TOKEN', message, path: `${path}/Arguments` });
    }
  } else if (task.HeartbeatSeconds !== undefined) {
    findings.push(
      schemaFinding(`${path}/HeartbeatSeconds`, `Only a task that waits for a token has heartbeats`),
    );
  }
  return findings;
}

function argumentFindings(task: TaskState, kind: keyof typeof argumentsOf, path: string): Finding[] {
  const { Arguments: args } = task;
  // An expression for the whole tells its members only when it is evaluated.
  if (typeof args === 'string' && expressionIn(args) !== undefined) return [];
  if (!isObject(args))
    return [schemaFinding(path, `Field 'Arguments' must be an object or a JSONata expression`)];
  const { required, optional } = argumentsOf[kind];
  const findings = Object.keys(args)
    .filter((name) => name !== required && !optional.includes(name))
    .map((name) => notEmbedded(`${path}/${name}`, `The argument '${name}' is not supported here`));
  if (args[required] === undefined)
    findings.push(schemaFinding(path, `The argument '${required}' is required`));
  const type = args['InvocationType'];
  if (type !== undefined && type !== 'RequestResponse') {
    findings.push(
      notEmbedded(`${path}/InvocationType`, `Only the InvocationType RequestResponse is supported here`),
    );
  }
  return findings;
}
