import { describe, expect, it } from 'vitest';
import { evaluate } from '../../local/iam/evaluate.ts';
import { parsePolicy } from '../../local/iam/policy.ts';

const web = 'arn:aws:ecs:us-east-1:123456789012:service/main/web-g0001';
const allow = (more: object) => ({ Effect: 'Allow', Action: 'ecs:UpdateService', Resource: '*', ...more });
const deny = (more: object) => allow({ ...more, Effect: 'Deny' });
const when = (Condition: object) => allow({ Condition });

interface Case {
  about: string;
  statements: object[];
  action?: string;
  resource?: string;
  context?: Record<string, string | string[]>;
  decision: 'allowed' | 'explicitly denied' | 'not allowed';
}

const cases: Case[] = [
  { about: 'nothing said', statements: [allow({ Action: 'ecs:DeleteService' })], decision: 'not allowed' },
  { about: 'the action by name', statements: [allow({})], decision: 'allowed' },
  {
    about: 'the action in other case',
    statements: [allow({ Action: 'ECS:updateservice' })],
    decision: 'allowed',
  },
  {
    about: 'the action by wildcard',
    statements: [allow({ Action: ['s3:*', 'ecs:Update*'] })],
    decision: 'allowed',
  },
  { about: '? is one character', statements: [allow({ Action: 'ecs:UpdateServic?' })], decision: 'allowed' },
  { about: '? is not none', statements: [allow({ Action: 'ecs:UpdateService?' })], decision: 'not allowed' },
  {
    about: 'NotAction lets others through',
    statements: [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }],
    decision: 'allowed',
  },
  {
    about: 'NotAction keeps its own out',
    statements: [{ Effect: 'Allow', NotAction: 'ecs:*', Resource: '*' }],
    decision: 'not allowed',
  },
  { about: 'the resource by name', statements: [allow({ Resource: web })], decision: 'allowed' },
  {
    about: 'the resource by wildcard',
    statements: [allow({ Resource: 'arn:aws:ecs:*:*:service/main/web-*' })],
    decision: 'allowed',
  },
  {
    about: 'another cluster',
    statements: [allow({ Resource: 'arn:aws:ecs:*:*:service/other/web-*' })],
    decision: 'not allowed',
  },
  {
    about: '* in the middle stops at a colon',
    statements: [allow({ Resource: 'arn:aws:*:service/main/web-g0001' })],
    decision: 'not allowed',
  },
  {
    about: '* at the end goes on',
    statements: [allow({ Resource: 'arn:aws:ecs:us-east-1:*' })],
    decision: 'allowed',
  },
  {
    about: 'a version of a function beside the function itself',
    statements: [
      allow({ Action: 'lambda:*', Resource: 'arn:aws:lambda:us-east-1:123456789012:function:shift' }),
    ],
    action: 'lambda:InvokeFunction',
    resource: 'arn:aws:lambda:us-east-1:123456789012:function:shift:3',
    decision: 'not allowed',
  },
  {
    about: 'a version of a function by wildcard',
    statements: [
      allow({ Action: 'lambda:*', Resource: 'arn:aws:lambda:us-east-1:123456789012:function:shift:*' }),
    ],
    action: 'lambda:InvokeFunction',
    resource: 'arn:aws:lambda:us-east-1:123456789012:function:shift:3',
    decision: 'allowed',
  },
  {
    about: 'NotResource',
    statements: [{ Effect: 'Allow', Action: 'ecs:*', NotResource: `${web}x` }],
    decision: 'allowed',
  },
  {
    about: 'an action without resources needs *',
    statements: [allow({ Action: 'ecs:ListClusters', Resource: 'arn:aws:ecs:*:*:cluster/*' })],
    action: 'ecs:ListClusters',
    resource: '*',
    decision: 'not allowed',
  },
  {
    about: 'a deny wins',
    statements: [allow({}), deny({ Resource: 'arn:aws:ecs:*:*:service/main/*' })],
    decision: 'explicitly denied',
  },
  { about: 'a deny alone', statements: [deny({})], decision: 'explicitly denied' },
  {
    about: 'a deny for others',
    statements: [allow({}), deny({ Resource: 'arn:aws:ecs:*:*:service/other/*' })],
    decision: 'allowed',
  },

  {
    about: 'StringEquals',
    statements: [when({ StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1'] } })],
    context: { 'aws:requestedregion': 'us-east-1' },
    decision: 'allowed',
  },
  {
    about: 'StringEquals, other value',
    statements: [when({ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } })],
    context: { 'aws:requestedregion': 'us-east-1' },
    decision: 'not allowed',
  },
  {
    about: 'StringEquals, no value',
    statements: [when({ StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } })],
    decision: 'not allowed',
  },
  {
    about: 'StringEqualsIfExists, no value',
    statements: [when({ StringEqualsIfExists: { 'aws:RequestedRegion': 'eu-west-1' } })],
    decision: 'allowed',
  },
  {
    about: 'StringNotEquals, no value',
    statements: [when({ StringNotEquals: { 'aws:RequestedRegion': 'eu-west-1' } })],
    decision: 'allowed',
  },
  {
    about: 'StringNotEquals, one of the values',
    statements: [when({ StringNotEquals: { 'aws:RequestedRegion': ['a', 'b'] } })],
    context: { 'aws:requestedregion': 'b' },
    decision: 'not allowed',
  },
  {
    about: 'StringLike',
    statements: [when({ StringLike: { 'iam:PassedToService': 'ecs-*.amazonaws.com' } })],
    context: { 'iam:passedtoservice': 'ecs-tasks.amazonaws.com' },
    decision: 'allowed',
  },
  {
    about: 'StringLike, case matters',
    statements: [when({ StringLike: { 'iam:PassedToService': 'ECS-*' } })],
    context: { 'iam:passedtoservice': 'ecs-tasks.amazonaws.com' },
    decision: 'not allowed',
  },
  {
    about: 'StringEqualsIgnoreCase',
    statements: [when({ StringEqualsIgnoreCase: { 'aws:X': 'ABC' } })],
    context: { 'aws:x': 'abc' },
    decision: 'allowed',
  },
  {
    about: 'ArnEquals with wildcard',
    statements: [when({ ArnEquals: { 'ecs:cluster': 'arn:aws:ecs:*:*:cluster/ma*' } })],
    context: { 'ecs:cluster': 'arn:aws:ecs:us-east-1:123456789012:cluster/main' },
    decision: 'allowed',
  },
  {
    about: 'ArnLike, other cluster',
    statements: [when({ ArnLike: { 'ecs:cluster': 'arn:aws:ecs:*:*:cluster/other' } })],
    context: { 'ecs:cluster': 'arn:aws:ecs:us-east-1:123456789012:cluster/main' },
    decision: 'not allowed',
  },
  {
    about: 'Bool',
    statements: [when({ Bool: { 'aws:SecureTransport': true } })],
    context: { 'aws:securetransport': 'true' },
    decision: 'allowed',
  },
  {
    about: 'Null true, absent',
    statements: [when({ Null: { 'aws:RequestTag/team': 'true' } })],
    decision: 'allowed',
  },
  {
    about: 'Null true, present',
    statements: [when({ Null: { 'aws:RequestTag/team': 'true' } })],
    context: { 'aws:requesttag/team': 'x' },
    decision: 'not allowed',
  },
  {
    about: 'Null false, present',
    statements: [when({ Null: { 'aws:RequestTag/team': 'false' } })],
    context: { 'aws:requesttag/team': 'x' },
    decision: 'allowed',
  },
  {
    about: "a tag's key keeps its case",
    statements: [when({ StringEquals: { 'AWS:RequestTag/Team': 'x' } })],
    context: { 'aws:requesttag/team': 'x' },
    decision: 'not allowed',
  },
  {
    about: 'NumericLessThan',
    statements: [when({ NumericLessThan: { 'ecs:n': '10' } })],
    context: { 'ecs:n': '9' },
    decision: 'allowed',
  },
  {
    about: 'DateGreaterThan',
    statements: [when({ DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } })],
    context: { 'aws:currenttime': '2026-06-01T00:00:00Z' },
    decision: 'allowed',
  },
  ...(
    [
      ['ForAllValues, one of two is not wanted', 'ForAllValues:StringEquals', ['team', 'app'], 'not allowed'],
      ['ForAllValues, all are wanted', 'ForAllValues:StringEquals', ['team'], 'allowed'],
      ['ForAnyValue, one of two is wanted', 'ForAnyValue:StringEquals', ['team', 'app'], 'allowed'],
      ['ForAnyValue, none is wanted', 'ForAnyValue:StringEquals', ['app'], 'not allowed'],
      ['ForAnyValue, one is another', 'ForAnyValue:StringNotEquals', ['team', 'app'], 'allowed'],
      ['ForAllValues, not all are others', 'ForAllValues:StringNotEquals', ['team', 'app'], 'not allowed'],
    ] as const
  ).map(
    ([about, operator, keys, decision]): Case => ({
      about,
      statements: [when({ [operator]: { 'aws:TagKeys': 'team' } })],
      context: { 'aws:tagkeys': [...keys] },
      decision,
    }),
  ),
  {
    about: 'ForAllValues, absent',
    statements: [when({ 'ForAllValues:StringEquals': { 'aws:TagKeys': 'team' } })],
    decision: 'allowed',
  },
  {
    about: 'ForAnyValue, absent',
    statements: [when({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'team' } })],
    decision: 'not allowed',
  },
  {
    about: 'all operators must hold',
    statements: [when({ StringEquals: { 'aws:a': '1' }, StringLike: { 'aws:b': '2' } })],
    context: { 'aws:a': '1', 'aws:b': '3' },
    decision: 'not allowed',
  },
  {
    about: 'a policy variable',
    statements: [allow({ Resource: 'arn:aws:ecs:*:*:service/${aws:PrincipalTag/team}/*' })],
    context: { 'aws:principaltag/team': 'main' },
    decision: 'allowed',
  },
  {
    about: 'a policy variable without value',
    statements: [allow({ Resource: 'arn:aws:ecs:*:*:service/${aws:PrincipalTag/team}*' })],
    decision: 'not allowed',
  },
];

