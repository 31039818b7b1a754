/** What ECS asks of the VPC: an elastic network interface of its own for each task (network mode `awsvpc`). */

export interface NetworkInterfaceAddress {
  readonly eniId: string;
  readonly privateIp: string;
  readonly mac: string;
  readonly availabilityZone: string;
}

export interface Network {
  /** Creates a network interface in the subnet, each time a new one; `undefined` for a subnet that does not exist. */
  address(subnetId: string): NetworkInterfaceAddress | undefined;
  /** Absent: `address` is asked instead. */
  subnetExists?(subnetId: string): boolean;
  /** Absent: every security group is taken to exist. */
  securityGroupExists?(securityGroupId: string): boolean;
  /** The task is gone and its interface with it. */
  release?(eniId: string): void;
}
