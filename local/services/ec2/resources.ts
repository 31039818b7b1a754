/** What all of EC2's resources share: ids, tags, filters and pages. */
import type { Filter, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { AwsError } from '../../call.ts';

export type Random = () => number;

/** `vpc-0a1b…`: seventeen hexadecimal digits, as EC2 has had since 2016. */
export function resourceId(prefix: string, random: Random): string {
  return `${prefix}-0${Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')}`;
}

export function tagsOf(specifications: readonly TagSpecification[] | undefined): Tag[] {
  return (specifications ?? []).flatMap((specification) => specification.Tags ?? []);
}

export function missing(code: string, what: string, id: string | undefined): AwsError {
  return new AwsError(`Invalid${code}.NotFound`, `The ${what} ID '${id}' does not exist`);
}

/** A store of one kind whose absences are answered in EC2's words. */
export class Resources<T> {
  readonly #code: string;
  readonly #what: string;
  readonly #byId = new Map<string, T>();

  constructor(code: string, what: string) {
    this.#code = code;
    this.#what = what;
  }

  add(id: string, resource: T): T {
    this.#byId.set(id, resource);
    return resource;
  }

  get(id: string | undefined): T {
    const found = this.#byId.get(id ?? '');
    if (found === undefined) throw missing(this.#code, this.#what, id);
    return found;
  }

  find(id: string): T | undefined {
    return this.#byId.get(id);
  }

  remove(id: string | undefined): T {
    const found = this.get(id);
    this.#byId.delete(id!);
    return found;
  }

  all(): T[] {
    return [...this.#byId.values()];
  }

  entries(): [string, T][] {
    return [...this.#byId];
  }

  /** Those with the given ids, each of which must exist; all without. */
  chosen(ids: readonly string[] | undefined): T[] {
    return ids === undefined || ids.length === 0 ? this.all() : ids.map((id) => this.get(id));
  }
}

/** A resource that CreateTags and DeleteTags can change. */
export interface Tagged {
  Tags?: Tag[] | undefined;
}

/** Resources of one kind, by their ids. */
export interface TaggedKind {
  find(id: string): Tagged | undefined;
  entries(): Iterable<readonly [string, Tagged]>;
}

/** How each filter name reads a resource. */
export type FilterValues<T> = Readonly<Record<string, (resource: T) => (string | undefined)[]>>;

/** Applies filters; a value may hold `*` and `?`. A filter that is not had is an error, as in EC2. */
export function filtered<T extends Tagged>(
  resources: readonly T[],
  filters: readonly Filter[] | undefined,
  values: FilterValues<T>,
): T[] {
  return resources.filter((resource) =>
    (filters ?? []).every((filter) => {
      const name = filter.Name ?? '';
      const tag = name.startsWith('tag:') ? name.slice('tag:'.length) : undefined;
      const read =
        tag === undefined
          ? values[name]
          : () => (resource.Tags ?? []).filter(({ Key }) => Key === tag).map(({ Value }) => Value);
      if (read === undefined) throw new AwsError('InvalidParameterValue', `The filter '${name}' is invalid`);
      const actual = read(resource);
      return (filter.Values ?? []).some((wanted) => actual.some((value) => like(wanted, value ?? '')));
    }),
  );
}

function like(pattern: string, value: string): boolean {
  const literal = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(value);
}

/** One page; tokens are offsets. */
export function page<T>(
  all: readonly T[],
  maxResults: number | undefined,
  nextToken: string | undefined,
): { items: T[]; NextToken?: string } {
  const start = nextToken === undefined ? 0 : Number(nextToken);
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError('InvalidNextToken', `The token '${nextToken}' is invalid.`);
  const end = start + (maxResults ?? 1000);
  return { items: all.slice(start, end), ...(end < all.length ? { NextToken: String(end) } : {}) };
}
