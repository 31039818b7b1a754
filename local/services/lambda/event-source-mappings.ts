/** The operations on event source mappings. DynamoDB streams are the one source there is. */
import type {
  CreateEventSourceMappingCommandInput,
  CreateEventSourceMappingCommandOutput,
  DeleteEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommandOutput,
  GetEventSourceMappingCommandInput,
  GetEventSourceMappingCommandOutput,
  ListEventSourceMappingsCommandInput,
  ListEventSourceMappingsCommandOutput,
  UpdateEventSourceMappingCommandInput,
  UpdateEventSourceMappingCommandOutput,
} from '@aws-sdk/client-lambda';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import { EventSourceMapping, type MappingDependencies } from './event-source-mapping.ts';
import { functionArn } from './function-name.ts';
import type { Functions } from './functions.ts';
import { listPage } from './list-page.ts';

// What Lambda asks of the function's role: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
const readActions = ['GetRecords', 'GetShardIterator', 'DescribeStream', 'ListStreams'];

export class EventSourceMappings {
  readonly #functions: Functions;
  readonly #authorizer: Authorizer | undefined;
  readonly #dependencies: MappingDependencies;
  readonly #mappings = new Map<string, EventSourceMapping>();

  constructor(options: MappingDependencies & { functions: Functions; authorizer: Authorizer | undefined }) {
    this.#functions = options.functions;
    this.#authorizer = options.authorizer;
    this.#dependencies = options;
  }

  close(): void {
    for (const mapping of this.#mappings.values()) mapping.stop();
  }

  readonly operations: Operations = {
    CreateEventSourceMapping: (
      input: CreateEventSourceMappingCommandInput,
    ): Output<CreateEventSourceMappingCommandOutput> => {
      const target = this.#targetArn(input.FunctionName!);
      const source = input.EventSourceArn ?? '';
      if (!/^arn:[^:]+:dynamodb:.+\/stream\/.+$/.test(source)) {
        throw invalid(`The embedded Lambda reads DynamoDB streams only, not ${source}.`);
      }
      if (this.#dependencies.source.shards(source) === undefined) {
        throw invalid(`Stream not found: ${source}`);
      }
      for (const other of this.#mappings.values()) {
        if (other.streamArn !== source || other.functionArn !== target) continue;
        throw new AwsError(
          'ResourceConflictException',
          `The event source arn (" ${source} ") and function (" ${input.FunctionName} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${other.uuid}`,
          { status: 409 },
        );
      }
      this.#checkRole(input.FunctionName!, source, input.DestinationConfig?.OnFailure?.Destination);
      const mapping = new EventSourceMapping(input, target, this.#dependencies);
      this.#mappings.set(mapping.uuid, mapping);
      return mapping.describe('Creating');
    },

    UpdateEventSourceMapping: (
      input: UpdateEventSourceMappingCommandInput,
    ): Output<UpdateEventSourceMappingCommandOutput> => {
      const mapping = this.#mapping(input.UUID!);
      const destination = input.DestinationConfig?.OnFailure?.Destination;
      const target = input.FunctionName === undefined ? undefined : this.#targetArn(input.FunctionName);
      if (target !== undefined || destination !== undefined) {
        this.#checkRole(target ?? mapping.functionArn, mapping.streamArn, destination ?? mapping.onFailure);
      }
      mapping.update(input, target);
      return mapping.describe('Updating');
    },

    DeleteEventSourceMapping: (
      input: DeleteEventSourceMappingCommandInput,
    ): Output<DeleteEventSourceMappingCommandOutput> => {
      const mapping = this.#mapping(input.UUID!);
      mapping.stop();
      this.#mappings.delete(mapping.uuid);
      return mapping.describe('Deleting');
    },

    GetEventSourceMapping: (
      input: GetEventSourceMappingCommandInput,
    ): Output<GetEventSourceMappingCommandOutput> => this.#mapping(input.UUID!).describe(),

    ListEventSourceMappings: (
      input: ListEventSourceMappingsCommandInput,
    ): Output<ListEventSourceMappingsCommandOutput> => {
      const target = input.FunctionName === undefined ? undefined : this.#targetArn(input.FunctionName);
      const { entries, ...more } = listPage(
        [...this.#mappings.values()].filter(
          (mapping) =>
            (target === undefined || mapping.functionArn === target) &&
            (input.EventSourceArn === undefined || mapping.streamArn === input.EventSourceArn),
        ),
        input,
        100,
      );
      return { EventSourceMappings: entries.map((mapping) => mapping.describe()), ...more };
    },
  };

  /** The mapping with an ARN, for tags. */
  find(mappingArn: string): EventSourceMapping | undefined {
    return this.#mappings.get(mappingArn.split(':').at(-1)!);
  }

  #mapping(uuid: string): EventSourceMapping {
    const mapping = this.#mappings.get(uuid);
    if (mapping !== undefined) return mapping;
    throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', {
      status: 404,
    });
  }

  #targetArn(given: string): string {
    const { fn, qualifier } = this.#functions.locate(given);
    fn.resolve(qualifier);
    return functionArn(fn.name, qualifier);
  }

  #checkRole(given: string, streamArn: string, destination: string | undefined): void {
    const role = this.#functions.version(given).settings.Role;
    const allowed = (action: string, resource: string) => {
      try {
        this.#authorizer?.authorize({
          principal: { kind: 'role', roleArn: role, session: given.split(':').at(-1)! },
          action,
          resources: [resource],
        });
        return true;
      } catch (error) {
        if (error instanceof AwsError) return false;
        throw error;
      }
    };
    if (
      !readActions.every((action) =>
        allowed(`dynamodb:${action}`, action === 'ListStreams' ? '*' : streamArn),
      )
    ) {
      throw invalid(
        `Cannot access stream ${streamArn}. Please ensure the role can perform the ${readActions.slice(0, 3).join(', ')}, and ListStreams Actions on your stream in IAM.`,
      );
    }
    if (destination === undefined) return;
    const [service, action] = destination.includes(':sqs:') ? ['sqs', 'SendMessage'] : ['sns', 'Publish'];
    if (!allowed(`${service}:${action}`, destination)) {
      throw invalid(
        `The provided execution role does not have permissions to call ${action} on ${service!.toUpperCase()}`,
      );
    }
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}