describe('a policy decides', () => {
  it.each(cases)('$about: $decision', ({ statements, action, resource, context, decision }) => {
    const policy = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), 'identity');
    const question = {
      action: action ?? 'ecs:UpdateService',
      resource: resource ?? web,
      context: context ?? {},
    };
    expect(evaluate([policy], question)).toBe(decision);
  });
});

describe('a malformed policy is refused', () => {
  it.each([
    ['an unknown operator', when({ StringEqual: { 'aws:a': '1' } }), 'Invalid Condition type : StringEqual.'],
    ['an unknown element', allow({ Resources: '*' }), 'unknown element Resources'],
    ['an action without vendor', allow({ Action: 'UpdateService' }), 'must be prefaced by a vendor'],
    ['no resource', { Effect: 'Allow', Action: 'ecs:*' }, 'must contain resources'],
    ['no action', { Effect: 'Allow', Resource: '*' }, 'must contain actions'],
    ['a principal', allow({ Principal: '*' }), 'should not specify a principal'],
    ['an effect of its own', allow({ Effect: 'allow' }), 'Syntax errors'],
  ])('%s', (_, statement, message) => {
    expect(() => parsePolicy(JSON.stringify({ Statement: statement }), 'identity')).toThrow(message);
  });

  it('no JSON', () => {
    expect(() => parsePolicy('{', 'identity')).toThrow('Syntax errors in policy.');
  });
});
