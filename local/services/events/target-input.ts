/**
 * What a target gets of an event: the event itself, a constant, a part of it, or a template with variables in it
 * ("Amazon EventBridge input transformation", user guide).
 */
import type { InputTransformer, Target } from '@aws-sdk/client-eventbridge';
import type { BusEvent } from './bus-event.ts';
import { valueAt } from './event-path.ts';

export interface Occasion {
  readonly event: BusEvent;
  readonly ruleArn: string;
  readonly ruleName: string;
  /** ISO 8601. */
  readonly ingestionTime: string;
}

/** The text for the target. It is JSON unless a template made something else. */
export function targetInput(target: Target, occasion: Occasion): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined)
    return JSON.stringify(valueAt(occasion.event, target.InputPath) ?? null);
  if (target.InputTransformer !== undefined) return transformed(target.InputTransformer, occasion);
  return JSON.stringify(occasion.event);
}

function transformed(transformer: InputTransformer, occasion: Occasion): string {
  const variables = new Map<string, unknown>(predefined(occasion));
  for (const [name, path] of Object.entries(transformer.InputPathsMap ?? {})) {
    variables.set(name, valueAt(occasion.event, path));
  }
  return minified(substituted(transformer.InputTemplate!, variables));
}

function predefined({ event, ruleArn, ruleName, ingestionTime }: Occasion): [string, unknown][] {
  const { detail: _, ...withoutDetail } = event;
  return [
    ['aws.events.rule-arn', ruleArn],
    ['aws.events.rule-name', ruleName],
    ['aws.events.event.ingestion-time', ingestionTime],
    ['aws.events.event', withoutDetail],
    ['aws.events.event.json', event],
  ];
}

/**
 * Within quotes a variable is text: put in as it is, for "EventBridge doesn't escape values", objects without their own
 * quotes. Outside it is JSON. `<what is no variable>` stays.
 */
function substituted(template: string, variables: ReadonlyMap<string, unknown>): string {
  let inQuotes = false;
  return template.replace(/\\.|"|<([^<>\s]+)>/gs, (found: string, name?: string) => {
    if (found === '"') inQuotes = !inQuotes;
    if (name === undefined || !variables.has(name)) return found;
    const value = variables.get(name);
    if (!inQuotes) return JSON.stringify(value ?? '');
    if (typeof value === 'object' && value !== null) return JSON.stringify(value).replaceAll('"', '');
    return value === undefined || value === null ? '' : String(value as string | number | boolean);
  });
}

/** "The JSON that is passed to the target is minified"; other text, such as several quoted lines, goes as it is. */
function minified(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
