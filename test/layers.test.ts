/** Holds the layers: who may import whom, no cycles, no `any`. Reads the sources, so a new file is held from its first day. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const trees = ['functions', 'infra', 'local', 'cli', 'console', 'bench', 'docs', 'test'];

/** Paths from the repository's root, each with its text. */
type Sources = ReadonlyMap<string, string>;

interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** What its files may import: a path from the root, or a package. */
  readonly may: RegExp;
}

const core = 'functions/core/.+';
const layers: readonly Layer[] = [
  { name: 'core', files: /^functions\/core\//, may: pattern(core, 'zod') },
  { name: 'ports', files: /^functions\/ports\//, may: pattern(core, 'functions/ports/.+') },
  { name: 'steps', files: /^functions\/steps\//, may: pattern(core, 'functions/(ports|steps)/.+', 'zod') },
  {
    name: 'aws',
    files: /^functions\/aws\//,
    may: pattern(core, 'functions/(ports|aws)/.+', '@aws-sdk/.+', '@sigstore/.+', 'zod'),
  },
  {
    name: 'entries',
    files: /^functions\/[^/]+$/,
    may: pattern(
      core,
      'functions/(steps|aws)/.+',
      'functions/entry.ts',
      '@middy/core',
      '@aws-lambda-powertools/.+',
      '@aws-sdk/client-.+',
      'aws-lambda',
      'zod',
    ),
  },
  {
    name: 'infra',
    files: /^infra\//,
    may: pattern(
      core,
      'infra/.+',
      'statemachines/.+',
      'aws-cdk-lib(/.+)?',
      'constructs',
      'cdk-nag',
      'esbuild',
      'zod',
      'node:.+',
    ),
  },
  { name: 'local', files: /^local\//, may: pattern(core, '(?!functions/|infra/|test/|bench/).+') },
  {
    name: 'cli and console',
    files: /^(cli|console)\//,
    may: pattern(core, '(?!functions/(?!ports/|aws/)|infra/|local/|test/).+'),
  },
  { name: 'everything else but tests', files: /^(?!test\/)/, may: /^(?!test\/)/ },
];

function pattern(...allowed: readonly string[]): RegExp {
  return new RegExp(`^(?:${allowed.join('|')})$`);
}

/** Every import, export-from and `import()`, types included. Relative ones become paths from the root. */
function importsOf(path: string, text: string): readonly string[] {
  const statement = /^\s*(?:import|export)\b(?:[^;'"`()]*?\bfrom)?\s*(['"])(?<from>[^'"\n]+)\1/gm;
  const call = /\bimport\(\s*(['"])(?<from>[^'"\n]+)\1/g;
  const found = [...text.matchAll(statement), ...text.matchAll(call)].map(
    (match) => match.groups?.['from'] ?? '',
  );
  return found.map((from) => (from.startsWith('.') ? posix.join(posix.dirname(path), from) : from));
}

/** The code without what is in comments, strings and regular expressions. */
function bare(text: string): string {
  const hidden =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|(?<=[(,=:[!&|?{};]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(hidden, "''");
}

/** What breaks the layers, one line each. */
function breaches(sources: Sources): readonly string[] {
  return [...[...sources].flatMap(([path, text]) => breachesIn(path, text)), ...cyclesIn(sources)];
}

function breachesIn(path: string, text: string): string[] {
  const found: string[] = [];
  const layer = layers.find(({ files }) => files.test(path));
  for (const target of importsOf(path, text)) {
    if (layer !== undefined && !layer.may.test(target))
      found.push(`${path} (${layer.name}) imports ${target}`);
  }
  // A default import or a named one keeps the whole library in the bundle.
  if (/^\s*import\s+(?!\* as z\b|type \* as z\b)[^;]*?\bfrom\s*['"]zod['"]/m.test(text)) {
    found.push(`${path} imports zod otherwise than as * as z`);
  }
  if (/(?:[:<|&,(=]|\bas|\bof)\s*any\b\s*(?=[[\]>,;)=|&{]|$)/m.test(bare(text)))
    found.push(`${path} says any`);
  return found;
}

/**
 * Files that need each other. Among functions types count too, for a cycle of types is a cycle of ideas; elsewhere only what
 * is imported when the code runs.
 */
function cyclesIn(sources: Sources): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) found.push(`a cycle: ${[...trail.slice(at), path].join(' → ')}`);
    if (at !== -1 || done.has(path)) return;
    const text = sources.get(path) ?? '';
    for (const target of importsOf(path, path.startsWith('functions/') ? text : withoutTypes(text))) {
      if (sources.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

function withoutTypes(text: string): string {
  return text.replace(/^\s*(?:import|export)\s+type\b[^;'"]*?\bfrom\s*(['"])[^'"\n]+\1/gm, '');
}

function ownSources(): Sources {
  const paths = trees
    .filter((tree) => existsSync(`${root}${tree}`))
    .flatMap((tree) =>
      readdirSync(`${root}${tree}`, { recursive: true, encoding: 'utf8' }).map((path) => `${tree}/${path}`),
    )
    .filter(
      (path) => /\.[cm]?tsx?$/.test(path) && !path.endsWith('.d.ts') && !path.includes('node_modules/'),
    );
  return new Map(paths.map((path) => [path, readFileSync(`${root}${path}`, 'utf8')]));
}

describe('the layers', () => {
  it('hold in every source file', () => {
    const sources = ownSources();
    expect(sources.size).toBeGreaterThan(100);
    expect(breaches(sources)).toEqual([]);
  });

  it.each([
    ['core that asks AWS', 'functions/core/plan.ts', `import { ECSClient } from '@aws-sdk/client-ecs';`],
    ['core that reads files', 'functions/core/plan.ts', `import { readFileSync } from 'node:fs';`],
    ['core that knows a step', 'functions/core/plan.ts', `import type { Now } from '../steps/clock.ts';`],
    ['a port on zod', 'functions/ports/fleet.ts', `import * as z from 'zod';`],
    [
      'a step on an adapter',
      'functions/steps/shift.ts',
      `import {\n  AlbTraffic,\n} from '../aws/alb-traffic.ts';`,
    ],
    ['an adapter on a step', 'functions/aws/x.ts', `export { shift } from '../steps/shift.ts';`],
    ['a step on cosign', 'functions/steps/shift.ts', `import { Verifier } from '@sigstore/verify';`],
    ['an entry on the embedded AWS', 'functions/shift.ts', `import '../local/clock.ts';`],
    ['infra on an adapter', 'infra/app.ts', `import { x } from '../functions/aws/x.ts';`],
    ['local on a step', 'local/start.ts', `const { shift } = await import('../functions/steps/shift.ts');`],
    ['local on an entry', 'local/start.ts', `import { create } from '../functions/shift.ts';`],
    ['local on infra', 'local/start.ts', `import { WebStack } from '../infra/web-stack.ts';`],
    ['a bench on a test', 'bench/bench.ts', `import { settled } from '../test/manual-clock.ts';`],
    ['zod by name', 'infra/app.ts', `import { z } from 'zod';`],
    ['zod by default', 'test/x.ts', `import z from 'zod';`],
    ['any as a type', 'test/x.ts', `const x: any = 1;`],
    ['any as an assertion', 'test/x.ts', `f(x as any);`],
    ['any in a generic', 'local/x.ts', `const x = new Map<string, any>();`],
    ['any in an array', 'local/x.ts', `function f(x: any[]) {}`],
  ])('refuse %s', (_, path, text) => {
    expect(breaches(new Map([[path, text]]))).toHaveLength(1);
  });

  it('refuse a cycle; among functions also one of types', () => {
    const cycle = (tree: string, type: string): readonly string[] => {
      const sources = new Map([
        [`${tree}/a.ts`, `import { b } from './b.ts';`],
        [`${tree}/b.ts`, `import ${type}{ C } from './deep/c.ts';`],
        [`${tree}/deep/c.ts`, `export ${type}{ A } from '../a.ts';`],
      ]);
      return breaches(sources);
    };
    const found = (tree: string) => [
      `a cycle: ${['a', 'b', 'deep/c', 'a'].map((name) => `${tree}/${name}.ts`).join(' → ')}`,
    ];
    expect(cycle('local', '')).toEqual(found('local'));
    expect(cycle('local', 'type ')).toEqual([]);
    expect(cycle('functions/core', 'type ')).toEqual(found('functions/core'));
  });

  it.each([
    ['the word in a comment', 'local/x.ts', `// cast it as any\n/* x: any */\nexport const x = 1;`],
    ['the word in a string', 'local/x.ts', "export const x = 'x: any,' + `as any;`;"],
    ['a member called any', 'functions/core/x.ts', `import * as z from 'zod';\nexport const x = z.any();`],
    ['an import in a string', 'functions/core/x.ts', `const banner = "import { x } from 'node:module';";`],
  ])('leave %s alone', (_, path, text) => {
    expect(breaches(new Map([[path, text]]))).toEqual([]);
  });
});
