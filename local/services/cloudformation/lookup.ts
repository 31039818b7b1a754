/** What a stack's template can refer to: parameters, pseudo parameters, conditions, mappings, resources, exports. */
import { accountId, partition, region } from '../../account.ts';
import { conditionHolds, type Lookup } from './intrinsics.ts';
import type { Json } from './json.ts';
import type { Parameters } from './parameters.ts';
import type { Provisioned } from './resource-type.ts';
import { invalid, type Template } from './template.ts';

/** Zones of the one region. An environment-agnostic CDK app uses the first two. */
const zones = ['a', 'b'].map((letter) => `${region}${letter}`);

export interface LookupSource {
  readonly template: Template;
  readonly parameters: Parameters;
  readonly stackName: string;
  readonly stackId: string;
  readonly notificationArns: readonly string[];
  /** A resource as it is by now; `undefined` while it does not exist. */
  readonly resource: (logicalId: string) => (Provisioned & { readonly type: string }) | undefined;
  /** The value of an export of any stack. Told of each name that is asked for. */
  readonly exported: (name: string) => string | undefined;
}

/** A reference to a resource that does not exist yet: in a change set, its value is known only after execution. */
export class NotYetKnown extends Error {
  readonly logicalId: string;

  constructor(logicalId: string) {
    super(`Resource ${logicalId} does not exist yet`);
    this.name = 'NotYetKnown';
    this.logicalId = logicalId;
  }
}

export class StackLookup implements Lookup {
  readonly #source: LookupSource;
  readonly #conditions = new Map<string, boolean | 'open'>();

  constructor(source: LookupSource) {
    this.#source = source;
  }

  ref(name: string): Json | undefined {
    if (name.startsWith('AWS::')) return this.#pseudo(name);
    const parameter = this.#source.parameters.get(name);
    return parameter === undefined ? this.#resource(name).physicalId : parameter.resolved;
  }

  attribute(logicalId: string, name: string): Json {
    const { attributes, type } = this.#resource(logicalId);
    const value = attributes[name];
    if (value !== undefined) return value;
    if (type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource') {
      throw invalid(
        `CustomResource attribute error: Vendor response doesn't contain ${name} attribute in object ${this.#source.stackId}|${logicalId}`,
      );
    }
    throw invalid(`Requested attribute ${name} must be a readonly property in schema for ${type}`);
  }

  condition(name: string): boolean {
    const known = this.#conditions.get(name);
    if (known === 'open') throw invalid(`Template error: Circular dependency in condition ${name}`);
    if (known !== undefined) return known;
    const definition = this.#source.template.Conditions[name];
    if (definition === undefined) throw invalid(`Template error: unresolved condition dependency: ${name}`);
    this.#conditions.set(name, 'open');
    const value = conditionHolds(definition, this);
    this.#conditions.set(name, value);
    return value;
  }

  mapping(map: string, first: string, second: string): Json {
    const value = this.#source.template.Mappings[map]?.[first]?.[second];
    if (value === undefined) {
      throw invalid(`Template error: Unable to get mapping for ${map}::${first}::${second}`);
    }
    return value;
  }

  importValue(exportName: string): string {
    const value = this.#source.exported(exportName);
    if (value === undefined) throw invalid(`No export named ${exportName} found.`);
    return value;
  }

  availabilityZones(of: string): string[] {
    return of === region ? zones : [];
  }

  /** Whether a resource or output is in the stack at all. */
  has(definition: { readonly Condition?: string }): boolean {
    return definition.Condition === undefined || this.condition(definition.Condition);
  }

  #resource(logicalId: string): Provisioned & { readonly type: string } {
    const definition = this.#source.template.Resources[logicalId];
    if (definition !== undefined && !this.has(definition)) {
      throw invalid(
        `Template format error: Unresolved resource dependencies [${logicalId}] in the Resources block of the template`,
      );
    }
    const resource = this.#source.resource(logicalId);
    if (resource === undefined) throw new NotYetKnown(logicalId);
    return resource;
  }

  #pseudo(name: string): Json | undefined {
    switch (name) {
      case 'AWS::NoValue':
        return undefined;
      case 'AWS::Region':
        return region;
      case 'AWS::AccountId':
        return accountId;
      case 'AWS::Partition':
        return partition;
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return this.#source.stackName;
      case 'AWS::StackId':
        return this.#source.stackId;
      case 'AWS::NotificationARNs':
        return [...this.#source.notificationArns];
      default:
        throw invalid(
          `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
        );
    }
  }
}

/** Throws when an assertion of the template's Rules does not hold. */
export function checkRules(template: Template, lookup: StackLookup): void {
  for (const [name, rule] of Object.entries(template.Rules)) {
    if (rule.RuleCondition !== undefined && !conditionHolds(rule.RuleCondition, lookup)) continue;
    for (const { Assert, AssertDescription } of rule.Assertions) {
      if (!conditionHolds(Assert, lookup)) {
        throw invalid(`Template error: Rule ${name} failed: ${AssertDescription ?? JSON.stringify(Assert)}`);
      }
    }
  }
}
