/** The operations on state machines. */
import type {
  CreateStateMachineCommandInput,
  CreateStateMachineCommandOutput,
  DeleteStateMachineCommandInput,
  DeleteStateMachineCommandOutput,
  DescribeStateMachineCommandInput,
  DescribeStateMachineCommandOutput,
  ListStateMachinesCommandInput,
  ListStateMachinesCommandOutput,
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  TagResourceCommandInput,
  TagResourceCommandOutput,
  UntagResourceCommandInput,
  UntagResourceCommandOutput,
  UpdateStateMachineCommandInput,
  UpdateStateMachineCommandOutput,
  ValidateStateMachineDefinitionCommandInput,
  ValidateStateMachineDefinitionCommandOutput,
} from '@aws-sdk/client-sfn';
import { AwsError, type Output } from '../../../call.ts';
import type { Checked } from '../check/check.ts';
import type { ExecutionStore } from '../execution-store.ts';
import { type StateMachine, type StateMachines, tag } from '../state-machines.ts';
import { page, requireArn } from './constraints.ts';

export interface StateMachineDependencies {
  readonly machines: StateMachines;
  readonly executions: ExecutionStore;
  readonly check: (definition: string) => Checked;
}

export function stateMachineOperations({ machines, executions, check }: StateMachineDependencies) {
  const tagged = (resourceArn: string): StateMachine => {
    requireArn(resourceArn, 'stateMachine');
    if (!machines.has(resourceArn)) {
      throw new AwsError('ResourceNotFound', `Resource not found: '${resourceArn}'`, {
        members: { resourceName: resourceArn },
      });
    }
    return machines.find(resourceArn);
  };

  return {
    CreateStateMachine(input: CreateStateMachineCommandInput): Output<CreateStateMachineCommandOutput> {
      const machine = machines.create(input);
      return { stateMachineArn: machine.arn, creationDate: new Date(machine.creationDate) };
    },

    UpdateStateMachine(input: UpdateStateMachineCommandInput): Output<UpdateStateMachineCommandOutput> {
      const { revision } = machines.update(input);
      return { updateDate: new Date(revision.updated), revisionId: revision.revisionId };
    },

    DeleteStateMachine(input: DeleteStateMachineCommandInput): Output<DeleteStateMachineCommandOutput> {
      const machineArn = input.stateMachineArn ?? '';
      requireArn(machineArn, 'stateMachine');
      executions.deleteMachine(machineArn);
      return {};
    },

    DescribeStateMachine(input: DescribeStateMachineCommandInput): Output<DescribeStateMachineCommandOutput> {
      const machine = machines.find(input.stateMachineArn ?? '');
      const { revision } = machine;
      return {
        stateMachineArn: machine.arn,
        name: revision.name,
        status: machine.deleting ? 'DELETING' : 'ACTIVE',
        definition: revision.text,
        roleArn: revision.roleArn,
        type: 'STANDARD',
        creationDate: new Date(machine.creationDate),
        loggingConfiguration: machine.loggingConfiguration,
        tracingConfiguration: machine.tracingConfiguration,
        encryptionConfiguration: { type: 'AWS_OWNED_KEY' },
        revisionId: revision.revisionId,
      };
    },

    ListStateMachines(input: ListStateMachinesCommandInput): Output<ListStateMachinesCommandOutput> {
      const listed = page(machines.all, ({ arn }) => arn, input);
      return {
        stateMachines: listed.items.map(({ arn, revision, creationDate }) => ({
          stateMachineArn: arn,
          name: revision.name,
          type: 'STANDARD',
          creationDate: new Date(creationDate),
        })),
        ...(listed.nextToken === undefined ? {} : { nextToken: listed.nextToken }),
      };
    },

    ValidateStateMachineDefinition(
      input: ValidateStateMachineDefinitionCommandInput,
    ): Output<ValidateStateMachineDefinitionCommandOutput> {
      const { findings } = check(input.definition ?? '');
      // https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
      const most = input.maxResults === undefined || input.maxResults === 0 ? 100 : input.maxResults;
      return {
        result: findings.length === 0 ? 'OK' : 'FAIL',
        diagnostics: findings
          .slice(0, most)
          .map(({ code, message, path }) => ({ severity: 'ERROR', code, message, location: path })),
        truncated: findings.length > most,
      };
    },

    TagResource(input: TagResourceCommandInput): Output<TagResourceCommandOutput> {
      tag(tagged(input.resourceArn ?? ''), input.tags ?? []);
      return {};
    },

    UntagResource(input: UntagResourceCommandInput): Output<UntagResourceCommandOutput> {
      const { tags } = tagged(input.resourceArn ?? '');
      for (const key of input.tagKeys ?? []) tags.delete(key);
      return {};
    },

    ListTagsForResource(input: ListTagsForResourceCommandInput): Output<ListTagsForResourceCommandOutput> {
      return { tags: [...tagged(input.resourceArn ?? '').tags].map(([key, value]) => ({ key, value })) };
    },
  };
}
