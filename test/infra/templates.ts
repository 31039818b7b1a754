/** What tests ask of synthesized templates. */
import { readFileSync } from 'node:fs';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface CfnTemplate {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, unknown>>;
}

/** A statement, and the logical id of the role that has it. */
export interface Grant {
  readonly role: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
  readonly condition: Readonly<Record<string, unknown>> | undefined;
}

export function readTemplate(path: string): CfnTemplate {
  return JSON.parse(readFileSync(path, 'utf8')) as CfnTemplate;
}

export function resourcesOf(template: CfnTemplate, type: string): readonly (readonly [string, Resource])[] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

/** Without what changes with every change of the code: hashes of assets and of versions. */
export function normalised(template: CfnTemplate): string {
  const shown = structuredClone(template) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
  };
  for (const { Type, Properties } of Object.values(shown.Resources)) {
    if (Type === 'AWS::Lambda::Function')
      Object.assign(Properties['Code'] as object, { S3Key: 'the bundled code' });
    if (Type === 'AWS::StepFunctions::StateMachine') Properties['DefinitionString'] = 'in a file of its own';
  }
  return `${JSON.stringify(shown, undefined, 2).replaceAll(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}/g, '$1')}\n`;
}

/** What a machine's definition says, laid out for reading. */
export function definitionOf(template: CfnTemplate, machine: RegExp): string {
  const found = resourcesOf(template, 'AWS::StepFunctions::StateMachine').find(([id]) => machine.test(id));
  const text = found?.[1].Properties['DefinitionString'];
  if (typeof text !== 'string') throw new Error(`No machine ${machine} with its definition in plain text`);
  return `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`;
}

/** A policy, its document, and who has it: inline in its role, of its own, or managed. */
export interface PolicyOfRole {
  /** A logical id, or what stands for a role of another stack. */
  readonly role: string;
  readonly managed: boolean;
  readonly document: { readonly Statement: readonly Statement[] };
}

export function policiesOf(template: CfnTemplate): readonly PolicyOfRole[] {
  const own = resourcesOf(template, 'AWS::IAM::Role').flatMap(([role, { Properties }]) =>
    ((Properties['Policies'] ?? []) as { PolicyDocument: PolicyOfRole['document'] }[]).map(
      ({ PolicyDocument: document }) => ({ role, managed: false, document }),
    ),
  );
  const attached = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
    resourcesOf(template, type).flatMap(([, { Properties }]) =>
      (Properties['Roles'] as unknown[]).map((role) => ({
        role: nameOf(role),
        managed: type === 'AWS::IAM::ManagedPolicy',
        document: Properties['PolicyDocument'] as PolicyOfRole['document'],
      })),
    ),
  );
  return [...own, ...attached];
}

/** Everything that roles may do, from their own policies and those attached to them. */
export function grantsOf(template: CfnTemplate): readonly Grant[] {
  return statementsOf(template, 'Allow');
}

/** Everything that roles may never do. */
export function denialsOf(template: CfnTemplate): readonly Grant[] {
  return statementsOf(template, 'Deny');
}

function statementsOf(template: CfnTemplate, effect: 'Allow' | 'Deny'): readonly Grant[] {
  return policiesOf(template).flatMap(({ role, document }) =>
    document.Statement.filter(({ Effect }) => Effect === effect).map(({ Action, Resource, Condition }) => ({
      role,
      actions: [Action].flat(),
      resources: [Resource].flat(),
      condition: Condition,
    })),
  );
}

/** The logical id behind a `Ref`; otherwise what stands there. */
function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'Ref' in value
    ? String(value.Ref)
    : JSON.stringify(value);
}
