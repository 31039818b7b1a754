/** What an update would do to each resource: the decision behind change sets and behind the update itself. */
import { resolve } from './intrinsics.ts';
import type { Json } from './json.ts';
import { NotYetKnown, type StackLookup } from './lookup.ts';
import { dependencies, inOrder } from './references.ts';
import type { Properties, ResourceType, Tag } from './resource-type.ts';
import type { StackResource } from './stack.ts';
import type { ResourceDefinition, Template } from './template.ts';

export type Decision =
  | { readonly kind: 'keep' }
  | { readonly kind: 'update' | 'replace'; readonly changed: readonly string[] };

/** Compares resolved properties. A name's change of text only (`5` and `"5"`) is no change. */
export function decide(type: ResourceType, before: Properties, after: Properties): Decision {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => !same(before[name], after[name]));
  if (changed.length === 0) return { kind: 'keep' };
  const onlyTags = changed.every((name) => name === 'Tags') && type.tagging !== undefined;
  const replaced =
    type.update === undefined ? !onlyTags : changed.some((name) => type.replacedBy?.includes(name));
  return { kind: replaced ? 'replace' : 'update', changed };
}

export function same(one: Json | undefined, other: Json | undefined): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: Json | undefined): string {
  if (value === undefined) return '';
  if (value === null || typeof value !== 'object') return JSON.stringify(String(value));
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/** The resources that the template has, each after those it depends on. */
export function creationOrder(template: Template, lookup: StackLookup): string[] {
  const had = new Set(
    Object.entries(template.Resources)
      .filter(([, definition]) => lookup.has(definition))
      .map(([logicalId]) => logicalId),
  );
  return inOrder(new Map([...had].map((id) => [id, dependencies(template.Resources[id]!, had)])));
}

/** The other way round, for what exists: each before those it depends on. */
export function deletionOrder(resources: ReadonlyMap<string, StackResource>): string[] {
  const had = new Set(resources.keys());
  return inOrder(
    new Map([...had].map((id) => [id, dependencies(resources.get(id)!.definition, had)])),
  ).toReversed();
}

/** A resource's properties as they are to be, with the stack's tags. Throws `NotYetKnown` when something is not there yet. */
export function resolvedProperties(
  definition: ResourceDefinition,
  lookup: StackLookup,
  type: ResourceType,
  stackTags: readonly Tag[],
): Properties {
  return withTags((resolve(definition.Properties ?? {}, lookup) ?? {}) as Properties, type, stackTags);
}

function withTags(properties: Properties, type: ResourceType, stackTags: readonly Tag[]): Properties {
  const own = properties['Tags'];
  if (type.tagging === undefined || stackTags.length === 0) return properties;
  if (own !== undefined && !Array.isArray(own)) {
    const inherited = Object.fromEntries(stackTags.map(({ Key, Value }) => [Key, Value]));
    return { ...properties, Tags: { ...inherited, ...(own as object) } };
  }
  const named = new Set((own ?? []).map((tag) => (tag as unknown as Tag).Key));
  const inherited = stackTags.filter(({ Key }) => !named.has(Key)).map(({ Key, Value }) => ({ Key, Value }));
  return { ...properties, Tags: [...(own ?? []), ...inherited] };
}

export interface PlannedChange {
  readonly action: 'Add' | 'Modify' | 'Remove';
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId?: string;
  readonly replacement?: 'True' | 'False' | 'Conditional';
  readonly changed: readonly {
    readonly name: string;
    readonly dynamic: boolean;
    readonly recreates: boolean;
  }[];
  readonly metadata: boolean;
  readonly before?: Properties;
  readonly after?: Properties;
}

export interface PlanInput {
  readonly template: Template;
  readonly tags: readonly Tag[];
  readonly existing: ReadonlyMap<string, StackResource>;
  readonly types: (name: string) => ResourceType;
  /** References to resources that `unknown` holds must throw `NotYetKnown`. */
  readonly lookup: (unknown: ReadonlySet<string>) => StackLookup;
}

/** Every change that going to the template would make, with what can be known before it is made. */
export function plan(input: PlanInput): PlannedChange[] {
  const unknown = new Set<string>();
  const lookup = input.lookup(unknown);
  const order = creationOrder(input.template, lookup);
  const changes: PlannedChange[] = [];
  for (const logicalId of order) {
    const change = planOne(logicalId, input, lookup);
    if (change === undefined) continue;
    changes.push(change);
    if (change.action === 'Add' || change.replacement !== 'False') unknown.add(logicalId);
  }
  const kept = new Set(order);
  for (const logicalId of deletionOrder(input.existing)) {
    if (kept.has(logicalId)) continue;
    const { type, physicalId, properties } = input.existing.get(logicalId)!;
    changes.push({
      action: 'Remove',
      logicalId,
      type,
      physicalId,
      changed: [],
      metadata: false,
      before: properties,
    });
  }
  return changes;
}

function planOne(logicalId: string, input: PlanInput, lookup: StackLookup): PlannedChange | undefined {
  const definition = input.template.Resources[logicalId]!;
  const type = input.types(definition.Type);
  const existing = input.existing.get(logicalId);
  const { known, dynamic } = partlyResolved(definition, lookup, type, input.tags);
  if (existing === undefined || existing.damaged === 'create') {
    return { action: 'Add', logicalId, type: definition.Type, changed: [], metadata: false, after: known };
  }
  const comparable = Object.fromEntries(
    Object.entries(existing.properties).filter(([name]) => !dynamic.includes(name)),
  );
  const decision = decide(type, comparable, known);
  const changed = [
    ...(decision.kind === 'keep' ? [] : decision.changed.map((name) => ({ name, dynamic: false }))),
    ...dynamic.map((name) => ({ name, dynamic: true })),
  ].map((one) => ({
    ...one,
    recreates: type.update === undefined || (type.replacedBy?.includes(one.name) ?? false),
  }));
  const metadata = !same(existing.definition.Metadata, definition.Metadata);
  if (changed.length === 0 && !metadata && existing.damaged === undefined) return undefined;
  const recreating = changed.filter(({ recreates }) => recreates);
  return {
    action: 'Modify',
    logicalId,
    type: definition.Type,
    physicalId: existing.physicalId,
    replacement: decision.kind === 'replace' ? 'True' : recreating.length > 0 ? 'Conditional' : 'False',
    changed,
    metadata,
    before: existing.properties,
    after: known,
  };
}

/** Property by property: those that refer to what does not exist yet are only named. */
function partlyResolved(
  definition: ResourceDefinition,
  lookup: StackLookup,
  type: ResourceType,
  tags: readonly Tag[],
): { known: Properties; dynamic: string[] } {
  const known: Record<string, Json> = {};
  const dynamic: string[] = [];
  for (const [name, value] of Object.entries(definition.Properties ?? {})) {
    try {
      const resolved = resolve(value, lookup);
      if (resolved !== undefined) known[name] = resolved;
    } catch (unknown) {
      if (!(unknown instanceof NotYetKnown)) throw unknown;
      dynamic.push(name);
    }
  }
  return { known: dynamic.includes('Tags') ? known : withTags(known, type, tags), dynamic };
}
