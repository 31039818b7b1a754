/**
 * The operations on launch templates. What a version holds is kept and shown, never judged, as EC2 itself judges it only
 * when something is launched. Left out, and refused where asked for: filters on what versions hold, `ResolveAlias`.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  CreateLaunchTemplateCommandInput,
  CreateLaunchTemplateCommandOutput,
  CreateLaunchTemplateVersionCommandInput,
  CreateLaunchTemplateVersionCommandOutput,
  DeleteLaunchTemplateCommandInput,
  DeleteLaunchTemplateCommandOutput,
  DescribeLaunchTemplatesCommandInput,
  DescribeLaunchTemplatesCommandOutput,
  ModifyLaunchTemplateCommandInput,
  ModifyLaunchTemplateCommandOutput,
  RequestLaunchTemplateData,
  ResponseLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { principalArn } from '../../iam/principal-arn.ts';
import { LaunchTemplate, type Origin } from './launch-template.ts';
import { launchTemplateVersionOperations } from './launch-template-versions.ts';
import { filtered, page, type Random, resourceId, type TaggedKind, tagsOf } from './resources.ts';

/** How requests name a template: by either, never both. */
export interface TemplateName {
  readonly LaunchTemplateId?: string | undefined;
  readonly LaunchTemplateName?: string | undefined;
}

interface Answered {
  readonly input: object;
  readonly output: object;
}

export class LaunchTemplates {
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #templates = new Map<string, LaunchTemplate>();
  readonly #answered = new Map<string, Answered>();
  readonly operations: Operations;

  constructor(options: { random: Random; clock: Clock }) {
    this.#random = options.random;
    this.#clock = options.clock;
    this.operations = {
      CreateLaunchTemplate: this.#create.bind(this),
      CreateLaunchTemplateVersion: this.#createVersion.bind(this),
      ModifyLaunchTemplate: this.#modify.bind(this),
      DescribeLaunchTemplates: this.#describe.bind(this),
      DeleteLaunchTemplate: this.#delete.bind(this),
      ...launchTemplateVersionOperations({
        all: () => this.all(),
        template: (named) => this.template(named),
      }),
    };
  }

