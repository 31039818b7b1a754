/** Custom::* and AWS::CloudFormation::CustomResource: a function (or topic) of the account provisions them. */
import { randomUUID } from 'node:crypto';
import type { CustomResponses } from '../custom-responses.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import {
  type Current,
  type Properties,
  type Provisioned,
  type ResourceType,
  requiredText,
  type Scope,
} from '../resource-type.ts';

/** One hour, unless the resource's ServiceTimeout says less. */
const defaultTimeoutSeconds = 3600;

interface Request {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly PhysicalResourceId?: string;
  readonly properties: Properties;
  readonly previous?: Properties;
}

export function customResource(responses: CustomResponses): ResourceType {
  /** Sends the request and gives the answer's physical id and data; rejects with the Reason of a failure. */
  async function ask(
    scope: Scope,
    request: Request,
  ): Promise<{ physicalId?: string; attributes: Record<string, Json> }> {
    const RequestId = randomUUID();
    const { ServiceToken, ServiceTimeout } = request.properties;
    const seconds = Number(ServiceTimeout ?? defaultTimeoutSeconds);
    const response = await responses.expect(seconds * 1000, (ResponseURL) =>
      deliver(scope, requiredText(request.properties, 'ServiceToken'), {
        RequestType: request.RequestType,
        ServiceToken: ServiceToken!,
        ResponseURL,
        StackId: scope.stackId,
        RequestId,
        LogicalResourceId: scope.logicalId,
        ...(request.PhysicalResourceId === undefined
          ? {}
          : { PhysicalResourceId: request.PhysicalResourceId }),
        ResourceType: scope.type,
        ResourceProperties: asText(request.properties),
        ...(request.previous === undefined ? {} : { OldResourceProperties: asText(request.previous) }),
      }),
    );
    if (response === 'timeout') {
      throw new Error(
        `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${RequestId}]. If you are using the Python cfn-response module, you may need to update your Lambda function so that CloudFormation can attach the updated version.`,
      );
    }
    const physicalId = response.PhysicalResourceId;
    if (response.Status === 'FAILED') {
      if (request.RequestType === 'Create' && physicalId !== undefined) scope.exists(physicalId);
      throw new Error(
        `Received response status [FAILED] from custom resource. Message returned: ${response.Reason ?? 'See the details in CloudWatch Log Stream'} (RequestId: ${RequestId})`,
      );
    }
    return {
      ...(physicalId === undefined ? {} : { physicalId }),
      attributes: isObject(response.Data) ? flattened(response.Data as JsonObject) : {},
    };
  }

  return {
    replacedBy: ['ServiceToken'],
    async create(scope, properties): Promise<Provisioned> {
      // Until the answer names it, it has a name of CloudFormation's: a failed create is deleted by it.
      scope.mayExist(scope.name({ limit: 255 }));
      const { physicalId, attributes } = await ask(scope, { RequestType: 'Create', properties });
      if (physicalId === undefined || physicalId === '') throw new Error('Invalid PhysicalResourceId');
      scope.exists(physicalId);
      return { physicalId, attributes };
    },
    async update(scope, properties, current): Promise<Provisioned> {
      const { physicalId = current.physicalId, attributes } = await ask(scope, {
        RequestType: 'Update',
        PhysicalResourceId: current.physicalId,
        properties,
        previous: current.properties,
      });
      return { physicalId, attributes };
    },
    delete: (scope, { physicalId, properties }: Current) =>
      ask(scope, { RequestType: 'Delete', PhysicalResourceId: physicalId, properties }),
  };
}

function deliver(scope: Scope, serviceToken: string, event: JsonObject): Promise<unknown> {
  if (serviceToken.split(':')[2] === 'sns') {
    return scope.send('sns', 'Publish', {
      TopicArn: serviceToken,
      Subject: 'AWS CloudFormation custom resource request',
      Message: JSON.stringify(event),
    });
  }
  return scope.sendAsIs('lambda', 'Invoke', {
    FunctionName: serviceToken,
    InvocationType: 'Event',
    Payload: Buffer.from(JSON.stringify(event)),
  });
}

/** CloudFormation sends every scalar as a string. */
function asText(value: Json): Json {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asText(inner)]));
  }
  return value === null ? null : String(value);
}

/** `Data: { a: { b: 1 } }` is read as `a` and as `a.b`. */
function flattened(values: JsonObject, prefix = ''): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]): [string, Json][] => [
      [`${prefix}${key}`, value],
      ...(isObject(value) ? Object.entries(flattened(value as JsonObject, `${prefix}${key}.`)) : []),
    ]),
  );
}
