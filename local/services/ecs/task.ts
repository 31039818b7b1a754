/**
 * One Fargate task: PROVISIONING → PENDING → ACTIVATING → RUNNING → DEACTIVATING → STOPPING → DEPROVISIONING → STOPPED,
 * as a process that the runner starts from the pulled image. Each change raises `version` by one and is announced.
 */
import type {
  ContainerDefinition,
  Task as TaskDescription,
  TaskOverride,
  TaskStopCode,
} from '@aws-sdk/client-ecs';
import type { Timer } from '../../clock.ts';
import type { PulledImage } from '../../registry/image-store.ts';
import type { RunningTask, TaskExit } from '../../tasks/task.ts';
import type { Target } from '../elbv2/targets.ts';
import { containerArn, taskArn } from './arns.ts';
import type { Delay } from './delays.ts';
import type { NetworkInterfaceAddress } from './network.ts';
import { follow, type Platform } from './platform.ts';
import type { TaskDefinitionRecord } from './task-definitions.ts';
import { describeTask } from './task-description.ts';
import { taskSpec } from './task-spec.ts';

export type TaskStatus =
  | 'PROVISIONING'
  | 'PENDING'
  | 'ACTIVATING'
  | 'RUNNING'
  | 'DEACTIVATING'
  | 'STOPPING'
  | 'DEPROVISIONING'
  | 'STOPPED';

/** A container port that a task is to receive traffic on. */
export interface TargetPort {
  readonly targetGroupArn: string;
  readonly containerPort: number;
}

export interface TaskRequest {
  readonly cluster: { readonly name: string; readonly arn: string };
  readonly taskDefinition: TaskDefinitionRecord;
  readonly subnet: string;
  /** `service:web` or `family:web`. */
  readonly group: string;
  readonly startedBy?: string | undefined;
  readonly overrides?: TaskOverride | undefined;
  readonly targetPorts: readonly TargetPort[];
  readonly enableExecuteCommand?: boolean | undefined;
  readonly capacityProvider?: string | undefined;
  readonly onChange?: (task: Task) => void;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html: 30 s unless told. */
const defaultStopTimeoutMs = 30_000;

export class Task {
  readonly id: string;
  readonly arn: string;
  readonly request: TaskRequest;
  readonly attachmentIds: { readonly eni: string; readonly elb: string };
  readonly containerArn: string;
  readonly createdAt: Date;
  lastStatus: TaskStatus = 'PROVISIONING';
  desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING';
  version = 0;
  updatedAt: Date;
  interface: NetworkInterfaceAddress | undefined;
  imageDigest: string | undefined;
  runtimeId: string | undefined;
  exitCode: number | undefined;
  containerReason: string | undefined;
  connectivityAt: Date | undefined;
  pullStartedAt: Date | undefined;
  pullStoppedAt: Date | undefined;
  startedAt: Date | undefined;
  stoppingAt: Date | undefined;
  executionStoppedAt: Date | undefined;
  stoppedAt: Date | undefined;
  stopCode: TaskStopCode | undefined;
  stoppedReason: string | undefined;
  /** Targets that are registered, by target group. */
  readonly registered = new Map<string, Target>();
  readonly #platform: Platform;
  #process: RunningTask | undefined;
  #ended = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(platform: Platform, request: TaskRequest) {
    const { chance, clock } = platform;
    this.#platform = platform;
    this.request = request;
    this.id = chance.hex();
    this.arn = taskArn(request.cluster.name, this.id);
    this.attachmentIds = { eni: chance.uuid(), elb: chance.uuid() };
    this.containerArn = containerArn(request.cluster.name, this.id, chance.uuid());
    this.createdAt = new Date(clock.now());
    this.updatedAt = this.createdAt;
    this.#change('PROVISIONING');
    this.#next(platform.delays.provisioning, () => this.#provisioned());
  }

