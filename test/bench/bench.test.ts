import { describe, expect, it } from 'vitest';
import { readCommandLine, UsageError } from '../../bench/command-line.ts';
import { itemSize } from '../../bench/item-size.ts';
import { against, atMost, type Measure, median, rate } from '../../bench/measure.ts';
import { costOf } from '../../bench/prices.ts';
import { jsonLines, table } from '../../bench/report.ts';
import { invocationsIn, plainStory, rechecks } from '../../bench/story.ts';

const measure: Measure = {
  section: 'Functions',
  name: 'shift',
  value: 60,
  unit: 'ms',
  against: against(60, 'the empty handler', 20),
  target: atMost(3, 2.8, ' ×'),
};

describe('what a benchmark says', () => {
  it('is one JSON object a line for machines', () => {
    const lines: string[] = [];
    const report = jsonLines((text) => lines.push(text));
    report(measure);
    report({ ...measure, name: 'judge' });
    expect(lines.map((line) => (JSON.parse(line) as Measure).name)).toEqual(['shift', 'judge']);
    expect(JSON.parse(lines[0]!)).toEqual(measure);
  });

  it('is a row under its section for people, with what the ratio is over, and whether the target is missed', () => {
    let text = '';
    const report = table((more) => (text += more));
    report(measure);
    report(measure);
    expect(text.match(/^Functions$/gm)).toHaveLength(1);
    expect(text).toMatch(/shift +60 ms +3 × +of 20, the empty handler; target ≤ 2\.8 ×: MISSED/);
  });

  it('is a row of a table where it has columns, under headings that are told once, in 100 columns', () => {
    let text = '';
    const report = table((more) => (text += more));
    const columns = {
      Cutover: rate(9_999, 10_000),
      Kayenta: rate(0, 50),
      needed: 1_223,
      'by then': Number.NaN,
    };
    report({ section: 'Comparison', name: '1 % more fail', value: 100, unit: '%', columns });
    report({ section: 'Comparison', name: '5 % more fail', value: 100, unit: '%', columns });
    const lines = text.trimEnd().split('\n').slice(1);
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^ +Cutover +Kayenta +needed +by then$/);
    expect(lines[3]).toMatch(/^  5 % more fail +99\.9  99\.9–100 +0 +0–7\.14 +1,223 +–$/);
  });

  it('has the middle value as its median, and none of nothing', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1])).toBe(2.5);
    expect(() => median([])).toThrow('nothing was measured');
  });
});

describe('the plain story', () => {
  it('has eleven states all at once and three more for each further step', () => {
    expect(plainStory(1)).toHaveLength(11);
    expect(plainStory(3)).toHaveLength(17);
    expect(invocationsIn(plainStory(3))).toBe(13);
  });

  it('leaves over what was entered again', () => {
    const entered = [...plainStory(1), 'Await bake', 'Judge', 'Await bake'];
    expect(rechecks(entered, plainStory(1))).toEqual({ 'Await bake': 2, Judge: 1 });
  });
});

describe('what it costs', () => {
  it('weighs an item as DynamoDB does: names and values in UTF-8, numbers by two digits, lists and maps with their overhead', () => {
    expect(itemSize({ id: { S: 'wéb' }, n: { N: '-1234' }, no: { NULL: true } })).toBe(2 + 4 + 1 + 3 + 2 + 1);
    expect(itemSize({ l: { L: [{ S: 'ab' }] }, m: { M: { k: { BOOL: true } } } })).toBe(
      1 + 3 + 1 + 2 + 1 + 3 + 1 + 1 + 1,
    );
  });

  it('is 25 USD for a million transitions and nothing else', () => {
    const nothing = {
      invocations: 0,
      calls: 0,
      functions: 0,
      writeUnits: 0,
      readUnits: 0,
      publications: 0,
      logBytes: 0,
      historyEvents: 0,
      traces: 0,
    };
    const cost = costOf({ ...nothing, transitions: 1_000_000 });
    expect(cost['Step Functions']).toBeCloseTo(25);
    expect(Object.values(cost).reduce((total, part) => total + part)).toBeCloseTo(25);
  });
});

describe('the command line', () => {
  it('runs everything unless told which', () => {
    expect(readCommandLine([])).toEqual({
      json: false,
      only: ['deployment', 'reaction', 'functions', 'balancer', 'comparison'],
      times: 7,
      canaries: 10_000,
    });
    expect(readCommandLine(['--json', '--only', 'balancer', '--only', 'functions', '--times', '3'])).toEqual({
      json: true,
      only: ['balancer', 'functions'],
      times: 3,
      canaries: 10_000,
    });
  });

  it.each([[['--only', 'speed']], [['--times', '0']], [['--canaries', '1e3']], [['--fast']]])(
    'refuses %j in one line',
    (args) => {
      expect(() => readCommandLine(args)).toThrow(UsageError);
    },
  );
});
