/** How a person, or the terminal that goes away, ends it: always with all that it started cleaned up. */

/** As shells report them: 128 + the signal's number. */
export const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type Interruption = keyof typeof exitCodes;

/** The first of them. From now on none ends the process by itself. */
export function interruption(): Promise<Interruption> {
  return new Promise((resolve) => {
    // Not `once`: the terminal library ends the process for a signal that nobody listens to any more.
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, resolve);
    // A terminal that is closed may be found gone before its signal comes.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => resolve('SIGHUP'));
  });
}
