import { vi } from 'vitest';
import type { Operations } from '../../local/call.ts';
import type { Authorizer } from '../../local/iam/authorizer.ts';
import { iamOperations } from '../../local/iam/operations.ts';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { Roles } from '../../local/iam/roles.ts';
import { Sessions } from '../../local/iam/sessions.ts';
import { Buckets } from '../../local/services/s3/buckets.ts';
import { S3 } from '../../local/services/s3/s3.ts';
import { ssmOperations } from '../../local/services/ssm.ts';
import { stsOperations } from '../../local/services/sts.ts';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { type Listener, listen } from '../../local/wire/http.ts';
import { type ServiceName, serviceEntry } from '../../local/wire/services.ts';
import { ManualClock } from '../manual-clock.ts';

const anyCredentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' };

/** Options for an SDK client that calls the embedded AWS once, without looking at this machine's configuration. */
export function clientOptions(endpoint: string, credentials: typeof anyCredentials = anyCredentials) {
  return { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
}

/** An embedded AWS of its own services (IAM, STS, SSM, S3) and whatever operations a test makes up for others. */
export async function embedded(
  services: Partial<Record<ServiceName, Operations>> = {},
  options: { authorizer?: Authorizer } = {},
) {
  const clock = new ManualClock();
  const roles = new Roles({ clock });
  const sessions = new Sessions();
  const buckets = new Buckets({ clock });
  const calls = new CallLog();
  const onFailure = vi.fn<(failure: unknown) => void>();
  let listener: Listener | undefined;
  const endpoint = (): string => listener?.endpoint ?? '';
  const all: Partial<Record<ServiceName, Operations>> = {
    iam: iamOperations({ roles }),
    sts: stsOperations({ roles, sessions, clock }),
    ssm: ssmOperations({ clock }),
    ...services,
  };
  const dispatcher = new Dispatcher({
    entries: [
      ...Object.entries(all).map(([name, operations]) => serviceEntry(name as ServiceName, operations)),
      new S3({ buckets }),
    ],
    authorizer: options.authorizer ?? new PolicyAuthorizer({ roles, clock }),
    principalOf: (accessKeyId) => sessions.principalOf(accessKeyId),
    calls,
    clock,
    endpoint,
    onFailure,
  });
  listener = await listen(dispatcher, { port: 0, onFailure });
  return {
    clock,
    roles,
    sessions,
    buckets,
    calls,
    dispatcher,
    onFailure,
    endpoint: listener.endpoint,
    client: clientOptions(listener.endpoint),
    close: () => listener.close(),
  };
}
