/** What can be told of Fargate before a launch: four calls, all at once. */
import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeSubnetsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTaskDefinitionCommand, type ECSClient, type TaskDefinition } from '@aws-sdk/client-ecs';
import { GetServiceQuotaCommand, type ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { CutoverError } from '../core/errors.ts';
import { type Objection, unchecked } from '../core/objection.ts';
import type { FleetSurvey } from '../core/preflight.ts';
import { type Reading, reading } from '../core/reading.ts';
import type { Place, Quota } from '../core/room.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { FleetSurveyor } from '../ports/preflight.ts';
import { type EcsSettings, readEcs } from './ecs-settings.ts';
import { noTemplate, objectionsToTemplate, taskOf } from './ecs-template.ts';
import { calling, codeOf } from './failures.ts';

/** Of tasks and pods on demand in a Region: https://docs.aws.amazon.com/general/latest/gr/ecs-service.html#service-quotas-fargate */
const vcpuQuota = { ServiceCode: 'fargate', QuotaCode: 'L-3032A538' };

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html */
const vcpuUsage = {
  Namespace: 'AWS/Usage',
  MetricName: 'ResourceCount',
  Dimensions: Object.entries({
    Service: 'Fargate',
    Type: 'Resource',
    Resource: 'vCPU',
    Class: 'Standard/OnDemand',
  }).map(([Name, Value]) => ({ Name, Value })),
};

/** Long enough for some minutes to be reported, short enough for them to still mean something. */
const usageMinutes = 15;

export interface EcsSurveyOptions {
  readonly ecs: ECSClient;
  readonly ec2: EC2Client;
  readonly quotas: ServiceQuotasClient;
  readonly cloudwatch: CloudWatchClient;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class EcsSurvey implements FleetSurveyor {
  readonly #options: EcsSurveyOptions;

  constructor(options: EcsSurveyOptions) {
    this.#options = options;
  }

  async survey(settings: ServiceSettings): Promise<FleetSurvey> {
    const ecs = readEcs(settings);
    const [template, places, quota] = await Promise.all([
      reading(() => this.#template(ecs)),
      reading(() => this.#places(ecs)),
      reading(() => this.#quota()),
    ]);
    const known = 'value' in template ? template.value : undefined;
    return {
      objections: [...objectionsTo(template, ecs), ...missingOf(ecs, places)],
      task: known === undefined ? undefined : taskOf(known),
      places,
      quota,
    };
  }

  async #template({ taskDefinition }: EcsSettings): Promise<TaskDefinition | undefined> {
    return calling(`reading the task definition ${taskDefinition}`, async () => {
      try {
        const command = new DescribeTaskDefinitionCommand({ taskDefinition });
        return (await this.#options.ecs.send(command)).taskDefinition;
      } catch (thrown) {
        if (codeOf(thrown) === 'ClientException') return undefined;
        throw thrown;
      }
    });
  }

  /** By a filter: of subnets by id, one that is missing would hide the others. */
  async #places({ subnets }: EcsSettings): Promise<readonly Place[]> {
    const { Subnets = [] } = await calling(`reading the subnets ${subnets.join(', ')}`, () =>
      this.#options.ec2.send(
        new DescribeSubnetsCommand({ Filters: [{ Name: 'subnet-id', Values: [...subnets] }] }),
      ),
    );
    return Subnets.map(({ SubnetId = '', AvailabilityZone = '', AvailableIpAddressCount = 0 }) => ({
      name: SubnetId,
      zone: AvailabilityZone,
      free: AvailableIpAddressCount,
    }));
  }

  async #quota(): Promise<Quota> {
    const [{ name, limit }, used] = await Promise.all([this.#limit(), this.#used()]);
    return { name, unit: 'vCPU', limit, used, minutes: usageMinutes };
  }

  async #limit(): Promise<Pick<Quota, 'name' | 'limit'>> {
    const { ServiceCode, QuotaCode } = vcpuQuota;
    const { Quota } = await calling(`reading the quota ${QuotaCode} of ${ServiceCode}`, () =>
      this.#options.quotas.send(new GetServiceQuotaCommand(vcpuQuota)),
    );
    if (Quota?.Value === undefined)
      throw new CutoverError('Cutover.AwsRefused', `Service Quotas has no value for ${QuotaCode}`);
    return { name: `${Quota.QuotaName ?? ServiceCode} (${QuotaCode})`, limit: Quota.Value };
  }

  async #used(): Promise<readonly number[]> {
    const EndTime = new Date(this.#options.now());
    const StartTime = new Date(EndTime.getTime() - usageMinutes * 60_000);
    const { MetricDataResults = [] } = await calling('reading how many vCPUs of Fargate are in use', () =>
      this.#options.cloudwatch.send(
        new GetMetricDataCommand({
          StartTime,
          EndTime,
          MetricDataQueries: [{ Id: 'used', MetricStat: { Metric: vcpuUsage, Period: 60, Stat: 'Maximum' } }],
        }),
      ),
    );
    return MetricDataResults[0]?.Values ?? [];
  }
}

function objectionsTo(template: Reading<TaskDefinition | undefined>, ecs: EcsSettings): readonly Objection[] {
  if ('unread' in template)
    return [unchecked('template', `the task definition ${ecs.taskDefinition} was`, template.unread)];
  return template.value === undefined ? [noTemplate(ecs)] : objectionsToTemplate(template.value, ecs);
}

function missingOf({ subnets }: EcsSettings, places: Reading<readonly Place[]>): Objection[] {
  if ('unread' in places) return [];
  const missing = subnets.filter((subnet) => !places.value.some(({ name }) => name === subnet));
  if (missing.length === 0) return [];
  const words = `the service is to run in subnets that do not exist (any more): ${missing.join(', ')}. Deploy the service's stack again`;
  return [{ severity: 'refuse', check: 'addresses', words }];
}
