/** ECS's names: ARNs in the long format, and references that may be a name or an ARN. */
import { arn } from '../../account.ts';

export const clusterArn = (cluster: string): string => arn('ecs', `cluster/${cluster}`);
export const serviceArn = (cluster: string, service: string): string =>
  arn('ecs', `service/${cluster}/${service}`);
export const taskArn = (cluster: string, id: string): string => arn('ecs', `task/${cluster}/${id}`);
export const containerArn = (cluster: string, task: string, id: string): string =>
  arn('ecs', `container/${cluster}/${task}/${id}`);
export const taskDefinitionArn = (family: string, revision: number): string =>
  arn('ecs', `task-definition/${family}:${revision}`);
export const serviceDeploymentArn = (cluster: string, service: string, id: string): string =>
  arn('ecs', `service-deployment/${cluster}/${service}/${id}`);
export const serviceRevisionArn = (cluster: string, service: string, id: string): string =>
  arn('ecs', `service-revision/${cluster}/${service}/${id}`);

/** The last part of an ARN, or the name itself. */
export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

/** Whether a reference, name or ARN, means this one; an ARN must agree in full, cluster included. */
export function refersTo(reference: string, name: string, itsArn: string): boolean {
  return reference === name || reference === itsArn;
}

/** ECS's own default when a request names no cluster. */
export const defaultCluster = 'default';
