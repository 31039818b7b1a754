import { expect, it } from 'vitest';
import { chapterSchema } from '../../functions/core/messages/chapter.ts';
import { recordInWords } from '../../local/demo/record.ts';
import { start } from '../core/examples.ts';

it('tells the calls that change something, and no call that only reads', () => {
  const once = { count: 1, errors: 0, ms: 1 };
  const calls = {
    'ecr:BatchGetImage': once,
    'ecr:DescribeImages': once,
    'ecr:PutImage': once,
    'ecs:ListTasks': once,
    'ssm:GetParameter': once,
    'dynamodb:PutItem': once,
    'elasticloadbalancing:ModifyRule': { ...once, count: 2 },
  };
  const chapter = chapterSchema.parse({
    id: 'deployment#web-g0002-d2#7',
    kind: 'live',
    service: 'web',
    direction: 'forward',
    deployment: 'web-g0002-d2',
    image: 'web:v2',
    digest: null,
    generation: 'web-g0002',
    weights: null,
    reason: null,
    at: start,
    seconds: 1,
    restore: null,
    written: { by: 'shift', request: 'request', at: start, ms: 5, calls },
  });
  expect(recordInWords([chapter])).toBe('; wrote ecr:PutImage, 2 × elasticloadbalancing:ModifyRule');
});
