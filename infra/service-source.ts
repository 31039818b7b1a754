/** What a service deploys, and what announces it: the images of a repository (`image-source.ts`), or AMIs (`ami-source.ts`). */
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type * as z from 'zod';
import type { serviceSettings } from '../functions/core/service-settings.ts';

export interface ServiceSource {
  /** Its part of the settings. */
  readonly settings: Pick<
    z.input<typeof serviceSettings>,
    'repository' | 'repositoryUri' | 'tags' | 'labels' | 'findings'
  >;
  /** Tagged, so that deployments may keep its images; undefined where there is none: AMIs are kept by their own tags. */
  readonly repository: IRepository | undefined;
  /** What starts a deployment. */
  readonly rule: {
    readonly description: string;
    readonly pattern: EventPattern;
    /** What is handed on of the event, with fields of it (`EventField`). */
    readonly event: unknown;
  };
  /** What members of the settings are called where they are said. */
  readonly propOf: readonly (readonly [member: RegExp, prop: string])[];
  /** What is wrong with it, beside what the settings' own schema finds. */
  readonly mistakes: readonly string[];
}
