/** AWS::S3::Bucket. Encryption, life cycle, logging and public access are kept as written: the embedded S3 has none. */
import { region } from '../../../account.ts';
import { type Current, type Provisioned, type ResourceType, textOf } from '../resource-type.ts';

function provisioned(bucket: string): Provisioned {
  return {
    physicalId: bucket,
    attributes: {
      Arn: `arn:aws:s3:::${bucket}`,
      DomainName: `${bucket}.s3.amazonaws.com`,
      DualStackDomainName: `${bucket}.s3.dualstack.${region}.amazonaws.com`,
      RegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
      WebsiteURL: `http://${bucket}.s3-website-${region}.amazonaws.com`,
    },
  };
}

export const bucket: ResourceType = {
  replacedBy: ['BucketName', 'ObjectLockEnabled'],
  nameProperty: 'BucketName',
  async create(scope, properties) {
    const Bucket = textOf(properties, 'BucketName') ?? scope.name({ limit: 63, lowerCase: true });
    await scope.buckets.create(Bucket);
    return provisioned(Bucket);
  },
  update: (_scope, _properties, current: Current) => Promise.resolve(current),
  delete: (scope, { physicalId }) => scope.buckets.delete(physicalId),
};
