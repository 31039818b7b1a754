/** One launch template: its numbered versions, and what `$Latest`, `$Default` and numbers mean in it. */
import type {
  LaunchTemplate as Description,
  LaunchTemplateVersion,
  ResponseLaunchTemplateData,
  Tag,
} from '@aws-sdk/client-ec2';
import { AwsError } from '../../call.ts';
import type { Tagged } from './resources.ts';

/** Who made a template or a version of it, and when. */
export interface Origin {
  readonly createTime: Date;
  readonly createdBy: string;
}

export interface Version extends Origin {
  readonly number: number;
  readonly description: string | undefined;
  readonly content: ResponseLaunchTemplateData;
}

export class LaunchTemplate implements Tagged {
  readonly id: string;
  readonly name: string;
  Tags: Tag[];
  readonly #origin: Origin;
  readonly #versions = new Map<number, Version>();
  #numbered = 0;
  #default = 1;

  constructor(options: { id: string; name: string; tags: Tag[]; origin: Origin }) {
    this.id = options.id;
    this.name = options.name;
    this.Tags = options.tags;
    this.#origin = options.origin;
  }

  /**
   * The next number, whatever was deleted: "You can't replace the version number after you delete it"
   * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/delete-launch-template.html).
   */
  add(content: ResponseLaunchTemplateData, description: string | undefined, origin: Origin): Version {
    const version = { number: ++this.#numbered, content, description, ...origin };
    this.#versions.set(version.number, version);
    return version;
  }

  /** Newest first, as EC2 lists them. */
  versions(): Version[] {
    return [...this.#versions.values()].reverse();
  }

  find(wanted: string): Version | undefined {
    if (wanted === '$Latest') return this.versions()[0];
    if (wanted === '$Default') return this.#versions.get(this.#default);
    if (!/^\d+$/.test(wanted))
      throw new AwsError(
        'InvalidParameterValue',
        `Invalid launch template version: '${wanted}'. Either '$Default', '$Latest', or a numeric version are allowed.`,
      );
    return this.#versions.get(Number(wanted));
  }

  version(wanted: string): Version {
    const found = this.find(wanted);
    if (found === undefined)
      throw new AwsError(
        'InvalidLaunchTemplateId.VersionNotFound',
        `Could not find the specified version ${wanted} for the launch template with ID ${this.id}.`,
      );
    return found;
  }

  isDefault(version: Version): boolean {
    return version.number === this.#default;
  }

  makeDefault(version: Version): void {
    this.#default = version.number;
  }

  remove(version: Version): void {
    this.#versions.delete(version.number);
  }

  describe(): Description {
    return {
      LaunchTemplateId: this.id,
      LaunchTemplateName: this.name,
      CreateTime: this.#origin.createTime,
      CreatedBy: this.#origin.createdBy,
      DefaultVersionNumber: this.#default,
      LatestVersionNumber: this.versions()[0]?.number,
      Tags: this.Tags,
    };
  }

  describeVersion(version: Version): LaunchTemplateVersion {
    return {
      LaunchTemplateId: this.id,
      LaunchTemplateName: this.name,
      VersionNumber: version.number,
      VersionDescription: version.description,
      CreateTime: version.createTime,
      CreatedBy: version.createdBy,
      DefaultVersion: this.isDefault(version),
      LaunchTemplateData: version.content,
    };
  }
}
