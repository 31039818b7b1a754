/** A command that user data runs and the region answers, since nobody else on the instance could. */

export interface Asked {
  readonly name: string;
  readonly args: readonly string[];
  /** Its standard input, where it reads any. */
  readonly input: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Files that its arguments name, by path. */
  readonly files: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export type Command = (asked: Asked) => Outcome | Promise<Outcome>;

export function said(stdout: string): Outcome {
  return { stdout, stderr: '', exitCode: 0 };
}

export function failed(stderr: string, exitCode = 1): Outcome {
  return { stdout: '', stderr: `${stderr}\n`, exitCode };
}

export function notModelled(what: string): Outcome {
  return failed(`${what} is not modelled by the embedded AWS`);
}
