import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { Mall, type Shop } from './shop.ts';

let mall: Mall;

beforeAll(async () => {
  mall = await Mall.open();
});
afterAll(async () => mall?.close());

const created = { status: 'CREATE_COMPLETE', reasons: [] };
const updated = { status: 'UPDATE_COMPLETE', reasons: [] };
/** The emulator's and AWS's words around ours differ. */
const containing = (words: string): unknown => expect.arrayContaining([expect.stringContaining(words)]);

async function open(): Promise<Shop> {
  const shop = mall.shop();
  expect(await shop.deploy()).toEqual(created);
  return shop;
}

describe('a stack that is created', () => {
  it('has the rule, with everything on the first slot', async () => {
    const shop = await open();
    expect(await shop.rule()).toEqual({
      priority: 100,
      paths: ['/*'],
      weights: { blue: 100, green: 0, red: 0 },
    });
    const [rule] = await shop.rules();
    expect(shop.arn('Rule')).toBe(rule?.RuleArn);
  });

  it('has one rule when the answer to its creation was lost', async () => {
    const shop = mall.shop();
    let lost = 0;
    const unhook = mall.aws.calls.hook({
      after: ({ operation, principal }) => {
        // The slots' rules are CloudFormation's; the production rule is the function's.
        if (operation !== 'CreateRule' || principal.kind !== 'role') return;
        if (lost++ === 0) throw new AwsError('ServiceUnavailable', 'try again', { status: 503 });
      },
    });
    try {
      expect(await shop.deploy()).toEqual(created);
    } finally {
      unhook();
    }
    expect(lost).toBe(1);
    expect(await shop.rules()).toHaveLength(1);
  });

  it('adopts the rule when the request comes again, and leaves its weights', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 90, green: 10, red: 0 });
    const [rule] = await shop.rules();
    const answer = await requested('Create', {
      Service: shop.name.toLowerCase(),
      ListenerArn: shop.arn('First'),
      Priority: '77',
      Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/again/*'] } }],
      Slots: ['blue', 'green', 'red'].map((Name) => ({ Name, TargetGroupArn: shop.arn(Name) })),
    });
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: `cutover-rule-${shop.name.toLowerCase()}`,
      Data: { RuleArn: rule?.RuleArn },
    });
    expect(await shop.rule()).toEqual({
      priority: 77,
      paths: ['/again/*'],
      weights: { blue: 90, green: 10, red: 0 },
    });
  });

  it('leaves no rule behind when something else fails', async () => {
    const shop = mall.shop();
    expect(await shop.deploy({ failsLater: true })).toEqual({
      status: 'ROLLBACK_COMPLETE',
      reasons: containing('The parameter already exists'),
    });
    const tagged = mall.aws.calls
      .records({ operation: 'DeleteRule' })
      .filter(({ principal }) => principal.kind === 'role');
    expect(tagged).not.toEqual([]);
  });
});

describe('a stack that is updated in the middle of a canary', () => {
  it('sends conditions and priority, and leaves the weights', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 90, green: 10, red: 0 });
    const [before] = await shop.rules();
    expect(await shop.deploy({ priority: 40, path: '/shop/*' })).toEqual(updated);
    expect(await shop.rule()).toEqual({
      priority: 40,
      paths: ['/shop/*'],
      weights: { blue: 90, green: 10, red: 0 },
    });
    expect((await shop.rules())[0]?.RuleArn).toBe(before?.RuleArn);
  });

  it('gives conditions and priority back when something else fails, and leaves the weights', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 90, green: 10, red: 0 });
    expect(await shop.deploy({ priority: 40, path: '/shop/*', failsLater: true })).toMatchObject({
      status: 'UPDATE_ROLLBACK_COMPLETE',
    });
    expect(await shop.rule()).toEqual({
      priority: 100,
      paths: ['/*'],
      weights: { blue: 90, green: 10, red: 0 },
    });
  });

  it('may not move the rule to another listener, and stays as it was', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 90, green: 10, red: 0 });
    expect(await shop.deploy({ listener: 'second' })).toEqual({
      status: 'UPDATE_ROLLBACK_COMPLETE',
      reasons: containing('cannot move to another listener while its traffic is split (blue 90, green 10)'),
    });
    expect(await shop.rule('Second')).toBeUndefined();
    expect(await shop.rule()).toEqual({
      priority: 100,
      paths: ['/*'],
      weights: { blue: 90, green: 10, red: 0 },
    });
  });
});

describe('a rule that gets another listener', () => {
  it('is made there with its weights, and gone from the first', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 0, green: 100, red: 0 });
    expect(await shop.deploy({ listener: 'second', priority: 40 })).toEqual(updated);
    expect(await shop.rule()).toBeUndefined();
    expect(await shop.rule('Second')).toEqual({
      priority: 40,
      paths: ['/*'],
      weights: { blue: 0, green: 100, red: 0 },
    });
    const [rule] = await shop.rules('Second');
    expect(shop.arn('Rule')).toBe(rule?.RuleArn);
  });

  it('moves back with its weights when something else fails', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 0, green: 100, red: 0 });
    expect(await shop.deploy({ listener: 'second', failsLater: true })).toMatchObject({
      status: 'UPDATE_ROLLBACK_COMPLETE',
    });
    expect(await shop.rule('Second')).toBeUndefined();
    expect(await shop.rule()).toEqual({
      priority: 100,
      paths: ['/*'],
      weights: { blue: 0, green: 100, red: 0 },
    });
  });
});

describe('a slot', () => {
  it('that is added leaves the rule as it is', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 90, green: 10, red: 0 });
    expect(await shop.deploy({ slots: ['blue', 'green', 'red', 'amber'] })).toEqual(updated);
    expect((await shop.rule())?.weights).toEqual({ blue: 90, green: 10, red: 0 });
    expect(shop.arn('amber')).toContain(':targetgroup/');
  });

  it('that is idle goes, from the rule and then itself', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 90, green: 10, red: 0 });
    expect(await shop.deploy({ slots: ['blue', 'green'] })).toEqual(updated);
    expect((await shop.rule())?.weights).toEqual({ blue: 90, green: 10 });
    expect(shop.outputs).not.toHaveProperty('red');
  });

  it.each([
    ['has traffic', async (shop: Shop) => shop.setWeights({ blue: 0, green: 0, red: 100 })],
    ['holds a generation without traffic', async (shop: Shop) => shop.occupy('red')],
  ])('that %s cannot be removed: the stack rolls back, the traffic stays', async (_, make) => {
    const shop = await open();
    await make(shop);
    const before = await shop.rule();
    expect(await shop.deploy({ slots: ['blue', 'green'] })).toEqual({
      status: 'UPDATE_ROLLBACK_COMPLETE',
      reasons: containing(
        `the slot red of ${shop.name.toLowerCase()} is not idle and cannot be removed: a generation lives in it. Wait until it has retired, or keep the slot`,
      ),
    });
    expect(await shop.rule()).toEqual(before);
  });
});

describe('a stack that is deleted', () => {
  it('is kept by a generation that lives in it, and its traffic stays; once it ended, all goes', async () => {
    const shop = await open();
    await shop.setWeights({ blue: 0, green: 100, red: 0 });
    await shop.occupy('green');
    expect(await shop.delete()).toEqual({
      status: 'DELETE_FAILED',
      reasons: containing(
        `${shop.name.toLowerCase()} still runs in green; deleting its rule would cut its traffic. End its generations first`,
      ),
    });
    expect((await shop.rule())?.weights).toEqual({ blue: 0, green: 100, red: 0 });
    await shop.vacate('green');
    expect(await shop.delete()).toEqual({ status: 'DELETE_COMPLETE', reasons: [] });
  });

  it('takes the rule along when nothing lives in it', async () => {
    const shop = await open();
    const arn = shop.arn('Rule');
    expect(await shop.delete()).toEqual({ status: 'DELETE_COMPLETE', reasons: [] });
    await expect(
      mall.call('elasticloadbalancing', 'DescribeRules', { RuleArns: [arn] }),
    ).rejects.toMatchObject({ code: 'RuleNotFoundException' });
  });
});

/** What the function answers to a request of CloudFormation. */
async function requested(RequestType: string, ResourceProperties: object): Promise<unknown> {
  const answered = Promise.withResolvers<unknown>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end();
      answered.resolve(JSON.parse(Buffer.concat(chunks).toString()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await mall.call('lambda', 'Invoke', {
      FunctionName: mall.ruleFunction,
      Payload: Buffer.from(
        JSON.stringify({
          RequestType,
          ResponseURL: `http://127.0.0.1:${port}/answer`,
          StackId: 'stack',
          RequestId: 'request',
          LogicalResourceId: 'Rule',
          ResourceProperties,
        }),
      ),
    });
    return await answered.promise;
  } finally {
    server.close();
  }
}
