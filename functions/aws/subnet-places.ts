/** Subnets as places where generations take addresses. */
import { DescribeSubnetsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { Objection } from '../core/preflight/objection.ts';
import type { Place } from '../core/preflight/room.ts';
import type { Reading } from '../core/reading.ts';
import { calling } from './failures.ts';

/** By a filter: of subnets by id, one that is missing would hide the others. */
export async function placesOf(ec2: EC2Client, subnets: readonly string[]): Promise<readonly Place[]> {
  const { Subnets = [] } = await calling(`reading the subnets ${subnets.join(', ')}`, () =>
    ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'subnet-id', Values: [...subnets] }] })),
  );
  return Subnets.map(({ SubnetId = '', AvailabilityZone = '', AvailableIpAddressCount = 0 }) => ({
    name: SubnetId,
    zone: AvailabilityZone,
    free: AvailableIpAddressCount,
  }));
}

export function missingPlaces(
  subnets: readonly string[],
  places: Reading<readonly Place[]>,
): readonly Objection[] {
  if ('unread' in places) return [];
  const missing = subnets.filter((subnet) => !places.value.some(({ name }) => name === subnet));
  if (missing.length === 0) return [];
  const words = `the service is to run in subnets that do not exist (any more): ${missing.join(', ')}. Deploy the service's stack again`;
  return [{ severity: 'refuse', check: 'addresses', words }];
}
