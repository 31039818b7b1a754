/** Which variables may be assigned when a state is entered: those of any path that leads there. */
import type { Assignments, State, Workflow } from '../definition.ts';

/** Variables by state. `around`: those that a Map's states can read of the outer workflow. */
export function assignedBefore(
  workflow: Workflow,
  around: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const before = new Map<string, Set<string>>([[workflow.StartAt, new Set(around)]]);
  const open = [workflow.StartAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = Object.hasOwn(workflow.States, name) ? workflow.States[name] : undefined;
    if (state === undefined) continue;
    const here = before.get(name)!;
    for (const { to, assigns } of edgesOf(state)) {
      const there = before.get(to);
      const merged = new Set([...(there ?? []), ...here, ...Object.keys(assigns ?? {})]);
      if (there !== undefined && merged.size === there.size) continue;
      before.set(to, merged);
      open.push(to);
    }
  }
  return before;
}

/** Every variable that a workflow's own states assign. */
export function variablesOf(workflow: Workflow): { readonly name: string; readonly path: string }[] {
  return Object.entries(workflow.States).flatMap(([stateName, state]) =>
    assignmentsOf(state).flatMap(({ path, assigns }) =>
      Object.keys(assigns ?? {}).map((name) => ({ name, path: `${stateName}/${path}/${name}` })),
    ),
  );
}

interface Edge {
  readonly to: string;
  readonly assigns: Assignments | undefined;
}

function edgesOf(state: State): Edge[] {
  const edges: Edge[] = [];
  if ('Next' in state && state.Next !== undefined) edges.push({ to: state.Next, assigns: state.Assign });
  if (state.Type === 'Choice') {
    edges.push(...state.Choices.map((rule) => ({ to: rule.Next, assigns: rule.Assign })));
    if (state.Default !== undefined) edges.push({ to: state.Default, assigns: state.Assign });
  }
  if ('Catch' in state)
    edges.push(...(state.Catch ?? []).map((catcher) => ({ to: catcher.Next, assigns: catcher.Assign })));
  return edges;
}

function assignmentsOf(state: State): { readonly path: string; readonly assigns: Assignments | undefined }[] {
  return [
    ...('Assign' in state ? [{ path: 'Assign', assigns: state.Assign }] : []),
    ...(state.Type === 'Choice'
      ? state.Choices.map((rule, index) => ({ path: `Choices[${index}]/Assign`, assigns: rule.Assign }))
      : []),
    ...('Catch' in state
      ? (state.Catch ?? []).map((one, index) => ({ path: `Catch[${index}]/Assign`, assigns: one.Assign }))
      : []),
  ];
}
