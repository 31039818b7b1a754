/**
 * The share of each slot as weights of one forward action in an ALB listener rule. ModifyRule replaces the whole array of
 * actions, so a rule with anything in it that is not known here completely is refused, never written back.
 */
import {
  type Action,
  DescribeRulesCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CutoverError } from '../core/errors.ts';
import type { TargetState } from '../core/gates/health.ts';
import type { SlotName } from '../core/names.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import { foreignWeights, inWords, sameWeights, type Weights } from '../core/traffic/weights.ts';
import type { Traffic } from '../ports/traffic.ts';
import { calling } from './failures.ts';

const knownActionMembers = new Set(['Type', 'Order', 'TargetGroupArn', 'ForwardConfig']);
const knownForwardMembers = new Set(['TargetGroups', 'TargetGroupStickinessConfig']);

/** A read that is not what was expected is made again so many times, so far apart, before it is taken for somebody's change. */
const rereads = 2;
const rereadMs = 500;

export class AlbTraffic implements Traffic {
  readonly #client: ElasticLoadBalancingV2Client;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(
    client: ElasticLoadBalancingV2Client,
    sleep: (ms: number) => Promise<unknown> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  ) {
    this.#client = client;
    this.#sleep = sleep;
  }

  async weights(settings: TrafficSettings, expected?: Weights): Promise<Weights> {
    const any = expected === undefined;
    return weightsIn(await this.#reread(settings, (found) => any || sameWeights(found, expected)), settings);
  }

  async shift(settings: TrafficSettings, expected: Weights, next: Weights): Promise<void> {
    const action = await this.#reread(
      settings,
      (found) => sameWeights(found, next) || sameWeights(found, expected),
    );
    const current = weightsIn(action, settings);
    if (sameWeights(current, next)) return;
    if (!sameWeights(current, expected)) throw foreignWeights(settings.rule, expected, current);
    const groups = settings.slots
      .map(({ name, targetGroup }) => ({ TargetGroupArn: targetGroup, Weight: next[name] ?? 0 }))
      // Infrastructure may have taken an idle slot out since the plan was made, and its group may be gone.
      .filter(({ TargetGroupArn, Weight }) => Weight > 0 || names(action, TargetGroupArn));
    const stickiness = action.ForwardConfig?.TargetGroupStickinessConfig;
    const ForwardConfig = {
      TargetGroups: groups,
      ...(stickiness && { TargetGroupStickinessConfig: stickiness }),
    };
    await calling(`writing the weights ${inWords(next)} to ${settings.rule}`, () =>
      this.#client.send(
        new ModifyRuleCommand({ RuleArn: settings.rule, Actions: [{ Type: 'forward', ForwardConfig }] }),
      ),
    );
    const written = await this.weights(settings, next);
    if (!sameWeights(written, next)) throw foreignWeights(settings.rule, next, written);
  }

  async targets(settings: TrafficSettings, slot: SlotName): Promise<readonly TargetState[]> {
    const group = settings.slots.find(({ name }) => name === slot)?.targetGroup;
    if (group === undefined)
      throw new CutoverError('Cutover.InvalidInput', `${slot} is not a slot of ${settings.rule}`);
    const { TargetHealthDescriptions } = await calling(`reading the targets of ${slot}`, () =>
      this.#client.send(new DescribeTargetHealthCommand({ TargetGroupArn: group })),
    );
    return (TargetHealthDescriptions ?? []).map(({ Target, TargetHealth }) => ({
      id: Target?.Id ?? '',
      state: plainState(TargetHealth?.State ?? 'unavailable'),
      reason: TargetHealth?.Reason,
      description: TargetHealth?.Description,
    }));
  }

  async #reread(settings: TrafficSettings, isExpected: (weights: Weights) => boolean): Promise<Action> {
    let action = await this.#action(settings);
    for (let times = 0; times < rereads && !isExpected(weightsIn(action, settings)); times++) {
      await this.#sleep(rereadMs);
      action = await this.#action(settings);
    }
    return action;
  }

  async #action(settings: TrafficSettings): Promise<Action> {
    const answer = await calling(`reading the rule ${settings.rule}`, () =>
      this.#client.send(new DescribeRulesCommand({ RuleArns: [settings.rule] })),
    );
    const actions = answer.Rules?.[0]?.Actions ?? [];
    const [action] = actions;
    if (action === undefined || actions.length !== 1) {
      throw notOurs(settings, `it has ${actions.length} actions, and exactly one forward is known`);
    }
    return action;
  }
}

function names(action: Action, group: string): boolean {
  return action.ForwardConfig?.TargetGroups?.some(({ TargetGroupArn }) => TargetGroupArn === group) ?? false;
}

function weightsIn(action: Action, settings: TrafficSettings): Weights {
  const odd = [
    ...unknownMembers(action, knownActionMembers),
    ...unknownMembers(action.ForwardConfig ?? {}, knownForwardMembers),
  ];
  if (action.Type !== 'forward') throw notOurs(settings, `its action is ${action.Type}, not forward`);
  if (odd.length > 0) throw notOurs(settings, `its action has ${odd.join(', ')}`);
  if (action.ForwardConfig?.TargetGroupStickinessConfig?.Enabled === true) {
    throw notOurs(settings, 'its target groups are sticky, and a cookie would overrule the weights');
  }
  const groups = action.ForwardConfig?.TargetGroups ?? [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }];
  const weights: Weights = {};
  for (const { name } of settings.slots) weights[name] = 0;
  for (const { TargetGroupArn, Weight } of groups) {
    const slot = settings.slots.find(({ targetGroup }) => targetGroup === TargetGroupArn);
    if (slot === undefined)
      throw notOurs(settings, `it forwards to ${TargetGroupArn}, which is no slot of this service`);
    weights[slot.name] = Weight ?? 1;
  }
  return weights;
}

function unknownMembers(of: object, known: ReadonlySet<string>): string[] {
  return Object.entries(of).flatMap(([member, value]) =>
    known.has(member) || value === undefined ? [] : [member],
  );
}

/** `unhealthy.draining` and `draining` are both on their way out. */
function plainState(state: string): TargetState['state'] {
  switch (state) {
    case 'initial':
    case 'healthy':
    case 'unhealthy':
    case 'unused':
    case 'draining':
      return state;
    case 'unhealthy.draining':
      return 'draining';
    default:
      return 'unavailable';
  }
}

function notOurs({ rule }: TrafficSettings, what: string): CutoverError {
  return new CutoverError(
    'Cutover.RuleNotOurs',
    `the rule ${rule} is left alone: ${what}. Make it one forward to the service's slots`,
  );
}
