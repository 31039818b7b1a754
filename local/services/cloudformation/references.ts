/** What a piece of a template refers to, and the order of creation that follows. */
import { asText, type Json } from './json.ts';
import type { ResourceDefinition } from './template.ts';

export interface References {
  /** Logical ids of resources and parameters; pseudo parameters are left out. */
  readonly names: ReadonlySet<string>;
  readonly conditions: ReadonlySet<string>;
}

/** `${Name}`, `${Name.Attribute}` of Fn::Sub; `${!Literal}` is none. */
export const subVariable = /\$\{(!?)([^}]*)\}/g;

export function references(value: Json | undefined): References {
  const names = new Set<string>();
  const conditions = new Set<string>();
  const name = (reference: string): void => {
    if (!reference.startsWith('AWS::')) names.add(reference);
  };
  const walk = (node: Json | undefined): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) return node.forEach(walk);
    for (const [key, inner] of Object.entries(node)) {
      if (key === 'Ref' && typeof inner === 'string') name(inner);
      else if (key === 'Fn::GetAtt')
        name(typeof inner === 'string' ? inner.split('.')[0]! : asText((inner as Json[])[0]!));
      else if (key === 'Fn::Sub') walkSub(inner);
      else {
        if (key === 'Fn::If' && Array.isArray(inner)) conditions.add(asText(inner[0]!));
        if (key === 'Condition' && typeof inner === 'string' && Object.keys(node).length === 1)
          conditions.add(inner);
        walk(inner);
      }
    }
  };
  const walkSub = (node: Json): void => {
    const [text, variables] = Array.isArray(node) ? [node[0], node[1]] : [node, {}];
    walk(variables);
    const own = new Set(Object.keys(variables as object));
    for (const [, literal, reference] of asText(text!).matchAll(subVariable)) {
      if (literal === '' && !own.has(reference!)) name(reference!.split('.')[0]!);
    }
  };
  walk(value);
  return { names, conditions };
}

/** What a resource names to come before it. */
export function dependsOn({ DependsOn = [] }: ResourceDefinition): readonly string[] {
  return typeof DependsOn === 'string' ? [DependsOn] : DependsOn;
}

/** Which of `known` a resource must come after. */
export function dependencies(resource: ResourceDefinition, known: ReadonlySet<string>): string[] {
  const named = [...dependsOn(resource), ...references(resource.Properties).names];
  return [...new Set(named)].filter((name) => known.has(name));
}

/** Each name after all that it depends on, else in the given order; a cycle is an error that shows it. */
export function inOrder(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    if (path.includes(name)) {
      throw new CircularDependency(path.slice(path.indexOf(name)));
    }
    for (const dependency of graph.get(name) ?? [])
      if (graph.has(dependency)) visit(dependency, [...path, name]);
    done.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
  return [...done];
}

export class CircularDependency extends Error {
  constructor(names: readonly string[]) {
    super(`Circular dependency between resources: [${names.join(', ')}]`);
    this.name = 'CircularDependency';
  }
}
