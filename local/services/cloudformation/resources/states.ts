/** AWS::StepFunctions::StateMachine */
import type { CreateStateMachineCommandOutput, UpdateStateMachineCommandOutput } from '@aws-sdk/client-sfn';
import { asText, isObject, type JsonObject } from '../json.ts';
import {
  document,
  type Properties,
  type ResourceType,
  requiredText,
  type Scope,
  textOf,
} from '../resource-type.ts';

const service = 'states';

/** The definition's text; substitutions are textual: `${Name}` wherever it stands. */
async function definition(scope: Scope, properties: Properties): Promise<string> {
  const { DefinitionString, Definition, DefinitionS3Location, DefinitionSubstitutions } = properties;
  const inline = document(DefinitionString ?? Definition);
  const text = inline ?? (await fromS3(scope, DefinitionS3Location as JsonObject | undefined));
  if (!isObject(DefinitionSubstitutions)) return text;
  const values = DefinitionSubstitutions as JsonObject;
  return text.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => {
    return Object.hasOwn(values, name) ? asText(values[name]!) : whole;
  });
}

async function fromS3(scope: Scope, location: JsonObject | undefined): Promise<string> {
  if (location === undefined) {
    throw new Error(
      'Properties validation failed: one of DefinitionString, Definition and DefinitionS3Location is required',
    );
  }
  return scope.buckets.text(requiredText(location, 'Bucket'), requiredText(location, 'Key'));
}

function settings(properties: Properties): Properties {
  const {
    DefinitionString: _string,
    Definition: _object,
    DefinitionS3Location: _location,
    DefinitionSubstitutions: _substitutions,
    StateMachineName: _name,
    StateMachineType: _type,
    ...rest
  } = properties;
  return rest;
}

export const stateMachine: ResourceType = {
  replacedBy: ['StateMachineName', 'StateMachineType'],
  nameProperty: 'StateMachineName',
  tagging: {
    service,
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ physicalId }) => ({ resourceArn: physicalId }),
  },
  async create(scope, properties) {
    const Name = textOf(properties, 'StateMachineName') ?? scope.name({ limit: 80, withoutStack: true });
    const { stateMachineArn } = await scope.send<CreateStateMachineCommandOutput>(
      service,
      'CreateStateMachine',
      {
        ...settings(properties),
        name: Name,
        type: properties['StateMachineType'],
        definition: await definition(scope, properties),
      },
    );
    return {
      physicalId: stateMachineArn!,
      attributes: { Arn: stateMachineArn!, Name, StateMachineRevisionId: 'INITIAL' },
    };
  },
  async update(scope, properties, current) {
    const { revisionId } = await scope.send<UpdateStateMachineCommandOutput>(service, 'UpdateStateMachine', {
      ...settings(properties),
      stateMachineArn: current.physicalId,
      definition: await definition(scope, properties),
    });
    const attributes = revisionId === undefined ? {} : { StateMachineRevisionId: revisionId };
    return { ...current, attributes: { ...current.attributes, ...attributes } };
  },
  delete: (scope, { physicalId }) =>
    scope.send(service, 'DeleteStateMachine', { stateMachineArn: physicalId }),
};
