/** Where states lead: to states of their own workflow. */
import type { State } from '../definition.ts';
import type { Finding } from './finding.ts';
import type { SoundWorkflow } from './structure.ts';

export function targetFindings({ workflow, path }: SoundWorkflow): Finding[] {
  const start = { field: path.replace(/States$/, 'StartAt'), to: workflow.StartAt };
  const targets = Object.entries(workflow.States).flatMap(([name, state]) =>
    targetsOf(state).map(({ field, to }) => ({ field: `${path}/${name}/${field}`, to })),
  );
  return [start, ...targets]
    .filter(({ to }) => !Object.hasOwn(workflow.States, to))
    .map(({ field, to }) => ({
      code: 'MISSING_TRANSITION_TARGET',
      message: `There is no state '${to}' in this workflow`,
      path: field,
    }));
}

function targetsOf(state: State): { readonly field: string; readonly to: string }[] {
  const targets: { field: string; to: string }[] = [];
  if ('Next' in state && state.Next !== undefined) targets.push({ field: 'Next', to: state.Next });
  if (state.Type === 'Choice') {
    targets.push(...state.Choices.map(({ Next }, index) => ({ field: `Choices[${index}]/Next`, to: Next })));
    if (state.Default !== undefined) targets.push({ field: 'Default', to: state.Default });
  }
  if ('Catch' in state) {
    targets.push(
      ...(state.Catch ?? []).map(({ Next }, index) => ({ field: `Catch[${index}]/Next`, to: Next })),
    );
  }
  return targets;
}
