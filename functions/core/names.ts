/** Names that are used as identities, and the rules that keep them legal everywhere they go. */
import * as z from 'zod';

/**
 * Lower case, digits and hyphens, at most 20 characters: a target group's name (`<service>-<slot>`, 32) and an
 * execution's name (80, letters, digits, `-` and `_` for log delivery) are made from it.
 */
export const serviceName = z
  .string()
  .regex(
    /^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/,
    'must be 1 to 20 of a-z, 0-9 and -, starting with a letter, not ending with -',
  )
  .brand('ServiceName');
export type ServiceName = z.infer<typeof serviceName>;

/** `blue`, `green`, `red`: at most 11 characters, so that `<service>-<slot>` stays within a target group's 32. */
export const slotName = z
  .string()
  .regex(/^[a-z][a-z0-9]{0,10}$/, 'must be 1 to 11 of a-z and 0-9, starting with a letter')
  .brand('SlotName');
export type SlotName = z.infer<typeof slotName>;

/** `web-g0042`. Numbers only rise, names are never used again. */
export const generationName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*-g\d{4,}$/, 'must be a generation such as web-g0042')
  .brand('GenerationName');
export type GenerationName = z.infer<typeof generationName>;

const ami = /^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;

/** What never means anything else: `sha256:` and 64 hexadecimal digits, or, of a machine image, its id. */
export const digest = z
  .string()
  .refine(
    (text) => /^sha256:[0-9a-f]{64}$/.test(text) || ami.test(text),
    'must be sha256: and 64 hexadecimal digits, or the id of an AMI',
  )
  .brand('Digest');
export type Digest = z.infer<typeof digest>;

/**
 * `web-g0042-d7`: the generation it leads to and the fence it holds. A legal execution name: 80 characters at most, none
 * of those that StartExecution refuses.
 */
export const deploymentId = z
  .string()
  .regex(/^[a-z][a-z0-9-]*-g\d{4,}-d\d+$/, 'must be a deployment such as web-g0042-d7')
  .max(80)
  .brand('DeploymentId');
export type DeploymentId = z.infer<typeof deploymentId>;

export function nameGeneration(service: ServiceName, number: number): GenerationName {
  return generationName.parse(`${service}-g${String(number).padStart(4, '0')}`);
}

export function nameDeployment(generation: GenerationName, fence: number): DeploymentId {
  return deploymentId.parse(`${generation}-d${fence}`);
}

/** The service and number behind a generation's name; undefined for names that are not a generation's. */
export function readGenerationName(name: string): { service: ServiceName; number: number } | undefined {
  const match = /^(?<service>.+)-g(?<number>\d{4,})$/.exec(name);
  const service = serviceName.safeParse(match?.groups?.['service']);
  if (match === null || !service.success) return undefined;
  return { service: service.data, number: Number(match.groups?.['number']) };
}

/** A machine image of EC2, not a container's. */
export function isAmi(of: Digest): boolean {
  return ami.test(of);
}

/** The first twelve hexadecimal digits, enough for a person to tell digests apart; an AMI's id is short already. */
export function shortDigest(of: Digest): string {
  if (isAmi(of)) return of;
  return of.slice('sha256:'.length, 'sha256:'.length + 12);
}
