/** The options of a command as getopt and Go's flags both take them, but only those that are known here. */

/** By name: whether a value follows, or which other name means the same. */
export type Grammar = Readonly<Record<string, 'flag' | 'value' | `-${string}`>>;

export interface Options {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  /** The first option that the grammar has not. */
  readonly unknown: string | undefined;
}

/** `commandFollows`: with the first word the options end, as in `docker run IMAGE COMMAND`. */
export function parseOptions(
  args: readonly string[],
  grammar: Grammar,
  { commandFollows = false } = {},
): Options {
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const left = [...args];
  const end = (unknown?: string): Options => ({ flags, values, words: [...words, ...left], unknown });
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    if (next === '--') return end();
    if (!/^-./.test(next)) {
      words.push(next);
      if (commandFollows) return end();
      continue;
    }
    const { name, attached } = split(next);
    const means = grammar[name];
    const full = means?.startsWith('-') === true ? means : name;
    const kind = grammar[full];
    if (kind === undefined) return end(name);
    if (kind === 'value') {
      const value = attached ?? left.shift();
      // Without its value it is none that anybody knows.
      if (value === undefined) return end(name);
      values.set(full, [...(values.get(full) ?? []), value]);
    } else {
      if (attached !== 'false') flags.add(full);
      // `-sS`: what follows a short flag are further ones.
      if (attached !== undefined && !name.startsWith('--')) left.unshift(`-${attached}`);
    }
  }
  return end();
}

/** The last value counts. */
export function valueOf({ values }: Options, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

/** `--name=value`, `-nvalue`. */
function split(option: string): { name: string; attached: string | undefined } {
  if (option.startsWith('--')) {
    const at = option.indexOf('=');
    return at === -1
      ? { name: option, attached: undefined }
      : { name: option.slice(0, at), attached: option.slice(at + 1) };
  }
  return { name: option.slice(0, 2), attached: option.length > 2 ? option.slice(2) : undefined };
}
