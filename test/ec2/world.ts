/** An embedded EC2 by the real SDK client. */
import { EC2Client } from '@aws-sdk/client-ec2';
import type { AwsEvent } from '../../local/aws-event.ts';
import { PolicyAuthorizer } from '../../local/iam/policy-authorizer.ts';
import { Roles } from '../../local/iam/roles.ts';
import { Ec2, type Ec2Options } from '../../local/services/ec2/ec2.ts';
import { CallLog } from '../../local/wire/call-log.ts';
import { Dispatcher } from '../../local/wire/dispatcher.ts';
import { InProcessHandler } from '../../local/wire/request-handler.ts';
import { serviceEntry } from '../../local/wire/services.ts';
import { ManualClock } from '../manual-clock.ts';
import { clientOptions } from '../wire/embedded.ts';

export function compute(options: Pick<Ec2Options, 'imageOf'> = {}) {
  const clock = new ManualClock();
  const events: AwsEvent[] = [];
  const endpoint = () => 'http://127.0.0.1:4566';
  const ec2 = new Ec2({ clock, emit: (event) => events.push(event), ...options });
  const dispatcher = new Dispatcher({
    entries: [serviceEntry('ec2', ec2.operations)],
    authorizer: new PolicyAuthorizer({ roles: new Roles({ clock }), clock }),
    principalOf: () => ({ kind: 'root' }),
    calls: new CallLog(),
    clock,
    endpoint,
    onFailure: (failure) => {
      throw failure;
    },
  });
  const client = new EC2Client({
    ...clientOptions(endpoint()),
    requestHandler: new InProcessHandler({ dispatcher, endpoint }),
  });
  return { client, clock, events };
}
