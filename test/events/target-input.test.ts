import { expect, test } from 'vitest';
import type { BusEvent } from '../../local/services/events/bus-event.ts';
import { targetInput } from '../../local/services/events/target-input.ts';

/** The event of "Amazon EventBridge input transformation", user guide. */
const event: BusEvent = {
  version: '0',
  id: '7bf73129-1428-4cd3-a780-95db273d1602',
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  account: '123456789012',
  time: '2015-11-11T21:29:54Z',
  region: 'us-east-1',
  resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111'],
  detail: { 'instance-id': 'i-0123456789', state: 'RUNNING', counts: [1, 2], tags: { team: 'web' } },
};
const { detail: _, ...withoutDetail } = event;

const occasion = {
  event,
  ruleArn: 'arn:aws:events:us-east-2:123456789012:rule/example',
  ruleName: 'example',
  ingestionTime: '2015-11-11T21:29:55Z',
};
const InputPathsMap = {
  timestamp: '$.time',
  instance: '$.detail.instance-id',
  state: '$.detail.state',
  resource: '$.resources[0]',
  counts: '$.detail.counts',
  tags: '$.detail.tags',
  gone: '$.detail.gone',
};
const target = { Id: 'T', Arn: 'arn:aws:lambda:us-east-1:123456789012:function:f' };

test.each<[string, string, string]>([
  ['a string', '"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'],
  [
    'a string with escaped quotes',
    '"instance \\"<instance>\\" is in <state>"',
    '"instance \\"i-0123456789\\" is in RUNNING"',
  ],
  [
    'JSON',
    '{\n "instance" : <instance>,\n "state": <state>\n}',
    '{"instance":"i-0123456789","state":"RUNNING"}',
  ],
  [
    'JSON with strings and variables',
    '{"instance": <instance>, "state": "<state>", "instanceStatus": "instance \\"<instance>\\" is in <state>"}',
    '{"instance":"i-0123456789","state":"RUNNING","instanceStatus":"instance \\"i-0123456789\\" is in RUNNING"}',
  ],
  [
    'variables among constants',
    '{"state": [9, <state>, true], "Transformed": "Yes"}',
    '{"state":[9,"RUNNING",true],"Transformed":"Yes"}',
  ],
  [
    'predefined variables',
    '{"ruleArn": <aws.events.rule-arn>, "ruleName": <aws.events.rule-name>, "at": <aws.events.event.ingestion-time>, "event": <aws.events.event>}',
    JSON.stringify({
      ruleArn: occasion.ruleArn,
      ruleName: 'example',
      at: occasion.ingestionTime,
      event: withoutDetail,
    }),
  ],
  ['the whole event', '{"event": <aws.events.event.json>}', JSON.stringify({ event })],
  ['a predefined variable in a string', '"<aws.events.rule-name> triggered"', '"example triggered"'],
  ['an array and an object as JSON', '{"a": <counts>, "b": <tags>}', '{"a":[1,2],"b":{"team":"web"}}'],
  ['an object within a string, without its quotes', '"tags <tags>"', '"tags {team:web}"'],
  [
    'an element of an array',
    '{"r": <resource>}',
    '{"r":"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"}',
  ],
  ['nothing where a path leads nowhere', '{"a": <gone>, "b": "x<gone>y"}', '{"a":"","b":"xy"}'],
  ['what is no variable as it stands', '"<unknown> <state>"', '"<unknown> RUNNING"'],
  ['several lines of text', '"<state>"\n"<instance>"', '"RUNNING"\n"i-0123456789"'],
])('a template gives %s', (_name, InputTemplate, expected) => {
  const InputTransformer = { InputPathsMap, InputTemplate };
  expect(targetInput({ ...target, InputTransformer }, occasion)).toBe(expected);
});

test('without an input the target gets the event', () => {
  expect(JSON.parse(targetInput(target, occasion))).toEqual(event);
});

test('an input path gives a part of the event', () => {
  expect(targetInput({ ...target, InputPath: '$.detail.tags' }, occasion)).toBe('{"team":"web"}');
});

test('a constant input ignores the event', () => {
  expect(targetInput({ ...target, Input: '{"a":1}' }, occasion)).toBe('{"a":1}');
});
