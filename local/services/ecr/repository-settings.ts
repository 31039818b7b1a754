/** What a repository has beside its images: tags, policies, scanning. Kept and given back, not acted on. */
import type { EncryptionConfiguration, ImageScanningConfiguration, Tag } from '@aws-sdk/client-ecr';

export interface RepositorySettings {
  scanning: ImageScanningConfiguration;
  readonly encryption: EncryptionConfiguration;
  readonly tags: Map<string, string>;
  lifecyclePolicy?: string;
  policy?: string;
}

export function addTags(settings: RepositorySettings, tags: readonly Tag[] | undefined): void {
  for (const tag of tags ?? []) {
    if (tag.Key !== undefined) settings.tags.set(tag.Key, tag.Value ?? '');
  }
}

export function listTags(settings: RepositorySettings): Tag[] {
  return [...settings.tags].map(([Key, Value]) => ({ Key, Value }));
}
