/** A function: its `$LATEST`, published versions, aliases and what is set on it as a whole. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { AliasConfiguration, DestinationConfig, FunctionConfiguration } from '@aws-sdk/client-lambda';
import { AwsError } from '../../call.ts';
import type { CodePackage } from './code.ts';
import type { Environments } from './environments.ts';
import { functionArn, functionNotFound } from './function-name.ts';
import { describe, type Settings } from './settings.ts';

export const latest = '$LATEST';

/** Code and configuration that never change once made: an update of `$LATEST` makes another object. */
export interface FunctionVersion {
  readonly functionName: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly settings: Settings;
  readonly code: CodePackage;
  readonly revisionId: string;
  readonly lastModified: Date;
  readonly environments: Environments;
}

export interface Alias {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly revisionId: string;
}

export interface AsyncSettings {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeInSeconds: number;
  readonly destinations: DestinationConfig;
  readonly lastModified: Date;
}

/** A statement of the resource policy, as GetPolicy shows it. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: unknown;
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type NewVersion = (
  functionName: string,
  version: string,
  settings: Settings,
  code: CodePackage,
) => FunctionVersion;

export class LambdaFunction {
  readonly name: string;
  readonly versions = new Map<string, FunctionVersion>();
  readonly aliases = new Map<string, Alias>();
  readonly tags: Map<string, string>;
  /** By qualifier, `''` for the function itself. */
  readonly statements = new Map<string, Statement[]>();
  /** By qualifier, `$LATEST` when none was given. */
  readonly asyncSettings = new Map<string, AsyncSettings>();
  reservedConcurrency: number | undefined;
  /** Invocations in flight, of all versions. */
  running = 0;
  readonly #newVersion: NewVersion;
  #latest: FunctionVersion;
  #published = 0;

  constructor(options: {
    name: string;
    settings: Settings;
    code: CodePackage;
    tags: Readonly<Record<string, string>>;
    newVersion: NewVersion;
  }) {
    this.name = options.name;
    this.tags = new Map(Object.entries(options.tags));
    this.#newVersion = options.newVersion;
    this.#latest = options.newVersion(options.name, latest, options.settings, options.code);
  }

  get latest(): FunctionVersion {
    return this.#latest;
  }

  /** Changes `$LATEST`: invocations that run keep the old code, new ones get new environments. */
  async update(change: { settings?: Settings; code?: CodePackage }): Promise<void> {
    const old = this.#latest;
    const { settings = old.settings, code = old.code } = change;
    this.#latest = this.#newVersion(this.name, latest, settings, code);
    await old.environments.retire();
  }

  /** A version of what `$LATEST` is; the newest one again when nothing has changed since. */
  publish(description: string | undefined): FunctionVersion {
    const { settings, code } = this.#latest;
    const newest = this.versions.get(String(this.#published));
    if (
      newest !== undefined &&
      newest.code.sha256 === code.sha256 &&
      isDeepStrictEqual({ ...newest.settings, Description: '' }, { ...settings, Description: '' })
    ) {
      return newest;
    }
    this.#published += 1;
    const version = this.#newVersion(
      this.name,
      String(this.#published),
      description === undefined ? settings : { ...settings, Description: description },
      code,
    );
    this.versions.set(version.version, version);
    return version;
  }

  /** The version that a qualifier stands for; an alias with weights picks by `random`. */
  resolve(qualifier: string | undefined, random: () => number = () => 1): FunctionVersion {
    if (qualifier === undefined || qualifier === latest) return this.#latest;
    const alias = this.aliases.get(qualifier);
    const number = alias === undefined ? qualifier : pick(alias, random());
    const version = this.versions.get(number);
    if (version === undefined) throw functionNotFound(this.name, qualifier);
    return version;
  }

  describe(version: FunctionVersion, qualified: boolean): FunctionConfiguration {
    return describe({ ...version, description: version.settings.Description, qualified });
  }

  describeAlias(alias: Alias): AliasConfiguration {
    return {
      AliasArn: functionArn(this.name, alias.name),
      Name: alias.name,
      FunctionVersion: alias.version,
      Description: alias.description,
      RevisionId: alias.revisionId,
      ...(Object.keys(alias.weights).length === 0
        ? {}
        : { RoutingConfig: { AdditionalVersionWeights: { ...alias.weights } } }),
    };
  }

  /** Ends everything that runs. */
  async kill(): Promise<void> {
    await Promise.all(
      [this.#latest, ...this.versions.values()].map(({ environments }) => environments.kill()),
    );
  }

  /** Fails unless the caller saw the revision that is current. */
  checkRevision(expected: string | undefined, current: string): void {
    if (expected === undefined || expected === current) return;
    throw new AwsError(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
      { status: 412 },
    );
  }
}

export function newRevision(): string {
  return randomUUID();
}

function pick(alias: Alias, random: number): string {
  let rest = random;
  for (const [version, weight] of Object.entries(alias.weights)) {
    if (rest < weight) return version;
    rest -= weight;
  }
  return alias.version;
}
