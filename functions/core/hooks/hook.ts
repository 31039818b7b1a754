/**
 * Functions of a service that a deployment asks: before the new generation gets traffic, at each weight, and when it is over. What
 * is asked is written to the service item, with a key that a repeat gives again; who reads the ledger's stream calls the function,
 * and its answer is latched like any signal.
 */

import type { Plan } from '../deployment/plan.ts';
import type { Generation } from '../fleet/generation.ts';
import type { Verdict } from '../gates/verdict.ts';
import type { HookRun, ServiceItem } from '../ledger/service-item.ts';
import { type HookSettings, type HookStage, isAwaited } from './hook-settings.ts';

interface Asking {
  readonly stage: HookStage;
  readonly step?: number;
  readonly generation: Generation;
}

/** Writes down that the stage's hooks are asked; those that are asked already stay as they are. */
export function asking(
  item: ServiceItem,
  plan: Plan,
  { stage, step, generation }: Asking,
  now: number,
): ServiceItem {
  const runs = plan.settings.hooks
    .filter((hook) => hook.stage === stage)
    .map(
      (hook): HookRun => ({
        key: keyOf(plan, { stage, generation, ...(step !== undefined && { step }) }, hook.name),
        hook: hook.name,
        stage,
        step: step ?? null,
        deployment: plan.deployment,
        generation: generation.name,
        until: now + hook.deadlineSeconds * 1_000,
        answer: null,
      }),
    )
    .filter(({ key }) => !item.hooks.some((known) => known.key === key));
  if (runs.length === 0) return item;
  // Of earlier deployments only what may still be answered: the ledger's records have the rest.
  const others = item.hooks.filter(
    (run) =>
      run.deployment === plan.deployment || (run.answer === null && now < run.until) || isDraining(item, run),
  );
  return { ...item, hooks: [...others, ...runs].slice(-mostRuns) };
}

/** Whoever hands over does so once, whichever deployment runs by then. */
function keyOf({ deployment }: Plan, { stage, step, generation }: Asking, name: string): string {
  if (stage === 'draining') return [generation.name, stage, name].join('/');
  return [deployment, stage, ...(step === undefined ? [] : [step]), name].join('/');
}

/** It is live again: when it is replaced the next time, whoever handed over does so anew. */
export function takenBack(item: ServiceItem, { name }: Generation): ServiceItem {
  const hooks = item.hooks.filter(({ stage, generation }) => stage !== 'draining' || generation !== name);
  return hooks.length === item.hooks.length ? item : { ...item, hooks };
}

/** It is to be ended, and its hooks were told. */
export function isHandingOver({ hooks }: ServiceItem, { name }: Generation): boolean {
  return hooks.some(({ stage, generation }) => stage === 'draining' && generation === name);
}

/** Between two looks at a hand-over, of what it has lasted: an execution's history is finite. */
const share = 0.1;
const soonestLookMs = 15_000;

/** When to look again at what `asked` still waits for: ever more rarely, and when the time is up. */
export function nextLook({ hooks }: ServiceItem, plan: Plan, asked: Asking, now: number): number {
  const open = plan.settings.hooks.flatMap(({ name, deadlineSeconds }) => {
    const run = hooks.find(({ key }) => key === keyOf(plan, asked, name));
    return run?.answer === null ? [{ until: run.until, since: run.until - deadlineSeconds * 1_000 }] : [];
  });
  const lasted = now - Math.min(...open.map(({ since }) => since));
  return Math.min(
    Math.max(...open.map(({ until }) => until)),
    now + Math.max(soonestLookMs, Math.ceil(lasted * share)),
  );
}

function isDraining({ retained }: ServiceItem, { stage, generation: name }: HookRun): boolean {
  return stage === 'draining' && retained.some(({ generation }) => generation.name === name);
}

/** A strategy of a hundred steps with some hooks each; the item has 400 KB. */
const mostRuns = 300;

/** What the hooks of the stage say by now; `pass` where there are none. In the end only those count that can stop it. */
export function hooksVerdict(
  { hooks }: ServiceItem,
  plan: Plan,
  asked: Asking,
  now: number,
  isLastWord = false,
): Verdict {
  const reasons: string[] = [];
  const missing: string[] = [];
  const keys = new Set(plan.settings.hooks.map(({ name }) => keyOf(plan, asked, name)));
  for (const run of hooks.filter(({ key }) => keys.has(key))) {
    const words = refusal(run, now);
    const stops = stopsAt(plan.settings.hooks, run);
    if (words === undefined && run.answer === null && (stops || !isLastWord))
      missing.push(`the hook ${run.hook} has not answered yet`);
    if (words !== undefined && stops) reasons.push(words);
  }
  if (reasons.length > 0) return { verdict: 'fail', reasons };
  return missing.length > 0 ? { verdict: 'wait', missing } : { verdict: 'pass' };
}

/** Whether a failure of the run turns the deployment back. */
export function stopsAt(hooks: readonly HookSettings[], { hook: name, stage }: HookRun): boolean {
  const hook = hooks.find((each) => each.name === name);
  return isAwaited(stage) && hook?.onFailure !== 'warn';
}

/** In words, when it refused or did not answer in time. */
export function refusal({ hook, answer, until }: HookRun, now: number): string | undefined {
  if (answer?.verdict === 'fail') return `the hook ${hook} refused: ${answer.reason}`;
  return answer === null && now >= until
    ? `the hook ${hook} did not answer until ${new Date(until).toISOString()}`
    : undefined;
}

/** What nobody waited for, and did not come in time, is told as what was. */
export function withoutAnswer(item: ServiceItem, now: number): ServiceItem {
  if (!item.hooks.some((run) => run.answer === null && refusal(run, now) !== undefined)) return item;
  const hooks = item.hooks.map((run): HookRun => {
    const isLate = run.answer === null && refusal(run, now) !== undefined;
    const reason = `it did not answer until ${new Date(run.until).toISOString()}`;
    return isLate ? { ...run, answer: { verdict: 'fail', reason, at: now } } : run;
  });
  return { ...item, hooks };
}

/** The first answer counts: a hook may be called twice. Undefined when nothing of that key is asked. */
export function answering(
  item: ServiceItem,
  key: string,
  answer: NonNullable<HookRun['answer']>,
): { readonly item: ServiceItem; readonly run: HookRun } | undefined {
  const run = item.hooks.find((each) => each.key === key);
  if (run === undefined) return undefined;
  if (run.answer !== null) return { item, run };
  const next = { ...run, answer };
  return { item: { ...item, hooks: item.hooks.map((each) => (each === run ? next : each)) }, run: next };
}
