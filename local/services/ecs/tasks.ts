/** All tasks of an embedded ECS: the ones that live, and the stopped ones for an hour. */

import { refersTo } from './arns.ts';
import type { ClusterRecord } from './clusters.ts';
import type { Platform } from './platform.ts';
import { announceTask } from './service-announcements.ts';
import { Task, type TaskRequest } from './task.ts';
import { vcpusOf } from './vcpus.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html: stopped tasks appear for one hour. */
const keptStopped = 60 * 60_000;

export class Tasks {
  readonly #platform: Platform;
  readonly #onGone: (task: Task) => void;
  #tasks: Task[] = [];

  /** `onGone`: a stopped task is no longer shown. */
  constructor(platform: Platform, onGone: (task: Task) => void) {
    this.#platform = platform;
    this.#onGone = onGone;
  }

  /** Starts a task; each of its changes is announced on the bus and then told to `request.onChange`. */
  start(request: TaskRequest): Task {
    this.#forgetOld();
    const task = new Task(this.#platform, {
      ...request,
      onChange: (changed) => {
        announceTask(this.#platform, changed);
        request.onChange?.(changed);
      },
    });
    this.#tasks.push(task);
    return task;
  }

  in(cluster: ClusterRecord): Task[] {
    this.#forgetOld();
    return this.#tasks.filter((task) => task.request.cluster.arn === cluster.arn);
  }

  find(cluster: ClusterRecord, reference: string): Task | undefined {
    return this.in(cluster).find((task) => refersTo(reference, task.id, task.arn));
  }

  exists(arn: string): boolean {
    this.#forgetOld();
    return this.#tasks.some((task) => task.arn === arn);
  }

  /** Of all tasks that are there, from the first moment until they are STOPPED. */
  vcpus(): number {
    return this.#tasks
      .filter(({ lastStatus }) => lastStatus !== 'STOPPED')
      .reduce((sum, { request }) => sum + vcpusOf(request.taskDefinition), 0);
  }

  uses(taskDefinitionArn: string): boolean {
    return this.#tasks.some(
      (task) =>
        task.lastStatus !== 'STOPPED' && task.request.taskDefinition.taskDefinitionArn === taskDefinitionArn,
    );
  }

  close(): void {
    for (const task of this.#tasks) task.close();
  }

  #forgetOld(): void {
    const since = this.#platform.clock.now() - keptStopped;
    const old = this.#tasks.filter(
      (task) => task.stoppedAt !== undefined && task.stoppedAt.getTime() < since,
    );
    if (old.length === 0) return;
    this.#tasks = this.#tasks.filter((task) => !old.includes(task));
    for (const task of old) this.#onGone(task);
  }
}
