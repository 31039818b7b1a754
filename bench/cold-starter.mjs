// Starts fresh processes and times them. A small process of its own: forking a large one takes longer, which would flatter
// every ratio.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const importHandler = fileURLToPath(new URL('import-handler.mjs', import.meta.url));

process.on('message', (file) => {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [importHandler, file], {
    env: {},
    encoding: 'utf8',
  });
  process.send({ ms: performance.now() - began, loaded: status === 0, stderr });
});
process.once('disconnect', () => process.exit(0));
