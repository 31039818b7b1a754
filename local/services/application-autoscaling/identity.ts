/** What a request names: a namespace, a resource and a dimension, which here are always an ECS service's desired count. */
import { AwsError } from '../../call.ts';
import type { Place } from './scaled-services.ts';

export interface Named {
  readonly ServiceNamespace?: string | undefined;
  readonly ResourceId?: string | undefined;
  readonly ScalableDimension?: string | undefined;
}

const namespace = 'ecs';
const dimension = 'ecs:service:DesiredCount';

/** What every description names its target by. */
export function naming(resourceId: string) {
  return {
    ServiceNamespace: namespace,
    ResourceId: resourceId,
    ScalableDimension: dimension,
  } as const;
}

/** `service/demo/web`. AWS's words, as moto has them; other namespaces, which AWS knows, are refused by the same. */
export function placeOf({ ServiceNamespace, ResourceId = '', ScalableDimension }: Named): Place {
  const [, cluster, service] = /^service\/([\w-]{1,255})\/([\w-]{1,255})$/.exec(ResourceId) ?? [];
  const known = ServiceNamespace === namespace && (ScalableDimension ?? dimension) === dimension;
  if (!known || cluster === undefined || service === undefined)
    throw invalid('Unsupported service namespace, resource type or scalable dimension');
  return { cluster, service };
}

/** `service namespace: ecs, resource ID: service/demo/web, scalable dimension: ecs:service:DesiredCount` */
export function inWords({ ServiceNamespace, ResourceId, ScalableDimension }: Named): string {
  return `service namespace: ${ServiceNamespace}, resource ID: ${ResourceId}, scalable dimension: ${ScalableDimension}`;
}

/** Policies and scheduled actions of a target that is not there (https://github.com/ansible/ansible/pull/35632). */
export function notRegistered(named: Named): AwsError {
  return new AwsError('ObjectNotFoundException', `No scalable target registered for ${inWords(named)}`);
}

/** A filter of DescribeScalingPolicies and DescribeScheduledActions: the dimension needs the resource. */
export function checkFilter(named: Named): void {
  if (named.ServiceNamespace !== namespace) throw invalid('Unsupported service namespace');
  if (named.ScalableDimension !== undefined && named.ResourceId === undefined)
    throw invalid('Resource id must be specified when the scalable dimension is specified');
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError('LimitExceededException', message);
}
