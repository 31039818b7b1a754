/** What AWS allows of one role and one parameter, against what a deployer with many services asks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cutover } from '../../infra/cutover.ts';
import { leastSize, settingsLimit } from '../../infra/settings-size.ts';
import { policySize, quotas } from '../../local/iam/quotas.ts';
import { addService, Ground, newApp, newStack, type ServiceChanges } from './apps.ts';
import { type CfnTemplate, type PolicyOfRole, policiesOf, readTemplate, resourcesOf } from './templates.ts';

/** As README says; with names as long as CloudFormation makes them, in the partition of the longest name. */
const services = 32;
/** A stack has room for 500 resources. */
const perStack = 12;

let folder: string;
let policies: readonly PolicyOfRole[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-limits-'));
  const app = newApp({ outdir: folder });
  const cutover = new Cutover(newStack(app, 'Home'), 'Deployer');
  const names = ['Home'];
  for (let made = 0; made < services; made += perStack) {
    const name = `Shop${names.length}`;
    names.push(name);
    const stack = newStack(app, name);
    const ground = new Ground(stack);
    for (let index = made; index < Math.min(made + perStack, services); index++) {
      addService(stack, `Web${index}`, cutover, ground, { priority: 4 + 4 * index });
    }
  }
  const assembly = app.synth();
  policies = names.flatMap((name) =>
    policiesOf(readTemplate(assembly.getStackByName(name).templateFullPath)),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The text that CloudFormation gives to IAM, with every name as long as it can be. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length > 0 || !/^(?:Ref|Fn::\w+)$/.test(name))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each)]));
  const text = JSON.stringify(argument);
  if (name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]];
    return parts.map(resolved).join(separator);
  }
  if (text === '"AWS::Partition"') return 'aws-us-gov';
  if (text === '"AWS::Region"') return 'us-gov-west-1';
  if (text === '"AWS::AccountId"') return '123456789012';
  // Of a listener's ARN: the balancer's name, and its id.
  if (name === 'Fn::Select') return 'n'.repeat((argument as [number, unknown])[0] === 2 ? 32 : 16);
  if (/Role\w*"/.test(text)) return `arn:aws-us-gov:iam::123456789012:role/${'n'.repeat(64)}`;
  return 'n'.repeat(128);
}

const sizeOf = ({ document }: PolicyOfRole): number => policySize(JSON.stringify(resolved(document)));

/** By the deployer's function. */
function byFunction(managed: boolean): ReadonlyMap<string, readonly number[]> {
  const sizes = new Map<string, number[]>();
  for (const policy of policies) {
    const name = /Deployer(\w+?)Role[0-9A-F]{8}/.exec(policy.role)?.[1];
    if (name === undefined || policy.managed !== managed) continue;
    sizes.set(name, [...(sizes.get(name) ?? []), sizeOf(policy)]);
  }
  return sizes;
}

describe(`a deployer of ${services} services`, () => {
  it('fills the inline policies of no role', () => {
    const totals = [...byFunction(false)].map(([name, sizes]) => ({
      name,
      policies: sizes.length,
      size: sizes.reduce((sum, size) => sum + size, 0),
    }));
    expect(totals.find(({ name }) => name === 'Launch')?.policies).toBeGreaterThan(services);
    expect(totals.filter(({ size }) => size > quotas.inlinePolicies)).toEqual([]);
  });

  it('adds to the two roles alone whose actions know no tags', () => {
    const many = [...byFunction(false)].filter(([, sizes]) => sizes.length >= services);
    expect(many.map(([name]) => name).toSorted()).toEqual(['Launch', 'ListenerRule']);
  });

  it('has managed policies of a legal size, and few of them on a role', () => {
    const managed = byFunction(true);
    expect(managed.size).toBe(14);
    expect([...managed].filter(([, sizes]) => sizes.some((size) => size > quotas.managedPolicy))).toEqual([]);
    expect([...managed].filter(([, sizes]) => sizes.length > 1)).toEqual([]);
  });
});

describe("a service's settings", () => {
  function synthesize(name: string, changes: ServiceChanges): CfnTemplate {
    const app = newApp({ outdir: join(folder, name) });
    const stack = newStack(app, 'Shop');
    addService(stack, 'Web', new Cutover(stack, 'Deployer'), new Ground(stack), changes);
    return readTemplate(app.synth().getStackByName('Shop').templateFullPath);
  }
  /** Patterns that take so many characters together. */
  const tags = (characters: number): readonly string[] =>
    Array.from({ length: Math.ceil(characters / 103) }, (_, index) => String(index).padStart(100, 'v'));

  it('take an advanced parameter when they outgrow a standard one', () => {
    const [, settings] = resourcesOf(synthesize('large', { tags: tags(5000) }), 'AWS::SSM::Parameter')[0]!;
    expect(settings.Properties['Tier']).toBe('Intelligent-Tiering');
    const size = leastSize(settings.Properties['Value']);
    expect(size).toBeGreaterThan(4096);
    expect(size).toBeLessThan(settingsLimit);
  });

  it('are refused when no parameter holds them', () => {
    expect(() => synthesize('too-large', { tags: tags(8000) })).toThrow(
      /EcsService web: its settings have \d+ bytes or more, and SSM holds 8192: name fewer tags/,
    );
  });

  it.each<[string, unknown, number]>([
    ['text, in bytes of UTF-8', 'größe', 7],
    [
      'what is joined',
      { 'Fn::Join': ['-', ['ab', { Ref: 'AWS::Region' }, { 'Fn::GetAtt': ['A', 'Arn'] }]] },
      33,
    ],
    ['an account', { Ref: 'AWS::AccountId' }, 12],
  ])('are measured by %s', (_, value, size) => {
    expect(leastSize(value)).toBe(size);
  });
});
