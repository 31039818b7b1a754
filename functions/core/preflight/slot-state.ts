/** Whether the slots can take a generation: a fault of one shows otherwise only when its targets never turn healthy. */

import type { Unit } from '../fleet/unit.ts';
import type { SlotName } from '../names.ts';
import type { Objection } from './objection.ts';

export interface SlotState {
  readonly name: SlotName;
  readonly targetGroup: string;
  /** Null: the target group does not exist (any more). */
  readonly group: TargetGroupState | null;
}

export interface TargetGroupState {
  readonly targetType: string;
  readonly protocol: string;
  readonly healthChecked: boolean;
  /** The balancers with a rule that names the group. AWS lets it be one at most. */
  readonly balancers: readonly string[];
}

/** `balancer`: the one of the production rule. */
export function unfitSlots(
  balancer: string,
  slots: readonly SlotState[],
  unit: Unit = 'task',
): readonly Objection[] {
  const protocol = slots.find(({ group }) => group !== null)?.group?.protocol;
  return slots.flatMap((slot) =>
    faultsOf(slot, balancer, unit, protocol).map(
      (words): Objection => ({ severity: 'refuse', check: 'slots', words }),
    ),
  );
}

const anew = "Deploy the service's stack again, or mend it by hand";

/** What its targets are named by. */
const targetTypes: Readonly<Record<Unit, { readonly type: string; readonly why: string }>> = {
  task: { type: 'ip', why: 'tasks have addresses (ip)' },
  instance: { type: 'instance', why: 'instances have ids (instance)' },
};

function faultsOf(
  { name, targetGroup, group }: SlotState,
  balancer: string,
  unit: Unit,
  protocol?: string,
): string[] {
  if (group === null)
    return [`the target group of ${name} does not exist (any more): ${targetGroup}. ${anew}`];
  const faults: string[] = [];
  if (group.targetType !== targetTypes[unit].type)
    faults.push(
      `the target group of ${name} takes targets by ${group.targetType}, and ${targetTypes[unit].why}. ${anew}`,
    );
  if (group.protocol !== 'HTTP' && group.protocol !== 'HTTPS')
    faults.push(`the target group of ${name} speaks ${group.protocol}, not HTTP or HTTPS. ${anew}`);
  else if (group.protocol !== protocol)
    faults.push(
      `the target group of ${name} speaks ${group.protocol}, and that of another slot ${protocol}. ${anew}`,
    );
  if (!group.healthChecked)
    faults.push(
      `the target group of ${name} checks no health, so nobody could tell when a generation is ready. Enable its health check`,
    );
  const [other] = group.balancers;
  if (other === undefined)
    faults.push(
      `no rule names the target group of ${name}, so its targets are not health-checked and ${unit}s cannot be registered there. ${anew}`,
    );
  else if (!group.balancers.includes(balancer))
    faults.push(
      `the target group of ${name} belongs to the load balancer ${other}, and the production rule to ${balancer}. ${anew}`,
    );
  return faults;
}
