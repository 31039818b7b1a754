/** cdk-nag's findings about wildcards in policies, each acknowledged by its own id where the policy is made. */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Acknowledges that a policy under `scope` names these resources, for those that hold a wildcard. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  // When the tree is validated, and not before: only then does a reference to another stack read as cdk-nag reads it.
  scope.node.addValidation({
    validate: () => {
      for (const resource of resources) {
        const text = flatten(Stack.of(scope).resolve(resource));
        if (!text.includes('*')) continue;
        Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${text}]`, reason });
      }
      return [];
    },
  });
}

/** A resolved value as cdk-nag writes it: `<LogicalId>` for a Ref, `<LogicalId.Arn>` for an attribute. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  const [name, argument] = Object.entries(value)[0] ?? ['', ''];
  switch (name) {
    case 'Ref':
      return `<${String(argument)}>`;
    case 'Fn::GetAtt':
      return `<${(argument as string[]).join('.')}>`;
    case 'Fn::ImportValue':
      return flatten(argument);
    case 'Fn::Join':
      return (argument as [string, unknown[]])[1].map(flatten).join((argument as [string, unknown[]])[0]);
    default:
      return JSON.stringify(value);
  }
}
