/** What user data asks of the instance itself: the time, its name, a rest, its end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Clock } from '../clock.ts';
import type { InstanceSpec } from '../services/autoscaling/instances.ts';
import { type Asked, failed, notModelled, type Outcome, said } from './command.ts';
import { hostNameOf } from './metadata.ts';

/** coreutils' own, at the time of the clock. */
export async function date(clock: Clock, { args }: Asked): Promise<Outcome> {
  const other = args.find(
    (arg) => !/^(?:\+|-u$|--utc$|-R$|--rfc-email$|-I|--iso-8601|--rfc-3339=)/.test(arg),
  );
  if (other !== undefined) return notModelled(`date ${other}`);
  const now = `--date=@${(clock.now() / 1_000).toFixed(3)}`;
  const env = { PATH: process.env['PATH'], TZ: 'UTC', LANG: 'C.UTF-8' };
  const { stdout } = await promisify(execFile)('date', [now, ...args], { env });
  return said(stdout);
}

export function hostName(spec: InstanceSpec, { args }: Asked): Outcome {
  const [option, ...more] = args;
  const full = hostNameOf(spec);
  if (more.length > 0) return notModelled(`hostname ${args.join(' ')}`);
  if (option === undefined || option === '-f' || option === '--fqdn') return said(`${full}\n`);
  if (option === '-s' || option === '--short') return said(`${full.split('.', 1)[0]}\n`);
  if (option === '-i' || option === '-I') return said(`${spec.privateIp}\n`);
  return notModelled(`hostname ${option}`);
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** By the clock: `sleep 1m 30`. */
export async function sleep(rest: (ms: number) => Promise<void>, { args }: Asked): Promise<Outcome> {
  let ms = 0;
  for (const arg of args) {
    const [, count, unit = ''] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(arg) ?? [];
    if (count === undefined) return failed(`sleep: invalid time interval '${arg}'`);
    ms += Number(count) * (units[unit] ?? 1) * 1_000;
  }
  await rest(ms);
  return said('');
}

/** At once or not at all. */
export function shutDown(end: () => void, { name, args }: Asked): Outcome {
  const isNow =
    name !== 'shutdown' ||
    (args.includes('now') && args.every((arg) => ['now', '-h', '-P', '-H'].includes(arg)));
  if (!isNow) return notModelled(`shutdown ${args.join(' ')}`);
  end();
  return said('');
}
