/** `{{resolve:ssm:name}}` inside property values, looked up at the moment a resource is provisioned. */
import type { Environment } from './environment.ts';
import type { Json } from './json.ts';
import type { Properties } from './resource-type.ts';

const reference = /\{\{resolve:([^:}]+):([^}]+)\}\}/g;

/** Plain parameters of Parameter Store only; `ssm-secure` and `secretsmanager` are refused by name. */
export async function resolveDynamic(properties: Properties, environment: Environment): Promise<Properties> {
  if (!JSON.stringify(properties).includes('{{resolve:')) return properties;
  return (await walk(properties, environment)) as Properties;
}

async function walk(value: Json, environment: Environment): Promise<Json> {
  if (typeof value === 'string') return text(value, environment);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map((inner) => walk(inner, environment)));
  const entries = Object.entries(value).map(
    async ([key, inner]) => [key, await walk(inner, environment)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function text(value: string, environment: Environment): Promise<string> {
  let resolved = value;
  for (const [whole, service, name] of value.matchAll(reference)) {
    if (service !== 'ssm') throw new Error(`Dynamic reference to ${service} is not supported: ${whole}`);
    const answer = (await environment.call('ssm', 'GetParameter', { Name: name })) as {
      Parameter: { Value: string };
    };
    resolved = resolved.replace(whole, answer.Parameter.Value);
  }
  return resolved;
}
