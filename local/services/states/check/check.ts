/** All that is known to be wrong with a definition before it runs, for CreateStateMachine, UpdateStateMachine and ValidateStateMachineDefinition. */
import type { Definition } from '../definition.ts';
import { aslFindings } from './asl-net.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { expressionFindings } from './expressions.ts';
import type { Finding } from './finding.ts';
import { integrationFindings } from './integrations.ts';
import { sitesOf } from './sites.ts';
import { type SoundWorkflow, structureOf } from './structure.ts';
import { targetFindings } from './targets.ts';
import { assignedBefore, variablesOf } from './variables.ts';

/** The definition, when there are no findings. */
export interface Checked {
  readonly findings: readonly Finding[];
  readonly definition?: Definition;
}

export function checkDefinition(text: string): Checked {
  let definition: unknown;
  try {
    definition = JSON.parse(text);
  } catch (failure) {
    return {
      findings: [{ code: 'INVALID_JSON_DESCRIPTION', message: (failure as SyntaxError).message, path: '' }],
    };
  }
  const structure = structureOf(definition);
  // What a broken state would have led to is not known: targets are looked at when all states are sound.
  const targets = structure.findings.length > 0 ? [] : structure.workflows.flatMap(targetFindings);
  const shape = [...structure.findings, ...targets];
  const findings = [
    ...duplicateFields(text).map(
      (path): Finding => ({ code: 'INVALID_JSON_DESCRIPTION', message: 'Duplicate field', path }),
    ),
    ...shape,
    ...workflowFindings(structure.workflows),
  ];
  // On a broken shape the net's findings only repeat ours, in dimmer words.
  if (shape.length === 0) findings.push(...aslFindings(definition));
  return findings.length > 0 ? { findings } : { findings, definition: definition as Definition };
}

function workflowFindings(workflows: readonly SoundWorkflow[]): Finding[] {
  const findings: Finding[] = [];
  /** By the path of a Map's states: what they can read of the workflow around them. */
  const readable = new Map<string, ReadonlySet<string>>();
  for (const { workflow, path } of workflows) {
    const around = readable.get(path) ?? new Set<string>();
    const before = assignedBefore(workflow, around);
    findings.push(...shadowed(workflow, path, workflows));
    for (const [name, state] of Object.entries(workflow.States)) {
      const at = `${path}/${name}`;
      const assigned = before.get(name) ?? around;
      for (const site of sitesOf(state, at, path !== '/States'))
        findings.push(...expressionFindings(site, assigned));
      if (state.Type === 'Task') findings.push(...integrationFindings(state, at));
      if (state.Type === 'Map') readable.set(`${at}/ItemProcessor/States`, assigned);
    }
  }
  return findings;
}

/** A Map's states may not assign a variable of the workflow around them, which they could only read. */
function shadowed(
  workflow: SoundWorkflow['workflow'],
  path: string,
  workflows: readonly SoundWorkflow[],
): Finding[] {
  const outer = new Set(
    workflows
      .filter((other) => other.path !== path && path.startsWith(`${other.path}/`))
      .flatMap((other) => variablesOf(other.workflow).map(({ name }) => name)),
  );
  return variablesOf(workflow)
    .filter(({ name }) => outer.has(name))
    .map(({ name, path: at }) => ({
      code: 'SCHEMA_VALIDATION_FAILED',
      message: `The variable $${name} belongs to the workflow around this Map, whose states may read but not assign it`,
      path: `${path}/${at}`,
    }));
}
