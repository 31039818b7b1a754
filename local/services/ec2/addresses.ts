/** The network interfaces and private addresses that ECS's tasks take in a subnet. */
import type { NetworkInterface } from '@aws-sdk/client-ec2';
import { accountId } from '../../account.ts';
import { dotted, parseBlock } from './cidr.ts';
import { type Random, resourceId } from './resources.ts';

/**
 * The first four addresses of a subnet and the last one cannot be had.
 * https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
 */
const reservedAtStart = 4;
const reservedAtEnd = 1;

export interface SubnetRange {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly cidr: string;
  readonly availabilityZone: string;
}

export interface TaskAddress {
  readonly privateIp: string;
  readonly availabilityZone: string;
  readonly eniId: string;
  readonly mac: string;
}

export class Addresses {
  readonly #random: Random;
  readonly #bySubnet = new Map<string, Map<number, string>>();
  readonly #interfaces = new Map<string, { address: number; subnetId: string; shown: NetworkInterface }>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Takes a free address at random, as EC2 does. `undefined` when the subnet has none left. */
  take(subnet: SubnetRange): TaskAddress | undefined {
    const block = parseBlock(subnet.cidr)!;
    const taken = this.#takenIn(subnet.subnetId);
    const usable = block.size - reservedAtStart - reservedAtEnd;
    if (taken.size >= usable) return undefined;
    let offset = Math.floor(this.#random() * usable);
    while (taken.has(block.first + reservedAtStart + offset)) offset = (offset + 1) % usable;
    const address = block.first + reservedAtStart + offset;
    const eniId = resourceId('eni', this.#random);
    const mac = `02:${Array.from({ length: 5 }, () =>
      Math.floor(this.#random() * 256)
        .toString(16)
        .padStart(2, '0'),
    ).join(':')}`;
    const privateIp = dotted(address);
    taken.set(address, eniId);
    this.#interfaces.set(eniId, {
      address,
      subnetId: subnet.subnetId,
      shown: {
        NetworkInterfaceId: eniId,
        SubnetId: subnet.subnetId,
        VpcId: subnet.vpcId,
        AvailabilityZone: subnet.availabilityZone,
        PrivateIpAddress: privateIp,
        PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: privateIp }],
        MacAddress: mac,
        OwnerId: accountId,
        InterfaceType: 'interface',
        RequesterManaged: true,
        Status: 'in-use',
      },
    });
    return { privateIp, availabilityZone: subnet.availabilityZone, eniId, mac };
  }

  release(eniId: string): void {
    const held = this.#interfaces.get(eniId);
    if (held === undefined) return;
    this.#interfaces.delete(eniId);
    this.#takenIn(held.subnetId).delete(held.address);
  }

  available(subnetId: string, cidr: string): number {
    return parseBlock(cidr)!.size - reservedAtStart - reservedAtEnd - this.#takenIn(subnetId).size;
  }

  inUse(subnetId: string): boolean {
    return this.#takenIn(subnetId).size > 0;
  }

  interfaces(): NetworkInterface[] {
    return [...this.#interfaces.values()].map(({ shown }) => shown);
  }

  #takenIn(subnetId: string): Map<number, string> {
    let taken = this.#bySubnet.get(subnetId);
    if (taken === undefined) this.#bySubnet.set(subnetId, (taken = new Map()));
    return taken;
  }
}
