/** One picture of what goes on, drawn anew in place. Pure: what it shows is what it is given. */
import { styleText } from 'node:util';
import wrapAnsi from 'wrap-ansi';
import type { Deployment, Hold, ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { inWords } from '../../functions/core/traffic/weights.ts';
import type { Result } from './scenario.ts';
import { type SlotView, tenantOf } from './service-view.ts';
import type { TrafficCounts } from './traffic-worker.ts';

export interface ServiceView {
  readonly name: string;
  /** What it runs on. */
  readonly on: string;
  readonly site: string | undefined;
  readonly item: ServiceItem | undefined;
  readonly slots: readonly SlotView[];
  readonly traffic: TrafficCounts | undefined;
}

export interface View {
  /** What is being done, when no deployment runs. */
  readonly activity: string;
  /** Milliseconds since the epoch, on the embedded AWS's clock. */
  readonly now: number;
  readonly speed: number;
  readonly endpoint: string | undefined;
  readonly isolation: string | undefined;
  /** Those that something was pushed to, in the order of their first pushes. */
  readonly services: readonly ServiceView[];
  readonly results: readonly Result[];
  readonly remarks: readonly string[];
}

const barWidth = 30;
const indent = ' '.repeat(6);
/** Colours only where the screen has them and the person wants them (NO_COLOR). */
const onScreen = { stream: process.stderr };
const dim = (text: string): string => styleText('dim', text, onScreen);
const bold = (text: string): string => styleText('bold', text, onScreen);
const colours = { blue: 'blueBright', green: 'green', red: 'redBright' } as const;

/**
 * At most `height` lines of at most `width` columns. Where that is too little, what is past gives way, the oldest first:
 * remarks before results. What stands at the top stays.
 */
export function draw(view: View, width: number, height: number): string {
  const fold = (line: string): readonly string[] => folded(line, width);
  const remarks = view.remarks.map((remark) => fold(`  ${remark}`));
  const results = resultLines(view).map(fold);
  const now = [header(view), ...view.services.map(slotLines), deploymentLines(view)].map((lines) =>
    lines.flatMap(fold),
  );
  const traffic = trafficLines(view).flatMap(fold);
  for (;;) {
    const lines = [...now, remarks.flat(), results.flat(), traffic]
      .filter((section) => section.length > 0)
      .flatMap((section, index) => (index === 0 ? section : ['', ...section]));
    const past = remarks.length > 0 ? remarks : results;
    if (lines.length <= height || past.length === 0) return lines.slice(0, height).join('\n');
    past.shift();
  }
}

function header({ now, speed, endpoint, isolation }: View): string[] {
  const clock = new Date(now).toISOString().slice(11, 19);
  const where = endpoint === undefined ? '' : `   AWS and registry ${endpoint}`;
  const how = isolation === undefined ? [] : [`  ${dim(`tasks run in ${isolation}`)}`];
  return [`${bold('Cutover')}   clock ${clock} ${dim(`(×${speed} while idle)`)}${where}`, ...how];
}

function slotLines({ name, on, slots, item, site }: ServiceView): string[] {
  if (slots.length === 0) return [];
  const total = slots.reduce((sum, { weight }) => sum + weight, 0) || 1;
  const title = `  ${bold(name)} ${dim(`on ${on}`)}   ${site ?? ''}`;
  return [title, ...slots.map((slot) => slotLine(slot, slot.weight / total, whoLivesIn(slot.name, item)))];
}

function slotLine(slot: SlotView, share: number, who: string): string {
  const filled = Math.round(share * barWidth);
  const colour = slot.name in colours ? colours[slot.name as keyof typeof colours] : 'cyan';
  const bar = styleText(colour, '█'.repeat(filled), onScreen) + dim('░'.repeat(barWidth - filled));
  const percent = `${Math.round(share * 100)} %`.padStart(5);
  const health = slot.targets === 0 ? dim('no targets') : `${slot.healthy}/${slot.targets} healthy`;
  return `    ${slot.name.padEnd(6)} ${bar} ${percent}   ${who.padEnd(22)} ${String(slot.requests).padStart(7)} requests   ${health}`;
}

function whoLivesIn(slot: string, item: ServiceItem | undefined): string {
  const tenant = tenantOf(slot, item);
  if (tenant === undefined) return '';
  const coming = item?.deployment?.outcome === null && item.deployment.plan.to.name === tenant.name;
  const role = coming ? 'new' : item?.live?.name === tenant.name ? 'live' : 'kept';
  return `${tenant.name} ${tenant.tag} ${role}`;
}

function deploymentLines({ services, now, activity }: View): string[] {
  const running = services.filter(({ item }) => item?.deployment?.outcome === null);
  if (running.length > 0) return running.flatMap(({ item }) => courseLines(item, now));
  return [`  ${activity}`, ...services.flatMap(({ item }) => refusalLines(item))];
}

function courseLines(item: ServiceItem | undefined, now: number): string[] {
  const running = item?.deployment;
  if (running === undefined || running === null) return [];
  const { plan, startedAt, order, hold } = running;
  const why = running.reason ?? (order === null ? null : `${order.by}: ${order.reason}`);
  const seconds = Math.max(0, Math.round((now - startedAt) / 1_000));
  const lead = plan.direction === 'back' ? 'rollback to ' : '';
  const what = `${lead}${bold(`${plan.to.repository}:${plan.to.tag}`)} as ${plan.to.name}`;
  // What was planned is not what goes on while a person's word is waited for.
  const course = hold === null || hold.answer !== null ? planned(running, item, now) : inHands(hold);
  return [
    `  ${what} ${course.doing}   ${dim(`${seconds} s   ${course.steps}`)}`,
    ...(why === null ? [] : [`  ${styleText('redBright', 'Why', onScreen)} ${why}`]),
  ];
}

interface Course {
  readonly doing: string;
  readonly steps: string;
}

function planned({ plan, phase, step }: Deployment, item: ServiceItem | undefined, now: number): Course {
  const steps = plan.steps
    .map(({ weightPercent }, index) => (index === step ? bold(`[${weightPercent} %]`) : `${weightPercent} %`))
    .join(' → ');
  const doing = {
    launching: plan.kept ? 'was kept warm' : 'is being launched',
    proving: `must become healthy ${untilWords(item?.wait?.deadline, now)}`,
    shifting: 'takes traffic',
    baking: `bakes at ${plan.steps[step]?.weightPercent ?? 100} % ${untilWords(item?.wait?.deadline, now)}`,
    restoring: `goes back: ${item === undefined ? '' : inWords(item.weights ?? {})}`,
    ended: 'ended',
  }[phase];
  return { doing, steps };
}

/** Why it stands still, and the word that a person may say: on the way back there is no way but that. */
function inHands({ kind, why }: Hold): Course {
  const barred = (why.split('. ')[0] ?? why).replace(/\.$/, '');
  const asked = {
    held: { state: 'held', words: 'resume or abort' },
    needsHand: { state: 'cannot go back', words: 'it is tried again and again, and at once with resume' },
    frozen: { state: 'frozen', words: 'it is tried again and again, and at once with resume' },
  }[kind];
  const doing = `${styleText('redBright', `${asked.state}:`, onScreen)} ${barred}; ${asked.words}`;
  return { doing, steps: '' };
}

/** The last push or order, when it started no deployment: correct, but whoever gave it waits. */
function refusalLines(item: ServiceItem | undefined): string[] {
  const intake = item?.intake;
  if (intake === null || intake === undefined || intake.admission === 'admitted') return [];
  const what = intake.image ?? { forward: 'the last push', back: 'the last order' }[intake.direction];
  return [`  ${dim(`${what}: ${intake.admission}, ${intake.reason}`)}`];
}

function untilWords(deadline: number | null | undefined, now: number): string {
  return deadline == null ? '' : `for ${Math.max(0, Math.ceil((deadline - now) / 1_000))} s more`;
}

function resultLines({ results }: View): string[] {
  return results.map(({ direction, image, generation, outcome, reason, seconds }) => {
    const good = outcome === 'live';
    const sign = direction === 'back' ? '↩' : '✔';
    const mark = styleText(good ? 'green' : 'redBright', good ? sign : '✘', onScreen);
    return `  ${mark} ${image}   ${generation === 0 ? '– ' : `g${generation}`}   ${outcome.padEnd(8)} ${String(seconds).padStart(5)} s   ${dim(reason)}`;
  });
}

function trafficLines({ services }: View): string[] {
  const traffic = together(services.map((service) => service.traffic));
  if (traffic.total === 0) return [];
  const lost =
    traffic.lost === 0
      ? styleText('green', '0 lost', onScreen)
      : styleText('redBright', `${traffic.lost} lost`, onScreen);
  return [`  ${traffic.total} requests, ${lost}, ${traffic.failed} answered 5xx by a bad canary`];
}

/** What was sent to all services. */
export function together(
  counts: readonly (Pick<TrafficCounts, 'total' | 'lost' | 'failed'> | undefined)[],
): Pick<TrafficCounts, 'total' | 'lost' | 'failed'> {
  const sum = (of: 'total' | 'lost' | 'failed') => counts.reduce((so, each) => so + (each?.[of] ?? 0), 0);
  return { total: sum('total'), lost: sum('lost'), failed: sum('failed') };
}

/** Breaks a line that is wider than the screen between words; what goes on below is indented. */
function folded(line: string, width: number): readonly string[] {
  const lead = /^ */.exec(line)?.[0] ?? '';
  const room = Math.max(20, width - indent.length);
  const [first = '', ...rest] = wrapAnsi(line.slice(lead.length), room, { hard: true }).split('\n');
  return [lead + first, ...rest.map((more) => indent + more)];
}
