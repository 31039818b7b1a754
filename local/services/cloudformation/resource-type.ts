/** What CloudFormation must know of a resource type, and what a type may ask of the stack operation. */
import type { BucketStore } from './bucket-store.ts';
import type { Json, JsonObject } from './json.ts';
import type { NameOptions } from './physical-name.ts';

/** A resource's properties with every function resolved. */
export type Properties = JsonObject;

/** What a resource has become: `Ref` gives the physical id, `Fn::GetAtt` the attributes. */
export interface Provisioned {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, Json>>;
}

export interface Current extends Provisioned {
  readonly properties: Properties;
}

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** How a service's tags are changed; input member names are without regard to case. */
export interface Tagging {
  readonly service: string;
  readonly add: string;
  readonly remove: string;
  /** The members that name the resource. */
  readonly target: (resource: Provisioned) => JsonObject;
  /** Tags as a map rather than a list of keys and values. */
  readonly map?: true;
  /** The member that lists the keys to remove; in `Tags` they stand as `{ Key }`. Default `TagKeys`. */
  readonly keys?: string;
}

export interface Scope {
  readonly logicalId: string;
  readonly type: string;
  readonly stackId: string;
  readonly stackName: string;
  /** A name for a resource that has none of its own. */
  name(options: NameOptions): string;
  /** The resource exists from here on: a failure after this deletes it again. */
  exists(physicalId: string): void;
  /** The resource may come to exist under this id even if nothing more is heard of it. */
  mayExist(physicalId: string): void;
  /**
   * Calls an operation of the embedded AWS. Member names may be written as CloudFormation has them, undefined members
   * are left out.
   */
  send<T = unknown>(
    service: string,
    operation: string,
    input: Readonly<Record<string, Json | undefined>>,
  ): Promise<T>;
  /** The same with an input that has the operation's own shape already. */
  sendAsIs<T = unknown>(service: string, operation: string, input: unknown): Promise<T>;
  readonly buckets: BucketStore;
  /** Asks again and again, at a distance in the clock's time, until there is an answer. */
  until<T>(what: string, limitMs: number, ask: () => Promise<T | undefined>): Promise<T>;
}

export interface ResourceType {
  /** The properties whose change makes a new resource; a type without `update` is replaced by any change. */
  readonly replacedBy?: readonly string[];
  /** The property that names the resource: a resource that bears a name of its own cannot be replaced under it. */
  readonly nameProperty?: string;
  readonly tagging?: Tagging;
  create(scope: Scope, properties: Properties): Promise<Provisioned>;
  update?(scope: Scope, properties: Properties, current: Current): Promise<Provisioned>;
  /** A resource that is gone already is deleted: `…NotFound` and its like are no failures here. */
  delete(scope: Scope, current: Current): Promise<unknown>;
}

/** The properties without those that only a replacement could change. */
export function mutable(type: ResourceType, properties: Properties): Properties {
  const fixed = new Set(type.replacedBy ?? []);
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !fixed.has(name)));
}

/** A property that the type cannot do without. */
export function required(properties: Properties, name: string): Json {
  const value = properties[name];
  if (value === undefined) {
    throw new Error(`Properties validation failed: #: required key [${name}] not found`);
  }
  return value;
}

export function requiredText(properties: Properties, name: string): string {
  const value = required(properties, name);
  if (typeof value === 'object')
    throw new Error(`Properties validation failed: #/${name}: expected a string`);
  return String(value);
}

/** A property that holds a string or number, where there is one. */
export function textOf(properties: Properties, name: string): string | undefined {
  return properties[name] === undefined ? undefined : requiredText(properties, name);
}

/** A boolean, however it was written. */
export function truth(value: Json | undefined): boolean {
  return value === true || value === 'true';
}

/** A property that holds a document: as JSON text. */
export function document(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Tags as a map, for services whose operations want one. */
export function tagMap(tags: Json | undefined): Record<string, string> | undefined {
  if (!Array.isArray(tags)) return undefined;
  return Object.fromEntries((tags as unknown as Tag[]).map(({ Key, Value }) => [Key, String(Value)]));
}

/** A list of strings, however it was written. */
export function texts(value: Json | undefined): string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

export function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as unknown as JsonObject[]) : [];
}
