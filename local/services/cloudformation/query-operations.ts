/** The operations that only read stacks and templates. */

import type {
  DescribeStackEventsCommandInput,
  DescribeStackEventsCommandOutput,
  DescribeStackResourceCommandInput,
  DescribeStackResourceCommandOutput,
  DescribeStackResourcesCommandInput,
  DescribeStackResourcesCommandOutput,
  DescribeStacksCommandInput,
  DescribeStacksCommandOutput,
  GetStackPolicyCommandInput,
  GetStackPolicyCommandOutput,
  GetTemplateCommandInput,
  GetTemplateCommandOutput,
  GetTemplateSummaryCommandInput,
  GetTemplateSummaryCommandOutput,
  ListExportsCommandInput,
  ListExportsCommandOutput,
  ListImportsCommandInput,
  ListImportsCommandOutput,
  ListStackResourcesCommandInput,
  ListStackResourcesCommandOutput,
  ListStacksCommandInput,
  ListStacksCommandOutput,
  ParameterDeclaration,
  StackResource,
  ValidateTemplateCommandInput,
  ValidateTemplateCommandOutput,
} from '@aws-sdk/client-cloudformation';
import type { Operations, Output } from '../../call.ts';
import { asText } from './json.ts';
import { page } from './pages.ts';
import type { Stack } from './stack.ts';
import type { Stacks } from './stacks.ts';
import { capabilitiesOf, type Targets } from './targets.ts';
import { invalid, parseTemplate, type Template } from './template.ts';

