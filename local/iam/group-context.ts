/**
 * The condition keys of EC2 Auto Scaling
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html). Left out: those of what
 * is in a launch template (`autoscaling:ImageId`, `autoscaling:InstanceTypes`), of capacity reservations and of load balancers
 * of the classic kind.
 */
import { tagsIn } from './request-tags.ts';
import type { Input } from './resource-arns.ts';
import type { Context } from './wildcard.ts';

export function groupContext(operation: string, input: Input): Context {
  const context: Record<string, Context[string]> = {};
  const note = (key: string, value: unknown): void => {
    if (Array.isArray(value)) context[`autoscaling:${key}`] = value.map(String);
    else if (['string', 'number', 'boolean'].includes(typeof value))
      context[`autoscaling:${key}`] = String(value as string | number | boolean);
  };
  note('minsize', input['MinSize']);
  note('maxsize', input['MaxSize']);
  note('launchconfigurationname', input['LaunchConfigurationName']);
  note('targetgrouparns', input['TargetGroupARNs']);
  note('trafficsourceidentifiers', identifiers(input['TrafficSources']));
  note('forcedelete', input['ForceDelete']);
  const subnets = input['VPCZoneIdentifier'];
  if (typeof subnets === 'string')
    note(
      'vpczoneidentifiers',
      subnets.split(',').map((each) => each.trim()),
    );
  // "If users … omit the version number to specify either the Latest or Default … the action fails"
  // (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html).
  const template = input['LaunchTemplate'];
  if (typeof template === 'object' && template !== null)
    note('launchtemplateversionspecified', /^\d+$/.test(String((template as Input)['Version'])));
  return operation === 'CreateAutoScalingGroup' ? { ...context, ...groupTags(input) } : context;
}

/** The tags of a group that is about to be are those of the request: the same guide's first example. */
function groupTags(input: Input): Context {
  return Object.fromEntries(
    tagsIn(input['Tags']).flatMap(([key, value]) =>
      ['aws', 'autoscaling'].map((prefix) => [`${prefix}:resourcetag/${key}`, value]),
    ),
  );
}

function identifiers(sources: unknown): unknown[] | undefined {
  return Array.isArray(sources) ? (sources as Input[]).map(({ Identifier }) => Identifier) : undefined;
}
