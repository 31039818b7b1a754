/** Undefined for what is not JSON: the schema that it is parsed by says so. */
export function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return undefined;
  }
}
