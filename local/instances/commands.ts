/** Every command that an instance answers itself. */
import type { Clock } from '../clock.ts';
import type { InstanceSpec } from '../services/autoscaling/instances.ts';
import type { AwsCli } from './aws-cli.ts';
import type { BusyHold } from './busy-hold.ts';
import type { Asked, Command, Outcome } from './command.ts';
import { curl } from './curl.ts';
import type { Docker } from './docker.ts';
import { ec2Metadata } from './ec2-metadata.ts';
import { Metadata } from './metadata.ts';
import { date, hostName, shutDown, sleep } from './own-commands.ts';
import type { PublishedPorts } from './published-ports.ts';
import { Software } from './software.ts';

export const commandNames = [
  'amazon-linux-extras',
  'aws',
  'curl',
  'date',
  'dnf',
  'docker',
  'ec2-metadata',
  'halt',
  'hostname',
  'poweroff',
  'service',
  'shutdown',
  'sleep',
  'systemctl',
  'usermod',
  'yum',
] as const;

export interface CommandsOptions {
  readonly clock: Clock;
  readonly spec: InstanceSpec;
  readonly hold: BusyHold;
  readonly docker: Docker;
  readonly aws: AwsCli;
  readonly ports: PublishedPorts;
  readonly shutDown: () => void;
}

export function instanceCommands(options: CommandsOptions): (asked: Asked) => Promise<Outcome> {
  const { clock, spec, hold, docker, aws, ports } = options;
  const metadata = new Metadata(clock, spec);
  const software = new Software();
  const rest = (ms: number) => hold.sleep(ms);
  const end: Command = (asked) => shutDown(options.shutDown, asked);
  const commands: Readonly<Record<(typeof commandNames)[number], Command>> = {
    ...software.commands,
    aws: (asked) => aws.command(asked),
    curl: (asked) => curl({ clock, metadata, ports, sleep: rest }, asked),
    date: (asked) => date(clock, asked),
    docker: (asked) => software.dockerMissing() ?? docker.command(asked),
    'ec2-metadata': (asked) => ec2Metadata(metadata, asked),
    halt: end,
    hostname: (asked) => hostName(spec, asked),
    poweroff: end,
    shutdown: end,
    sleep: (asked) => sleep(rest, asked),
  };
  return async (asked) => {
    const command = (commands as Readonly<Record<string, Command>>)[asked.name];
    if (command === undefined) throw new Error(`an instance has no command '${asked.name}'`);
    return command(asked);
  };
}
