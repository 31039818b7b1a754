/**
 * Decides what a push comes to. Runs first in every execution of the deploy machine; changes nothing but the service
 * item. A repeat in the same execution returns the same plan.
 */
import * as z from 'zod';
import {
  type Admission,
  admit,
  admittedBefore,
  answered,
  type Decided,
  recordIntake,
  seen,
  undecided,
} from '../core/deployment/admission.ts';
import { CutoverError, type ErrorName } from '../core/errors.ts';
import { imageName } from '../core/fleet/generation.ts';
import { type Push, type PushReading, readAmi, readPush } from '../core/images/push.ts';
import type { RegistryImage } from '../core/images/registry-image.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { serviceName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Images } from '../ports/images.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Waits } from '../ports/waits.ts';
import type { Now } from './clock.ts';
import { type DeclarationPorts, declaredSettings, notDeclared } from './declared-settings.ts';
import { type PreflightPorts, preflight } from './preflight.ts';

export const planDeploymentInput = z.object({
  service: serviceName,
  event: z.unknown(),
  execution: z.object({ arn: z.string(), redrives: z.int() }),
});

export interface PlanPorts extends DeclarationPorts, PreflightPorts {
  readonly fleet: DeclarationPorts['fleet'] & PreflightPorts['fleet'];
  readonly ledger: Ledger;
  readonly images: Pick<Images, 'find'>;
  readonly waits: Pick<Waits, 'fail'>;
  readonly now: Now;
}

/** Trying the same again would not help. */
const final: ReadonlySet<string> = new Set<ErrorName>([
  'Cutover.InvalidInput',
  'Cutover.AwsRefused',
  'Cutover.RuleNotOurs',
]);

type PlanInput = z.infer<typeof planDeploymentInput>;
type Refusal = Pick<Admission & { plan: null }, 'admission' | 'reason'>;
/** The push, once it is known to be one, and what the registry has of it. */
interface Looked {
  readonly push: Push;
  readonly image: RegistryImage | undefined;
}

export async function planDeployment(input: PlanInput, ports: PlanPorts): Promise<Admission> {
  return answering(input, ports, null, () => decide(input, ports));
}

/** A push must not be lost without a word: what cannot even be looked at is refused and told. */
async function answering(
  input: PlanInput,
  ports: PlanPorts,
  looked: Looked | null,
  decision: () => Promise<Admission>,
): Promise<Admission> {
  try {
    return await decision();
  } catch (failure) {
    if (!(failure instanceof CutoverError) || !final.has(failure.name)) throw failure;
    return refuse(input, ports, { admission: 'rejected', reason: failure.message }, looked);
  }
}

async function decide(input: PlanInput, ports: PlanPorts): Promise<Admission> {
  const settings = await declaredSettings(input.service, ports);
  if (settings === undefined) return refuseUndeclared(input, ports);
  const reading = await readingOf(input.event, settings, ports);
  switch (reading.kind) {
    case 'push': {
      const { push } = reading;
      const looked = { push, image: undefined };
      return answering(input, ports, looked, () => decideOn(push, input, ports, settings));
    }
    case 'foreign':
      return passBy(input, ports, { admission: 'nothing', reason: reading.reason });
    case 'ignored':
      return refuse(input, ports, { admission: 'nothing', reason: reading.reason }, null);
    case 'malformed':
      return refuse(input, ports, { admission: 'rejected', reason: reading.reason }, null);
  }
}

/** Of an AMI nothing can wait while EC2 does not answer: what it is called is not known. The sweep finds it then. */
async function readingOf(
  event: unknown,
  settings: ServiceSettings,
  { images }: PlanPorts,
): Promise<PushReading> {
  const reading = readPush(event, settings);
  if (reading.kind !== 'announced') return reading;
  const image = await images.find(settings.repository, { digest: reading.ami.digest });
  return readAmi(reading.ami, image, settings);
}

async function decideOn(
  push: Push,
  input: PlanInput,
  ports: PlanPorts,
  settings: ServiceSettings,
): Promise<Admission> {
  const [found, image] = await keepingPush(push, input, ports, async () => {
    const { live } = await ports.ledger.read(input.service);
    return Promise.all([
      preflight({ push, live, settings }, ports),
      // Undefined refuses nothing: ECR may show an image later than it announces it, and one that is gone fails at launch.
      ports.images.find(settings.repository, { digest: push.digest }),
    ]);
  });
  const { admission, retry, end } = await ports.ledger.change<Decided>(input.service, (item) => {
    const offer = { push, image, execution: input.execution, settings, ...found, now: ports.now() };
    return admit(item, offer);
  });
  if (retry !== undefined) throw retry;
  if (end !== undefined) await ports.waits.fail(end.token, end.error, end.cause);
  return admission;
}

/** The push must outlive this execution when AWS does not answer for longer than it is asked. */
async function keepingPush<T>(
  push: Push,
  input: PlanInput,
  { ledger }: PlanPorts,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (failure) {
    if (!(failure instanceof CutoverError) || !final.has(failure.name)) {
      await ledger.change(input.service, (item) => ({ item: undecided(item, push) }));
    }
    throw failure;
  }
}

/** A service that does not exist, and never did, gets no item. */
async function refuseUndeclared(input: PlanInput, ports: PlanPorts): Promise<Admission> {
  const refusal = { admission: 'rejected', reason: notDeclared(input.service) } as const;
  const { admission } = await ports.ledger.change<Decided>(input.service, (item) =>
    item.version === 0
      ? { item, admission: { ...refusal, plan: null, notBefore: null } }
      : refused(item, input, ports, refusal, null),
  );
  return admission;
}

async function refuse(
  input: PlanInput,
  ports: PlanPorts,
  refusal: Refusal,
  looked: Looked | null,
): Promise<Admission> {
  const { admission } = await ports.ledger.change(input.service, (item) =>
    refused(item, input, ports, refusal, looked),
  );
  return admission;
}

/** What is another's leaves no trace on the item, so that nobody is told of it; unless it waited as a push of this service. */
async function passBy(input: PlanInput, ports: PlanPorts, refusal: Refusal): Promise<Admission> {
  const { admission } = await ports.ledger.change<Decided>(input.service, (item) =>
    item.pending !== null && item.pending.eventId === eventId(input.event)
      ? refused(item, input, ports, refusal, null)
      : {
          item,
          admission: admittedBefore(item, input.execution) ?? { ...refusal, plan: null, notBefore: null },
        },
  );
  return admission;
}

/** Unless this execution was admitted before, and only its answer was lost: then it has the service, and goes on. */
function refused(
  item: ServiceItem,
  { event, execution }: PlanInput,
  { now }: PlanPorts,
  refusal: Refusal,
  looked: Looked | null,
): Decided {
  const again = admittedBefore(item, execution);
  if (again !== undefined) return { item, admission: again };
  const admission = { ...refusal, plan: null, notBefore: null };
  const id = eventId(event) ?? execution.arn;
  const intake = {
    id,
    direction: 'forward' as const,
    at: now(),
    image: looked === null ? null : imageName(looked.push),
    execution: execution.arn,
    ...refusal,
  };
  const known = looked === null ? item : seen(item, { ...looked, now: now() });
  return { item: recordIntake(answered(known, id), intake), admission };
}

function eventId(event: unknown): string | undefined {
  const parsed = z.object({ id: z.string().min(1).max(128) }).safeParse(event);
  return parsed.success ? parsed.data.id : undefined;
}