export function queryOperations({ stacks, targets }: { stacks: Stacks; targets: Targets }): Operations {
  /** Some operations have words of their own for a stack that is not there. */
  const stackWithId = (name: string | undefined): Stack => {
    const stack = stacks.find(name ?? '');
    if (stack === undefined) throw invalid(`Stack with id ${name} does not exist`);
    return stack;
  };
  return {
    DescribeStacks(input: DescribeStacksCommandInput): Output<DescribeStacksCommandOutput> {
      const chosen = input.StackName === undefined ? stacks.live() : [stackWithId(input.StackName)];
      const { items, next } = page(chosen, input.NextToken);
      return { Stacks: items.map((stack) => stack.describe()), ...next };
    },

    ListStacks(input: ListStacksCommandInput): Output<ListStacksCommandOutput> {
      const wanted = input.StackStatusFilter ?? [];
      const chosen = stacks.all().filter(({ status }) => wanted.length === 0 || wanted.includes(status));
      const { items, next } = page(chosen, input.NextToken);
      return {
        StackSummaries: items.map((stack) => {
          const {
            StackId,
            StackName,
            CreationTime,
            DeletionTime,
            LastUpdatedTime,
            StackStatus,
            StackStatusReason,
            DriftInformation,
          } = stack.describe();
          const TemplateDescription = stack.template.Description;
          return {
            StackId,
            StackName,
            TemplateDescription,
            CreationTime,
            DeletionTime,
            LastUpdatedTime,
            StackStatus,
            StackStatusReason,
            DriftInformation: { StackDriftStatus: DriftInformation!.StackDriftStatus },
          };
        }),
        ...next,
      };
    },

    DescribeStackEvents(input: DescribeStackEventsCommandInput): Output<DescribeStackEventsCommandOutput> {
      const stack = stacks.get(input.StackName);
      const { items: StackEvents, next } = page(stack.events, input.NextToken);
      return { StackEvents, ...next };
    },

    DescribeStackResources(
      input: DescribeStackResourcesCommandInput,
    ): Output<DescribeStackResourcesCommandOutput> {
      const stack =
        input.StackName === undefined
          ? stacks.live().find(({ shownResources }) => shownResources.some(bears(input.PhysicalResourceId)))
          : stackWithId(input.StackName);
      if (stack === undefined) throw invalid(`Stack for ${input.PhysicalResourceId} does not exist`);
      const wanted = input.LogicalResourceId;
      const shown = stack.shownResources.filter(
        ({ LogicalResourceId }) => wanted === undefined || wanted === LogicalResourceId,
      );
      return { StackResources: shown.map((resource) => ({ ...resource, DriftInformation: notChecked })) };
    },

    DescribeStackResource(
      input: DescribeStackResourceCommandInput,
    ): Output<DescribeStackResourceCommandOutput> {
      const stack = stacks.find(input.StackName!);
      if (stack === undefined) throw invalid(`Stack '${input.StackName}' does not exist`);
      const found = stack.shownResources.find(
        ({ LogicalResourceId }) => LogicalResourceId === input.LogicalResourceId,
      );
      if (found === undefined) {
        throw invalid(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
      }
      const { Timestamp, ...rest } = found;
      const metadata = stack.template.Resources[found.LogicalResourceId!]?.Metadata;
      return {
        StackResourceDetail: {
          ...rest,
          LastUpdatedTimestamp: Timestamp,
          DriftInformation: notChecked,
          ...(metadata === undefined ? {} : { Metadata: JSON.stringify(metadata) }),
        },
      };
    },

    ListStackResources(input: ListStackResourcesCommandInput): Output<ListStackResourcesCommandOutput> {
      const { items, next } = page(stackWithId(input.StackName).shownResources, input.NextToken);
      return {
        StackResourceSummaries: items.map(({ StackId: _id, StackName: _name, Timestamp, ...rest }) => ({
          ...rest,
          LastUpdatedTimestamp: Timestamp,
          DriftInformation: notChecked,
        })),
        ...next,
      };
    },

    GetTemplate(input: GetTemplateCommandInput): Output<GetTemplateCommandOutput> {
      return { TemplateBody: stackWithId(input.StackName).body, StagesAvailable: ['Original', 'Processed'] };
    },

    async GetTemplateSummary(
      input: GetTemplateSummaryCommandInput,
    ): Promise<Output<GetTemplateSummaryCommandOutput>> {
      const body =
        input.StackName === undefined ? await targets.body(input) : stackWithId(input.StackName).body;
      const template = parseTemplate(body);
      return {
        Parameters: declarations(template),
        ...(template.Description === undefined ? {} : { Description: template.Description }),
        Capabilities: capabilitiesOf(template),
        ResourceTypes: [...new Set(Object.values(template.Resources).map(({ Type }) => Type))],
      };
    },

    async ValidateTemplate(
      input: ValidateTemplateCommandInput,
    ): Promise<Output<ValidateTemplateCommandOutput>> {
      const template = parseTemplate(await targets.body(input));
      return {
        Parameters: declarations(template).map(({ ParameterKey, DefaultValue, NoEcho, Description }) => ({
          ParameterKey,
          DefaultValue,
          NoEcho,
          Description,
        })),
        ...(template.Description === undefined ? {} : { Description: template.Description }),
        Capabilities: capabilitiesOf(template),
      };
    },

    ListExports(input: ListExportsCommandInput): Output<ListExportsCommandOutput> {
      const exports = stacks
        .live()
        .flatMap((stack) =>
          stack.outputs.flatMap(({ exportName, value }) =>
            exportName === undefined ? [] : [{ ExportingStackId: stack.id, Name: exportName, Value: value }],
          ),
        );
      const { items: Exports, next } = page(exports, input.NextToken);
      return { Exports, ...next };
    },

    ListImports(input: ListImportsCommandInput): Output<ListImportsCommandOutput> {
      const importers = stacks.importers(input.ExportName!).map(({ name }) => name);
      if (importers.length === 0) throw invalid(`Export '${input.ExportName}' is not imported by any stack.`);
      const { items: Imports, next } = page(importers, input.NextToken);
      return { Imports, ...next };
    },

    GetStackPolicy(input: GetStackPolicyCommandInput): Output<GetStackPolicyCommandOutput> {
      const { policy } = stacks.get(input.StackName);
      return policy === undefined ? {} : { StackPolicyBody: policy };
    },
  };
}

const notChecked = { StackResourceDriftStatus: 'NOT_CHECKED' } as const;

function bears(physicalId: string | undefined): (resource: StackResource) => boolean {
  return ({ PhysicalResourceId }) => PhysicalResourceId === physicalId;
}

function declarations(template: Template): ParameterDeclaration[] {
  return Object.entries(template.Parameters).map(([ParameterKey, definition]) => ({
    ParameterKey,
    ...(definition.Default === undefined ? {} : { DefaultValue: asText(definition.Default) }),
    ParameterType: definition.Type,
    NoEcho: String(definition.NoEcho) === 'true',
    ...(definition.Description === undefined ? {} : { Description: definition.Description }),
    ...(definition.AllowedValues === undefined
      ? {}
      : { ParameterConstraints: { AllowedValues: definition.AllowedValues.map(String) } }),
  }));
}
