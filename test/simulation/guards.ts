/**
 * For each invariant its guard and a story in which it matters. With the guard in place the invariant holds; with the guard
 * taken out it is broken, at an event (by the checker) or as the story says.
 */
import { comparisonSettings, leastBakeSeconds } from '../../functions/core/gates/comparison.ts';
import { expectEqual, expectLive } from './cell.ts';
import type { Replacement } from './mutant.ts';
import { alarm, baking, desired, endings, events, generations, isPush } from './stories.ts';
import type { World, WorldOptions } from './world.ts';

const minuteMs = 60_000;

export interface Guard {
  readonly invariant: string;
  /** What the guard does, in words. */
  readonly guard: string;
  readonly replacements: readonly Replacement[];
  readonly options?: Partial<WorldOptions>;
  /** From the first generation's being live. Rejects when the invariant is broken in a way that no single event shows. */
  readonly story: (world: World, first: string) => Promise<void>;
}

const out = (file: string, from: string, to: string): Replacement => ({
  file: `functions/${file}`,
  from,
  to,
});

async function over(world: World, digest: string): Promise<void> {
  await world.pass(
    () => world.item?.deployment?.plan.to.digest === digest && world.item.owner === null,
    'the end of the deployment',
  );
  await world.settle();
  await world.checker.end();
}

/** Does not wait for an end that a broken guard may make impossible. */
async function untilOver(world: World, digest: string, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += minuteMs) {
    await world.passMs(minuteMs);
    if (world.item?.deployment?.plan.to.digest === digest && world.item.owner === null) return;
  }
}

async function deployed(world: World): Promise<void> {
  await over(world, world.push('v2'));
}

async function taken(world: World): Promise<void> {
  const digest = world.push('v2');
  await baking(world, digest, 1);
  await alarm(world, 'ALARM');
  await over(world, digest);
}

/** Target tracking would scale in what has more tasks than one for 600 requests a minute. */
const scaling: WorldOptions['scaling'] = {
  minimum: 2,
  maximum: 12,
  policies: [{ name: 'requests', metric: 'requestsPerTarget', target: 600 }],
};

/** Each of two generations has half of the requests for as long as target tracking takes to find that too few. */
async function halfIdle(world: World): Promise<void> {
  const steps = [50, 100].map((weightPercent) => ({ weightPercent, bakeSeconds: 1_080 }));
  await world.declare({ strategy: { kind: 'custom', steps } });
  await desired(world, world.item?.live?.name ?? '', 4);
  const digest = world.push('v2');
  await baking(world, digest, 0);
  await world.passMs(17 * minuteMs);
}

