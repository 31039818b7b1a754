/** Tells people when the way back is barred by what only they can mend. */
import { needingHand } from '../core/course.ts';
import { CutoverError, type ErrorName } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Ledger } from '../ports/ledger.ts';

/** What comes of waiting alone is not among them. */
const barring: ReadonlySet<string> = new Set<ErrorName>([
  'Cutover.ForeignWeights',
  'Cutover.RuleNotOurs',
  'Cutover.AwsRefused',
  'Cutover.Guarded',
]);

/** Runs a part of the way back; what bars it is noted on the service item, then thrown as it is. */
export async function notingBars<T>(plan: Plan, ledger: Ledger, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (failure) {
    if (failure instanceof CutoverError && barring.has(failure.name)) {
      const { message } = failure;
      await ledger.change(plan.settings.service, (item) => ({ item: needingHand(item, plan, message) }));
    }
    throw failure;
  }
}
