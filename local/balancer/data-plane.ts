/** What the balancer's thread holds: listeners, target groups, counters. One command at a time changes them. */
import { Counters } from './counters.ts';
import { Listener } from './listener.ts';
import { probe } from './probe.ts';
import type { Command, CountReport } from './protocol.ts';
import { TargetGroup } from './target-selection.ts';

export class DataPlane {
  readonly #counters = new Counters();
  readonly #listeners = new Map<string, Listener>();
  readonly #groups = new Map<string, TargetGroup>();
  #reported = '{}';

  async obey(command: Command): Promise<unknown> {
    switch (command.kind) {
      case 'listen':
        return this.#listen(command);
      case 'unlisten': {
        const listener = this.#listeners.get(command.listenerArn);
        this.#listeners.delete(command.listenerArn);
        return listener?.close();
      }
      case 'configure':
        return this.#listeners.get(command.settings.listenerArn)?.configure(command.settings);
      case 'route':
        // A change of rules may arrive after its listener was deleted: it travels more slowly.
        return this.#listeners.get(command.listenerArn)?.route(command.rules);
      case 'group': {
        const { targetGroupArn } = command.group;
        const group = this.#groups.get(targetGroupArn) ?? new TargetGroup();
        this.#groups.set(targetGroupArn, group);
        return group.update(command.group);
      }
      case 'forget': {
        const group = this.#groups.get(command.targetGroupArn);
        this.#groups.delete(command.targetGroupArn);
        return group?.close();
      }
      case 'probe':
        return probe(command.probe);
    }
  }

  /** What was counted since the last call, or nothing when nothing changed. */
  report(): CountReport | undefined {
    const connections: Record<string, number> = {};
    for (const listener of this.#listeners.values()) {
      listener.countBytes();
      const { loadBalancerArn } = listener.settings;
      connections[loadBalancerArn] = (connections[loadBalancerArn] ?? 0) + listener.connections;
    }
    const counts = this.#counters.take();
    const open = JSON.stringify(connections);
    if (counts.length === 0 && open === this.#reported) return undefined;
    this.#reported = open;
    return { counts, connections };
  }

  async #listen(command: Extract<Command, { kind: 'listen' }>): Promise<number> {
    const { settings, rules } = command;
    const listener = new Listener({ settings, rules, groups: this.#groups, counters: this.#counters });
    const port = await listener.listen(command.localPort);
    this.#listeners.set(settings.listenerArn, listener);
    return port;
  }
}
