/** AWS::ECR::Repository */
import type { CreateRepositoryCommandOutput } from '@aws-sdk/client-ecr';
import { isObject } from '../json.ts';
import { document, type Properties, type ResourceType, type Scope, truth } from '../resource-type.ts';

const service = 'ecr';

async function policies(scope: Scope, repositoryName: string, properties: Properties): Promise<void> {
  const lifecycle = isObject(properties['LifecyclePolicy'])
    ? properties['LifecyclePolicy']['LifecyclePolicyText']
    : undefined;
  if (typeof lifecycle === 'string') {
    await scope.send(service, 'PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: lifecycle });
  }
  const policyText = document(properties['RepositoryPolicyText']);
  if (policyText !== undefined)
    await scope.send(service, 'SetRepositoryPolicy', { repositoryName, policyText });
}

export const repository: ResourceType = {
  replacedBy: ['RepositoryName', 'EncryptionConfiguration'],
  nameProperty: 'RepositoryName',
  tagging: {
    service,
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ attributes }) => ({ resourceArn: attributes['Arn']! }),
  },
  async create(scope, properties) {
    const {
      EmptyOnDelete: _empty,
      LifecyclePolicy: _lifecycle,
      RepositoryPolicyText: _policy,
      ...rest
    } = properties;
    const { repository: created } = await scope.send<CreateRepositoryCommandOutput>(
      service,
      'CreateRepository',
      {
        ...rest,
        RepositoryName: rest['RepositoryName'] ?? scope.name({ limit: 256, lowerCase: true }),
      },
    );
    const { repositoryName, repositoryArn, repositoryUri } = created!;
    scope.exists(repositoryName!);
    await policies(scope, repositoryName!, properties);
    return {
      physicalId: repositoryName!,
      attributes: { Arn: repositoryArn!, RepositoryUri: repositoryUri! },
    };
  },
  async update(scope, properties, current) {
    const { ImageTagMutability, ImageTagMutabilityExclusionFilters, ImageScanningConfiguration } = properties;
    const repositoryName = current.physicalId;
    await scope.send(service, 'PutImageTagMutability', {
      repositoryName,
      imageTagMutability: ImageTagMutability ?? 'MUTABLE',
      imageTagMutabilityExclusionFilters: ImageTagMutabilityExclusionFilters,
    });
    if (ImageScanningConfiguration !== undefined) {
      await scope.send(service, 'PutImageScanningConfiguration', {
        repositoryName,
        imageScanningConfiguration: ImageScanningConfiguration,
      });
    }
    await policies(scope, repositoryName, properties);
    return current;
  },
  delete: (scope, { physicalId, properties }) =>
    scope.send(service, 'DeleteRepository', {
      repositoryName: physicalId,
      force: truth(properties['EmptyOnDelete']),
    }),
};
