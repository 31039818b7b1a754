/** A change set: what a stack is to become, and what that would change. */
import type {
  Change,
  ChangeSetSummary,
  ChangeSetType,
  DescribeChangeSetCommandOutput,
  ResourceChangeDetail,
} from '@aws-sdk/client-cloudformation';
import type { Output } from '../../call.ts';
import type { PlannedChange } from './changes.ts';
import type { OnFailure } from './deployment.ts';
import type { Json } from './json.ts';
import { shownParameters } from './parameters.ts';
import type { Properties } from './resource-type.ts';
import type { Stack, Target } from './stack.ts';

export interface ChangeSet {
  readonly id: string;
  readonly name: string;
  readonly type: ChangeSetType;
  readonly stack: Stack;
  readonly created: Date;
  readonly description?: string;
  readonly target: Target;
  readonly changes: readonly PlannedChange[];
  readonly onStackFailure?: OnFailure;
  status: 'CREATE_COMPLETE' | 'FAILED';
  statusReason?: string;
  executionStatus:
    | 'AVAILABLE'
    | 'UNAVAILABLE'
    | 'EXECUTE_IN_PROGRESS'
    | 'EXECUTE_COMPLETE'
    | 'EXECUTE_FAILED';
}

/** CloudFormation's words; clients compare the beginning. */
export const noChanges =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

export function summary(changeSet: ChangeSet): ChangeSetSummary {
  return {
    StackId: changeSet.stack.id,
    StackName: changeSet.stack.name,
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    ExecutionStatus: changeSet.executionStatus,
    Status: changeSet.status,
    ...(changeSet.statusReason === undefined ? {} : { StatusReason: changeSet.statusReason }),
    ...(changeSet.description === undefined ? {} : { Description: changeSet.description }),
    CreationTime: changeSet.created,
    IncludeNestedStacks: false,
  };
}

export function describeChangeSet(
  changeSet: ChangeSet,
  options: { values: boolean },
): Output<DescribeChangeSetCommandOutput> {
  const { target } = changeSet;
  return {
    ...summary(changeSet),
    Parameters: shownParameters(target.parameters),
    NotificationARNs: [...target.notificationArns],
    RollbackConfiguration: {},
    Capabilities: [...target.capabilities] as DescribeChangeSetCommandOutput['Capabilities'],
    Tags: [...target.tags],
    Changes: changeSet.changes.map((change) => shown(change, options.values)),
  };
}

function shown(change: PlannedChange, values: boolean): Change {
  const { before, after } = change;
  return {
    Type: 'Resource',
    ResourceChange: {
      Action: change.action,
      LogicalResourceId: change.logicalId,
      ...(change.physicalId === undefined ? {} : { PhysicalResourceId: change.physicalId }),
      ResourceType: change.type,
      ...(change.replacement === undefined ? {} : { Replacement: change.replacement }),
      ...(change.replacement === 'True' ? { PolicyAction: 'ReplaceAndDelete' } : {}),
      ...(change.action === 'Remove' ? { PolicyAction: 'Delete' } : {}),
      Scope: [
        ...(change.changed.some(({ name }) => name !== 'Tags') ? (['Properties'] as const) : []),
        ...(change.changed.some(({ name }) => name === 'Tags') ? (['Tags'] as const) : []),
        ...(change.metadata ? (['Metadata'] as const) : []),
      ],
      Details: [
        ...change.changed.map((one) => detail(one, change, values)),
        ...(change.metadata ? [metadataDetail] : []),
      ],
      ...(values && before !== undefined ? { BeforeContext: context(before) } : {}),
      ...(values && after !== undefined ? { AfterContext: context(after) } : {}),
    },
  };
}

const metadataDetail: ResourceChangeDetail = {
  Target: { Attribute: 'Metadata', RequiresRecreation: 'Never' },
  Evaluation: 'Static',
  ChangeSource: 'DirectModification',
};

function detail(
  { name, dynamic, recreates }: PlannedChange['changed'][number],
  { before, after }: PlannedChange,
  values: boolean,
): ResourceChangeDetail {
  const [old, fresh] = [before?.[name], after?.[name]];
  return {
    Target: {
      Attribute: name === 'Tags' ? 'Tags' : 'Properties',
      ...(name === 'Tags' ? {} : { Name: name }),
      RequiresRecreation: recreates ? (dynamic ? 'Conditionally' : 'Always') : 'Never',
      ...(values
        ? {
            Path: `/Properties/${name}`,
            ...(old === undefined ? {} : { BeforeValue: text(old) }),
            ...(fresh === undefined ? {} : { AfterValue: text(fresh) }),
            AttributeChangeType:
              old === undefined ? 'Add' : fresh === undefined && !dynamic ? 'Remove' : 'Modify',
          }
        : {}),
    },
    Evaluation: dynamic ? 'Dynamic' : 'Static',
    ChangeSource: dynamic ? 'ResourceReference' : 'DirectModification',
  };
}

function context(properties: Properties): string {
  return JSON.stringify({ Properties: properties });
}

function text(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
