/** What kind of EC2's resources an id is of, as ARNs and tag specifications name it. */
import type { ResourceType } from '@aws-sdk/client-ec2';

const kinds: Readonly<Record<string, ResourceType>> = {
  ami: 'image',
  eipalloc: 'elastic-ip',
  eni: 'network-interface',
  fl: 'vpc-flow-log',
  i: 'instance',
  igw: 'internet-gateway',
  lt: 'launch-template',
  nat: 'natgateway',
  rtb: 'route-table',
  sg: 'security-group',
  snap: 'snapshot',
  subnet: 'subnet',
  vol: 'volume',
  vpc: 'vpc',
  vpce: 'vpc-endpoint',
};

export function ec2Kind(id: string): ResourceType | undefined {
  return kinds[id.split('-')[0] ?? ''];
}
