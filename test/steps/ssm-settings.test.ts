/** What is declared, in the embedded Parameter Store, through the real client. */
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SsmSettings } from '../../functions/aws/ssm-settings.ts';
import { embedded } from '../wire/embedded.ts';

let aws: Awaited<ReturnType<typeof embedded>>;
let client: SSMClient;
let settings: SsmSettings;
beforeEach(async () => {
  aws = await embedded();
  client = new SSMClient(aws.client);
  settings = new SsmSettings(client, '/cutover');
});
afterEach(async () => {
  client.destroy();
  await aws.close();
});

const put = (Name: string, Value = '{}') =>
  client.send(new PutParameterCommand({ Name, Value, Type: 'String' }));

describe('the services that are declared', () => {
  it('are all listed, page by page, and none of another deployer', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `web-${index}`);
    for (const name of names) await put(`/cutover/${name}`);
    for (const other of ['/cutover-test/web', '/cutover/web/nested', '/other']) await put(other);
    expect((await settings.list()).toSorted()).toEqual(names.toSorted());
  });

  it('are none where nothing is declared', async () => {
    expect(await settings.list()).toEqual([]);
  });
});

describe('what is declared of a service', () => {
  it('is read as it is stored', async () => {
    await put('/cutover/web', '{"schema":1}');
    expect(await settings.read('web')).toEqual({ schema: 1 });
    expect(await settings.read('api')).toBeUndefined();
  });

  it('is refused when it is not JSON', async () => {
    await put('/cutover/web', 'schema: 1');
    await expect(settings.read('web')).rejects.toThrow('the parameter /cutover/web does not hold JSON');
  });
});
