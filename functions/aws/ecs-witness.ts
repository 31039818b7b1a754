/** What ECS says of a service, and what its tasks logged to CloudWatch Logs by the `awslogs` driver. */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  type ECSClient,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import type { Generation } from '../core/fleet/generation.ts';
import type { LastWords } from '../core/messages/last-words.ts';
import { reading, valueOr } from '../core/reading.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Witness } from '../ports/witness.ts';
import { clusterOf, readEcs } from './ecs-settings.ts';
import { calling } from './failures.ts';
import { lastLines } from './log-lines.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html */
const everyday =
  /steady state|has started \d+ tasks|has stopped \d+ running tasks|registered \d+ targets|deregistered \d+ targets|has begun draining|deployment \S+ deployment completed/i;
const mostEvents = 5;

export class EcsWitness implements Witness {
  readonly #ecs: ECSClient;
  readonly #logs: CloudWatchLogsClient;

  constructor(ecs: ECSClient, logs: CloudWatchLogsClient) {
    this.#ecs = ecs;
    this.#logs = logs;
  }

  async lastWords(
    settings: ServiceSettings,
    generation: Generation,
    task: string | null,
  ): Promise<LastWords> {
    const [events, log] = await Promise.all([
      reading(() => this.#events(settings, generation)),
      reading(() => this.#log(settings, generation, task)),
    ]);
    return {
      events: valueOr(events, []),
      log: valueOr(log, []),
      unread: [events, log].flatMap((each) => ('unread' in each ? [each.unread] : [])),
    };
  }

  /** The newest last; the service's name in front says nothing new. */
  async #events(settings: ServiceSettings, { name, ...of }: Generation): Promise<readonly string[]> {
    const cluster = clusterOf(settings, { name, ...of });
    const { services } = await calling(`reading what ECS says of ${name}`, () =>
      this.#ecs.send(new DescribeServicesCommand({ cluster, services: [name] })),
    );
    const messages = (services?.[0]?.events ?? []).flatMap(({ message }) => message ?? []);
    const telling = messages
      .filter((message) => !everyday.test(message))
      .map((message) => message.replace(/^\(service [^)]*\) /, ''));
    return [...new Set(telling)].slice(0, mostEvents).toReversed();
  }

  async #log(
    settings: ServiceSettings,
    generation: Generation,
    task: string | null,
  ): Promise<readonly string[]> {
    const { container } = readEcs(settings);
    const options = await this.#logOptions(generation, container);
    const id = task ?? (options === undefined ? undefined : await this.#anyTask(settings, generation));
    if (options === undefined || id === undefined) return [];
    return lastLines(this.#logs, options.group, `${options.prefix}/${container}/${id}`);
  }

  /** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html; undefined for any other driver. */
  async #logOptions({ name }: Generation, container: string) {
    const { taskDefinition } = await calling(`reading the task definition ${name}`, () =>
      this.#ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: name })),
    );
    const { logDriver, options = {} } =
      taskDefinition?.containerDefinitions?.find((each) => each.name === container)?.logConfiguration ?? {};
    const [group, prefix] = [options['awslogs-group'], options['awslogs-stream-prefix']];
    return logDriver === 'awslogs' && group !== undefined && prefix !== undefined
      ? { group, prefix }
      : undefined;
  }

  async #anyTask(settings: ServiceSettings, generation: Generation): Promise<string | undefined> {
    const cluster = clusterOf(settings, generation);
    for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
      const { taskArns } = await calling(`looking for a task of ${generation.name}`, () =>
        this.#ecs.send(new ListTasksCommand({ cluster, serviceName: generation.name, desiredStatus })),
      );
      const arn = taskArns?.[0];
      if (arn !== undefined) return arn.slice(arn.lastIndexOf('/') + 1);
    }
    return undefined;
  }
}
