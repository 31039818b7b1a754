/** JSON values, as states pass them on. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Bytes of a payload: input, output and result of a state, arguments of a task. */
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
export const maximumPayloadBytes = 262_144;

export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function exceedsPayload(text: string): boolean {
  return text.length > maximumPayloadBytes || Buffer.byteLength(text) > maximumPayloadBytes;
}

/** JSON's own name of a value's type. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
