import type { MapState } from '../definition.ts';
import type { MapProgress } from '../execution.ts';
import { dataLimitExceeded, StateFailure } from '../failure.ts';
import { exceedsPayload, type Json } from '../json.ts';
import { type Left, leave } from '../leaving.ts';
import { recovering } from '../recovery.ts';
import type { Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';

/** Map, inline and one item after the other: its result is the list of what the items' workflows put out. */
export async function runMap(
  run: Run,
  scope: Scope,
  state: MapState,
  runWorkflow: (scope: Scope) => Promise<Json>,
): Promise<Left> {
  return recovering(run, scope, state, 'MapStateExited', async (retryCount) => {
    const { position } = scope;
    // A retry begins again with the first item; a redrive goes on where it failed.
    if (retryCount > 0) delete position.map;
    position.map ??= await started(run, scope, state, retryCount);
    const result = await processed(run, scope, state, position.map, retryCount, runWorkflow);
    const fields = fieldsOf(run, scope, { result, retryCount });
    return leave(run, scope, 'MapStateExited', fields, {
      Output: state.Output,
      Assign: state.Assign,
      next: state.Next,
      otherwise: result,
    });
  });
}

async function started(run: Run, scope: Scope, state: MapState, retryCount: number): Promise<MapProgress> {
  const fields = fieldsOf(run, scope, { retryCount });
  const items = await fields.array(state.Items ?? '{% $states.input %}', 'Items');
  run.append('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
  return { items, results: [] };
}

async function processed(
  run: Run,
  scope: Scope,
  state: MapState,
  progress: MapProgress,
  retryCount: number,
  runWorkflow: (scope: Scope) => Promise<Json>,
): Promise<readonly Json[]> {
  const name = scope.position.state;
  for (let index = progress.results.length; index < progress.items.length; index++) {
    const item = { Index: index, Value: progress.items[index]! };
    const mapIterationDetails = { name, index };
    run.append('MapIterationStarted', { mapIterationStartedEventDetails: mapIterationDetails });
    try {
      const fields = fieldsOf(run, scope, { item, retryCount });
      progress.current ??= {
        state: state.ItemProcessor.StartAt,
        input:
          state.ItemSelector === undefined
            ? item.Value
            : await fields.template(state.ItemSelector, 'ItemSelector'),
        variables: {},
        enteredEventId: 0,
        enteredAt: 0,
      };
      const outer = { ...scope.outer, ...scope.position.variables };
      const inner = { workflow: state.ItemProcessor, position: progress.current, outer, map: { Item: item } };
      progress.results.push(await runWorkflow(inner));
      delete progress.current;
    } catch (failure) {
      if (failure instanceof StateFailure) {
        run.append('MapIterationFailed', { mapIterationFailedEventDetails: mapIterationDetails });
        run.append('MapStateFailed');
      }
      throw failure;
    }
    run.append('MapIterationSucceeded', { mapIterationSucceededEventDetails: mapIterationDetails });
  }
  if (exceedsPayload(JSON.stringify(progress.results))) throw dataLimitExceeded(name);
  run.append('MapStateSucceeded');
  return progress.results;
}
