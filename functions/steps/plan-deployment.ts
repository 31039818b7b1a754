/**
 * Decides what a push comes to. Runs first in every execution of the deploy machine; changes nothing but the service
 * item. A repeat in the same execution returns the same plan.
 */
import * as z from 'zod';
import { type Admission, admit, recordIntake } from '../core/admission.ts';
import { alarmVerdict } from '../core/alarms.ts';
import { serviceName } from '../core/names.ts';
import { parse } from '../core/parse.ts';
import { type Push, readPush } from '../core/push.ts';
import { type ServiceSettings, serviceSettings } from '../core/service-settings.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Settings } from '../ports/settings.ts';
import type { Traffic } from '../ports/traffic.ts';
import type { Now } from './clock.ts';

export const planDeploymentInput = z.object({
  service: serviceName,
  event: z.unknown(),
  execution: z.object({ arn: z.string(), redrives: z.int() }),
});

export interface PlanPorts {
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly traffic: Traffic;
  readonly fleet: Pick<Fleet, 'mistakesIn'>;
  readonly alarms: Alarms;
  readonly now: Now;
}

export async function planDeployment(
  input: z.infer<typeof planDeploymentInput>,
  ports: PlanPorts,
): Promise<Admission> {
  const settings = await readSettings(input.service, ports);
  if ('reason' in settings) return refused('rejected', settings.reason);

  const reading = readPush(input.event, settings);
  if (reading.kind !== 'push') {
    const admission = reading.kind === 'malformed' ? 'rejected' : 'nothing';
    return recordRefusal(input, ports, admission, reading.reason);
  }
  return decide(input, ports, settings, reading.push);
}

async function decide(
  input: z.infer<typeof planDeploymentInput>,
  ports: PlanPorts,
  settings: ServiceSettings,
  push: Push,
): Promise<Admission> {
  const [weights, alarms] = await Promise.all([
    ports.traffic.weights(settings.traffic),
    ports.alarms.states(settings.alarms),
  ]);
  const red = alarmVerdict(alarms);
  const { admission } = await ports.ledger.change(input.service, (item) => {
    const offer = { push, execution: input.execution, settings, weights, now: ports.now() };
    const decided = admit(item, offer);
    if (decided.admission.admission !== 'admitted' || red.verdict !== 'fail' || decided.item === item)
      return decided;
    const reason = `before anything was launched: ${red.reasons.join('; ')}`;
    const intake = {
      id: push.eventId,
      at: offer.now,
      image: `${push.repository}:${push.tag}`,
      execution: input.execution.arn,
    };
    return {
      item: recordIntake(item, { ...intake, admission: 'rejected', reason }),
      admission: refused('rejected', reason),
    };
  });
  return admission;
}

async function readSettings(
  service: string,
  ports: PlanPorts,
): Promise<ServiceSettings | { readonly reason: string }> {
  const stored = await ports.settings.read(service);
  if (stored === undefined) {
    return {
      reason: `no service ${service} is declared; declare it with the EcsService construct and deploy the stack`,
    };
  }
  const parsed = parse(serviceSettings, stored);
  const mistakes = parsed.ok ? ports.fleet.mistakesIn(parsed.value.fleet) : parsed.mistakes;
  if (!parsed.ok || mistakes.length > 0) {
    return {
      reason: `the settings of ${service} are not valid; nothing was changed. ${mistakes.join('; ')}`,
    };
  }
  return parsed.value;
}

async function recordRefusal(
  input: z.infer<typeof planDeploymentInput>,
  ports: PlanPorts,
  admission: 'nothing' | 'rejected',
  reason: string,
): Promise<Admission> {
  await ports.ledger.change(input.service, (item) => ({
    item: recordIntake(item, {
      id: eventId(input.event) ?? input.execution.arn,
      at: ports.now(),
      image: null,
      admission,
      reason,
      execution: input.execution.arn,
    }),
  }));
  return refused(admission, reason);
}

function refused(admission: 'nothing' | 'rejected', reason: string): Admission {
  return { admission, plan: null, reason };
}

function eventId(event: unknown): string | undefined {
  const parsed = z.object({ id: z.string().max(128) }).safeParse(event);
  return parsed.success ? parsed.data.id : undefined;
}
