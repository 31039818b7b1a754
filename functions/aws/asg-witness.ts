/** What EC2 Auto Scaling says of a group, and what its instances logged, or wrote to their consoles. */
import {
  type Activity,
  type AutoScalingClient,
  DescribeScalingActivitiesCommand,
} from '@aws-sdk/client-auto-scaling';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { type EC2Client, GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
import type { Generation } from '../core/fleet/generation.ts';
import type { LastWords } from '../core/messages/last-words.ts';
import { reading, valueOr } from '../core/reading.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Witness } from '../ports/witness.ts';
import { calling, codeOf } from './failures.ts';
import { lastLines, mostLines } from './log-lines.ts';

const mostEvents = 5;

export class AsgWitness implements Witness {
  readonly #autoscaling: AutoScalingClient;
  readonly #ec2: EC2Client;
  readonly #logs: CloudWatchLogsClient;

  constructor(autoscaling: AutoScalingClient, ec2: EC2Client, logs: CloudWatchLogsClient) {
    this.#autoscaling = autoscaling;
    this.#ec2 = ec2;
    this.#logs = logs;
  }

  async lastWords(
    settings: ServiceSettings,
    generation: Generation,
    task: string | null,
  ): Promise<LastWords> {
    const { name } = generation;
    const activities = await reading(() => this.#activities(name));
    const instance = task ?? instanceIn(valueOr(activities, []));
    const log = await reading(() => this.#log(logGroupOf(settings, generation), instance));
    return {
      events: eventsOf(valueOr(activities, [])),
      log: valueOr(log, []),
      unread: [activities, log].flatMap((each) => ('unread' in each ? [each.unread] : [])),
    };
  }

  /** The newest first. Of a group that is gone there are none. */
  async #activities(name: string): Promise<readonly Activity[]> {
    return calling(`reading the scaling activities of ${name}`, async () => {
      try {
        const { Activities = [] } = await this.#autoscaling.send(
          new DescribeScalingActivitiesCommand({ AutoScalingGroupName: name, MaxRecords: 50 }),
        );
        return Activities;
      } catch (thrown) {
        if (codeOf(thrown) === 'ValidationError') return [];
        throw thrown;
      }
    });
  }

  async #log(logGroup: string | null, instance: string | undefined): Promise<readonly string[]> {
    if (instance === undefined) return [];
    return logGroup === null ? this.#console(instance) : lastLines(this.#logs, logGroup, instance);
  }

  /** Written a while after the boot, and kept for a while after the end: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-console.html */
  async #console(InstanceId: string): Promise<readonly string[]> {
    return calling(`reading the console of ${InstanceId}`, async () => {
      try {
        const { Output = '' } = await this.#ec2.send(new GetConsoleOutputCommand({ InstanceId }));
        const lines = Buffer.from(Output, 'base64').toString().split(/\r?\n/);
        return lines.filter((line) => line.trim() !== '').slice(-mostLines);
      } catch (thrown) {
        if (codeOf(thrown) === 'InvalidInstanceID.NotFound') return [];
        throw thrown;
      }
    });
  }
}

/** Where its instances log, by whatever version it was launched: the service's settings may name another fleet by now. */
function logGroupOf({ fleet }: ServiceSettings, generation: Generation): string | null {
  const { logGroup } = generation.fleet ?? fleet;
  return typeof logGroup === 'string' ? logGroup : null;
}

/** The newest last: what failed or was given up, by its status message, and what was found unhealthy, by its cause. */
function eventsOf(activities: readonly Activity[]): readonly string[] {
  const telling = activities.flatMap(({ StatusCode, StatusMessage, Cause = '' }) => {
    if (StatusCode === 'Failed' || StatusCode === 'Cancelled') return StatusMessage ?? [];
    return /health[ -]check/i.test(Cause) ? Cause.replace(/^At \S+ /, '') : [];
  });
  return [...new Set(telling)].slice(0, mostEvents).toReversed();
}

/** `Launching a new EC2 instance: i-0123456789abcdef0` */
function instanceIn(activities: readonly Activity[]): string | undefined {
  return activities
    .map(({ Description = '' }) => /\bi-[0-9a-f]+/.exec(Description)?.[0])
    .find((id) => id !== undefined);
}
