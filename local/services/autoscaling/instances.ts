/** What stands behind the instances of a group: processes, or a model of them. */
import type { Address } from '../../tasks/task.ts';

/** What the instance may learn from the metadata service, and how. */
export interface MetadataAccess {
  readonly isEnabled: boolean;
  /** `required`: IMDSv2 alone. */
  readonly tokens: 'optional' | 'required';
  /** Whether its tags are shown. */
  readonly tags: boolean;
}

export interface InstanceSpec {
  readonly id: string;
  readonly imageId: string | undefined;
  readonly instanceType: string | undefined;
  /** As the launch template has it: base64. */
  readonly userData: string | undefined;
  /** Name or ARN. */
  readonly instanceProfile: string | undefined;
  readonly metadata: MetadataAccess;
  readonly subnetId: string;
  readonly availabilityZone: string;
  readonly privateIp: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface RunningInstance {
  /** Where one of its ports can really be reached. */
  address(port: number): Address;
  /** What it has written to its console so far. */
  console?(): string;
  /** Resolves when it has ended; a second time at once. */
  terminate(): Promise<void>;
}

export interface Instances {
  /**
   * Resolves when EC2 would have answered RunInstances; rejects with an `Error` in EC2's words, such as
   * `noCapacity` makes. `onExit` is told when the instance ends without having been terminated by its group.
   */
  launch(spec: InstanceSpec, onExit: () => void): Promise<RunningInstance>;
}

/** `InsufficientInstanceCapacity`, as in https://github.com/2i2c-org/infrastructure/issues/3334. `others`: zones that have some. */
export function noCapacity(instanceType: string, zone: string, others: readonly string[]): Error {
  const elsewhere = ` You can currently get ${instanceType} capacity by not specifying an Availability Zone in your request or choosing ${others.join(', ')}.`;
  return new Error(
    `We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${zone}). ` +
      `Our system will be working on provisioning additional capacity.${others.length === 0 ? '' : elsewhere}`,
  );
}
