/** The machines' definitions as they are deployed: the files in `statemachines/` with their placeholders filled. */
import { readFileSync } from 'node:fs';
import type { Definition, State, Workflow } from '../../local/services/states/definition.ts';
import { functionArn, machineArn } from '../states/embedded-states.ts';

const fillings: Readonly<Record<string, string>> = {
  RetireMachine: machineArn('retire'),
  ...Object.fromEntries(
    ['Plan', 'Launch', 'Await', 'Shift', 'Judge', 'Promote', 'Terminate'].map((name) => [
      name,
      `${functionArn(name)}:7`,
    ]),
  ),
};

export const deployText = filled('deploy');
export const retireText = filled('retire');
export const deploy = JSON.parse(deployText) as Definition;
export const retire = JSON.parse(retireText) as Definition;

function filled(machine: string): string {
  const file = new URL(`../../statemachines/${machine}.asl.json`, import.meta.url);
  return readFileSync(file, 'utf8').replaceAll(/\$\{(\w+)\}/g, (placeholder, name: string) => {
    const filling = fillings[name];
    if (filling === undefined)
      throw new Error(`${machine}.asl.json has an unknown placeholder ${placeholder}`);
    return filling;
  });
}

/** All states by name, those of a Map's items too; names are unique in a definition. */
export function statesOf(workflow: Workflow): ReadonlyMap<string, State> {
  return new Map(
    Object.entries(workflow.States).flatMap(([name, state]): [string, State][] => [
      [name, state],
      ...(state.Type === 'Map' ? statesOf(state.ItemProcessor) : []),
    ]),
  );
}