export const guards: readonly Guard[] = [
  {
    invariant: 'I1',
    guard: 'the weights are not put back onto a generation without a healthy target',
    replacements: [
      out(
        'steps/restore.ts',
        'if (!sameWeights(current, plan.weightsBefore)) await refuseOntoNothing(plan, reason, ports);',
        '',
      ),
    ],
    story: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      world.aws.tasks.becomeUnhealthy(({ image }) => image.digest === first);
      await world.passMs(40_000);
      await alarm(world, 'ALARM');
      await world.passMs(10 * minuteMs);
    },
  },
  {
    invariant: 'I2',
    guard: 'health is looked at right before weight is given',
    replacements: [
      out('steps/shift.ts', "if (verdict.verdict !== 'pass') {", 'if (false) {'),
      out('core/fleet/capacity.ts', "healthy < needed ? 'growing' : 'enough'", "'enough'"),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      let shifts = 0;
      world.onState(({ state }) => {
        if (state !== 'Shift' || shifts++ > 0) return;
        world.aws.tasks.becomeUnhealthy(({ image }) => image.digest === digest);
        // Its first reads fail for as long as the targets' checks take.
        world.break(
          'slow',
          ({ caller, operation }) => caller === 'shift' && operation === 'GetItem',
          'throttled',
          8,
        );
      });
      await untilOver(world, digest, 30 * minuteMs);
    },
  },
  {
    invariant: 'I3',
    guard: 'a generation takes no traffic before its own targets are healthy',
    replacements: [
      out(
        'core/gates/health.ts',
        '  const own = ownTargets(fleet, targets);\n  const miswired',
        "  if (least >= 0) return { verdict: 'pass' };\n  const own = ownTargets(fleet, targets);\n  const miswired",
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2', { bootMs: 90_000 });
      await untilOver(world, digest, 20 * minuteMs);
    },
  },
  {
    invariant: 'I4',
    guard: 'a rule that holds what is not known completely is refused',
    replacements: [
      out(
        'aws/alb-traffic.ts',
        '      ...(stickiness && { TargetGroupStickinessConfig: stickiness }),\n',
        '',
      ),
    ],
    story: async (world) => {
      const { traffic } = await world.settings();
      const stickiness = { Enabled: false, DurationSeconds: 600 };
      await world.ask('elasticloadbalancing', 'ModifyRule', {
        RuleArn: traffic.rule,
        Actions: [
          {
            Type: 'forward',
            ForwardConfig: {
              TargetGroups: traffic.slots.map(({ name, targetGroup }) => ({
                TargetGroupArn: targetGroup,
                Weight: world.weight(name),
              })),
              TargetGroupStickinessConfig: stickiness,
            },
          },
        ],
      });
      await deployed(world);
      const { Rules } = (await world.ask('elasticloadbalancing', 'DescribeRules', {
        RuleArns: [traffic.rule],
      })) as { Rules: { Actions: { ForwardConfig: { TargetGroupStickinessConfig?: object } }[] }[] };
      expectEqual(
        Rules[0]?.Actions[0]?.ForwardConfig.TargetGroupStickinessConfig,
        stickiness,
        'the stickiness',
      );
    },
  },
  {
    invariant: 'I5',
    guard: 'what has begun to go back goes forward no more',
    replacements: [
      out('core/ledger/ownership.ts', "if (current.phase === 'restoring') {", 'if (current.step < -1) {'),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.callAgain('late', 'shift', 150_000);
      await baking(world, digest, 1);
      // Missing is not green; no signal is latched that would stop the late call.
      await world.ask('monitoring', 'DeleteAlarms', { AlarmNames: ['web-5xx'] });
      await untilOver(world, digest, 20 * minuteMs);
    },
  },
  {
    invariant: 'I6',
    guard: 'the new generation is as large as the old one at each raise',
    replacements: [
      out(
        'core/fleet/capacity.ts',
        "if (desired < needed) return { capacity: 'tooSmall' };",
        "if (desired > 0) return { capacity: 'enough' };",
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await desired(world, world.item?.live?.name ?? '', 4);
      await over(world, digest);
    },
  },
  {
    invariant: 'I6',
    guard: 'nothing scales the old generation in while it shares the traffic',
    replacements: [
      out('steps/shift.ts', '() => holdOld(plan, before, needed, ports);', '() => Promise.resolve();'),
    ],
    options: { scaling },
    story: halfIdle,
  },
  {
    invariant: 'I6',
    guard: 'nothing scales the new generation below what it was launched with',
    replacements: [
      out(
        'steps/scale.ts',
        'await scaling.carry(settings, model.from, to, heldAt(model.bounds, size), model.known);',
        'await scaling.carry(settings, model.from, to, model.bounds);',
      ),
    ],
    options: { scaling },
    story: halfIdle,
  },
  {
    invariant: 'I6',
    guard: 'what was held is given back',
    replacements: [
      out(
        'steps/scale.ts',
        'if (model !== undefined) await scaling.carry(settings, model.from, live, bounds, model.known);',
        '',
      ),
      out(
        'steps/scale.ts',
        'if (standing !== undefined && !sameBounds(standing, bounds)) await scaling.bound(settings, live, bounds);\n  if (model !== undefined) await scaling.carrySchedule',
        'if (model !== undefined) await scaling.carrySchedule',
      ),
    ],
    options: { scaling },
    story: async (world) => {
      await desired(world, world.item?.live?.name ?? '', 4);
      await deployed(world);
    },
  },
  {
    invariant: 'I6',
    guard: 'an old group is held by its minimum',
    replacements: [out('aws/asg-scaling.ts', 'MinSize: minimum,', 'MinSize: 0 * minimum,')],
    options: { service: 'worker', scaling },
    story: halfIdle,
  },
  {
    invariant: 'I7',
    guard: 'a generation is left alone until no request can reach it',
    replacements: [
      out('core/traffic/quiet.ts', 'return nextMinute(since) + minuteMs + lateMs;', 'return since;'),
    ],
    story: taken,
  },
  {
    invariant: 'I8',
    guard: 'nothing goes on without a way back',
    replacements: [
      out(
        'core/fleet/capacity.ts',
        'if (wanted !== undefined && wanted > 0) return undefined;',
        'if (to !== null) return undefined;',
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      await desired(world, world.item?.live?.name ?? '', 0);
      await world.passMs(10 * minuteMs);
    },
  },
  {
    invariant: 'I9',
    guard: 'the way back asks nothing of the registry',
    replacements: [
      out('steps/launch.ts', "if (plan.direction === 'forward') await keepImage", 'await keepImage'),
    ],
    story: async (world) => {
      await deployed(world);
      const before = world.checker.writes.length;
      const asked = world.trace.length;
      await world.rollback();
      await world.pass(() => world.item?.live?.number === 1 && world.item.owner === null, 'the way back');
      const writes = world.checker.writes.length - before;
      if (writes > 3) throw new Error(`the way back makes ${writes} calls that write`);
      const others = world.trace.slice(asked).filter((line) => /(?:Launch|Rollback)\S* ecr:/.test(line));
      expectEqual(others, [], 'calls of the registry');
    },
  },
  {
    invariant: 'I10',
    guard: 'Plan finds what it did when it runs again',
    replacements: [
      out(
        'core/deployment/admission.ts',
        'if (!own || item.deployment === null) return undefined;',
        'if (own || item.deployment === null) return undefined;',
      ),
    ],
    story: async (world) => {
      world.break(
        'lost',
        ({ caller, operation }) => caller === 'plan-deployment' && operation === 'PutItem',
        'crashAfter',
      );
      const digest = world.push('v2');
      await untilOver(world, digest, 30 * minuteMs);
      expectLive(world, digest);
    },
  },
  {
    invariant: 'I11',
    guard: 'an execution that died is found',
    replacements: [
      out(
        'core/deployment/recovery.ts',
        "return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';",
        'return false;',
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      await world.stop(world.item?.owner?.execution ?? '');
      await untilOver(world, digest, 40 * minuteMs);
      await world.checker.end();
    },
  },
  {
    invariant: 'I12',
    guard: 'frozen is only what AWS refuses both ways',
    replacements: [
      out(
        'core/deployment/hold.ts',
        "return ofAws.test(bar.Error) && ofAws.test(by.error) ? 'frozen' : 'needsHand';",
        "return 'frozen';",
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      const { traffic } = await world.settings();
      world.checker.mayDie = true;
      await world.ask('elasticloadbalancing', 'DeleteRule', { RuleArn: traffic.rule });
      await alarm(world, 'ALARM');
      await world.passMs(20 * minuteMs);
      expectEqual(world.item?.deployment?.hold?.kind, 'needsHand', 'what the deployment waits for');
    },
  },
  {
    invariant: 'I13',
    guard: 'a retirement waits while a deployment holds the service',
    replacements: [
      out(
        'steps/retire.ts',
        'if (item.owner !== null) return { retired: [], next: visit(item, afterBusy(item, now)) };',
        '',
      ),
      out('steps/retire.ts', 'if (now < settled) return', 'if (now < 0) return'),
      out(
        'core/deployment/course.ts',
        "  if (item.owner !== null) {\n    throw new CutoverError(\n      'Cutover.Busy',",
        "  if (item.fence < 0) {\n    throw new CutoverError(\n      'Cutover.Busy',",
      ),
    ],
    options: { settings: { retentionSeconds: 120 } },
    story: async (world) => {
      await deployed(world);
      const digest = world.push('v3');
      await untilOver(world, digest, 30 * minuteMs);
    },
  },
  {
    invariant: 'I14',
    guard: 'a fence that was passed on is refused',
    replacements: [
      out(
        'core/ledger/ownership.ts',
        'if (!ours || (item.fence !== plan.fence && current.outcome === null)) {',
        'if (!ours) {',
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      world.callAgain('late', 'shift', 150_000);
      await alarm(world, 'ALARM');
      await world.pass(() => world.item?.deployment?.phase === 'restoring', 'the way back');
      await world.stop(world.item?.owner?.execution ?? '');
      await untilOver(world, digest, 30 * minuteMs);
    },
  },
  {
    invariant: 'I15',
    guard: 'a successor waits out what the dead may still be writing',
    replacements: [
      out(
        'core/deployment/recovery.ts',
        '      // A function of the dead owner may still be writing.\n      notBefore: new Date(Math.max(now, item.mutatingUntil)).toISOString(),',
        '      notBefore: new Date(now).toISOString(),',
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      const until = world.item?.mutatingUntil ?? 0;
      const before = world.checker.writes.length;
      await world.stop(world.item?.owner?.execution ?? '');
      await over(world, digest);
      const at = world.checker.writes[before]?.at ?? 0;
      if (at < until) throw new Error(`the successor wrote ${until - at} ms too early`);
    },
  },
  {
    invariant: 'I16',
    guard: "a slot that holds a stranger's targets gets no weight",
    replacements: [out('steps/shift.ts', 'if (strangers.length > 0) {', 'if (strangers.length < 0) {')],
    story: async (world) => {
      const { traffic } = await world.settings();
      const green = traffic.slots.find(({ name }) => name === 'green')?.targetGroup;
      const digest = world.push('v2');
      await world.pass(() => world.item?.deployment?.phase === 'proving', 'the launch');
      await world.ask('elasticloadbalancing', 'RegisterTargets', {
        TargetGroupArn: green,
        Targets: [{ Id: '10.0.2.250', Port: 8080 }],
      });
      world.checker.mayDie = true;
      await untilOver(world, digest, 30 * minuteMs);
    },
  },
  {
    invariant: 'I8',
    guard: 'what had the traffic is not ended while its instances are replaced and the old one is dead',
    replacements: [
      out('steps/terminate.ts', 'if (isEmpty && (withdrawnAt === null ||', 'if (isEmpty && (true ||'),
    ],
    options: { service: 'worker' },
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      world.checker.mayDie = true;
      world.aws.tasks.becomeUnhealthy(() => true);
      await world.passMs(30 * minuteMs);
      expectEqual(endings(world), [], 'what was ended');
    },
  },
  {
    invariant: 'I18',
    guard: 'what instances run is named by its digest',
    replacements: [
      out('aws/asg-template.ts', ': `${repositoryUri}@${digest}`;', ': `${repositoryUri}:latest`;'),
    ],
    options: { service: 'worker' },
    story: deployed,
  },
  {
    invariant: 'I18',
    guard: 'what runs is named by its digest',
    replacements: [
      out(
        'aws/ecs-fleet.ts',
        'return `${settings.repositoryUri}@${generation.digest}`;',
        'return `${settings.repositoryUri}:${generation.tag}`;',
      ),
    ],
    story: deployed,
  },
  {
    invariant: 'I19',
    guard: 'an event that was admitted before starts nothing',
    replacements: [
      out(
        'core/deployment/admission.ts',
        'if (item.admitted.includes(eventId))',
        'if (item.admitted.length < 0)',
      ),
    ],
    story: async (world) => {
      events(world, isPush, { delayMs: 400 }, 1);
      const { Rules } = (await world.ask('events', 'ListRules', {})) as { Rules: object[] };
      if (Rules.length === 0) throw new Error('there are no rules');
      const digest = world.push('v2', { healthyAfterMs: 'never' });
      await over(world, digest);
      const [execution] = await world.executionsOf(world.output('DeployMachineArn'));
      const { input } = (await world.ask('states', 'DescribeExecution', { executionArn: execution })) as {
        input: string;
      };
      await world.start('DeployMachineArn', JSON.parse(input) as object);
      await world.passMs(10 * minuteMs);
      expectEqual(generations(world), 2, 'generations');
    },
  },
  {
    invariant: 'I20',
    guard: 'an older push never replaces a newer one',
    replacements: [out('core/images/push.ts', 'return push.at < than.at;', 'return push.at < 0 * than.at;')],
    story: async (world) => {
      events(world, isPush, { delayMs: 20 * minuteMs }, 1);
      world.push('v2');
      await world.passMs(10_000);
      const newer = world.push('v3');
      await over(world, newer);
      await world.passMs(40 * minuteMs);
      expectLive(world, newer);
    },
  },
  {
    invariant: 'I21',
    guard: 'the sweep looks for pushes that no event announced',
    replacements: [
      out(
        'core/images/finding.ts',
        'if (newest === undefined) return undefined;',
        'if (now > 0 || newest === undefined) return undefined;',
      ),
    ],
    story: async (world) => {
      events(world, isPush, 'drop', 1);
      const digest = world.push('v2');
      await untilOver(world, digest, 20 * minuteMs);
      expectLive(world, digest);
    },
  },
  {
    invariant: 'I22',
    guard: 'what was answered once is not found again',
    replacements: [
      out(
        'core/images/finding.ts',
        'return newest === undefined || isKnown(item, newest.image.digest) ? [] : [newest];',
        'return newest === undefined ? [] : [newest];',
      ),
      out(
        'core/deployment/admission.ts',
        'return known ? `the push of ${tag} was answered before the sweep looked for it` : undefined;',
        'return known && at < 0 ? tag : undefined;',
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2', { healthyAfterMs: 'never' });
      await over(world, digest);
      await world.passMs(20 * minuteMs);
      expectEqual(generations(world), 2, 'generations');
    },
  },
  {
    invariant: 'I23',
    guard: 'a red alarm forbids the next step',
    replacements: [out('core/gates/alarms.ts', 'return redInWords({ name, reason });', 'return undefined;')],
    story: async (world, first) => {
      events(world, (detailType) => detailType.startsWith('CloudWatch'), 'drop');
      const digest = world.push('v2');
      await baking(world, digest, 1);
      await alarm(world, 'ALARM');
      await untilOver(world, digest, 30 * minuteMs);
      expectLive(world, first);
    },
  },
  {
    invariant: 'I24',
    guard: 'a comparison of too few requests says nothing',
    replacements: [
      out('core/gates/comparison.ts', 'return requests >= needed\n', 'return requests >= 0 * needed\n'),
    ],
    options: {
      load: 0.2,
      settings: {
        comparison: comparisonSettings.parse({}),
        extendSeconds: 120,
        strategy: {
          kind: 'custom',
          steps: [
            { weightPercent: 50, bakeSeconds: leastBakeSeconds },
            { weightPercent: 100, bakeSeconds: 0 },
          ],
        },
      },
    },
    story: async (world, first) => {
      await deployed(world);
      expectLive(world, first);
    },
  },
  {
    invariant: 'I25',
    guard: 'a chapter that is told again has the id that it had',
    replacements: [
      out(
        'core/messages/story.ts',
        '${version}-${index}-${of.kind}`',
        '${version}-${index}-${Math.random()}`',
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      world.onItem((before, { deployment }) => {
        if (deployment?.plan.to.digest !== digest || deployment.outcome === null) return;
        if (before?.deployment?.outcome !== null) return;
        world.break(
          'announce dies when it has told the end',
          ({ caller, operation }) => caller === 'announce' && operation === 'Publish',
          'crashAfter',
          2,
        );
      });
      await over(world, digest);
      await world.passMs(10 * minuteMs);
    },
  },
  {
    invariant: 'I26',
    guard: 'the intent is durable before the effect',
    replacements: [
      out(
        'core/deployment/course.ts',
        'return { ...item, intent: { ...intent, fence: plan.fence, at: now }, mutatingUntil: now + mutationMs };',
        'return { ...item, mutatingUntil: now + mutationMs };',
      ),
    ],
    story: deployed,
  },
  {
    invariant: 'I27',
    guard: 'tries are made in one layer',
    replacements: [
      out(
        'aws/client-options.ts',
        "maxAttempts: retries === 'none' ? 1 : 4",
        "maxAttempts: retries === 'none' ? 5 : 4",
      ),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      let invocations = 0;
      world.onState(({ state }) => {
        if (state === 'Shift' || state === 'Restore') invocations += 1;
      });
      world.break('down', ({ operation }) => operation === 'ModifyRule', 'unavailable', 12);
      await over(world, digest);
      const calls = world.hits.get('down') ?? 0;
      if (calls > invocations) throw new Error(`${invocations} invocations made ${calls} calls that failed`);
    },
  },
  {
    invariant: 'I29',
    guard: "a person's weights are never overwritten unasked",
    replacements: [
      out('steps/judge.ts', 'if (!sameWeights(weights, written)) throw', 'if (item === null) throw'),
      out('aws/alb-traffic.ts', 'if (!sameWeights(current, expected)) throw', 'if (expected === null) throw'),
    ],
    story: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await world.writeWeights({ blue: 70, green: 30 });
      await world.passMs(20 * minuteMs);
      expectEqual(world.weight('blue'), 70, 'the weight of blue');
    },
  },
  {
    invariant: 'I31',
    guard: 'a deployment that is over is not made again',
    replacements: [
      out(
        'core/deployment/admission.ts',
        'if (item.admitted.includes(eventId))',
        'if (item.admitted.length < 0)',
      ),
      out(
        'core/deployment/admission.ts',
        'if (item.live?.digest === push.digest) {\n    return {',
        "if (item.live?.digest === 'none') {\n    return {",
      ),
    ],
    story: async (world) => {
      await deployed(world);
      const before = world.checker.writes.length;
      const [execution] = await world.executionsOf(world.output('DeployMachineArn'));
      const { input } = (await world.ask('states', 'DescribeExecution', { executionArn: execution })) as {
        input: string;
      };
      await world.start('DeployMachineArn', JSON.parse(input) as object);
      await world.passMs(5 * minuteMs);
      expectEqual(world.checker.writes.length, before, 'writes');
    },
  },
  {
    invariant: 'I34',
    guard: 'every step reads the latch before it acts',
    replacements: [
      out(
        'core/signals/latch.ts',
        'if (known.abort !== null) {',
        'if (known.abort !== null && known.running.length < 0) {',
      ),
    ],
    story: async (world, first) => {
      let left = 1;
      world.onState(({ state }) => {
        if (state !== 'Judge' || left === 0) return;
        left = 0;
        const Payload = Buffer.from(JSON.stringify({ service: 'web', signal: 'abort', by: 'ann' }));
        const FunctionName = world.output('SignalFunction');
        void world.aws.dispatcher.call('lambda', 'Invoke', { FunctionName, Payload }, { kind: 'root' });
      });
      const digest = world.push('v2');
      await over(world, digest);
      expectLive(world, first);
    },
  },
];

/** Invariants that are proven elsewhere, or not by a guard that could be taken out. */
export const elsewhere: Readonly<Record<string, string>> = {
  I17: 'test/infra/strangers.test.ts, test/steps/ecs-fleet.test.ts: what bears no tag of ours is refused',
  I28: 'test/wire/throttle.test.ts: the token buckets; Cutover has no lanes yet',
  I30: 'test/statemachines/definitions.test.ts, test/core: lengths of names, reasons and histories',
  I32: 'test/simulation/replay.test.ts',
  I33: 'test/infra/permissions.test.ts',
};
