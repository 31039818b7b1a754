/** CloudFormation templates as they are written: JSON, checked for what must hold before anything is created. */
import { AwsError } from '../../call.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { dependsOn, references } from './references.ts';

interface ParameterDefinition {
  readonly Type: string;
  readonly Default?: Json;
  readonly Description?: string;
  readonly NoEcho?: boolean | string;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
}

export interface ResourceDefinition {
  readonly Type: string;
  readonly Properties?: JsonObject;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly Metadata?: JsonObject;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

interface OutputDefinition {
  readonly Value: Json;
  readonly Description?: string;
  readonly Condition?: string;
  readonly Export?: { readonly Name: Json };
}

interface RuleDefinition {
  readonly RuleCondition?: Json;
  readonly Assertions: readonly { readonly Assert: Json; readonly AssertDescription?: string }[];
}

export interface Template {
  readonly Description?: string;
  readonly Parameters: Readonly<Record<string, ParameterDefinition>>;
  readonly Mappings: Readonly<Record<string, Record<string, Record<string, Json>>>>;
  readonly Conditions: Readonly<Record<string, Json>>;
  readonly Rules: Readonly<Record<string, RuleDefinition>>;
  readonly Resources: Readonly<Record<string, ResourceDefinition>>;
  readonly Outputs: Readonly<Record<string, OutputDefinition>>;
}

export const emptyTemplate: Template = {
  Parameters: {},
  Mappings: {},
  Conditions: {},
  Rules: {},
  Resources: {},
  Outputs: {},
};

export function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

const sections = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Mappings',
  'Conditions',
  'Rules',
  'Resources',
  'Outputs',
]);

/** Attributes of a resource beside its properties. CreationPolicy and UpdatePolicy would change what happens. */
const attributes = new Set([
  'Type',
  'Properties',
  'DependsOn',
  'Condition',
  'Metadata',
  'DeletionPolicy',
  'UpdateReplacePolicy',
]);
const policies = new Set(['Delete', 'Retain', 'RetainExceptOnCreate']);

/** Reads a template's text and checks its form. YAML, which the CDK never sends, is refused. */
export function parseTemplate(body: string): Template {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (cause) {
    throw invalid(
      `Template format error: JSON not well-formed. (${(cause as Error).message}; only JSON is read here)`,
    );
  }
  if (!isObject(parsed)) throw invalid('Template format error: unsupported structure.');
  const unknown = Object.keys(parsed).filter((section) => !sections.has(section));
  if (unknown.length > 0) throw invalid(`Invalid template property or properties [${unknown.join(', ')}]`);
  const template = { ...emptyTemplate, ...parsed } as unknown as Template;
  if (Object.keys(template.Resources).length === 0) {
    throw invalid('Template format error: At least one Resources member must be defined.');
  }
  for (const [logicalId, resource] of Object.entries(template.Resources)) checkResource(logicalId, resource);
  checkReferences(template);
  return template;
}

function checkResource(logicalId: string, resource: ResourceDefinition): void {
  if (!/^[A-Za-z0-9]{1,255}$/.test(logicalId)) {
    throw invalid(`Template format error: Resource name ${logicalId} is non alphanumeric.`);
  }
  if (typeof resource.Type !== 'string') {
    throw invalid(
      `Template format error: [/Resources/${logicalId}] Every Resources object must contain a Type member.`,
    );
  }
  const unknown = Object.keys(resource).filter((attribute) => !attributes.has(attribute));
  if (unknown.length > 0)
    throw invalid(`Invalid template resource property '${unknown.join("', '")}' in ${logicalId}`);
  for (const policy of [resource.DeletionPolicy, resource.UpdateReplacePolicy]) {
    if (policy !== undefined && !policies.has(policy)) {
      throw invalid(`Template error: the policy ${policy} of resource ${logicalId} is not supported`);
    }
  }
}

/** Every reference names something of the template, every condition exists. */
function checkReferences(template: Template): void {
  const known = new Set([...Object.keys(template.Resources), ...Object.keys(template.Parameters)]);
  const conditions = new Set(Object.keys(template.Conditions));
  const check = (block: string, value: Json | undefined, condition?: string): void => {
    const found = references(value);
    const unresolved = [...found.names].filter((name) => !known.has(name));
    if (unresolved.length > 0) {
      throw invalid(
        `Template format error: Unresolved resource dependencies [${unresolved.join(', ')}] in the ${block} block of the template`,
      );
    }
    for (const name of [...found.conditions, ...(condition === undefined ? [] : [condition])]) {
      if (!conditions.has(name)) {
        throw invalid(
          `Template format error: Unresolved condition dependency ${name} in the ${block} block of the template`,
        );
      }
    }
  };
  for (const resource of Object.values(template.Resources)) {
    check('Resources', resource.Properties, resource.Condition);
    check(
      'Resources',
      dependsOn(resource).map((name) => ({ Ref: name })),
    );
  }
  for (const output of Object.values(template.Outputs)) {
    check('Outputs', [output.Value, output.Export?.Name ?? null], output.Condition);
  }
  for (const condition of Object.values(template.Conditions)) check('Conditions', condition);
}
