/** The grammar of metric math: numbers, names, `+ - * / ^`, comparisons, AND/OR, lists and function calls. */

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '^'
  | '<'
  | '<='
  | '>'
  | '>='
  | '=='
  | '!='
  | '&&'
  | '||';

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'negation'; readonly operand: Expression }
  | {
      readonly kind: 'operation';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly Expression[] };

/** Weakest first; operators of one row bind alike, from the left. */
const precedence: readonly (readonly BinaryOperator[])[] = [
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/'],
  ['^'],
];

const token =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(<=|>=|==|!=|&&|\|\||[-+*/^<>()[\],]))/y;

/** Reads an expression; throws an Error that says what was not understood. */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0;

  const accept = (symbol: string) => {
    if (tokens[at] !== symbol) return false;
    at += 1;
    return true;
  };
  const expect = (symbol: string) => {
    if (!accept(symbol)) throw new Error(`Expected '${symbol}' but found ${found()}`);
  };
  const found = () => (tokens[at] === undefined ? 'the end of the expression' : `'${tokens[at]}'`);

  function binary(level: number): Expression {
    const operators = precedence[level];
    if (operators === undefined) return unary();
    let left = binary(level + 1);
    for (;;) {
      const operator = operators.find((symbol) => symbol === symbolOf(tokens[at]));
      if (operator === undefined) return left;
      at += 1;
      left = { kind: 'operation', operator, left, right: binary(level + 1) };
    }
  }

  function unary(): Expression {
    if (accept('-')) return { kind: 'negation', operand: unary() };
    if (accept('+')) return unary();
    return primary();
  }

  function primary(): Expression {
    if (accept('(')) {
      const inner = binary(0);
      expect(')');
      return inner;
    }
    if (accept('[')) return { kind: 'list', items: listUntil(']') };
    const word = tokens[at];
    if (word === undefined || !/^[\w.]/.test(word)) throw new Error(`Unexpected ${found()}`);
    at += 1;
    if (/^[\d.]/.test(word)) return { kind: 'number', value: Number(word) };
    if (accept('(')) return { kind: 'call', name: word.toUpperCase(), operands: listUntil(')') };
    return { kind: 'name', name: word };
  }

  function listUntil(end: string): Expression[] {
    const items: Expression[] = [];
    if (accept(end)) return items;
    do items.push(binary(0));
    while (accept(','));
    expect(end);
    return items;
  }

  const expression = binary(0);
  if (at < tokens.length) throw new Error(`Unexpected ${found()}`);
  return expression;
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(token);
  let end = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    tokens.push(match[1] ?? match[2] ?? match[3]!);
    end = pattern.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest !== '') throw new Error(`Unexpected '${rest}'`);
  return tokens;
}

/** `AND` and `OR` are words for `&&` and `||`. */
function symbolOf(word: string | undefined): string | undefined {
  if (word?.toUpperCase() === 'AND') return '&&';
  return word?.toUpperCase() === 'OR' ? '||' : word;
}