  all(): LaunchTemplate[] {
    return [...this.#templates.values()];
  }

  get tagged(): TaggedKind[] {
    return [{ find: (id) => this.#templates.get(id), entries: () => this.#templates }];
  }

  /** Codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html; words as the issues of users have them. */
  template({ LaunchTemplateId: id, LaunchTemplateName: name }: TemplateName): LaunchTemplate {
    if ((id === undefined) === (name === undefined))
      throw new AwsError(
        id === undefined ? 'MissingParameter' : 'InvalidParameterCombination',
        'Either the launch template ID or the launch template name must be specified, but not both.',
      );
    if (id !== undefined && !/^lt-[0-9a-f]{8,17}$/.test(id))
      throw new AwsError('InvalidLaunchTemplateId.Malformed', `Invalid launch template ID: "${id}"`);
    const found = this.all().find((template) => template.id === id || template.name === name);
    if (found !== undefined) return found;
    throw id === undefined
      ? new AwsError(
          'InvalidLaunchTemplateName.NotFoundException',
          `The specified launch template, with template name ${name}, does not exist.`,
        )
      : new AwsError(
          'InvalidLaunchTemplateId.NotFound',
          `The specified launch template, with template ID ${id}, does not exist.`,
        );
  }

  #create(input: CreateLaunchTemplateCommandInput, call: Call): Output<CreateLaunchTemplateCommandOutput> {
    return this.#once(input.ClientToken, input, () => {
      const { LaunchTemplateName: name = '', TagSpecifications, VersionDescription } = input;
      if (!/^[a-zA-Z0-9().\-/_]{3,128}$/.test(name))
        throw new AwsError(
          'InvalidLaunchTemplateName.MalformedException',
          'A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.',
        );
      if (this.all().some((template) => template.name === name))
        throw new AwsError(
          'InvalidLaunchTemplateName.AlreadyExistsException',
          'Launch template name already in use.',
        );
      const origin = this.#origin(call);
      const id = resourceId('lt', this.#random);
      const template = new LaunchTemplate({ id, name, tags: tagsOf(TagSpecifications), origin });
      template.add(shown(input.LaunchTemplateData), VersionDescription, origin);
      this.#templates.set(id, template);
      return { LaunchTemplate: template.describe() };
    });
  }

  /** "The new version inherits the same launch parameters as the source version, except for parameters that you specify." */
  #createVersion(
    input: CreateLaunchTemplateVersionCommandInput,
    call: Call,
  ): Output<CreateLaunchTemplateVersionCommandOutput> {
    if (input.ResolveAlias === true) throw aliasesAreNotResolved();
    return this.#once(input.ClientToken, input, () => {
      const template = this.template(input);
      const source = input.SourceVersion === undefined ? {} : template.version(input.SourceVersion).content;
      const content = { ...source, ...shown(input.LaunchTemplateData) };
      const version = template.add(content, input.VersionDescription, this.#origin(call));
      return { LaunchTemplateVersion: template.describeVersion(version) };
    });
  }

  #modify(input: ModifyLaunchTemplateCommandInput): Output<ModifyLaunchTemplateCommandOutput> {
    const template = this.template(input);
    if (input.DefaultVersion !== undefined) {
      const version = template.find(input.DefaultVersion);
      if (version === undefined)
        throw new AwsError(
          'InvalidLaunchTemplateId.VersionNotFound',
          'Could not find launch template version',
        );
      template.makeDefault(version);
    }
    return { LaunchTemplate: template.describe() };
  }

  #describe(input: DescribeLaunchTemplatesCommandInput): Output<DescribeLaunchTemplatesCommandOutput> {
    const { LaunchTemplateIds: ids = [], LaunchTemplateNames: names = [] } = input;
    const chosen = [
      ...ids.map((LaunchTemplateId) => this.template({ LaunchTemplateId })),
      ...names.map((LaunchTemplateName) => this.template({ LaunchTemplateName })),
    ];
    const found = filtered(chosen.length > 0 ? chosen : this.all(), input.Filters, {
      'launch-template-name': ({ name }) => [name],
      'tag-key': ({ Tags }) => Tags.map(({ Key }) => Key),
    });
    const { items, ...more } = page(found, input.MaxResults ?? 200, input.NextToken);
    return { LaunchTemplates: items.map((template) => template.describe()), ...more };
  }

  /** All its versions go; who still refers to it learns of it at the next launch. */
  #delete(input: DeleteLaunchTemplateCommandInput): Output<DeleteLaunchTemplateCommandOutput> {
    const template = this.template(input);
    this.#templates.delete(template.id);
    return { LaunchTemplate: template.describe() };
  }

  #origin({ principal }: Call): Origin {
    return { createTime: new Date(this.#clock.now()), createdBy: principalArn(principal) };
  }

  /** https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html; tokens are kept for good here. */
  #once<T extends object>(token: string | undefined, input: object, act: () => T): T {
    if (token === undefined) return act();
    const known = this.#answered.get(token);
    if (known !== undefined && !isDeepStrictEqual(known.input, input))
      throw new AwsError(
        'IdempotentParameterMismatch',
        'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      );
    const output = (known?.output as T | undefined) ?? act();
    this.#answered.set(token, { input, output });
    return output;
  }
}

/** What was sent, without members that were not. */
function shown(content: RequestLaunchTemplateData | undefined): ResponseLaunchTemplateData {
  const given = Object.entries(content ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as ResponseLaunchTemplateData;
}

function aliasesAreNotResolved(): AwsError {
  return new AwsError('UnsupportedOperation', 'ResolveAlias is not modelled by the embedded AWS');
}
