import type { TaskState } from '../definition.ts';
import { dataLimitExceeded, StateFailure, TaskTimeout } from '../failure.ts';
import type { Integration } from '../integrations/integration.ts';
import { exceedsPayload, type Json } from '../json.ts';
import { type Left, leave } from '../leaving.ts';
import { recovering } from '../recovery.ts';
import { Interrupted, type Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';
import { TaskEvents } from './task-events.ts';

interface Attempt {
  readonly integration: Integration;
  readonly arguments: Json;
  readonly events: TaskEvents;
  readonly token: string | undefined;
  readonly timeout: number | undefined;
  readonly heartbeat: number | undefined;
}

/** Task: calls its integration and, with a token, waits for the answer that somebody sends. */
export async function runTask(run: Run, scope: Scope, state: TaskState): Promise<Left> {
  return recovering(run, scope, state, 'TaskStateExited', async (retryCount) => {
    const attempt = await schedule(run, scope, state, retryCount);
    const result = await perform(run, attempt);
    const fields = fieldsOf(run, scope, { result, retryCount, token: attempt.token });
    return leave(run, scope, 'TaskStateExited', fields, {
      Output: state.Output,
      Assign: state.Assign,
      next: state.Next,
      otherwise: result,
    });
  });
}

async function schedule(run: Run, scope: Scope, state: TaskState, retryCount: number): Promise<Attempt> {
  const integration = run.surroundings.integrations.for(state.Resource);
  const token = integration.waitsForToken ? run.surroundings.tokens.issue() : undefined;
  const fields = fieldsOf(run, scope, { retryCount, token });
  const args =
    state.Arguments === undefined
      ? scope.position.input
      : await fields.template(state.Arguments, 'Arguments');
  const seconds = (template: number | string | undefined, field: string) =>
    template === undefined ? undefined : fields.seconds(template, field, 1);
  const timeout = await seconds(state.TimeoutSeconds, 'TimeoutSeconds');
  const heartbeat = await seconds(state.HeartbeatSeconds, 'HeartbeatSeconds');
  const text = JSON.stringify(args);
  if (exceedsPayload(text)) throw dataLimitExceeded(scope.position.state);
  const events = new TaskEvents(run, integration);
  events.scheduled(text, timeout, heartbeat);
  return { integration, arguments: args, events, token, timeout, heartbeat };
}

/** The task's result, recorded with however it ended. */
async function perform(run: Run, attempt: Attempt): Promise<Json> {
  const { events, integration } = attempt;
  try {
    const result = await (attempt.token === undefined
      ? called(run, attempt)
      : answered(run, attempt, attempt.token));
    const text = JSON.stringify(result);
    if (exceedsPayload(text)) throw dataLimitExceeded(integration.resourceType);
    events.succeeded(text);
    return result;
  } catch (failure) {
    if (failure instanceof TaskTimeout) events.timedOut(failure);
    else if (failure instanceof StateFailure) events.failed(failure);
    throw failure;
  }
}

/** The integration's own answer, unless the time-out comes first; a late answer is dropped, the callee goes on. */
function called(run: Run, { integration, arguments: args, timeout }: Attempt): Promise<Json> {
  return run.interruptible<Json>((resolve, reject) => {
    let open = true;
    integration
      .call(args, run.principal)
      .then(resolve, (failure: unknown) => refuse(run, open, failure, reject));
    const timer =
      timeout === undefined
        ? undefined
        : run.clock.after(timeout * 1000, () => reject(new TaskTimeout('answer')));
    return () => {
      open = false;
      timer?.cancel();
    };
  });
}

/** What is sent with the token. It may be sent before the integration has answered; then that answer is dropped. */
async function answered(run: Run, attempt: Attempt, token: string): Promise<Json> {
  const submitted = Promise.withResolvers<void>();
  const answer = run.interruptible<Json>((resolve, reject) => {
    let open = true;
    const after = (seconds: number | undefined, missed: 'answer' | 'heartbeat') =>
      seconds === undefined
        ? undefined
        : run.clock.after(seconds * 1000, () => reject(new TaskTimeout(missed)));
    const timeout = after(attempt.timeout, 'answer');
    let heartbeat = after(attempt.heartbeat, 'heartbeat');
    run.surroundings.tokens.wait(token, {
      succeeded: resolve,
      failed: (error, cause) => reject(new StateFailure(error, cause)),
      heartbeat: () => {
        heartbeat?.cancel();
        heartbeat = after(attempt.heartbeat, 'heartbeat');
      },
    });
    attempt.integration
      .call(attempt.arguments, run.principal)
      .then((result) => {
        if (open) attempt.events.submitted(JSON.stringify(result));
        submitted.resolve();
      })
      .catch((failure: unknown) => refuse(run, open, failure, reject));
    return () => {
      open = false;
      run.surroundings.tokens.spend(token);
      timeout?.cancel();
      heartbeat?.cancel();
    };
  });
  await Promise.race([submitted.promise, answer]);
  return run.idle(() => answer);
}

/** A failure after the task is over is dropped like any late answer, unless it is a fault of our own. */
function refuse(run: Run, open: boolean, failure: unknown, reject: (failure: unknown) => void): void {
  if (open) reject(failure);
  else if (!(failure instanceof StateFailure || failure instanceof Interrupted)) run.report(failure);
}
