/** AWS Security Token Service: who am I, and sessions of roles. */
import type * as Sts from '@aws-sdk/client-sts';
import { accountId, partition } from '../account.ts';
import { AwsError, type Call, type Operations, type Output } from '../call.ts';
import type { Clock } from '../clock.ts';
import { principalArn, roleName } from '../iam/principal-arn.ts';
import type { Roles } from '../iam/roles.ts';
import { newCredentials, type SessionCredentials, type Sessions } from '../iam/sessions.ts';

export interface StsOptions {
  readonly roles: Roles;
  readonly sessions: Sessions;
  readonly clock: Clock;
}

/** STS's defaults: one hour for roles, twelve for session tokens. */
const roleSessionSeconds = 3600;
const sessionTokenSeconds = 12 * 3600;

export function stsOperations({ roles, sessions, clock }: StsOptions): Operations {
  const shown = (credentials: SessionCredentials, seconds: number): Sts.Credentials => ({
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    SessionToken: credentials.sessionToken,
    Expiration: new Date(clock.now() + seconds * 1000),
  });
  return {
    GetCallerIdentity(
      _: Sts.GetCallerIdentityCommandInput,
      call: Call,
    ): Output<Sts.GetCallerIdentityCommandOutput> {
      const { principal } = call;
      const userId =
        principal.kind === 'role'
          ? `${roles.byArn(principal.roleArn)?.id ?? roleName(principal.roleArn)}:${principal.session}`
          : accountId;
      return { UserId: userId, Account: accountId, Arn: principalArn(principal) };
    },

    AssumeRole(input: Sts.AssumeRoleCommandInput, call: Call): Output<Sts.AssumeRoleCommandOutput> {
      const roleArn = input.RoleArn!;
      const role = roles.byArn(roleArn);
      // AWS does not tell a role that is absent from one that does not trust the caller.
      if (role === undefined || !roles.assumableBy(role, call.principal)) {
        throw new AwsError(
          'AccessDeniedException',
          `User: ${principalArn(call.principal)} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
        );
      }
      const session = input.RoleSessionName!;
      const seconds = input.DurationSeconds ?? roleSessionSeconds;
      if (seconds > role.maxSessionDuration) {
        throw new AwsError(
          'ValidationException',
          'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
        );
      }
      return {
        Credentials: shown(sessions.issue(roleArn, session), seconds),
        AssumedRoleUser: {
          AssumedRoleId: `${role.id}:${session}`,
          Arn: `arn:${partition}:sts::${accountId}:assumed-role/${role.name}/${session}`,
        },
      };
    },

    GetSessionToken(
      input: Sts.GetSessionTokenCommandInput,
      call: Call,
    ): Output<Sts.GetSessionTokenCommandOutput> {
      if (call.principal.kind === 'role') {
        throw new AwsError('AccessDeniedException', 'Cannot call GetSessionToken with session credentials');
      }
      // Keys that no role issued are root's: see Sessions.principalOf.
      return { Credentials: shown(newCredentials(), input.DurationSeconds ?? sessionTokenSeconds) };
    },
  };
}
