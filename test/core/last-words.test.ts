/** The last words of a generation: short on a phone, whole in the ledger, and with what to do next. */
import { describe, expect, it } from 'vitest';
import { remembering, restored } from '../../functions/core/deployment/course.ts';
import { turned } from '../../functions/core/deployment/turn.ts';
import type { LastWords } from '../../functions/core/messages/last-words.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { baking, start } from './examples.ts';

const words = (changes: Partial<LastWords> = {}): LastWords => ({
  log: [],
  events: [],
  unread: [],
  ...changes,
});

function told(said: LastWords, error = 'Cutover.Unhealthy') {
  const { item, plan } = baking(1);
  const back = {
    ...item,
    deployment: turned(item.deployment!, { Error: error, Cause: 'it is not healthy' }, start),
  };
  const remembered = remembering(back, plan, said);
  return {
    item: remembered,
    whole: chaptersOf(back, remembered),
    end: chaptersOf(remembered, restored(remembered, plan, start + 60_000)).map(messageOf),
  };
}

const why = ({ end }: ReturnType<typeof told>) => end.at(-1)?.text.split('\n')[1];

describe('the end of a deployment that was taken back', () => {
  it('says why, what was said and logged last, and what to do', () => {
    const said = words({ log: ['one', 'two', 'three'], events: ['was unable to place a task.'] });
    expect(why(told(said))).toBe(
      'Why: it is not healthy. Of it was said: was unable to place a task. It logged last: "two" "three". Mend what kept it from being healthy, and push again under a new tag',
    );
  });

  it('says no more than there is', () => {
    expect(why(told(words(), 'Cutover.Aborted'))).toBe('Why: it is not healthy');
  });

  it('is short enough for a phone, however much was logged, and the ledger has more', () => {
    const long = words({ log: Array.from({ length: 100 }, (_, line) => `${line} ${'x'.repeat(5_000)}`) });
    const { item, whole, ...rest } = told(long);
    expect(why({ item, whole, ...rest })?.length).toBeLessThan(600);
    expect(item.deployment?.lastWords?.log).toHaveLength(20);
    expect(whole.map(({ kind }) => kind)).toEqual(['lastWords']);
    expect(whole[0]?.reason).toMatch(/^its last log lines: 80 x+/);
    expect(whole[0]!.reason!.length).toBeGreaterThan(9_000);
  });

  it('tells in the ledger why something could not be read', () => {
    const { whole } = told(words({ unread: ['AWS refused while reading the log'] }));
    expect(whole[0]?.reason).toBe('AWS refused while reading the log');
  });

  it('remembers what it heard first', () => {
    const { item } = told(words({ log: ['first'] }));
    const { plan } = baking(1);
    expect(remembering(item, plan, words({ log: ['second'] }))).toBe(item);
  });
});
