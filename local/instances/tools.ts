/** What user data finds on its PATH: programs of this machine that are on any Linux, and stand-ins that ask the region. */
import { access, constants, mkdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transformSync } from 'esbuild';

/** Of coreutils, and what stands beside it in the smallest image of Amazon Linux. */
const programs = (
  '[ awk base64 basename bash cat chgrp chmod chown cksum comm cp cut dd df dirname du env expand expr false find flock ' +
  'fold grep egrep fgrep gunzip gzip head id install join jq kill ln ls md5sum mkdir mkfifo mktemp mv nice nl nohup od ' +
  'paste printenv printf pwd readlink realpath rm rmdir sed seq sha1sum sha256sum shuf sort split stat ' +
  'stdbuf sync tail tar tee test timeout touch tr true truncate uname uniq wc which whoami xargs xz yes'
).split(' ');

/** Options that change nothing for who is root. */
const sudo = `#!/bin/sh
while [ "\${1#-}" != "$1" ]; do
  case $1 in
    -E | -H | -n) shift ;;
    *) echo "sudo $1 is not modelled by the embedded AWS" >&2; exit 1 ;;
  esac
done
exec "$@"
`;

/** What it is given goes to nobody's journal, and to standard error where that is asked for. */
const logger = `#!/bin/sh
tag=root echo=
while getopts sit:p: option; do
  case $option in
    s) echo=yes ;;
    t) tag=$OPTARG ;;
    i | p) ;;
    *) echo 'this option of logger is not modelled by the embedded AWS' >&2; exit 1 ;;
  esac
done
shift $((OPTIND - 1))
if [ $# -gt 0 ]; then printf '%s\\n' "$*"; else cat; fi | while IFS= read -r line; do
  [ -z "$echo" ] || printf '%s: %s\\n' "$tag" "$line" >&2
done
`;

export interface Tools {
  readonly folder: string;
}

/** `ownRoot`: scripts see what `enter-instance.sh` mounts for them, and this machine's programs under another name. */
export async function installTools(
  folder: string,
  standIns: readonly string[],
  { ownRoot }: { ownRoot: boolean },
): Promise<Tools> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const link = async (name: string, to: string): Promise<void> =>
    symlink(ownRoot ? `/run/instance/machine${to}` : to, join(bin, name));
  for (const name of programs) {
    const found = await programNamed(name);
    if (found !== undefined) await link(name, found);
  }
  const bash = await programNamed('bash');
  if (bash === undefined) throw new Error('User data is run by bash, which is not installed here.');
  await link('sh', bash);
  const source = await readFile(join(import.meta.dirname, 'ask.ts'), 'utf8');
  await writeFile(join(folder, 'ask.mjs'), transformSync(source, { loader: 'ts' }).code);
  const [node, ask] = ownRoot
    ? ['/run/instance/node', '/run/instance/tools/ask.mjs']
    : [process.execPath, join(folder, 'ask.mjs')];
  const standIn = `#!/bin/sh\nexec '${node}' --no-warnings '${ask}' "\${0##*/}" "$@"\n`;
  for (const [name, text] of Object.entries({ sudo, logger }))
    await writeFile(join(bin, name), text, { mode: 0o755 });
  for (const name of standIns) await writeFile(join(bin, name), standIn, { mode: 0o755 });
  return { folder };
}

async function programNamed(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return realpath(path);
  }
  return undefined;
}