  /** Asks the task to stop; repeats change nothing. */
  stop(stopCode: TaskStopCode, stoppedReason: string): void {
    if (this.desiredStatus === 'STOPPED') return;
    this.#stopping(stopCode, stoppedReason);
    if (this.#process !== undefined) this.#deactivate();
    // While the image is pulled or the process starts, the step in flight sees `desiredStatus` and winds down.
    else if (this.#timer !== undefined) this.#deprovision();
  }

  /** Makes the running task a target of the group, or keeps it one. */
  register({ targetGroupArn, containerPort }: TargetPort): void {
    if (this.#process === undefined || this.interface === undefined || this.lastStatus !== 'RUNNING') return;
    const target = { id: this.interface.privateIp, port: containerPort };
    this.registered.set(targetGroupArn, target);
    this.#platform.targets.register(targetGroupArn, target, this.#process.address);
  }

  describe(): TaskDescription {
    return describeTask(this);
  }

  /** Nothing more happens; the process is its runner's to end. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #provisioned(): void {
    const address = this.#platform.network.address(this.request.subnet);
    if (address === undefined) {
      this.#failToStart(this.#noAddress());
      return;
    }
    this.interface = address;
    this.connectivityAt = this.#now();
    this.#change('PENDING');
    this.#next(this.#platform.delays.pending, () => this.#pull());
  }

  /** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html and subnet-error in its guide */
  #noAddress(): string {
    const { subnet } = this.request;
    return this.#platform.network.subnetExists?.(subnet) === true
      ? `Unexpected EC2 error while attempting to Create Network Interface in subnet '${subnet}': InsufficientFreeAddressesInSubnet`
      : `ResourceInitializationError: the subnet ID '${subnet}' does not exist (InvalidSubnetID.NotFound)`;
  }

  async #pull(): Promise<void> {
    const { clock, images, delays } = this.#platform;
    this.pullStartedAt = this.#now();
    let image: PulledImage;
    try {
      image = await clock.busy(() => images.pull(this.#definition.image ?? ''));
    } catch (failure) {
      this.#failToStart(reasonOf(failure, 'CannotPullContainerError'));
      return;
    }
    this.imageDigest = image.digest;
    if (this.desiredStatus === 'STOPPED') this.#deprovision();
    else
      this.#next(delays.pulling, () => {
        this.pullStoppedAt = this.#now();
        this.#next(delays.starting, () => this.#start(image));
      });
  }

  async #start(image: PulledImage): Promise<void> {
    const { clock, runner, delays, chance, onLog } = this.#platform;
    let process: RunningTask;
    try {
      const { overrides, targetPorts } = this.request;
      const containerPort = targetPorts[0]?.containerPort;
      const spec = taskSpec({
        id: this.id,
        image,
        container: this.#definition,
        overrides,
        containerPort,
        onLog,
      });
      process = await clock.busy(() => runner.start(spec));
    } catch (failure) {
      this.#failToStart(reasonOf(failure, 'CannotStartContainerError'));
      return;
    }
    this.#process = process;
    this.runtimeId = `${this.id}-${chance.digits(10)}`;
    follow(clock, process.exited, (exit) => this.#exited(exit));
    if (this.desiredStatus === 'STOPPED') {
      this.#deactivate();
      return;
    }
    this.#change('ACTIVATING');
    this.#next(delays.activating, () => {
      this.startedAt = this.#now();
      this.#change('RUNNING');
      // A command that exits at once has been RUNNING all the same (service throttle logic, ECS developer guide).
      if (this.#ended) this.#essentialContainerExited();
    });
  }

  #exited(exit: TaskExit): void {
    if (this.#closed) return;
    this.#ended = true;
    this.exitCode = exit.exitCode;
    this.executionStoppedAt = this.#now();
    if (this.lastStatus === 'RUNNING') this.#essentialContainerExited();
    else if (this.lastStatus === 'STOPPING') this.#deprovision();
  }

  #essentialContainerExited(): void {
    this.#stopping('EssentialContainerExited', 'Essential container in task exited');
    this.#deactivate();
  }

  #failToStart(reason: string): void {
    this.containerReason = reason;
    if (this.desiredStatus === 'RUNNING') this.#stopping('TaskFailedToStart', reason);
    this.#deprovision();
  }

  #stopping(stopCode: TaskStopCode, stoppedReason: string): void {
    this.#timer?.cancel();
    this.desiredStatus = 'STOPPED';
    this.stopCode = stopCode;
    this.stoppedReason = stoppedReason;
    this.stoppingAt = this.#now();
  }

  /** Targets drain and the container gets SIGTERM at the same time, or one after the other if the platform says so. */
  #deactivate(): void {
    const { clock, targets, delays, drainBeforeStop } = this.#platform;
    const drained = [...this.registered]
      .filter(([group]) => targets.exists(group))
      .map(([group, target]) => targets.deregister(group, target));
    if (drained.length === 0) {
      this.#halt();
      this.#stoppingOrGone();
      return;
    }
    this.#change('DEACTIVATING');
    if (drainBeforeStop && !this.#ended)
      follow(clock, Promise.all(drained), () => {
        this.#halt();
        this.#stoppingOrGone();
      });
    else {
      for (const draining of drained) follow(clock, draining, () => undefined);
      this.#halt();
      this.#next(delays.deactivating, () => this.#stoppingOrGone());
    }
  }

  #halt(): void {
    if (this.#process === undefined || this.#ended || this.#closed) return;
    const stopTimeout = (this.#definition.stopTimeout ?? defaultStopTimeoutMs / 1000) * 1000;
    follow(
      this.#platform.clock,
      this.#process.stop(Math.min(stopTimeout, this.#platform.stopWallMs)),
      () => undefined,
    );
  }

  #stoppingOrGone(): void {
    if (this.#closed) return;
    if (!this.#ended) this.#change('STOPPING');
    else this.#deprovision();
  }

  #deprovision(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#change('DEPROVISIONING');
    this.#next(this.#platform.delays.deprovisioning, () => {
      if (this.interface !== undefined) this.#platform.network.release?.(this.interface.eniId);
      this.stoppedAt = this.#now();
      this.#change('STOPPED');
    });
  }

  get #definition(): ContainerDefinition {
    return this.request.taskDefinition.containerDefinitions[0] ?? {};
  }

  #change(status: TaskStatus): void {
    if (this.#closed) return;
    this.lastStatus = status;
    this.version += 1;
    this.updatedAt = this.#now();
    this.request.onChange?.(this);
  }

  #next(delay: Delay, step: () => void | Promise<void>): void {
    if (this.#closed) return;
    this.#timer = this.#platform.clock.after(this.#platform.chance.within(delay), () => {
      this.#timer = undefined;
      return step();
    });
  }

  #now(): Date {
    return new Date(this.#platform.clock.now());
  }
}

/** The failure's own words when they already have ECS's form, else under the error's name. */
function reasonOf(failure: unknown, name: string): string {
  const message = failure instanceof Error ? failure.message : String(failure);
  return /^[A-Z]\w*Error: /.test(message) ? message : `${name}: ${message}`;
}
