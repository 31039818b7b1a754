/** Service Quotas: the applied value of the quotas that the embedded AWS keeps to. */
import type {
  GetServiceQuotaCommandInput,
  GetServiceQuotaCommandOutput,
  ServiceQuota,
} from '@aws-sdk/client-service-quotas';
import { arn } from '../account.ts';
import { AwsError, type Operations, type Output } from '../call.ts';

const fargate = { ServiceCode: 'fargate', QuotaCode: 'L-3032A538' };

/**
 * What accounts that have been in use for a while have; AWS's own default, which new accounts start with or below, is 6
 * (https://docs.aws.amazon.com/general/latest/gr/ecs-service.html#service-quotas-fargate).
 */
const grownVcpus = 4_000;

export class ServiceQuotas {
  readonly #vcpus: number;

  /** `fargateVcpus`: on demand, for the account in the Region. */
  constructor({ fargateVcpus = grownVcpus }: { readonly fargateVcpus?: number | undefined } = {}) {
    this.#vcpus = fargateVcpus;
  }

  get fargateVcpus(): number {
    return this.#vcpus;
  }

  readonly operations = {
    GetServiceQuota: ({
      ServiceCode,
      QuotaCode,
    }: GetServiceQuotaCommandInput): Output<GetServiceQuotaCommandOutput> => {
      if (ServiceCode !== fargate.ServiceCode || QuotaCode !== fargate.QuotaCode) {
        // As for a quota without an applied value: https://github.com/aws/aws-cli/issues/6629
        throw new AwsError(
          'NoSuchResourceException',
          'The request failed because the specified service quota does not exist.',
        );
      }
      return { Quota: this.#onDemand() };
    },
  } satisfies Operations;

  #onDemand(): ServiceQuota {
    const { ServiceCode, QuotaCode } = fargate;
    return {
      ServiceCode,
      ServiceName: 'AWS Fargate',
      QuotaArn: arn('servicequotas', `${ServiceCode}/${QuotaCode}`),
      QuotaCode,
      QuotaName: 'Fargate On-Demand vCPU resource count',
      Value: this.#vcpus,
      Unit: 'None',
      Adjustable: true,
      GlobalQuota: false,
      UsageMetric: {
        MetricNamespace: 'AWS/Usage',
        MetricName: 'ResourceCount',
        MetricDimensions: {
          Class: 'Standard/OnDemand',
          Resource: 'vCPU',
          Service: 'Fargate',
          Type: 'Resource',
        },
        MetricStatisticRecommendation: 'Maximum',
      },
    };
  }
}
