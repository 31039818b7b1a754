/** A service's settings in its SSM parameter. */
import { GetParameterCommand, GetParametersByPathCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { CutoverError } from '../core/errors.ts';
import { settingsParameter } from '../core/service-settings.ts';
import type { Settings } from '../ports/settings.ts';
import { calling, codeOf } from './failures.ts';

export class SsmSettings implements Settings {
  readonly #client: SSMClient;
  readonly #prefix: string;

  constructor(client: SSMClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async list(): Promise<readonly string[]> {
    return calling(`listing the parameters under ${this.#prefix}`, async () => {
      const services: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await this.#client.send(
          new GetParametersByPathCommand({ Path: this.#prefix, ...(nextToken && { NextToken: nextToken }) }),
        );
        services.push(...(page.Parameters ?? []).flatMap(({ Name }) => Name?.split('/').at(-1) ?? []));
        nextToken = page.NextToken;
      } while (nextToken !== undefined);
      return services;
    });
  }

  async read(service: string): Promise<unknown> {
    const name = settingsParameter(this.#prefix, service);
    const text = await calling(`reading the parameter ${name}`, async () => {
      try {
        const { Parameter } = await this.#client.send(new GetParameterCommand({ Name: name }));
        return Parameter?.Value;
      } catch (thrown) {
        if (codeOf(thrown) === 'ParameterNotFound') return undefined;
        throw thrown;
      }
    });
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (unparsable) {
      throw new CutoverError(
        'Cutover.InvalidInput',
        `the parameter ${name} does not hold JSON; deploy the stack that declares ${service} again`,
        {
          cause: unparsable,
        },
      );
    }
  }
}
