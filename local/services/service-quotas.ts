/** Service Quotas: the applied value of the quotas that the embedded AWS keeps to. */
import type {
  GetServiceQuotaCommandInput,
  GetServiceQuotaCommandOutput,
  ServiceQuota,
} from '@aws-sdk/client-service-quotas';
import { arn } from '../account.ts';
import { AwsError, type Operations, type Output } from '../call.ts';
import { type UsingService, vcpuDimensions } from './cloudwatch/vcpu-usage.ts';

/**
 * What accounts that have been in use for a while have; AWS's own default, which new accounts start with or below, is 6
 * (https://docs.aws.amazon.com/general/latest/gr/ecs-service.html#service-quotas-fargate).
 */
const grownFargateVcpus = 4_000;

/**
 * What accounts were seen to have; AWS's own default is 5
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html,
 * https://github.com/gitpod-io/website/issues/3918).
 */
const grownEc2Vcpus = 640;

export interface Quotas {
  /** On demand, for the account in the Region. */
  readonly fargateVcpus?: number | undefined;
  /** Of standard instances on demand. */
  readonly ec2Vcpus?: number | undefined;
}

export class ServiceQuotas {
  readonly fargateVcpus: number;
  readonly ec2Vcpus: number;

  constructor({ fargateVcpus = grownFargateVcpus, ec2Vcpus = grownEc2Vcpus }: Quotas = {}) {
    this.fargateVcpus = fargateVcpus;
    this.ec2Vcpus = ec2Vcpus;
  }

  readonly operations = {
    GetServiceQuota: ({
      ServiceCode,
      QuotaCode,
    }: GetServiceQuotaCommandInput): Output<GetServiceQuotaCommandOutput> => {
      const Quota = this.#all().find(
        (quota) => quota.ServiceCode === ServiceCode && quota.QuotaCode === QuotaCode,
      );
      if (Quota === undefined) {
        // As for a quota without an applied value: https://github.com/aws/aws-cli/issues/6629
        throw new AwsError(
          'NoSuchResourceException',
          'The request failed because the specified service quota does not exist.',
        );
      }
      return { Quota };
    },
  } satisfies Operations;

  #all(): ServiceQuota[] {
    return [
      {
        ...vcpus('Fargate', 'fargate/L-3032A538'),
        ServiceName: 'AWS Fargate',
        QuotaName: 'Fargate On-Demand vCPU resource count',
        Value: this.fargateVcpus,
      },
      {
        ...vcpus('EC2', 'ec2/L-1216C47A'),
        ServiceName: 'Amazon Elastic Compute Cloud (Amazon EC2)',
        QuotaName: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
        Value: this.ec2Vcpus,
      },
    ];
  }
}

/** What quotas of vCPUs have in common. */
function vcpus(service: UsingService, code: `${string}/${string}`): ServiceQuota {
  const [ServiceCode, QuotaCode] = code.split('/');
  return {
    ServiceCode,
    QuotaCode,
    QuotaArn: arn('servicequotas', code),
    Unit: 'None',
    Adjustable: true,
    GlobalQuota: false,
    UsageMetric: {
      MetricNamespace: 'AWS/Usage',
      MetricName: 'ResourceCount',
      MetricDimensions: vcpuDimensions(service),
      MetricStatisticRecommendation: 'Maximum',
    },
  };
}
