/** Time zones by their IANA names, as infrastructure code says them. */
import * as z from 'zod';

export const timeZone = z.string().refine(isTimeZone, 'must be a time zone such as Europe/Zurich');

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (unknown) {
    if (unknown instanceof RangeError) return false;
    throw unknown;
  }
}
