/** The functions with a guard taken out: bundled from their sources with some words replaced, packages left where they are. */
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Entries } from '../../local/simulated/function-host.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the bundle finds its packages. */
const folder = `${root}node_modules/.cache/cutover-mutants`;

export interface Replacement {
  /** From the repository's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** `name`: a file name. Rejects when the words are not there, or not once: the guard has changed, and so must its test. */
export async function mutantEntries(name: string, replacements: readonly Replacement[]): Promise<Entries> {
  const used = new Set<Replacement>();
  await mkdir(folder, { recursive: true });
  const outfile = `${folder}/${name}-${process.pid}.mjs`;
  await build({
    absWorkingDir: root,
    entryPoints: ['test/simulation/entries.ts'],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'error',
    plugins: [
      {
        name: 'mutation',
        setup: (bundler) => {
          bundler.onLoad({ filter: /[\\/]functions[\\/].*\.ts$/ }, async ({ path }) => {
            const own = replacements.filter(({ file }) => path === `${root}${file}`);
            let contents = await readFile(path, 'utf8');
            for (const replacement of own) {
              const { file, from, to } = replacement;
              const times = contents.split(from).length - 1;
              if (times !== 1) throw new Error(`${file} has ${times} times, not once: ${from}`);
              contents = contents.replace(from, () => to);
              used.add(replacement);
            }
            return { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  const unused = replacements.filter((each) => !used.has(each));
  if (unused.length > 0) throw new Error(`no entry imports ${unused.map(({ file }) => file).join(', ')}`);
  const { entries } = (await import(pathToFileURL(outfile).href)) as { entries: Entries };
  return entries;
}
