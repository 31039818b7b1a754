/** What can be told of Fargate before a launch: four calls, all at once. */
import type { EC2Client } from '@aws-sdk/client-ec2';
import { DescribeTaskDefinitionCommand, type ECSClient, type TaskDefinition } from '@aws-sdk/client-ecs';
import { type Objection, unchecked } from '../core/preflight/objection.ts';
import type { FleetSurvey } from '../core/preflight/preflight.ts';
import { type Reading, reading } from '../core/reading.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { FleetSurveyor } from '../ports/preflight.ts';
import { type QuotaClients, quotaOf } from './account-quota.ts';
import { type EcsSettings, readEcs } from './ecs-settings.ts';
import { noTemplate, objectionsToTemplate, taskOf } from './ecs-template.ts';
import { calling, codeOf } from './failures.ts';
import { missingPlaces, placesOf } from './subnet-places.ts';

/** Of tasks and pods on demand in a Region: https://docs.aws.amazon.com/general/latest/gr/ecs-service.html#service-quotas-fargate */
const vcpuQuota = { ServiceCode: 'fargate', QuotaCode: 'L-3032A538' };

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html */
const vcpuUsage = { Service: 'Fargate', Type: 'Resource', Resource: 'vCPU', Class: 'Standard/OnDemand' };

export interface EcsSurveyOptions extends QuotaClients {
  readonly ecs: ECSClient;
  readonly ec2: EC2Client;
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
      reading(() => placesOf(this.#options.ec2, ecs.subnets)),
      reading(() => quotaOf(this.#options, { ...vcpuQuota, usage: vcpuUsage, unit: 'vCPU' })),
    ]);
    const known = 'value' in template ? template.value : undefined;
    return {
      objections: [...objectionsTo(template, ecs), ...missingPlaces(ecs.subnets, places)],
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
}

function objectionsTo(template: Reading<TaskDefinition | undefined>, ecs: EcsSettings): readonly Objection[] {
  if ('unread' in template)
    return [unchecked('template', `the task definition ${ecs.taskDefinition} was`, template.unread)];
  return template.value === undefined ? [noTemplate(ecs)] : objectionsToTemplate(template.value, ecs);
}
