/** The AWS CLI, as far as an instance needs it to pull its image. */
import { randomBytes } from 'node:crypto';
import type { InstanceSpec } from '../services/autoscaling/instances.ts';
import { type Asked, failed, notModelled, type Outcome, said } from './command.ts';
import { parseOptions } from './command-options.ts';

export class AwsCli {
  readonly #spec: InstanceSpec;
  readonly #passwords = new Set<string>();

  constructor(spec: InstanceSpec) {
    this.#spec = spec;
  }

  /** Whether ECR gave it out. */
  isPassword(password: string): boolean {
    return this.#passwords.has(password);
  }

  command({ args }: Asked): Outcome {
    const options = parseOptions(args, {
      '--region': 'value',
      '--version': 'flag',
      '--no-cli-pager': 'flag',
    });
    const words = options.words.join(' ');
    if (options.unknown !== undefined) return notModelled(`aws ${options.unknown}`);
    if (options.flags.has('--version')) return said('aws-cli/2.17.18 Python/3.9.20 Linux/6.1\n');
    if (words !== 'ecr get-login-password') return notModelled(`aws ${words}`);
    // The CLI's words for an instance without a role.
    if (this.#spec.instanceProfile === undefined)
      return failed(
        'Unable to locate credentials. You can configure credentials by running "aws configure".',
        253,
      );
    const password = randomBytes(90).toString('base64');
    this.#passwords.add(password);
    return said(`${password}\n`);
  }
}
