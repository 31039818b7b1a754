/**
 * What Application Auto Scaling asks of its caller beside its own actions: it tries the caller's rights on the target
 * service and on CloudWatch, and refuses with the names of those that are missing
 * (https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html, which tells it for
 * Aurora; the rights for ECS: security_iam_id-based-policy-examples.html). Which ECS service it tries with is not
 * documented: here the one that is scaled. Alarms are put and deleted without a name, so for a resource
 * `…:alarm:` (the resource of DeleteAlarms without names, in https://github.com/aws-samples/amazon-cloudwatch-auto-alarms/issues/18).
 *
 * The first registration in an account also makes the service-linked role in the caller's name.
 */
import { arn, iamArn } from '../../account.ts';
import { AwsError, type Principal } from '../../call.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import { invalid } from './identity.ts';
import type { Place } from './scaled-services.ts';

const service = 'ecs.application-autoscaling.amazonaws.com';
export const linkedRole = iamArn(
  `role/aws-service-role/${service}/AWSServiceRoleForApplicationAutoScaling_ECSService`,
);

export class Permissions {
  readonly #authorizer: Authorizer;
  #roleIsMade = false;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  /** Throws what the caller lacks, all of it at once. */
  check(principal: Principal, { cluster, service: name }: Place): void {
    const resource = arn('ecs', `service/${cluster}/${name}`);
    const context = { 'ecs:cluster': arn('ecs', `cluster/${cluster}`) };
    const needed = [
      { action: 'ecs:DescribeServices', resources: [resource], context },
      { action: 'ecs:UpdateService', resources: [resource], context },
      { action: 'cloudwatch:PutMetricAlarm', resources: [arn('cloudwatch', 'alarm:')] },
      { action: 'cloudwatch:DescribeAlarms', resources: [arn('cloudwatch', 'alarm:*')] },
      { action: 'cloudwatch:DeleteAlarms', resources: [arn('cloudwatch', 'alarm:')] },
    ];
    const missing = needed.filter((request) => !this.#allows({ principal, ...request }));
    if (missing.length > 0)
      throw invalid(
        `User is missing the following permissions: ${missing.map(({ action }) => action).join(', ')}`,
      );
  }

  makeRole(principal: Principal): void {
    if (this.#roleIsMade) return;
    this.#authorizer.authorize({
      principal,
      action: 'iam:CreateServiceLinkedRole',
      resources: [linkedRole],
      context: { 'iam:awsservicename': service },
    });
    this.#roleIsMade = true;
  }

  #allows(request: Parameters<Authorizer['authorize']>[0]): boolean {
    try {
      this.#authorizer.authorize(request);
      return true;
    } catch (thrown) {
      if (thrown instanceof AwsError) return false;
      throw thrown;
    }
  }
}
