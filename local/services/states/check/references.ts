/** What an expression refers to outside itself: variables, functions, `$states`, and the context that there is none of. */
import type jsonata from 'jsonata';

export interface References {
  readonly variables: readonly { readonly name: string; readonly called: boolean }[];
  /** Members of `$states` read: `['context', 'Task', 'Token']`; empty for `$states` itself. */
  readonly states: readonly (readonly string[])[];
  /** Names and symbols that read the context item at the top level. */
  readonly context: readonly string[];
}

/** JSONata's tree has more members than its types tell. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly [member: string]: unknown;
}

interface Reading {
  /** Evaluated against the top-level context, which Step Functions leaves empty. */
  readonly top: boolean;
  readonly bound: ReadonlySet<string>;
}

export function referencesIn(tree: jsonata.ExprNode): References {
  const walk = new Walk();
  const root = tree as unknown as Node;
  walk.visit(root, { top: true, bound: new Set(boundIn(root)) });
  return walk;
}

class Walk implements References {
  readonly variables: { name: string; called: boolean }[] = [];
  readonly states: string[][] = [];
  readonly context: string[] = [];

  visit(node: Node, reading: Reading): void {
    this.#own(node, reading);
    const within = { top: false, bound: reading.bound };
    // What follows an expression in brackets or braces is evaluated against its items.
    for (const { expr } of listOf(node['predicate']) as { expr?: Node }[]) this.#maybe(expr, within);
    for (const { expr } of listOf(node['stages']) as { expr?: Node }[]) this.#maybe(expr, within);
    const group = node['group'] as { lhs?: Node[][] } | undefined;
    for (const part of (group?.lhs ?? []).flat()) this.visit(part, within);
  }

  #own(node: Node, reading: Reading): void {
    switch (node.type) {
      case 'variable':
        return this.#variable(String(node.value), false, reading);
      case 'path':
        return this.#path(node, reading);
      case 'name':
      case 'wildcard':
      case 'descendant':
      case 'parent':
        if (reading.top) this.context.push(node.type === 'descendant' ? '**' : String(node.value));
        return;
      case 'bind':
        return this.#maybe(node['rhs'], reading);
      case 'block': {
        const bound = new Set([...reading.bound, ...listOf(node['expressions']).flatMap(boundIn)]);
        return this.#all(node['expressions'], { top: reading.top, bound });
      }
      case 'lambda': {
        const parameters = listOf(node['arguments']).map(({ value }) => String(value));
        const body = node['body'] as Node;
        return this.visit(body, {
          top: reading.top,
          bound: new Set([...reading.bound, ...parameters, ...boundIn(body)]),
        });
      }
      case 'function':
      case 'partial': {
        const procedure = node['procedure'] as Node;
        if (procedure.type === 'variable') this.#variable(String(procedure.value), true, reading);
        else this.visit(procedure, reading);
        return this.#all(node['arguments'], reading);
      }
      case 'transform':
        for (const part of ['pattern', 'update', 'delete'])
          this.#maybe(node[part], { top: false, bound: reading.bound });
        return;
      case 'sort':
        for (const { expression } of listOf(node['terms']) as { expression?: Node }[]) {
          this.#maybe(expression, { top: false, bound: reading.bound });
        }
        return;
      default:
        for (const child of childrenOf(node)) this.visit(child, reading);
    }
  }

  #path(node: Node, reading: Reading): void {
    const steps = listOf(node['steps']);
    const focused = steps.flatMap(boundByStep);
    const bound = new Set([...reading.bound, ...focused]);
    const [first, ...rest] = steps;
    if (first?.type === 'variable' && first.value === 'states' && !reading.bound.has('states')) {
      const end = rest.findIndex(({ type }) => type !== 'name');
      this.states.push(rest.slice(0, end === -1 ? rest.length : end).map(({ value }) => String(value)));
      // Its own value is read above; what stands in brackets behind it is visited like any step's.
      this.visit({ ...first, type: 'value' }, { top: reading.top, bound });
    } else if (first !== undefined) {
      this.visit(first, { top: reading.top, bound });
    }
    for (const step of rest) this.visit(step, { top: false, bound });
  }

  #variable(name: string, called: boolean, { top, bound }: Reading): void {
    if (name === '$') this.context.push('$$');
    else if (name === '') {
      if (top) this.context.push('$');
    } else if (bound.has(name)) return;
    else if (name === 'states') this.states.push([]);
    else this.variables.push({ name, called });
  }

  #maybe(node: unknown, reading: Reading): void {
    if (isNode(node)) this.visit(node, reading);
  }

  #all(nodes: unknown, reading: Reading): void {
    for (const node of listOf(nodes)) this.visit(node, reading);
  }
}

/** Names that an expression binds in the block it stands in; inner blocks and functions have their own. */
function boundIn(node: Node): string[] {
  if (node.type === 'block' || node.type === 'lambda') return [];
  const own = node.type === 'bind' ? [String((node['lhs'] as Node).value)] : [];
  return [...own, ...childrenOf(node).flatMap(boundIn)];
}

/** `@$focus` and `#$index` of a step and of its stages. */
function boundByStep(step: Node): string[] {
  const names = [
    step['focus'],
    step['index'],
    ...listOf(step['stages']).map(({ type, value }) => (type === 'index' ? value : undefined)),
  ];
  return names.filter((name) => typeof name === 'string');
}

function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (isNode(value)) found.push(value);
  };
  for (const [member, value] of Object.entries(node)) {
    if (!['predicate', 'stages', 'group', 'ancestor', 'seekingParent'].includes(member)) collect(value);
  }
  return found;
}

function listOf(value: unknown): Node[] {
  return Array.isArray(value) ? (value as Node[]) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
