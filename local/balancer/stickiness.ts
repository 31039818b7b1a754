/**
 * Target group stickiness: the AWSALBTG cookie names the group that a client was given. It takes precedence over
 * weights, weight 0 included, for as long as the group is in the action. Its age is counted in wall time.
 */
import type { ForwardActionConfig } from '@aws-sdk/client-elastic-load-balancing-v2';

const name = 'AWSALBTG';
/** The cookie's own expiry is always seven days; the duration is kept inside it (ELB guide, "Sticky sessions"). */
const cookieLifeMs = 7 * 24 * 3600 * 1000;

/** The group that the request's cookie still binds it to. */
export function boundGroup(
  cookies: string | undefined,
  forward: ForwardActionConfig,
  now: number,
): string | undefined {
  if (forward.TargetGroupStickinessConfig?.Enabled !== true) return undefined;
  const value = new RegExp(`(?:^|;\\s*)${name}=([^;]*)`).exec(cookies ?? '')?.[1];
  if (value === undefined) return undefined;
  const [targetGroupArn, until] = Buffer.from(value, 'base64url').toString().split(' ');
  if (!(Number(until) > now)) return undefined;
  return forward.TargetGroups?.find((tuple) => tuple.TargetGroupArn === targetGroupArn)?.TargetGroupArn;
}

/** The `Set-Cookie` headers that bind the client to the group, renewed with each answer. */
export function bind(targetGroupArn: string, forward: ForwardActionConfig, now: number): string[] {
  const stickiness = forward.TargetGroupStickinessConfig;
  if (stickiness?.Enabled !== true) return [];
  const until = now + (stickiness.DurationSeconds ?? 0) * 1000;
  const value = Buffer.from(`${targetGroupArn} ${until}`).toString('base64url');
  const expires = new Date(now + cookieLifeMs).toUTCString();
  return [
    `${name}=${value}; Expires=${expires}; Path=/`,
    `${name}CORS=${value}; Expires=${expires}; Path=/; SameSite=None`,
  ];
}
