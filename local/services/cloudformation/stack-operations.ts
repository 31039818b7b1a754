/** The operations that change stacks. Each returns at once; what happens is told by events. */
import type {
  CreateStackCommandInput,
  CreateStackCommandOutput,
  DeleteStackCommandInput,
  SetStackPolicyCommandInput,
  UpdateStackCommandInput,
  UpdateStackCommandOutput,
  UpdateTerminationProtectionCommandInput,
  UpdateTerminationProtectionCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { refuseBusy, refuseUpdate } from './change-set-operations.ts';
import type { OnFailure } from './deployment.ts';
import type { Stacks } from './stacks.ts';
import type { Targets } from './targets.ts';
import { invalid } from './template.ts';

export function stackOperations({ stacks, targets }: { stacks: Stacks; targets: Targets }): Operations {
  return {
    async CreateStack(input: CreateStackCommandInput): Promise<Output<CreateStackCommandOutput>> {
      const name = input.StackName!;
      if (stacks.find(name) !== undefined)
        throw new AwsError('AlreadyExistsException', `Stack [${name}] already exists`);
      const stack = stacks.draft(name, { terminationProtection: input.EnableTerminationProtection ?? false });
      const target = await targets.read(input, stack);
      targets.plan(stack, target);
      stacks.add(stack);
      const onFailure: OnFailure =
        input.DisableRollback === true ? 'DO_NOTHING' : (input.OnFailure ?? 'ROLLBACK');
      stack.policy = input.StackPolicyBody;
      void stacks.create(stack, target, { onFailure, token: input.ClientRequestToken });
      return { StackId: stack.id };
    },

    async UpdateStack(input: UpdateStackCommandInput): Promise<Output<UpdateStackCommandOutput>> {
      const stack = stacks.get(input.StackName);
      refuseUpdate(stack);
      const target = await targets.read(input, stack);
      const planned = targets.plan(stack, target);
      if (!targets.changes(stack, target, planned)) throw invalid('No updates are to be performed.');
      // Another update may have begun while the template was read.
      refuseUpdate(stack);
      const rollback = input.DisableRollback !== true;
      void stacks.update(stack, target, { rollback, token: input.ClientRequestToken });
      return { StackId: stack.id };
    },

    DeleteStack(input: DeleteStackCommandInput): object {
      const stack = stacks.find(input.StackName!);
      if (stack === undefined || stack.status === 'DELETE_COMPLETE' || stack.status === 'DELETE_IN_PROGRESS')
        return {};
      if (stack.terminationProtection) {
        throw invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
      }
      refuseBusy(stack);
      const token = input.ClientRequestToken;
      for (const { exportName } of stack.outputs) {
        if (exportName === undefined) continue;
        const importers = stacks.importers(exportName).map(({ name }) => name);
        if (importers.length === 0) continue;
        const reason = `Delete canceled. Cannot delete export ${exportName} as it is in use by ${importers.join(' and ')}.`;
        stack.enter(stack.status, token, reason);
        return {};
      }
      void stacks.delete(stack, { retain: input.RetainResources ?? [], token });
      return {};
    },

    UpdateTerminationProtection(
      input: UpdateTerminationProtectionCommandInput,
    ): Output<UpdateTerminationProtectionCommandOutput> {
      const stack = stacks.get(input.StackName);
      stack.terminationProtection = input.EnableTerminationProtection ?? false;
      return { StackId: stack.id };
    },

    /** Kept and shown; updates are not held against it. */
    SetStackPolicy(input: SetStackPolicyCommandInput): object {
      stacks.get(input.StackName).policy = input.StackPolicyBody;
      return {};
    },
  };
}
