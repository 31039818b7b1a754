/** Matrix C: events that AWS loses, doubles and delays; what people do; what the surroundings do. */
import { inWords } from '../../functions/core/traffic/weights.ts';
import {
  type Cell,
  ended,
  expectEqual,
  expectHits,
  expectLive,
  expectOutcome,
  type Ground,
  inWorld,
  on,
} from './cell.ts';
import { alarm, baking, desired, endings, events, generations, isPush } from './stories.ts';
import { canary, type World, type WorldOptions } from './world.ts';

const minuteMs = 60_000;

interface Story {
  readonly row: string;
  /** Where only one kind of fleet has such a thing. */
  readonly service?: Cell['service'];
  readonly column?: string;
  readonly expected: string;
  readonly options?: Partial<WorldOptions>;
  /** From the first generation's being live. */
  readonly tell: (world: World, first: string) => Promise<void>;
}

async function restored(world: World, first: string): Promise<void> {
  await world.pass(() => world.item?.deployment?.outcome === 'restored', 'the restore');
  await ended(world);
  expectOutcome(world, 'restored');
  expectLive(world, first);
}

async function live(world: World, digest: string): Promise<void> {
  await world.pass(() => world.item?.live?.digest === digest && world.item.owner === null, 'it to be live');
  await ended(world);
  expectLive(world, digest);
}

function reasonOf(world: World): string {
  return world.item?.deployment?.reason ?? '';
}

function expectReason(world: World, pattern: RegExp): void {
  const reason = reasonOf(world);
  if (!pattern.test(reason)) throw new Error(`the reason is "${reason}", not ${String(pattern)}`);
}

function expectIntake(world: World, admission: string): void {
  expectEqual(world.item?.intake?.admission, admission, 'what came of the last push');
}

