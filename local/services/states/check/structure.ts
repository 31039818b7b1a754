/** The shape of a definition: which states and fields there may be, and what their values look like. */
import type { Workflow } from '../definition.ts';
import { isObject } from '../json.ts';
import { fieldFindings } from './field-shapes.ts';
import { type Finding, notEmbedded, schemaFinding } from './finding.ts';
import { recoveryFindings } from './recovery-shape.ts';

/** A workflow whose states are sound enough to be looked at further. */
export interface SoundWorkflow {
  readonly workflow: Workflow;
  /** Of its states: `/States`, `/States/Steps/ItemProcessor/States`. */
  readonly path: string;
}

const jsonPathFields = [
  'InputPath',
  'OutputPath',
  'ResultPath',
  'ResultSelector',
  'Parameters',
  'Result',
  'ItemsPath',
];

const leaving = ['Output', 'Assign', 'Next', 'End'];
const recovering = ['Retry', 'Catch'];

interface Fields {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const fieldsOf: Readonly<Record<string, Fields>> = {
  Task: {
    required: ['Resource'],
    optional: ['Arguments', 'TimeoutSeconds', 'HeartbeatSeconds', ...leaving, ...recovering],
  },
  Choice: { required: ['Choices'], optional: ['Default', 'Output', 'Assign'] },
  Wait: { required: [], optional: ['Seconds', 'Timestamp', ...leaving] },
  Pass: { required: [], optional: leaving },
  Succeed: { required: [], optional: ['Output'] },
  Fail: { required: [], optional: ['Error', 'Cause'] },
  Map: {
    required: ['MaxConcurrency', 'ItemProcessor'],
    optional: ['Items', 'ItemSelector', ...leaving, ...recovering],
  },
};

const everyState = ['Type', 'Comment', 'QueryLanguage'];
/** Fields that AWS knows and we do not. */
const notEmbeddedFields = [
  'Credentials',
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'Label',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
  'Branches',
  'Iterator',
];

export interface Structure {
  readonly findings: readonly Finding[];
  /** Outer workflows before their Maps'. */
  readonly workflows: readonly SoundWorkflow[];
}

export function structureOf(definition: unknown): Structure {
  const findings: Finding[] = [];
  const workflows: SoundWorkflow[] = [];
  if (!isObject(definition))
    return { findings: [schemaFinding('', 'The definition must be a JSON object')], workflows };
  const language = definition['QueryLanguage'];
  if (language !== 'JSONata') {
    const given =
      language === undefined
        ? `without 'QueryLanguage' (which means JSONPath)`
        : `in ${JSON.stringify(language)}`;
    findings.push(notEmbedded('/QueryLanguage', `Only definitions in JSONata run here, not one ${given}`));
    return { findings, workflows };
  }
  for (const field of Object.keys(definition)) {
    if (['Comment', 'Version', 'QueryLanguage', 'TimeoutSeconds', 'StartAt', 'States'].includes(field))
      continue;
    findings.push(schemaFinding(`/${field}`, `Field '${field}' is not supported`));
  }
  findings.push(
    ...fieldFindings({ TimeoutSeconds: definition['TimeoutSeconds'] ?? 1 }, '', { literalOnly: true }),
  );
  workflow(definition, '', findings, workflows);
  return { findings, workflows };
}

function workflow(
  value: { readonly [key: string]: unknown },
  path: string,
  findings: Finding[],
  found: SoundWorkflow[],
): void {
  if (typeof value['StartAt'] !== 'string')
    findings.push(schemaFinding(`${path}/StartAt`, `Field 'StartAt' must be a string`));
  const states = value['States'];
  if (!isObject(states) || Object.keys(states).length === 0) {
    findings.push(
      schemaFinding(`${path}/States`, `Field 'States' must be an object with at least one state`),
    );
    return;
  }
  const sound: Record<string, unknown> = {};
  const inner: [{ readonly [key: string]: unknown }, string][] = [];
  for (const [name, state] of Object.entries(states)) {
    const at = `${path}/States/${name}`;
    const wrong = stateFindings(name, state, at);
    findings.push(...wrong);
    if (wrong.length > 0 || !isObject(state)) continue;
    Object.defineProperty(sound, name, { value: state, enumerable: true });
    if (state['Type'] === 'Map' && isObject(state['ItemProcessor']))
      inner.push([state['ItemProcessor'], `${at}/ItemProcessor`]);
  }
  found.push({ workflow: { ...value, States: sound } as unknown as Workflow, path: `${path}/States` });
  for (const [processor, at] of inner) workflow(processor, at, findings, found);
}

function stateFindings(name: string, state: unknown, path: string): Finding[] {
  if (name.length > 80) return [schemaFinding(path, 'The name of a state must have at most 80 characters')];
  if (!isObject(state)) return [schemaFinding(path, 'A state must be a JSON object')];
  const type = state['Type'];
  if (type === 'Parallel') return [notEmbedded(`${path}/Type`, `Parallel states do not run here`)];
  const fields = typeof type === 'string' && Object.hasOwn(fieldsOf, type) ? fieldsOf[type] : undefined;
  if (fields === undefined) {
    return [
      schemaFinding(
        `${path}/Type`,
        `Value should be one of the following: [${Object.keys(fieldsOf).join(', ')}]`,
      ),
    ];
  }
  const findings = fields.required
    .filter((field) => state[field] === undefined)
    .map((field) =>
      field === 'MaxConcurrency'
        ? notEmbedded(
            `${path}/MaxConcurrency`,
            'A Map runs here one item after the other only: say MaxConcurrency 1',
          )
        : schemaFinding(path, `Field '${field}' is required`),
    );
  for (const field of Object.keys(state)) {
    if (everyState.includes(field) || fields.required.includes(field) || fields.optional.includes(field))
      continue;
    findings.push(unknownField(field, `${path}`, String(type)));
  }
  if (state['QueryLanguage'] !== undefined && state['QueryLanguage'] !== 'JSONata') {
    findings.push(
      schemaFinding(
        path,
        `'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine`,
      ),
    );
  }
  findings.push(...fieldFindings(state, path, { literalOnly: false }), ...recoveryFindings(state, path));
  return findings;
}

function unknownField(field: string, path: string, type: string): Finding {
  if (jsonPathFields.includes(field) || field.endsWith('Path')) {
    const text = `The QueryLanguage is set to 'JSONata', but field '${field}' is only supported for the 'JSONPath' QueryLanguage`;
    return schemaFinding(path, text);
  }
  if (notEmbeddedFields.includes(field))
    return notEmbedded(`${path}/${field}`, `Field '${field}' is not supported here`);
  return schemaFinding(`${path}/${field}`, `Field '${field}' is not supported by states of type ${type}`);
}
