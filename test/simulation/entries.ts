/** The functions from their sources, each under the name that the template's handler begins with. */
import * as announce from '../../functions/announce.ts';
import * as awaiting from '../../functions/await.ts';
import * as hook from '../../functions/hook.ts';
import * as judge from '../../functions/judge.ts';
import * as launch from '../../functions/launch.ts';
import * as listenerRule from '../../functions/listener-rule.ts';
import * as planDeployment from '../../functions/plan-deployment.ts';
import * as planRecovery from '../../functions/plan-recovery.ts';
import * as planRollback from '../../functions/plan-rollback.ts';
import * as promote from '../../functions/promote.ts';
import * as shift from '../../functions/shift.ts';
import * as signal from '../../functions/signal.ts';
import * as sweep from '../../functions/sweep.ts';
import * as terminate from '../../functions/terminate.ts';
import type { Entries } from '../../local/simulated/function-host.ts';
import { hookEntries } from './hooked.ts';

export const entries: Entries = {
  ...hookEntries,
  announce: announce.create,
  await: awaiting.create,
  hook: hook.create,
  judge: judge.create,
  launch: launch.create,
  'listener-rule': listenerRule.create,
  'plan-deployment': planDeployment.create,
  'plan-recovery': planRecovery.create,
  'plan-rollback': planRollback.create,
  promote: promote.create,
  shift: shift.create,
  signal: signal.create,
  sweep: sweep.create,
  terminate: terminate.create,
};
