/** User data as cloud-init would take it at the first boot. */

export interface Script {
  readonly text: string;
  /** What its first line gives bash, such as `-xe`. */
  readonly shellOptions: readonly string[];
}

export type UserData =
  | { readonly kind: 'script'; readonly script: Script }
  | { readonly kind: 'none' }
  /** cloud-init says so on the console and goes on. */
  | { readonly kind: 'unhandled'; readonly start: string };

/** https://cloudinit.readthedocs.io/en/latest/explanation/format.html: what it would do more than run a script. */
const others: readonly (readonly [RegExp, string])[] = [
  [/^#(?:cloud-config|include|cloud-boothook|part-handler|upstart-job)/, 'cloud-init directives'],
  [/^(?:content-type:|mime-version:)/i, 'MIME messages'],
  [/^## template:/, 'templates of cloud-init'],
  [/^<(?:powershell|script)>/i, 'scripts for Windows'],
];

/** Throws for what is not modelled, so that the launch fails instead of half of the instance. */
export function userDataOf(encoded: string | undefined): UserData {
  const bytes = Buffer.from(encoded ?? '', 'base64');
  const text = bytes.toString('utf8');
  if (text.trim() === '') return { kind: 'none' };
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const other = isCompressed ? 'compressed content' : others.find(([start]) => start.test(text))?.[1];
  if (other !== undefined) throw new Error(`User data with ${other} is not modelled by the embedded AWS.`);
  const first = text.split('\n', 1)[0] ?? '';
  if (!first.startsWith('#!')) return { kind: 'unhandled', start: text.slice(0, 40) };
  const [program = '', ...options] = first.slice(2).trim().split(/\s+/);
  const called = program.endsWith('/env') ? [...options] : [program.split('/').pop() ?? '', ...options];
  const shell = called.shift() ?? '';
  // Of Amazon Linux also `sh` is bash.
  if (shell !== 'bash' && shell !== 'sh')
    throw new Error(
      `User data for '${program || 'no program'}' is not modelled by the embedded AWS: bash runs it.`,
    );
  return { kind: 'script', script: { text, shellOptions: called } };
}
