/** What a Task's `Resource` may name here. Pure: the checks and the integrations both read it. */

export type Resource =
  | { readonly kind: 'lambda:invoke'; readonly waitsForToken: boolean }
  | { readonly kind: 'function'; readonly functionArn: string }
  | { readonly kind: 'states:startExecution' };

const integrations: Readonly<Record<string, Resource>> = {
  'arn:aws:states:::lambda:invoke': { kind: 'lambda:invoke', waitsForToken: false },
  'arn:aws:states:::lambda:invoke.waitForTaskToken': { kind: 'lambda:invoke', waitsForToken: true },
  'arn:aws:states:::states:startExecution': { kind: 'states:startExecution' },
};

export const integrationArns: readonly string[] = Object.keys(integrations);

const functionArn = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9-_]+(:(\$LATEST|[A-Za-z0-9-_]+))?$/;

/** Undefined for anything that is not embedded. */
export function parseResource(resource: string): Resource | undefined {
  if (Object.hasOwn(integrations, resource)) return integrations[resource];
  return functionArn.test(resource) ? { kind: 'function', functionArn: resource } : undefined;
}
