/**
 * What is installed on an instance and which of its services run: Amazon Linux 2023 as it comes, with a shell, the AWS CLI and
 * curl, and Docker once it is installed and started.
 */
import { type Asked, type Command, failed, notModelled, type Outcome, said } from './command.ts';
import { parseOptions } from './command-options.ts';

/** There already, or without a command of its own that anybody could miss. */
const others = new Set(['aws-cli', 'awscli', 'awscli-2', 'bash', 'coreutils', 'curl', 'gzip', 'sudo', 'tar']);

export class Software {
  readonly commands: Readonly<
    Record<'amazon-linux-extras' | 'dnf' | 'service' | 'systemctl' | 'usermod' | 'yum', Command>
  >;
  #hasDocker = false;
  #runsDocker = false;

  constructor() {
    const install = (asked: Asked) => this.#install(asked);
    this.commands = {
      dnf: install,
      yum: install,
      'amazon-linux-extras': (asked) => this.#extras(asked),
      systemctl: (asked) => this.#systemctl(asked),
      service: ({ args: [unit = '', verb = ''] }) =>
        verb === 'start' || verb === 'restart' ? this.#start(unit) : notModelled(`service ${unit} ${verb}`),
      usermod: (asked) => this.#usermod(asked),
    };
  }

  /** Why Docker's own command cannot do anything yet. */
  dockerMissing(): Outcome | undefined {
    if (!this.#hasDocker) return failed('docker: command not found', 127);
    if (this.#runsDocker) return undefined;
    return failed(
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    );
  }

  #install({ name, args }: Asked): Outcome {
    const options = parseOptions(args, {
      '--assumeyes': 'flag',
      '-y': '--assumeyes',
      '--quiet': 'flag',
      '-q': '--quiet',
    });
    const [verb = '', ...packages] = options.words;
    if (options.unknown !== undefined) return notModelled(`${name} ${options.unknown}`);
    if (['update', 'upgrade', 'makecache', 'check-update'].includes(verb) && packages.length === 0)
      return said('Dependencies resolved.\nNothing to do.\nComplete!\n');
    if (verb !== 'install') return notModelled(`${name} ${verb}`);
    const missing = packages.filter((each) => each !== 'docker' && !others.has(each));
    if (missing.length > 0) return notModelled(`${name} install ${missing.join(' ')}`);
    // Asked whether this is ok, nobody answers.
    if (!options.flags.has('--assumeyes')) return failed('Is this ok [y/N]: Operation aborted.');
    this.#hasDocker ||= packages.includes('docker');
    return said(`${packages.map((each) => `Installed: ${each}\n`).join('')}Complete!\n`);
  }

  /** Of Amazon Linux 2. */
  #extras({ args }: Asked): Outcome {
    const [verb = '', ...topics] = parseOptions(args, { '-y': 'flag' }).words;
    if (verb === 'enable' && topics.join() === 'docker') return said('');
    if (verb !== 'install' || topics.join() !== 'docker')
      return notModelled(`amazon-linux-extras ${[verb, ...topics].join(' ')}`);
    this.#hasDocker = true;
    return said('Installed: docker\nComplete!\n');
  }

  #systemctl({ args }: Asked): Outcome {
    const options = parseOptions(args, { '--now': 'flag', '--no-block': 'flag', '--quiet': 'flag' });
    const [verb = '', unit = '', ...more] = options.words;
    if (options.unknown !== undefined) return notModelled(`systemctl ${options.unknown}`);
    if (verb === 'daemon-reload') return said('');
    if (more.length > 0) return notModelled('systemctl with several units');
    if (verb === 'start' || verb === 'restart') return this.#start(unit);
    if (verb === 'is-active')
      return this.#runsDocker && isDocker(unit)
        ? said('active\n')
        : { stdout: 'inactive\n', stderr: '', exitCode: 3 };
    if (verb !== 'enable') return notModelled(`systemctl ${verb}`);
    if (!this.#has(unit))
      return failed(
        `Failed to enable unit: Unit file ${unit.replace(/\.service$/, '')}.service does not exist.`,
      );
    return options.flags.has('--now') ? this.#start(unit) : said('');
  }

  #start(unit: string): Outcome {
    if (!this.#has(unit))
      return failed(
        `Failed to start ${unit}.service: Unit ${unit.replace(/\.service$/, '')}.service not found.`,
        5,
      );
    this.#runsDocker = true;
    return said('');
  }

  #has(unit: string): boolean {
    return this.#hasDocker && isDocker(unit);
  }

  /** `usermod -aG docker ec2-user`: the group comes with the package. */
  #usermod({ args }: Asked): Outcome {
    const [options = '', group = '', user = ''] = args;
    if (options !== '-aG') return notModelled(`usermod ${options}`);
    if (group !== 'docker' || !this.#hasDocker) return failed(`usermod: group '${group}' does not exist`, 6);
    return user === 'ec2-user' || user === 'root'
      ? said('')
      : failed(`usermod: user '${user}' does not exist`, 6);
  }
}

function isDocker(unit: string): boolean {
  return unit === 'docker' || unit === 'docker.service';
}
