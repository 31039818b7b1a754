/** A process with a task runner of its own, to be killed: prints what it has, then waits. Argument: the task's mark. */
import { FastForwardClock } from '../../local/clock.ts';
import { createProcessRunner } from '../../local/tasks/process-runner.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';
import { shellImage } from './busybox.ts';
import { Tasks } from './tasks.ts';

const mark = process.argv[2];
const clock = new FastForwardClock({ speed: 1, onFailure: (failure) => console.error(failure) });
const runner = await createProcessRunner({ clock });
const tasks = new Tasks(runner, await EmbeddedRegistry.start('web'));
await tasks.start(shellImage(`echo ready; sleep ${mark} & sleep ${mark}`));
await tasks.logged('ready');
console.log(JSON.stringify({ uid: process.getuid?.(), isolation: runner.isolation }));