const stories: readonly Story[] = [
  {
    row: 'Duplicate event',
    column: 'at once',
    expected: 'nothing',
    tell: async (world) => {
      events(world, isPush, 'twice');
      await live(world, world.push('v2'));
      expectEqual(generations(world), 2, 'generations');
    },
  },
  {
    row: 'Duplicate event',
    column: 'replayed by hand, hours later',
    expected: 'nothing',
    tell: async (world) => {
      events(world, isPush, 'twice', 1);
      const digest = world.push('v2');
      await live(world, digest);
      await world.passMs(2 * 60 * minuteMs);
      const { lastPush } = world.item ?? {};
      const before = world.checker.writes.length;
      const [execution] = await world.executionsOf(world.output('DeployMachineArn'));
      const { input } = (await world.ask('states', 'DescribeExecution', { executionArn: execution })) as {
        input: string;
      };
      await world.start('DeployMachineArn', JSON.parse(input) as object);
      await ended(world);
      expectEqual(world.checker.writes.length, before, 'writes');
      expectEqual(world.item?.lastPush, lastPush, 'the last push');
    },
  },
  {
    row: 'Out-of-order pushes',
    expected: 'the older one is superseded',
    tell: async (world) => {
      events(world, isPush, { delayMs: 90_000 }, 1);
      world.push('v2');
      await world.passMs(10_000);
      const newer = world.push('v3');
      await live(world, newer);
      await world.passMs(10 * minuteMs);
      expectLive(world, newer);
      expectEqual(generations(world), 2, 'generations');
    },
  },
  {
    row: 'ECR event lost',
    expected: 'the sweep starts it within its period',
    tell: async (world) => {
      events(world, isPush, 'drop', 1);
      const digest = world.push('v2');
      await world.pass(
        () => world.item?.deployment?.plan.to.digest === digest,
        'the sweep to find it',
        6 * minuteMs,
      );
      await live(world, digest);
    },
  },
  ...(['lost', 'twice', 'late'] as const).map(
    (column): Story => ({
      row: 'ECS events',
      column,
      expected: 'live all the same',
      tell: async (world) => {
        const becomes = ({ lost: 'drop', twice: 'twice', late: { delayMs: 5 * minuteMs } } as const)[column];
        events(world, (detailType) => detailType.startsWith('ECS '), becomes);
        await live(world, world.push('v2'));
      },
    }),
  ),
  {
    row: 'Status event of an execution lost',
    expected: 'the schedule finds it',
    tell: async (world, first) => {
      events(world, (detailType) => detailType === 'Step Functions Execution Status Change', 'drop');
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await world.stop(world.item?.owner?.execution ?? '');
      await restored(world, first);
    },
  },
  {
    row: 'New push while deploying',
    column: 'queueLatest',
    expected: 'the newest waits, then goes',
    tell: async (world) => {
      const second = world.push('v2');
      await baking(world, second, 0);
      world.push('v3');
      await world.passMs(10_000);
      const last = world.push('v4');
      await live(world, last);
      expectEqual(generations(world), 3, 'generations');
    },
  },
  {
    row: 'New push while deploying',
    column: 'supersede',
    expected: 'weights back first, then the newer one',
    options: { settings: { whenBusy: 'supersede' } },
    tell: async (world) => {
      const second = world.push('v2');
      await baking(world, second, 1);
      const last = world.push('v3');
      const superseded: string[] = [];
      world.onItem((_, { deployment }) => {
        if (deployment?.plan.to.digest === second && deployment.outcome !== null)
          superseded.push(deployment.outcome);
      });
      await live(world, last);
      expectEqual(superseded[0], 'superseded', 'the outcome of the one before');
    },
  },
  {
    row: 'New push while deploying',
    column: 'reject',
    expected: 'refused, the first goes on',
    options: { settings: { whenBusy: 'reject' } },
    tell: async (world) => {
      const second = world.push('v2');
      await baking(world, second, 0);
      world.push('v3');
      await live(world, second);
      expectEqual(generations(world), 2, 'generations');
    },
  },
  {
    row: 'Owner dead',
    expected: 'the successor waits its last write out',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      const until = world.item?.mutatingUntil ?? 0;
      const before = world.checker.writes.length;
      await world.stop(world.item?.owner?.execution ?? '');
      await restored(world, first);
      const next = world.checker.writes[before];
      if (next === undefined || next.at < until)
        throw new Error(`I15: the successor wrote at ${next?.at}, before ${until}`);
    },
  },
  {
    row: 'Redriven after recovery',
    expected: 'refused, nothing changed',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      const execution = world.item?.owner?.execution ?? '';
      await world.stop(execution);
      await restored(world, first);
      const before = world.checker.writes.length;
      await world.ask('states', 'RedriveExecution', { executionArn: execution });
      await ended(world);
      expectEqual(world.checker.writes.length, before, 'writes');
      expectLive(world, first);
    },
  },
  {
    row: 'Signal between two waits',
    expected: 'latched, acted on by the next step',
    tell: async (world, first) => {
      let left = 1;
      world.onState(({ state, executionArn }) => {
        if (state !== 'Judge' || !executionArn.includes('Deploy') || left === 0) return;
        left -= 1;
        void world.aws.dispatcher.call(
          'lambda',
          'Invoke',
          {
            FunctionName: world.output('SignalFunction'),
            Payload: Buffer.from(JSON.stringify({ service: world.service, signal: 'abort', by: 'ann' })),
          },
          { kind: 'root' },
        );
      });
      world.push('v2');
      await restored(world, first);
      expectReason(world, /ann ended the deployment/);
    },
  },
  {
    row: 'Zombie holder wakes',
    column: 'before its successor writes',
    expected: 'its write is taken back',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.break('late', ({ operation, caller }) => operation === 'ModifyRule' && caller === 'shift', {
        lateMs: 60_000,
      });
      world.checker.mayBeLate = true;
      await world.pass(() => world.hits.get('late') === 1, 'the late write');
      await world.stop(world.item?.owner?.execution ?? '');
      await restored(world, first);
      expectHits(world);
    },
  },
  {
    row: 'Human edits weights',
    column: 'resume',
    expected: 'held, goes on by command',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await world.writeWeights({ blue: 70, green: 30 });
      await held(world);
      await world.passMs(10 * minuteMs);
      expectEqual(inWords(world.checker.weights), 'blue 70, green 30', 'the weights');
      await world.signal({ signal: 'resume', by: 'ann', reason: 'looked at it' });
      await live(world, digest);
    },
  },
  {
    row: 'Human edits weights',
    column: 'abort',
    expected: 'held, goes back by command',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await world.writeWeights({ blue: 70, green: 30 });
      await held(world);
      await world.signal({ signal: 'abort', by: 'ann', reason: 'no' });
      await restored(world, first);
    },
  },
  {
    row: 'Human deletes the new service',
    expected: 'restored',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      const fleet = await world.fleet();
      await world.aws.until(fleet.delete(world.item?.deployment?.plan.to.name ?? ''));
      await restored(world, first);
    },
  },
  {
    row: 'Human deletes the rule',
    expected: 'frozen; both stay up',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      const { traffic } = await world.settings();
      world.checker.mayDie = true;
      await world.ask('elasticloadbalancing', 'DeleteRule', { RuleArn: traffic.rule });
      await world.passMs(60 * minuteMs);
      expectEqual(endings(world), [], 'what was ended');
      const { deployment } = world.item ?? {};
      if (deployment?.outcome !== null) throw new Error(`it ended ${deployment?.outcome}`);
    },
  },
  {
    row: 'Human scales the old one to 0',
    expected: 'held: there is no way back',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      await desired(world, world.item?.live?.name ?? '', 0);
      await held(world);
      const first = world.item?.live?.name ?? '';
      await desired(world, first, 2);
      await world.passMs(5 * minuteMs);
      await world.signal({ signal: 'resume', by: 'ann', reason: 'it is back' });
      await live(world, digest);
    },
  },
  {
    row: 'Autoscaling resizes the old one',
    expected: 'the new one grows before it gets more',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await desired(world, world.item?.live?.name ?? '', 4);
      await live(world, digest);
    },
  },
  {
    row: 'Alarm flaps',
    expected: 'one ALARM is enough, latched: restored',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      await alarm(world, 'ALARM');
      await alarm(world, 'OK');
      await restored(world, first);
      expectReason(world, /web-5xx/);
    },
  },
  {
    row: 'Alarm red at the start',
    expected: 'refused, nothing launched',
    tell: async (world, first) => {
      await alarm(world, 'ALARM');
      world.push('v2');
      await world.pass(() => world.item?.intake?.image === `${world.service}:v2`, 'an answer');
      await ended(world);
      expectIntake(world, 'rejected');
      expectEqual(generations(world), 1, 'generations');
      expectLive(world, first);
    },
  },
  {
    row: 'Alarm deleted',
    expected: 'missing is not green: restored',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      await world.ask('monitoring', 'DeleteAlarms', { AlarmNames: ['web-5xx'] });
      await restored(world, first);
    },
  },
  {
    row: 'No capacity',
    expected: 'restored, with the reason',
    tell: async (world, first) => {
      world.exhaust('RESOURCE:FARGATE');
      world.push('v2');
      await restored(world, first);
    },
  },
  {
    row: 'Image deleted before launch',
    expected: 'restored, with the reason',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await world.ask('ecr', 'BatchDeleteImage', {
        repositoryName: world.service,
        imageIds: [{ imageDigest: digest }],
      });
      await world.passMs(20 * minuteMs);
      await ended(world);
      expectLive(world, first);
    },
  },
  {
    row: 'Crash loop before it runs',
    expected: 'fails fast: restored',
    tell: async (world, first) => {
      const began = world.now;
      world.push('v2', { bootMs: 60_000, crashAfterMs: 1_000 });
      await world.pass(() => world.item?.deployment?.phase === 'restoring', 'the way back');
      if (world.now - began > 5 * minuteMs) throw new Error(`it took ${(world.now - began) / 1_000} s`);
      await restored(world, first);
    },
  },
  {
    row: 'Crash loop after the first healthy',
    // Docker starts a container again within a second, and AWS tells nobody.
    service: 'web',
    expected: 'restored',
    tell: async (world, first) => {
      world.checker.mayDie = true;
      world.push('v2', { crashAfterMs: 100_000 });
      await restored(world, first);
    },
  },
  {
    row: 'Health flaps at 100 %',
    expected: 'restored',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, canary.length - 1);
      world.checker.mayDie = true;
      world.aws.tasks.becomeUnhealthy(({ image }) => image.digest === digest);
      await restored(world, first);
    },
  },
  {
    row: 'Old generation dies mid-canary',
    column: 'all gates green',
    expected: 'forward at once: the new one is whole',
    options: { settings: { alarms: [] } },
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      const died = world.now;
      world.aws.tasks.becomeUnhealthy(({ image }) => image.digest === first);
      await world.pass(() => world.weight('green') === 100, 'all weight on the new one');
      // Detection is a look each 75 s at most and two probes before it; each step is judged once.
      if (world.now - died > 2.5 * minuteMs) throw new Error(`it took ${(world.now - died) / 1_000} s`);
      await live(world, digest);
    },
  },
  {
    row: 'Old generation dies mid-canary',
    column: 'its alarm is red',
    expected: 'held; restored when it is back',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.checker.mayDie = true;
      world.aws.tasks.becomeUnhealthy(({ image }) => image.digest === first);
      // Its targets fail two checks before anybody can know; the alarm turns before anybody has looked.
      await world.passMs(30_000);
      await alarm(world, 'ALARM');
      await world.passMs(30 * minuteMs);
      expectEqual(endings(world), [], 'what was ended');
      world.aws.tasks.alter(({ image }) => image.digest === first, { healthyAfterMs: 0 });
      await restored(world, first);
    },
  },
  {
    row: 'Both unhealthy',
    expected: 'nothing is ended; restored when one is back',
    tell: async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      world.checker.mayDie = true;
      world.aws.tasks.becomeUnhealthy(() => true);
      await world.passMs(30 * minuteMs);
      expectEqual(endings(world), [], 'what was ended');
      world.aws.tasks.alter(({ image }) => image.digest === first, { healthyAfterMs: 0 });
      await restored(world, first);
    },
  },
  {
    row: 'Brownout of the control plane for an hour',
    expected: 'both stay up; restored or live when it is over',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      const writes = (operation: string): boolean => !/^(?:Describe|List|Get|Query|Put)/.test(operation);
      world.break(
        'brownout',
        ({ service, operation }) =>
          /^(?:ecs|autoscaling|elasticloadbalancing)$/.test(service) && writes(operation),
        'unavailable',
        Infinity,
      );
      await world.passMs(60 * minuteMs);
      world.heal();
      await world.pass(() => world.item?.deployment?.outcome != null, 'an outcome');
      await ended(world);
    },
  },
  {
    row: 'ELB throttled for ten minutes',
    expected: 'held at its weight, nothing scaled down',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.break('throttled', ({ service }) => service === 'elasticloadbalancing', 'throttled', Infinity);
      await world.passMs(10 * minuteMs);
      expectEqual(endings(world), [], 'what was ended');
      world.heal();
      await world.pass(() => world.item?.deployment?.outcome != null, 'an outcome');
      await ended(world);
    },
  },
  {
    row: 'Lambda has no concurrency for five minutes',
    expected: 'traffic unaffected, ends when it is over',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      const concurrency = async (reserved: number | undefined): Promise<void> => {
        const { Functions } = (await world.ask('lambda', 'ListFunctions', {})) as {
          Functions: readonly { FunctionName: string }[];
        };
        for (const { FunctionName } of Functions) {
          if (reserved === undefined)
            await world.ask('lambda', 'DeleteFunctionConcurrency', { FunctionName });
          else
            await world.ask('lambda', 'PutFunctionConcurrency', {
              FunctionName,
              ReservedConcurrentExecutions: reserved,
            });
        }
      };
      await concurrency(0);
      await world.passMs(5 * minuteMs);
      await concurrency(undefined);
      await world.pass(() => world.item?.deployment?.outcome != null, 'an outcome');
      await ended(world);
    },
  },
  {
    row: 'DynamoDB throttled for five minutes',
    expected: 'traffic unaffected, ends when it is over',
    tell: async (world) => {
      const digest = world.push('v2');
      await baking(world, digest, 0);
      world.break('throttled', ({ service }) => service === 'dynamodb', 'throttled', Infinity);
      await world.passMs(5 * minuteMs);
      world.heal();
      await world.pass(() => world.item?.deployment?.outcome != null, 'an outcome');
      await ended(world);
    },
  },
  {
    row: 'SNS down',
    expected: 'the outcome is the same',
    tell: async (world) => {
      world.break('down', ({ service }) => service === 'sns', 'unavailable', Infinity);
      await live(world, world.push('v2'));
    },
  },
  ...[-30_000, 30_000].map(
    (skewMs): Story => ({
      row: 'Clock skew',
      column: `${skewMs / 1_000} s`,
      expected: 'durations of one clock decide: live',
      options: { skewMs },
      tell: async (world) => {
        await live(world, world.push('v2'));
      },
    }),
  ),
];

async function held(world: World): Promise<void> {
  await world.pass(() => world.item?.wait?.for === 'hand', 'it to be held');
}

const cells = stories.map(({ row, service, column, expected, options, tell }) => ({
  service,
  cell: {
    matrix: 'C' as const,
    row,
    column: column ?? '',
    expected,
    run: (ground: Ground) =>
      inWorld(
        ground,
        async (world) => {
          const first = await world.goLive('v1');
          await tell(world, first);
        },
        options,
      ),
  },
}));

export const matrixC: readonly Cell[] = (['web', 'worker'] as const).flatMap((service) =>
  on(
    service,
    cells.filter((each) => (each.service ?? service) === service).map(({ cell }) => cell),
  ),
);
