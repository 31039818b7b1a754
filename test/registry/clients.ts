/** A client of the SDK for a registry's ECR API, as whoever the policies let do all. */
import { ECRClient } from '@aws-sdk/client-ecr';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { Roles } from '../../local/iam/roles.ts';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { serviceEntry } from '../../local/wire/services.ts';
import type { EmbeddedRegistry } from './embedded-registry.ts';

export interface Caller {
  readonly client: ECRClient;
  readonly calls: CallLog;
}

export function clientOf(embedded: EmbeddedRegistry): Caller {
  const { clock } = embedded;
  const endpoint = () => embedded.url;
  const calls = new CallLog();
  const dispatcher = new Dispatcher({
    entries: [serviceEntry('ecr', embedded.ecr.operations)],
    authorizer: new PolicyAuthorizer({ roles: new Roles({ clock }), clock }),
    principalOf: () => ({ kind: 'root' }),
    calls,
    clock,
    endpoint,
    onFailure: (failure) => {
      throw failure;
    },
  });
  const client = new ECRClient({
    endpoint: endpoint(),
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
    maxAttempts: 1,
    requestHandler: new InProcessHandler({ dispatcher, endpoint }),
  });
  return { client, calls };
}
