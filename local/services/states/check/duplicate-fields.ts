/** JSON.parse keeps the last of two equal keys and says nothing; AWS refuses the text. */

interface Level {
  readonly keys: Set<string> | undefined;
  readonly path: string;
  key: string;
}

/** Paths of fields that occur twice in their object. `text` is valid JSON. */
export function duplicateFields(text: string): string[] {
  const found: string[] = [];
  const levels: Level[] = [];
  let expectsKey = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      const path = level?.keys === undefined ? (level?.path ?? '') : `${level.path}/${level.key}`;
      levels.push({ keys: token === '{' ? new Set() : undefined, path, key: '' });
      expectsKey = token === '{';
    } else if (token === '}' || token === ']') {
      levels.pop();
    } else if (token === ',') {
      expectsKey = level?.keys !== undefined;
    } else if (token !== ':' && expectsKey && level?.keys !== undefined) {
      level.key = JSON.parse(token) as string;
      if (level.keys.has(level.key)) found.push(`${level.path}/${level.key}`);
      level.keys.add(level.key);
      expectsKey = false;
    }
  }
  return found;
}
