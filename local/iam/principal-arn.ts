/** How a principal is named in errors and by `sts:GetCallerIdentity`. */
import { accountId, iamArn, partition } from '../account.ts';
import type { Principal } from '../call.ts';

/** `arn:aws:sts::123456789012:assumed-role/web-shift/session` for a role's session. */
export function principalArn(principal: Principal): string {
  switch (principal.kind) {
    case 'root':
      return iamArn('root');
    case 'role':
      return `arn:${partition}:sts::${accountId}:assumed-role/${roleName(principal.roleArn)}/${principal.session}`;
    case 'service':
      return principal.service;
  }
}

export function roleName(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf('/') + 1);
}
