/** How often people are reminded of what waits for them: ever more rarely. */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** How long after it began people are reminded; from then on each hour. */
const firstReminders = [5 * minuteMs, 15 * minuteMs, hourMs];

/** Of something that has waited so long. */
export function remindersDue(waitedMs: number): number {
  const first = firstReminders.filter((ms) => waitedMs >= ms).length;
  return first + Math.max(0, Math.floor(waitedMs / hourMs) - 1);
}
