/** How soon the deployer acts, on the clock at the wall's speed: from the alarm to the old weights, from the push to the launch. */
import type { AwsEvent } from '../local/aws-event.ts';
import type { Result } from '../local/demo/scenario.ts';
import type { Example } from './example.ts';
import { atMost, median, type Report } from './measure.ts';

const samples = 3;
const section = `Reaction: seconds at the wall's speed, functions warm, median of ${samples}`;

export async function measureReaction(report: Report, example: Example): Promise<void> {
  const { speed } = example.clock;
  await example.configure({
    strategy: { kind: 'canary', canaryPercent: 10, canaryBakeSeconds: 300, bakeSeconds: 300 },
  });
  const launches: number[] = [];
  const restores: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    example.clock.speed = 1;
    const { outcome, seconds } = await launched(example);
    launches.push(seconds);
    example.clock.speed = speed;
    await example.until('the first bake', () => (example.item?.wait?.for === 'bake' ? true : undefined));
    example.clock.speed = 1;
    restores.push(await restored(example));
    example.clock.speed = speed;
    const { outcome: end } = await outcome;
    if (end !== 'restored') throw new Error(`a red alarm in the bake led to ${end}`);
    await example.ended('Deploy');
  }
  const restore = median(restores);
  report({
    section,
    name: "from the alarm's event to the old weights in the rule",
    value: restore,
    unit: 's',
    target: atMost(restore, 1, ' s'),
    note: `of ${restores.map((each) => each.toFixed(2)).join(', ')}`,
  });
  report({
    section,
    name: "from the push's event to CreateService",
    value: median(launches),
    unit: 's',
    note: `of ${launches.map((each) => each.toFixed(2)).join(', ')}`,
  });
}

async function launched(
  example: Example,
): Promise<{ readonly outcome: Promise<Result>; readonly seconds: number }> {
  const announced = example.event(({ detailType }) => detailType === 'ECR Image Action');
  const created = written(example, 'CreateService');
  const { outcome } = await example.push();
  return { outcome, seconds: ((await created) - (await announced)) / 1_000 };
}

async function restored(example: Example): Promise<number> {
  const red = example.event(isAlarm);
  const back = written(example, 'ModifyRule');
  await example.ask('monitoring', 'SetAlarmState', {
    AlarmName: example.alarm,
    StateValue: 'ALARM',
    StateReason: 'the bench says so',
  });
  return ((await back) - (await red)) / 1_000;
}

function isAlarm({ detailType, detail }: AwsEvent): boolean {
  return (
    detailType === 'CloudWatch Alarm State Change' &&
    (detail as { readonly state?: { readonly value?: string } }).state?.value === 'ALARM'
  );
}

/** When a function's next call of this operation has taken effect. */
function written(example: Example, operation: string): Promise<number> {
  return new Promise((resolve) => {
    const forget = example.aws.calls.subscribe((record) => {
      if (record.operation !== operation || record.principal.kind !== 'role') return;
      forget();
      resolve(record.at + record.durationMs);
    });
  });
}
