/** One EC2 instance: a machine that runs its user data at the first boot, and the containers that this started. */
import { mkdir } from 'node:fs/promises';
import type { Clock, Timer } from '../clock.ts';
import type { ImageStore } from '../registry/image-store.ts';
import type { InstanceSpec, RunningInstance } from '../services/autoscaling/instances.ts';
import { follow } from '../services/ecs/platform.ts';
import { removeTree } from '../tasks/remove-tree.ts';
import type { Address, TaskRunner } from '../tasks/task.ts';
import { AwsCli } from './aws-cli.ts';
import { BusyHold } from './busy-hold.ts';
import { CommandSocket } from './command-socket.ts';
import { instanceCommands } from './commands.ts';
import { Console } from './console.ts';
import { Docker, type LogGroups } from './docker.ts';
import { type Confinement, Machine } from './machine.ts';
import { hostNameOf } from './metadata.ts';
import { PublishedPorts } from './published-ports.ts';
import type { Tools } from './tools.ts';
import { type Script, type UserData, userDataOf } from './user-data.ts';

export interface InstancePlatform {
  readonly clock: Clock;
  readonly tasks: TaskRunner;
  readonly images: ImageStore;
  readonly logs: LogGroups;
  readonly confinement: Confinement;
  readonly tools: Tools;
  readonly onFailure: (failure: unknown) => void;
  /** From the launch until cloud-init comes to the user data. */
  readonly bootMs: number;
  /** cloud-init has no such limit: here a script that hangs would keep the clock at the wall's speed. */
  readonly scriptLimitMs: number;
  /** Makes a path for a socket. */
  readonly socketPath: () => string;
}

export class Instance implements RunningInstance {
  readonly #platform: InstancePlatform;
  readonly #spec: InstanceSpec;
  readonly #folder: string;
  readonly #userData: UserData;
  readonly #onExit: () => void;
  readonly #console: Console;
  readonly #hold: BusyHold;
  readonly #ports: PublishedPorts;
  readonly #docker: Docker;
  readonly #answer: ReturnType<typeof instanceCommands>;
  #boot: Timer | undefined;
  #booted: Promise<void> = Promise.resolve();
  #machine: Machine | undefined;
  #socket: CommandSocket | undefined;
  #gone: Promise<void> | undefined;

  /** Throws for user data of a kind that is not modelled. `folder`: its own. */
  constructor(
    platform: InstancePlatform,
    options: { readonly spec: InstanceSpec; readonly folder: string; readonly onExit: () => void },
  ) {
    const { clock } = platform;
    const { spec } = options;
    this.#platform = platform;
    this.#spec = spec;
    this.#folder = options.folder;
    this.#onExit = options.onExit;
    this.#userData = userDataOf(spec.userData);
    this.#console = new Console(clock);
    this.#hold = new BusyHold(clock);
    this.#ports = new PublishedPorts(platform.socketPath);
    const aws = new AwsCli(spec);
    this.#docker = new Docker({
      ...platform,
      ports: this.#ports,
      hold: this.#hold,
      isPassword: (password) => aws.isPassword(password),
    });
    this.#answer = instanceCommands({
      clock,
      spec,
      aws,
      hold: this.#hold,
      docker: this.#docker,
      ports: this.#ports,
      shutDown: () => this.#shutDown(),
    });
    this.#boot = clock.after(platform.bootMs, () => {
      this.#booted = this.#cloudInit();
      follow(clock, this.#booted, () => undefined);
    });
  }

  address(port: number): Address {
    return this.#ports.address(port);
  }

  console(): string {
    return this.#console.text();
  }

  terminate(): Promise<void> {
    this.#gone ??= this.#end();
    return this.#gone;
  }

  /** Nothing of it is left, whatever it was about to do. */
  async close(): Promise<void> {
    const gone = this.terminate();
    await this.#docker.close({ abruptly: true });
    await gone;
  }

  async #cloudInit(): Promise<void> {
    const userData = this.#userData;
    switch (userData.kind) {
      case 'script':
        await this.#run(userData.script);
        break;
      case 'unhandled':
        this.#say(
          `__init__.py[WARNING]: Unhandled non-multipart (text/x-not-multipart) userdata: 'b${JSON.stringify(userData.start)}...'`,
        );
        break;
      case 'none':
    }
    const { clock } = this.#platform;
    this.#console.write(
      `Cloud-init v. 22.2.2 finished at ${new Date(clock.now()).toUTCString().replace('GMT', '+0000')}. Datasource DataSourceEc2.  Up ${this.#console.upSeconds().toFixed(2)} seconds`,
    );
  }

  async #run(script: Script): Promise<void> {
    const { clock, confinement, tools, onFailure, socketPath, scriptLimitMs } = this.#platform;
    const path = socketPath();
    await mkdir(this.#folder, { recursive: true });
    this.#socket = await CommandSocket.listen(path, this.#answer, onFailure);
    const machine = await Machine.start({
      confinement,
      tools,
      script,
      folder: this.#folder,
      socketPath: path,
      hostName: hostNameOf(this.#spec),
      onLine: (line) => this.#console.write(line),
    });
    this.#machine = machine;
    // Terminated before there was anything to end.
    if (this.#gone !== undefined) await machine.end();
    const limit = clock.after(scriptLimitMs, async () => {
      this.#say(`the embedded AWS ends user data that takes more than ${scriptLimitMs / 1_000} s`);
      await machine.end();
    });
    const status = await this.#hold.during(() => machine.scriptEnded);
    limit.cancel();
    if (status !== 0)
      this.#say(
        'cc_scripts_user.py[WARNING]: Failed to run module scripts_user (scripts in /var/lib/cloud/instance/scripts)',
      );
  }

  #say(what: string): void {
    const at = new Date(this.#platform.clock.now()).toISOString().replace('T', ' ').replace('.', ',');
    this.#console.write(`${at.slice(0, -1)} - ${what}`);
  }

  #shutDown(): void {
    if (this.#gone !== undefined) return;
    follow(this.#platform.clock, this.terminate(), () => this.#onExit());
  }

  /** Its scripts are killed, its containers asked to end, as when systemd stops Docker. */
  async #end(): Promise<void> {
    this.#boot?.cancel();
    const machine = this.#machine?.end();
    await this.#docker.close({ abruptly: false });
    await machine;
    // It may have been about to start.
    await this.#booted;
    await this.#machine?.end();
    await this.#socket?.close();
    await this.#ports.closeAll();
    await removeTree(this.#folder);
  }
}
