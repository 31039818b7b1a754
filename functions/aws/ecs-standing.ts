/**
 * What stands in ECS of a service's generations, whoever knows of them: found by names, believed by tags. Task definitions
 * outlive their services.
 */
import {
  DeregisterTaskDefinitionCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  type ECSClient,
  ListServicesCommand,
  ListTaskDefinitionFamiliesCommand,
  type Tag,
} from '@aws-sdk/client-ecs';
import { CutoverError } from '../core/errors.ts';
import type { Standing } from '../core/fleet/orphans.ts';
import { type GenerationName, generationName, readGenerationName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { ownerTags } from '../core/tags.ts';
import { calling, codeOf } from './failures.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html */
const servicesPerCall = 10;
/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServices.html, API_ListTaskDefinitionFamilies.html */
const namesPerPage = 100;

/** Whether these tags say that it is this generation of this service. */
export function bearsTags(
  tags: readonly Tag[] | undefined,
  { service }: Pick<ServiceSettings, 'service'>,
  name: GenerationName,
): boolean {
  return Object.entries(ownerTags(service, name)).every(([key, value]) =>
    tags?.some((tag) => tag.key === key && tag.value === value),
  );
}

/** Looks closer only at what `isAsked` wants. */
export async function standing(
  client: ECSClient,
  cluster: string,
  settings: ServiceSettings,
  isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean,
): Promise<readonly Standing[]> {
  const services = namesOf(settings, await servicesIn(client, cluster));
  const families = namesOf(settings, await familiesOf(client, settings));
  const running = services.filter((name) => isAsked({ name, runs: true }));
  const left = families.filter((name) => !services.includes(name) && isAsked({ name, runs: false }));
  const found = await describeServices(client, cluster, settings, running);
  for (const name of left) {
    const definition = await describeDefinition(client, name);
    if (definition === undefined || !bearsTags(definition.tags, settings, name)) continue;
    found.push({ name, runs: false, slot: null, createdAt: definition.registeredAt });
  }
  return found;
}

/** Takes the generation's task definition away. A repeat finds it gone. */
export async function discardDefinition(
  client: ECSClient,
  settings: ServiceSettings,
  name: GenerationName,
): Promise<void> {
  const definition = await describeDefinition(client, name);
  if (definition === undefined) return;
  if (!bearsTags(definition.tags, settings, name)) {
    throw new CutoverError(
      'Cutover.Guarded',
      `a task definition ${name} exists that does not bear Cutover's tags; it is left alone. Deregister it yourself`,
    );
  }
  await calling(`deregistering the task definition ${name}`, () =>
    client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: definition.arn })),
  );
}

async function servicesIn(client: ECSClient, cluster: string): Promise<readonly string[]> {
  return calling(`listing the ECS services of ${cluster}`, async () => {
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new ListServicesCommand({ cluster, maxResults: namesPerPage, ...(nextToken && { nextToken }) }),
      );
      names.push(...(page.serviceArns ?? []).map((arn) => arn.split('/').at(-1) ?? arn));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return names;
  });
}

async function familiesOf(client: ECSClient, { service }: ServiceSettings): Promise<readonly string[]> {
  return calling(`listing the task definitions of ${service}`, async () => {
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(
        new ListTaskDefinitionFamiliesCommand({
          familyPrefix: `${service}-g`,
          status: 'ACTIVE',
          maxResults: namesPerPage,
          ...(nextToken && { nextToken }),
        }),
      );
      names.push(...(page.families ?? []));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return names;
  });
}

async function describeServices(
  client: ECSClient,
  cluster: string,
  settings: ServiceSettings,
  names: readonly GenerationName[],
): Promise<Standing[]> {
  const found: Standing[] = [];
  for (let at = 0; at < names.length; at += servicesPerCall) {
    const batch = names.slice(at, at + servicesPerCall);
    const { services = [] } = await calling(`reading the ECS services ${batch.join(', ')}`, () =>
      client.send(new DescribeServicesCommand({ cluster, services: batch, include: ['TAGS'] })),
    );
    for (const { serviceName, status, tags, loadBalancers, createdAt } of services) {
      const name = generationName.parse(serviceName);
      if (status !== 'ACTIVE' || !bearsTags(tags, settings, name)) continue;
      const group = loadBalancers?.[0]?.targetGroupArn;
      const slot = settings.traffic.slots.find(({ targetGroup }) => targetGroup === group)?.name ?? null;
      found.push({ name, runs: true, slot, createdAt: createdAt?.getTime() ?? 0 });
    }
  }
  return found;
}

interface Definition {
  readonly arn: string;
  readonly tags: readonly Tag[];
  /** Milliseconds since the epoch. */
  readonly registeredAt: number;
}

/** The newest active revision of the family; undefined when it has none. */
async function describeDefinition(client: ECSClient, family: string): Promise<Definition | undefined> {
  return calling(`reading the task definition ${family}`, async () => {
    try {
      const { taskDefinition, tags = [] } = await client.send(
        new DescribeTaskDefinitionCommand({ taskDefinition: family, include: ['TAGS'] }),
      );
      const { taskDefinitionArn, status, registeredAt } = taskDefinition ?? {};
      if (status !== 'ACTIVE' || taskDefinitionArn === undefined) return undefined;
      return { arn: taskDefinitionArn, tags, registeredAt: registeredAt?.getTime() ?? 0 };
    } catch (thrown) {
      if (codeOf(thrown) === 'ClientException') return undefined;
      throw thrown;
    }
  });
}

/** Those among the names that a generation of the service has. */
function namesOf({ service }: ServiceSettings, names: readonly string[]): readonly GenerationName[] {
  return names.flatMap((name) =>
    readGenerationName(name)?.service === service ? [generationName.parse(name)] : [],
  );
}
