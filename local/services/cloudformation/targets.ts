/** From a request to what a stack is to become: template, parameters, rules, capabilities, checked before anything runs. */
import type { Capability, Parameter, Tag as SdkTag } from '@aws-sdk/client-cloudformation';
import { AwsError } from '../../call.ts';
import { type PlannedChange, plan, same } from './changes.ts';
import type { Environment } from './environment.ts';
import type { Json } from './json.ts';
import { checkRules, NotYetKnown, StackLookup } from './lookup.ts';
import type { Exports } from './outputs.ts';
import { type Parameters, resolveParameters } from './parameters.ts';
import { CircularDependency } from './references.ts';
import type { ResourceTypes } from './resource-types.ts';
import type { Stack, Target } from './stack.ts';
import { invalid, parseTemplate, type Template } from './template.ts';

export interface TargetRequest {
  readonly TemplateBody?: string | undefined;
  readonly TemplateURL?: string | undefined;
  readonly UsePreviousTemplate?: boolean | undefined;
  readonly Parameters?: Parameter[] | undefined;
  readonly Tags?: SdkTag[] | undefined;
  readonly Capabilities?: Capability[] | undefined;
  readonly NotificationARNs?: string[] | undefined;
  readonly RoleARN?: string | undefined;
}

/** Bodies in the request and by URL: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const maxBodyBytes = 51_200;

export class Targets {
  readonly #environment: Environment;
  readonly #types: ResourceTypes;
  readonly #exports: Exports;

  constructor(options: { environment: Environment; types: ResourceTypes; exports: Exports }) {
    this.#environment = options.environment;
    this.#types = options.types;
    this.#exports = options.exports;
  }

  async read(request: TargetRequest, stack: Stack): Promise<Target> {
    const body = request.UsePreviousTemplate === true ? stack.body : await this.body(request);
    const template = parseTemplate(body);
    this.#types.check(template);
    const parameters = await this.#parameters(
      template,
      request.Parameters ?? [],
      stack.target?.parameters ?? new Map(),
    );
    const target: Target = {
      body,
      template,
      parameters,
      tags: (request.Tags ?? stack.target?.tags ?? []).map(({ Key, Value }) => ({
        Key: Key!,
        Value: Value!,
      })),
      capabilities: request.Capabilities ?? [],
      notificationArns: request.NotificationARNs ?? stack.target?.notificationArns ?? [],
      ...(request.RoleARN === undefined ? {} : { roleArn: request.RoleARN }),
    };
    checkRules(template, this.#lookup(stack, target, new Set()));
    checkCapabilities(template, target.capabilities);
    return target;
  }

  async body(request: Pick<TargetRequest, 'TemplateBody' | 'TemplateURL'>): Promise<string> {
    if (request.TemplateURL !== undefined) {
      const { bucket, key } = objectOf(request.TemplateURL);
      return this.#environment.buckets.text(bucket, key).catch((failure: unknown) => {
        throw failure instanceof AwsError ? invalid(`S3 error: ${failure.message}`) : failure;
      });
    }
    if (request.TemplateBody === undefined)
      throw invalid('Either Template URL or Template Body must be specified.');
    if (Buffer.byteLength(request.TemplateBody) > maxBodyBytes) {
      throw invalid(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${maxBodyBytes}`,
      );
    }
    return request.TemplateBody;
  }

  /** What going from the stack to the target changes. Throws for what can be seen to fail. */
  plan(stack: Stack, target: Target): PlannedChange[] {
    const retyped = Object.entries(target.template.Resources)
      .filter(([logicalId, { Type }]) => (stack.resources.get(logicalId)?.type ?? Type) !== Type)
      .map(([logicalId]) => logicalId);
    if (retyped.length > 0) {
      throw invalid(
        `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${retyped.join(', ')}]`,
      );
    }
    try {
      return plan({
        template: target.template,
        tags: target.tags,
        existing: stack.resources,
        types: (name) => this.#types.get(name),
        lookup: (unknown) => this.#lookup(stack, target, unknown),
      });
    } catch (failure) {
      if (failure instanceof CircularDependency) throw invalid(failure.message);
      throw failure;
    }
  }

  /** Whether an update would do anything at all: a change of description, rules or policies alone is none. */
  changes(stack: Stack, target: Target, planned: readonly PlannedChange[]): boolean {
    const before = stack.target;
    return (
      planned.length > 0 ||
      before === undefined ||
      !same(before.template.Outputs as unknown as Json, target.template.Outputs as unknown as Json) ||
      !same(before.tags as unknown as Json, target.tags as unknown as Json) ||
      !same(before.notificationArns as Json, target.notificationArns as Json)
    );
  }

  #parameters(template: Template, given: readonly Parameter[], previous: Parameters): Promise<Parameters> {
    return resolveParameters(template, given, previous, async (name) => {
      try {
        const answer = await this.#environment.call('ssm', 'GetParameter', { Name: name });
        return (answer as { Parameter?: { Value?: string } }).Parameter?.Value;
      } catch (failure) {
        if ((failure as { code?: unknown }).code === 'ParameterNotFound') return undefined;
        throw failure;
      }
    });
  }

  #lookup(stack: Stack, target: Target, unknown: ReadonlySet<string>): StackLookup {
    return new StackLookup({
      template: target.template,
      parameters: target.parameters,
      stackName: stack.name,
      stackId: stack.id,
      notificationArns: target.notificationArns,
      resource(logicalId) {
        if (unknown.has(logicalId)) throw new NotYetKnown(logicalId);
        return stack.resources.get(logicalId);
      },
      exported: (name) => this.#exports.value(name),
    });
  }
}

/** `https://s3.region.amazonaws.com/bucket/key`, `https://bucket.s3….amazonaws.com/key`, or path style on any host. */
function objectOf(templateUrl: string): { bucket: string; key: string } {
  const url = URL.parse(templateUrl);
  if (url === null) throw invalid(`S3 error: The specified URL is not valid: ${templateUrl}`);
  const path = decodeURIComponent(url.pathname.slice(1));
  const hosted = /^(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com$/.exec(url.hostname)?.[1];
  if (hosted !== undefined) return { bucket: hosted, key: path };
  const slash = path.indexOf('/');
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

const namedIam: Readonly<Record<string, string>> = {
  'AWS::IAM::InstanceProfile': 'InstanceProfileName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
};

/** The capabilities that a template needs acknowledged. */
export function capabilitiesOf(template: Template): Capability[] {
  const resources = Object.values(template.Resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
  if (resources.length === 0) return [];
  const named = resources.some(({ Type, Properties }) => Properties?.[namedIam[Type] ?? ''] !== undefined);
  return [named ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'];
}

function checkCapabilities(template: Template, given: readonly string[]): void {
  const missing = capabilitiesOf(template).filter(
    (capability) => !given.includes(capability) && !given.includes('CAPABILITY_NAMED_IAM'),
  );
  if (missing.length === 0) return;
  throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${missing.join(', ')}]`);
}
