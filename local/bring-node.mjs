// Sees to it that `node` in npm's scripts is Node 24. Plain JavaScript, so that an old Node can run it.
// The packages node-linux-* bring one; npm 10 forgets to link it when it skips the one for the other processor.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));
const link = `${modules}.bin/node`;
const own = `../node-linux-${process.arch}/bin/node`;

if (process.platform === 'linux' && !existsSync(link) && existsSync(`${modules}.bin/${own}`)) {
  mkdirSync(`${modules}.bin`, { recursive: true });
  symlinkSync(own, link);
}
if (
  process.argv.includes('--required') &&
  !existsSync(link) &&
  Number(process.versions.node.split('.')[0]) < 24
) {
  console.error(
    `Cutover needs Node ≥ 24, this is ${process.versions.node}. On Linux (x64, arm64) "npm ci" brings its own; here, install Node 24 and try again.`,
  );
  process.exit(2);
}
