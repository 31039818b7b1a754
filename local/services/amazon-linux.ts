/**
 * The images of Amazon Linux that AWS offers to everyone, and the public parameters that name them
 * (https://docs.aws.amazon.com/linux/al2023/ug/ec2.html). AWS publishes new ones every few weeks; here they stay the same.
 */
import type { ArchitectureValues } from '@aws-sdk/client-ec2';

export interface PublicImage {
  readonly id: string;
  readonly name: string;
  readonly architecture: ArchitectureValues;
  readonly publishedAt: Date;
  /** Parameters of Parameter Store whose value is the image's id. */
  readonly parameters: readonly string[];
}

const folder = '/aws/service/ami-amazon-linux-latest';

function image(id: string, architecture: ArchitectureValues): PublicImage {
  return {
    id,
    architecture,
    name: `al2023-ami-2023.6.20241212.0-kernel-6.1-${architecture}`,
    publishedAt: new Date('2024-12-12T00:00:00Z'),
    parameters: ['kernel-default', 'kernel-6.1'].map(
      (kernel) => `${folder}/al2023-ami-${kernel}-${architecture}`,
    ),
  };
}

export const amazonLinux: readonly PublicImage[] = [
  image('ami-0a120230000000064', 'x86_64'),
  image('ami-0a120230000000a64', 'arm64'),
];
