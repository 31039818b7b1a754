/**
 * What one service adds to what one of the deployer's functions may do: only what `generation-rights.ts` cannot say for
 * all services at once, since IAM allows a role 10,240 characters of these, whatever the number of services
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). It stands in the service's own stack: the
 * deployer must not depend on the services that it deploys, which may live in other stacks.
 */
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { DeployerFunction } from './deployer-function.ts';
import { acknowledgeWildcards } from './wildcard-finding.ts';

export interface ServiceRightsProps {
  readonly service: string;
  readonly to: DeployerFunction;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Why a wildcard among the resources is as narrow as it can be. */
  readonly because?: string;
}

export class ServiceRights extends Construct {
  constructor(scope: Construct, id: string, props: ServiceRightsProps) {
    super(scope, id);
    const { service, to, actions, resources, because } = props;
    new Policy(this, 'Policy', {
      // A generated name is unique in its stack only; a second stack's policy of that name would replace the first's.
      policyName: `service-${service}`,
      roles: [to.role],
      statements: [new PolicyStatement({ actions: [...actions], resources: [...resources] })],
    });
    if (because !== undefined) acknowledgeWildcards(this, resources, because);
  }
}
