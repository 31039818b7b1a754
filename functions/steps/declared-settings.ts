/** What infrastructure code declares of a service, read and checked. */
import { CutoverError } from '../core/errors.ts';
import { parseOrThrow } from '../core/parse.ts';
import { type ServiceSettings, serviceSettings } from '../core/service-settings.ts';
import type { FleetDeclarations } from '../ports/fleet.ts';
import type { Settings } from '../ports/settings.ts';

export interface DeclarationPorts {
  readonly settings: Settings;
  readonly fleet: FleetDeclarations;
}

/** Undefined when no service of that name is declared; throws `Cutover.InvalidInput` with every mistake. */
export async function declaredSettings(
  service: string,
  { settings, fleet }: DeclarationPorts,
): Promise<ServiceSettings | undefined> {
  const stored = await settings.read(service);
  if (stored === undefined) return undefined;
  const declared = parseOrThrow(serviceSettings, stored, `what is declared of ${service}`);
  const mistakes = fleet.mistakesIn(declared.fleet);
  if (mistakes.length === 0) return declared;
  throw new CutoverError(
    'Cutover.InvalidInput',
    `what is declared of ${service} is not valid; nothing was changed. ${mistakes.join('; ')}`,
  );
}

export function notDeclared(service: string): string {
  return `no service ${service} is declared; declare it with the EcsService or AsgService construct and deploy the stack`;
}
