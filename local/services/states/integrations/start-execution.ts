/** `arn:aws:states:::states:startExecution`: starts another execution and does not wait for it. */
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
import { StateFailure } from '../failure.ts';
import { isObject, type Json } from '../json.ts';
import type { Callees, Integration } from './integration.ts';
import { serviceFailure } from './service-failure.ts';

const stepFunctions = {
  prefix: 'StepFunctions',
  base: 'AWSStepFunctionsException',
  title: 'AWSStepFunctions',
  statuses: {},
};

export function startExecutionIntegration({ authorizer, executions, uuid }: Callees): Integration {
  return {
    resourceType: 'states',
    resource: 'startExecution',
    waitsForToken: false,
    async call(args, principal) {
      const {
        StateMachineArn,
        Name,
        Input = {},
      } = isObject(args) ? (args as { readonly [key: string]: Json }) : {};
      if (typeof StateMachineArn !== 'string') throw invalid(`The field 'StateMachineArn' must be a string`);
      if (Name !== undefined && typeof Name !== 'string') throw invalid(`The field 'Name' must be a string`);
      try {
        authorizer.authorize({ principal, action: 'states:StartExecution', resources: [StateMachineArn] });
        const { executionArn, startDate } = executions.start(StateMachineArn, {
          ...(Name === undefined ? {} : { name: Name }),
          input: typeof Input === 'string' ? Input : JSON.stringify(Input),
        });
        return { ExecutionArn: executionArn, StartDate: startDate.toISOString() };
      } catch (failure) {
        throw serviceFailure(stepFunctions, failure, uuid());
      }
    },
  };
}

function invalid(cause: string): StateFailure {
  return new StateFailure('StepFunctions.ValidationException', cause);
}
