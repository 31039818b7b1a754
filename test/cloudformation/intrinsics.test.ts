import { describe, expect, it } from 'vitest';
import { resolve } from '../../local/services/cloudformation/intrinsics.ts';
import type { Json } from '../../local/services/cloudformation/json.ts';
import { StackLookup } from '../../local/services/cloudformation/lookup.ts';
import { parseTemplate } from '../../local/services/cloudformation/template.ts';

const template = parseTemplate(
  JSON.stringify({
    Parameters: { Stage: { Type: 'String' }, Zones: { Type: 'CommaDelimitedList' } },
    Mappings: { Sizes: { test: { memory: 128 } } },
    Conditions: {
      IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
      IsLive: { 'Fn::Not': [{ Condition: 'IsTest' }] },
      Either: { 'Fn::Or': [{ Condition: 'IsLive' }, { Condition: 'IsTest' }] },
      Both: { 'Fn::And': [{ Condition: 'IsLive' }, { Condition: 'IsTest' }] },
    },
    Resources: {
      Queue: { Type: 'AWS::SQS::Queue' },
      Absent: { Type: 'AWS::SQS::Queue', Condition: 'IsLive' },
    },
  }),
);

const parameterOf = (key: string, resolved: Json) =>
  [key, { key, value: '', resolved, noEcho: false }] as const;

const lookup = new StackLookup({
  template,
  parameters: new Map([parameterOf('Stage', 'test'), parameterOf('Zones', ['a', 'b'])]),
  stackName: 'shop',
  stackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1',
  notificationArns: [],
  resource: (id) =>
    id === 'Queue'
      ? {
          physicalId: 'http://queue',
          type: 'AWS::SQS::Queue',
          attributes: { Arn: 'arn:queue', 'Nested.Name': 'deep' },
        }
      : undefined,
  exported: (name) => (name === 'net:vpc' ? 'vpc-1' : undefined),
});

describe('intrinsic functions', () => {
  it.each<[string, Json, Json | undefined]>([
    ['Ref of a parameter', { Ref: 'Stage' }, 'test'],
    ['Ref of a list', { Ref: 'Zones' }, ['a', 'b']],
    ['Ref of a resource', { Ref: 'Queue' }, 'http://queue'],
    ['Ref of the region', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Ref of the account', { Ref: 'AWS::AccountId' }, '123456789012'],
    ['Ref of the stack', { Ref: 'AWS::StackName' }, 'shop'],
    ['Ref of the suffix', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
    ['NoValue leaves a member out', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
    ['NoValue leaves an element out', [1, { Ref: 'AWS::NoValue' }], [1]],
    ['GetAtt by list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:queue'],
    ['GetAtt by text, with dots', { 'Fn::GetAtt': 'Queue.Nested.Name' }, 'deep'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, 3]] }, 'a-test-3'],
    ['Join of a list parameter', { 'Fn::Join': ['+', { Ref: 'Zones' }] }, 'a+b'],
    ['Sub', { 'Fn::Sub': '${AWS::Partition}/${Stage}/${Queue.Arn}/${!Kept}' }, 'aws/test/arn:queue/${Kept}'],
    ['Sub with variables', { 'Fn::Sub': ['${x}-${Stage}', { x: { Ref: 'Queue' } }] }, 'http://queue-test'],
    ['Select', { 'Fn::Select': ['1', { 'Fn::Split': [',', 'x,y,z'] }] }, 'y'],
    ['Split', { 'Fn::Split': ['|', 'a|b'] }, ['a', 'b']],
    ['GetAZs here', { 'Fn::GetAZs': '' }, ['us-east-1a', 'us-east-1b']],
    ['ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': 'net:vpc' } }, 'vpc-1'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, 128],
    ['Base64', { 'Fn::Base64': 'hello' }, 'aGVsbG8='],
    ['Cidr', { 'Fn::Cidr': ['10.0.0.0/16', 2, '8'] }, ['10.0.0.0/24', '10.0.1.0/24']],
    ['If true', { 'Fn::If': ['IsTest', 'yes', 'no'] }, 'yes'],
    ['If false', { 'Fn::If': ['IsLive', 'yes', { Ref: 'AWS::NoValue' }] }, undefined],
    ['Or', { 'Fn::If': ['Either', 1, 2] }, 1],
    ['And', { 'Fn::If': ['Both', 1, 2] }, 2],
    ['Contains', { 'Fn::Contains': [['1', '2'], '2'] }, true],
    [
      'a policy’s Condition is no function',
      { Condition: { StringEquals: { a: 'b' } } },
      { Condition: { StringEquals: { a: 'b' } } },
    ],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value, lookup)).toEqual(expected);
  });

  it.each<[string, Json, string]>([
    ['an unknown function is named', { 'Fn::Transform': {} }, 'the function Fn::Transform is not supported'],
    [
      'an unknown attribute',
      { 'Fn::GetAtt': ['Queue', 'Size'] },
      'Requested attribute Size must be a readonly property in schema for AWS::SQS::Queue',
    ],
    ['an unknown export', { 'Fn::ImportValue': 'nothing' }, 'No export named nothing found.'],
    ['a resource whose condition is false', { Ref: 'Absent' }, 'Unresolved resource dependencies [Absent]'],
    ['Select beyond the end', { 'Fn::Select': [5, ['a']] }, 'cannot select nonexistent value at index 5'],
    [
      'an unknown mapping',
      { 'Fn::FindInMap': ['Sizes', 'live', 'memory'] },
      'Unable to get mapping for Sizes::live::memory',
    ],
  ])('fails on %s', (_name, value, message) => {
    expect(() => resolve(value, lookup)).toThrow(message);
  });
});

describe('templates', () => {
  const queue = { Type: 'AWS::SQS::Queue' };
  it.each<[string, object, string]>([
    [
      'an unresolved Ref',
      { Resources: { A: { ...queue, Properties: { QueueName: { Ref: 'B' } } } } },
      'Unresolved resource dependencies [B] in the Resources block',
    ],
    [
      'an unresolved Sub',
      { Resources: { A: { ...queue, Properties: { QueueName: { 'Fn::Sub': 'x${B.Arn}' } } } } },
      'Unresolved resource dependencies [B]',
    ],
    [
      'an unresolved DependsOn',
      { Resources: { A: { ...queue, DependsOn: 'B' } } },
      'Unresolved resource dependencies [B]',
    ],
    [
      'an unresolved output',
      { Resources: { A: queue }, Outputs: { O: { Value: { Ref: 'B' } } } },
      'in the Outputs block',
    ],
    [
      'an unresolved condition',
      { Resources: { A: { ...queue, Condition: 'C' } } },
      'Unresolved condition dependency C',
    ],
    ['no resources', { Resources: {} }, 'At least one Resources member must be defined.'],
    [
      'an unknown section',
      { Resources: { A: queue }, Transform: 'x' },
      'Invalid template property or properties [Transform]',
    ],
    [
      'an unknown attribute of a resource',
      { Resources: { A: { ...queue, UpdatePolicy: {} } } },
      "Invalid template resource property 'UpdatePolicy'",
    ],
  ])('are refused for %s', (_name, body, message) => {
    expect(() => parseTemplate(JSON.stringify(body))).toThrow(message);
  });
});
