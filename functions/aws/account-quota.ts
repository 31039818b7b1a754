/** A quota of the account, and what of it is in use, as CloudWatch reports it. */
import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { GetServiceQuotaCommand, type ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { CutoverError } from '../core/errors.ts';
import type { Quota } from '../core/preflight/room.ts';
import { calling } from './failures.ts';

export interface QuotaClients {
  readonly quotas: ServiceQuotasClient;
  readonly cloudwatch: CloudWatchClient;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface QuotaName {
  readonly ServiceCode: string;
  readonly QuotaCode: string;
  /** Dimensions of the metric `ResourceCount` in `AWS/Usage`. */
  readonly usage: Readonly<Record<string, string>>;
  readonly unit: string;
}

/** Long enough for some minutes to be reported, short enough for them to still mean something. */
const usageMinutes = 15;

export async function quotaOf(clients: QuotaClients, of: QuotaName): Promise<Quota> {
  const [{ name, limit }, used] = await Promise.all([limitOf(clients, of), usedOf(clients, of)]);
  return { name, unit: of.unit, limit, used, minutes: usageMinutes };
}

async function limitOf(
  { quotas }: QuotaClients,
  { ServiceCode, QuotaCode }: QuotaName,
): Promise<Pick<Quota, 'name' | 'limit'>> {
  const { Quota: found } = await calling(`reading the quota ${QuotaCode} of ${ServiceCode}`, () =>
    quotas.send(new GetServiceQuotaCommand({ ServiceCode, QuotaCode })),
  );
  if (found?.Value === undefined)
    throw new CutoverError('Cutover.AwsRefused', `Service Quotas has no value for ${QuotaCode}`);
  return { name: `${found.QuotaName ?? ServiceCode} (${QuotaCode})`, limit: found.Value };
}

async function usedOf(
  { cloudwatch, now }: QuotaClients,
  { usage, unit }: QuotaName,
): Promise<readonly number[]> {
  const EndTime = new Date(now());
  const StartTime = new Date(EndTime.getTime() - usageMinutes * 60_000);
  const Metric = {
    Namespace: 'AWS/Usage',
    MetricName: 'ResourceCount',
    Dimensions: Object.entries(usage).map(([Name, Value]) => ({ Name, Value })),
  };
  const { MetricDataResults = [] } = await calling(
    `reading how many ${unit}s of ${usage['Service']} are in use`,
    () =>
      cloudwatch.send(
        new GetMetricDataCommand({
          StartTime,
          EndTime,
          MetricDataQueries: [{ Id: 'used', MetricStat: { Metric, Period: 60, Stat: 'Maximum' } }],
        }),
      ),
  );
  return MetricDataResults[0]?.Values ?? [];
}
