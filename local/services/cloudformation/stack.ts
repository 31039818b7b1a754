/** One stack: what it consists of, what happened to it, and how the API shows that. */
import type {
  ResourceStatus,
  StackResource as ShownResource,
  Stack as ShownStack,
  StackEvent,
  StackStatus,
} from '@aws-sdk/client-cloudformation';
import type { Clock } from '../../clock.ts';
import type { Json } from './json.ts';
import { type Parameters, shownParameters } from './parameters.ts';
import type { Current, Tag } from './resource-type.ts';
import { emptyTemplate, type ResourceDefinition, type Template } from './template.ts';

export interface StackResource extends Current {
  readonly logicalId: string;
  readonly type: string;
  readonly definition: ResourceDefinition;
  /** Left behind by an operation that failed and was not rolled back: the next one repairs it. */
  readonly damaged?: 'create' | 'update';
}

export interface StackOutput {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly exportName?: string;
}

/** What a stack is to become. */
export interface Target {
  readonly body: string;
  readonly template: Template;
  readonly parameters: Parameters;
  readonly tags: readonly Tag[];
  readonly capabilities: readonly string[];
  readonly notificationArns: readonly string[];
  readonly roleArn?: string;
}

const updatable: ReadonlySet<StackStatus> = new Set<StackStatus>([
  'CREATE_COMPLETE',
  'CREATE_FAILED',
  'UPDATE_COMPLETE',
  'UPDATE_FAILED',
  'UPDATE_ROLLBACK_COMPLETE',
]);

export class Stack {
  readonly id: string;
  readonly name: string;
  readonly created: Date;
  readonly resources = new Map<string, StackResource>();
  outputs: readonly StackOutput[] = [];
  imports: ReadonlySet<string> = new Set();
  target: Target | undefined;
  changeSetId: string | undefined;
  disableRollback = false;
  terminationProtection: boolean;
  policy: string | undefined;
  updated: Date | undefined;
  deleted: Date | undefined;
  readonly #clock: Clock;
  readonly #uuid: () => string;
  readonly #events: StackEvent[] = [];
  readonly #shown = new Map<string, ShownResource>();
  #status: StackStatus = 'REVIEW_IN_PROGRESS';
  #reason: string | undefined;
  #lastEvent = 0;

  constructor(options: {
    id: string;
    name: string;
    clock: Clock;
    uuid: () => string;
    terminationProtection?: boolean;
  }) {
    this.id = options.id;
    this.name = options.name;
    this.#clock = options.clock;
    this.#uuid = options.uuid;
    this.created = new Date(this.#clock.now());
    this.terminationProtection = options.terminationProtection ?? false;
  }

  get status(): StackStatus {
    return this.#status;
  }

  get statusReason(): string | undefined {
    return this.#reason;
  }

  get body(): string {
    return this.target?.body ?? '{}';
  }

  get template(): Template {
    return this.target?.template ?? emptyTemplate;
  }

  /** Newest first. */
  get events(): readonly StackEvent[] {
    return this.#events;
  }

  get shownResources(): ShownResource[] {
    return [...this.#shown.values()];
  }

  inProgress(): boolean {
    return this.#status.endsWith('_IN_PROGRESS') && this.#status !== 'REVIEW_IN_PROGRESS';
  }

  /** Whether an update may start from here. */
  updatable(): boolean {
    return updatable.has(this.#status);
  }

  enter(status: StackStatus, token: string | undefined, reason?: string): void {
    this.#status = status;
    this.#reason = reason;
    const at = this.#event(this.#uuid(), {
      LogicalResourceId: this.name,
      PhysicalResourceId: this.id,
      ResourceType: 'AWS::CloudFormation::Stack',
      ResourceStatus: status as ResourceStatus,
      ...(reason === undefined ? {} : { ResourceStatusReason: reason }),
      ...(token === undefined ? {} : { ClientRequestToken: token }),
    });
    if (status.startsWith('UPDATE')) this.updated = at;
    if (status === 'DELETE_COMPLETE') this.deleted = at;
  }

  report(
    resource: {
      logicalId: string;
      type: string;
      physicalId?: string;
      properties?: { readonly [key: string]: Json };
    },
    status: ResourceStatus,
    token: string | undefined,
    reason?: string,
  ): void {
    const about = {
      LogicalResourceId: resource.logicalId,
      ResourceType: resource.type,
      PhysicalResourceId: resource.physicalId ?? '',
      ResourceStatus: status,
      ...(reason === undefined ? {} : { ResourceStatusReason: reason }),
    };
    const at = this.#event(`${resource.logicalId}-${status}-`, {
      ...about,
      ...(resource.properties === undefined
        ? {}
        : { ResourceProperties: JSON.stringify(resource.properties) }),
      ...(token === undefined ? {} : { ClientRequestToken: token }),
    });
    this.#shown.set(resource.logicalId, { StackName: this.name, StackId: this.id, Timestamp: at, ...about });
  }

  /** Resources that an update has removed are shown no more. */
  forgetDeleted(): void {
    for (const [logicalId] of this.#shown) if (!this.resources.has(logicalId)) this.#shown.delete(logicalId);
  }

  describe(): ShownStack {
    return {
      StackId: this.id,
      StackName: this.name,
      ...(this.changeSetId === undefined ? {} : { ChangeSetId: this.changeSetId }),
      ...(this.target?.template.Description === undefined
        ? {}
        : { Description: this.target.template.Description }),
      Parameters: shownParameters(this.target?.parameters ?? new Map()),
      CreationTime: this.created,
      ...(this.deleted === undefined ? {} : { DeletionTime: this.deleted }),
      ...(this.updated === undefined ? {} : { LastUpdatedTime: this.updated }),
      RollbackConfiguration: {},
      StackStatus: this.#status,
      ...(this.#reason === undefined ? {} : { StackStatusReason: this.#reason }),
      DisableRollback: this.disableRollback,
      NotificationARNs: [...(this.target?.notificationArns ?? [])],
      Capabilities: [...(this.target?.capabilities ?? [])] as ShownStack['Capabilities'],
      Outputs: this.outputs.map((output) => ({
        OutputKey: output.key,
        OutputValue: output.value,
        ...(output.description === undefined ? {} : { Description: output.description }),
        ...(output.exportName === undefined ? {} : { ExportName: output.exportName }),
      })),
      ...(this.target?.roleArn === undefined ? {} : { RoleARN: this.target.roleArn }),
      Tags: [...(this.target?.tags ?? [])],
      EnableTerminationProtection: this.terminationProtection,
      DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
    };
  }

  /** Each event has a time of its own, so that order and ids are unique. */
  #event(id: string, event: Omit<StackEvent, 'StackId' | 'StackName' | 'EventId' | 'Timestamp'>): Date {
    this.#lastEvent = Math.max(this.#lastEvent + 1, Math.floor(this.#clock.now()));
    const at = new Date(this.#lastEvent);
    this.#events.unshift({
      StackId: this.id,
      StackName: this.name,
      EventId: id.endsWith('-') ? `${id}${at.toISOString()}` : id,
      Timestamp: at,
      ...event,
    });
    return at;
  }
}
