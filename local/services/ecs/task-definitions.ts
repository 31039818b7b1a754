/** Task definitions: immutable revisions in families. */
import type {
  ContainerDefinition,
  DeleteTaskDefinitionsCommandInput,
  DeleteTaskDefinitionsCommandOutput,
  DeregisterTaskDefinitionCommandInput,
  DeregisterTaskDefinitionCommandOutput,
  DescribeTaskDefinitionCommandInput,
  DescribeTaskDefinitionCommandOutput,
  ListTaskDefinitionFamiliesCommandInput,
  ListTaskDefinitionFamiliesCommandOutput,
  ListTaskDefinitionsCommandInput,
  ListTaskDefinitionsCommandOutput,
  RegisterTaskDefinitionCommandInput,
  RegisterTaskDefinitionCommandOutput,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { principalArn } from '../../iam/principal-arn.ts';
import { nameOf, taskDefinitionArn } from './arns.ts';
import { page } from './page.ts';
import type { Tags } from './tags.ts';
import { checkTaskDefinition } from './task-definition-rules.ts';

/** A revision as the API shows it, with what is always there. */
export interface TaskDefinitionRecord extends TaskDefinition {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly revision: number;
  readonly containerDefinitions: ContainerDefinition[];
}

/** A revision in DELETE_IN_PROGRESS goes once nothing uses it; looked at this often, in milliseconds. */
const deletionCheck = 60_000;

export class TaskDefinitions {
  readonly #clock: Clock;
  readonly #tags: Tags;
  readonly #inUse: (arn: string) => boolean;
  /** Each family's revisions, ascending; numbers are never used again. */
  readonly #families = new Map<string, TaskDefinitionRecord[]>();
  readonly #latest = new Map<string, number>();

  /** `inUse`: whether a task or a service's deployment refers to the revision. */
  constructor(options: { clock: Clock; tags: Tags; inUse: (arn: string) => boolean }) {
    this.#clock = options.clock;
    this.#tags = options.tags;
    this.#inUse = options.inUse;
  }

  /** What CreateService, UpdateService and RunTask may start: `family` (its newest ACTIVE), `family:revision`, ARN. */
  startable(reference: string | undefined): TaskDefinitionRecord {
    if (!reference) throw new AwsError('InvalidParameterException', 'TaskDefinition can not be blank.');
    const found = this.#find(reference);
    if (found === undefined) throw new AwsError('ClientException', 'TaskDefinition not found.');
    if (found.status !== 'ACTIVE') throw new AwsError('ClientException', 'TaskDefinition is inactive');
    return found;
  }

  exists(arn: string): boolean {
    return this.#find(arn) !== undefined;
  }

  #find(reference: string): TaskDefinitionRecord | undefined {
    const [family, revision] = nameOf(reference).split(':');
    const revisions = this.#families.get(family ?? '') ?? [];
    const found =
      revision === undefined
        ? revisions.findLast((candidate) => candidate.status === 'ACTIVE')
        : revisions.find((candidate) => String(candidate.revision) === revision);
    return found !== undefined && reference.startsWith('arn:') && reference !== found.taskDefinitionArn
      ? undefined
      : found;
  }

  #all(): TaskDefinitionRecord[] {
    const families = [...this.#families].sort(([one], [other]) => (one < other ? -1 : 1));
    return families.flatMap(([, revisions]) => revisions);
  }

  readonly operations = {
    RegisterTaskDefinition: (
      input: RegisterTaskDefinitionCommandInput,
      call: Call,
    ): Output<RegisterTaskDefinitionCommandOutput> => {
      checkTaskDefinition(input);
      const { tags, containerDefinitions, ...settings } = input;
      const family = input.family ?? '';
      const revision = (this.#latest.get(family) ?? 0) + 1;
      const record: TaskDefinitionRecord = {
        ...settings,
        family,
        revision,
        taskDefinitionArn: taskDefinitionArn(family, revision),
        containerDefinitions: (containerDefinitions ?? []).map(withDefaults),
        volumes: input.volumes ?? [],
        placementConstraints: input.placementConstraints ?? [],
        compatibilities: input.networkMode === 'awsvpc' ? ['EC2', 'FARGATE'] : ['EC2'],
        status: 'ACTIVE',
        registeredAt: new Date(this.#clock.now()),
        registeredBy: principalArn(call.principal),
      };
      this.#tags.add(record.taskDefinitionArn, tags);
      this.#latest.set(family, revision);
      this.#families.set(family, [...(this.#families.get(family) ?? []), record]);
      return { taskDefinition: { ...record }, tags: this.#tags.of(record.taskDefinitionArn) };
    },

    DeregisterTaskDefinition: (
      input: DeregisterTaskDefinitionCommandInput,
    ): Output<DeregisterTaskDefinitionCommandOutput> => {
      const reference = input.taskDefinition ?? '';
      if (!nameOf(reference).includes(':'))
        throw new AwsError('ClientException', `Invalid revision number. Number: ${reference}`);
      const found = this.#find(reference);
      if (found === undefined)
        throw new AwsError('ClientException', 'The specified task definition does not exist.');
      if (found.status !== 'ACTIVE') throw new AwsError('ClientException', 'TaskDefinition is inactive');
      found.status = 'INACTIVE';
      found.deregisteredAt = new Date(this.#clock.now());
      return { taskDefinition: { ...found } };
    },

    DescribeTaskDefinition: (
      input: DescribeTaskDefinitionCommandInput,
    ): Output<DescribeTaskDefinitionCommandOutput> => {
      const found = this.#find(input.taskDefinition ?? '');
      if (found === undefined) throw new AwsError('ClientException', 'Unable to describe task definition.');
      const tags =
        input.include?.includes('TAGS') === true ? { tags: this.#tags.of(found.taskDefinitionArn) } : {};
      return { taskDefinition: { ...found }, ...tags };
    },

    ListTaskDefinitions: (
      input: ListTaskDefinitionsCommandInput,
    ): Output<ListTaskDefinitionsCommandOutput> => {
      const status = input.status ?? 'ACTIVE';
      // `familyPrefix` is the full family name here, whatever its name says.
      const found = this.#all().filter(
        (record) =>
          record.status === status &&
          (input.familyPrefix === undefined || record.family === input.familyPrefix),
      );
      if (input.sort === 'DESC') found.reverse();
      const { items, ...more } = page(
        found.map((record) => record.taskDefinitionArn),
        input,
      );
      return { taskDefinitionArns: items, ...more };
    },

    ListTaskDefinitionFamilies: (
      input: ListTaskDefinitionFamiliesCommandInput,
    ): Output<ListTaskDefinitionFamiliesCommandOutput> => {
      const families = [...this.#families]
        .filter(([family]) => family.startsWith(input.familyPrefix ?? ''))
        .filter(([, revisions]) => {
          const active = revisions.some((record) => record.status === 'ACTIVE');
          if (input.status === 'ACTIVE') return active;
          return input.status === 'INACTIVE' ? !active : true;
        })
        .map(([family]) => family)
        .sort();
      const { items, ...more } = page(families, input);
      return { families: items, ...more };
    },

    DeleteTaskDefinitions: (
      input: DeleteTaskDefinitionsCommandInput,
    ): Output<DeleteTaskDefinitionsCommandOutput> => {
      const references = input.taskDefinitions ?? [];
      if (references.length === 0 || references.length > 10)
        throw new AwsError(
          'InvalidParameterException',
          'Between 1 and 10 task definitions can be deleted at once.',
        );
      const taskDefinitions: TaskDefinition[] = [];
      const failures: { arn: string; reason: string }[] = [];
      for (const reference of references) {
        const found = nameOf(reference).includes(':') ? this.#find(reference) : undefined;
        if (found === undefined)
          failures.push({ arn: reference, reason: 'The specified task definition does not exist.' });
        else if (found.status === 'ACTIVE')
          failures.push({
            arn: found.taskDefinitionArn,
            reason:
              'The specified task definition is still in ACTIVE state. Please deregister the target and try again.',
          });
        else {
          if (found.status === 'INACTIVE') this.#delete(found);
          taskDefinitions.push({ ...found });
        }
      }
      return { taskDefinitions, failures };
    },
  } satisfies Operations;

  #delete(record: TaskDefinitionRecord): void {
    record.status = 'DELETE_IN_PROGRESS';
    record.deleteRequestedAt = new Date(this.#clock.now());
    const check = (): void => {
      if (this.#inUse(record.taskDefinitionArn)) {
        this.#clock.after(deletionCheck, check);
        return;
      }
      const left = (this.#families.get(record.family) ?? []).filter((other) => other !== record);
      if (left.length > 0) this.#families.set(record.family, left);
      else this.#families.delete(record.family);
      this.#tags.forget(record.taskDefinitionArn);
    };
    this.#clock.after(deletionCheck, check);
  }
}

/** A container definition as AWS gives it back, with the members that it fills in. */
function withDefaults(container: ContainerDefinition): ContainerDefinition {
  return {
    cpu: 0,
    essential: true,
    environment: [],
    mountPoints: [],
    volumesFrom: [],
    systemControls: [],
    ...container,
    portMappings: (container.portMappings ?? []).map((mapping) => ({
      protocol: 'tcp' as const,
      ...mapping,
      hostPort: mapping.hostPort || mapping.containerPort,
    })),
  };
}
