/** Calls of Lambda functions, by the optimised integration or by a function's ARN alone. */
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
import { arn } from '../../../account.ts';
import type { Principal } from '../../../call.ts';
import type { Invocation } from '../../lambda/invoker.ts';
import { StateFailure } from '../failure.ts';
import { isObject, type Json, parseJson } from '../json.ts';
import type { Callees, Integration } from './integration.ts';
import { serviceFailure } from './service-failure.ts';

const lambda = {
  prefix: 'Lambda',
  base: 'AWSLambdaException',
  title: 'Lambda',
  statuses: { ResourceNotFoundException: 404, TooManyRequestsException: 429, ServiceException: 500 },
};

/** `arn:aws:states:::lambda:invoke` */
export function invokeIntegration(callees: Callees, waitsForToken: boolean): Integration {
  return {
    resourceType: 'lambda',
    resource: waitsForToken ? 'invoke.waitForTaskToken' : 'invoke',
    waitsForToken,
    async call(args, role) {
      const {
        FunctionName,
        Qualifier,
        Payload = {},
        InvocationType = 'RequestResponse',
      } = isObject(args) ? (args as { readonly [key: string]: Json }) : {};
      if (typeof FunctionName !== 'string') throw invalid(`The field 'FunctionName' must be a string`);
      if (InvocationType !== 'RequestResponse') {
        throw invalid(`The InvocationType '${JSON.stringify(InvocationType)}' is not supported here`);
      }
      const functionArn = functionArnOf(FunctionName, typeof Qualifier === 'string' ? Qualifier : undefined);
      const payload = await invoke(callees, functionArn, Payload, role);
      return { ExecutedVersion: executedVersion(functionArn), Payload: payload, StatusCode: 200 };
    },
  };
}

/** A function's ARN as `Resource`: its result is what the function returned. */
export function functionIntegration(callees: Callees, functionArn: string): Integration {
  return {
    resourceType: 'lambda',
    resource: 'invoke',
    functionArn,
    waitsForToken: false,
    call: (args, role) => invoke(callees, functionArn, args, role),
  };
}

async function invoke(callees: Callees, functionArn: string, payload: Json, role: Principal): Promise<Json> {
  let invocation: Invocation;
  try {
    callees.authorizer.authorize({
      principal: role,
      action: 'lambda:InvokeFunction',
      resources: [functionArn],
    });
    invocation = await callees.invoker.invoke(functionArn, JSON.stringify(payload));
  } catch (failure) {
    throw serviceFailure(lambda, failure, callees.uuid());
  }
  if (invocation.functionError !== undefined) throw functionFailure(invocation.payload);
  // A handler that returns nothing answers an empty payload.
  return invocation.payload === '' ? null : parseJson(invocation.payload);
}

/** The error's name is its `errorType`, such as `Sandbox.Timedout`; its cause is the whole error object as text. */
function functionFailure(payload: string): StateFailure {
  const { errorType } = errorObject(payload);
  if (typeof errorType === 'string' && errorType !== '') return new StateFailure(errorType, payload);
  const why = 'The cause could not be determined because Lambda did not return an error type.';
  return new StateFailure('Lambda.Unknown', `${why} Returned payload: ${payload}`);
}

function errorObject(payload: string): { readonly errorType?: unknown } {
  try {
    const value = parseJson(payload);
    return isObject(value) ? value : {};
  } catch (failure) {
    // A process that died can leave no JSON behind: then there is no error type to read.
    if (failure instanceof SyntaxError) return {};
    throw failure;
  }
}

/** A name, a partial or a whole ARN, each with or without a qualifier. */
function functionArnOf(name: string, qualifier: string | undefined): string {
  const full = name.startsWith('arn:')
    ? name
    : arn('lambda', `function:${name.replace(/^\d{12}:(function:)?/, '')}`);
  return qualifier === undefined ? full : `${full}:${qualifier}`;
}

/** The invoker does not say which version an alias led to: the qualifier stands for it. */
function executedVersion(functionArn: string): string {
  return functionArn.split(':')[7] ?? '$LATEST';
}

function invalid(cause: string): StateFailure {
  return new StateFailure('Lambda.InvalidParameterValueException', cause);
}
