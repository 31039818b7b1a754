/** Types that are kept as they are written: nothing in the embedded AWS acts on them. */
import { randomUUID } from 'node:crypto';
import { arn } from '../../../account.ts';
import { type Provisioned, type ResourceType, requiredText } from '../resource-type.ts';

const nothing = (): Promise<void> => Promise.resolve();

/** Encryption is not modelled: a key is its id. */
export const key: ResourceType = {
  create: () => {
    const KeyId = randomUUID();
    return Promise.resolve({ physicalId: KeyId, attributes: { KeyId, Arn: arn('kms', `key/${KeyId}`) } });
  },
  update: (_scope, _properties, current) => Promise.resolve(current),
  delete: nothing,
};

export const keyAlias: ResourceType = {
  replacedBy: ['AliasName'],
  create: (_scope, properties) => {
    const physicalId = requiredText(properties, 'AliasName');
    return Promise.resolve({
      physicalId,
      attributes: { TargetKeyId: requiredText(properties, 'TargetKeyId') },
    });
  },
  update: (_scope, _properties, current) => Promise.resolve(current),
  delete: nothing,
};

/** The embedded S3 has no bucket policies: whoever reaches the port may read and write. */
export const bucketPolicy: ResourceType = {
  replacedBy: ['Bucket'],
  create: (_scope, properties): Promise<Provisioned> =>
    Promise.resolve({ physicalId: requiredText(properties, 'Bucket'), attributes: {} }),
  update: (_scope, _properties, current) => Promise.resolve(current),
  delete: nothing,
};

/** What the CDK tells AWS of its own use. */
export const cdkMetadata: ResourceType = {
  create: (scope) => Promise.resolve({ physicalId: scope.name({ limit: 128 }), attributes: {} }),
  update: (_scope, _properties, current) => Promise.resolve(current),
  delete: nothing,
};
