/** Matrix A: each call to AWS, each way in which it can fail. */
import { imageGateSchema } from '../../functions/core/gates/image-gate.ts';
import type { CallFault, CallPoint } from '../../local/simulated/network.ts';
import { type Cell, ended, expectEqual, expectHits, expectLive, expectOutcome, inWorld, on } from './cell.ts';
import { hooked } from './hooked.ts';
import { generations } from './stories.ts';
import type { World } from './world.ts';

interface Call {
  /** The entries that make it. */
  readonly callers: readonly string[];
  readonly service: string;
  readonly operation: string;
}

type Unplaced = Omit<Cell, 'service'>;

interface Row {
  readonly row: string;
  /** Where only one of the services has its calls. */
  readonly service?: Cell['service'];
  readonly calls: readonly Call[];
  /** A deployment that fails its health check goes through the way back. */
  readonly back?: boolean;
  /** What the reads are that may be stale; absent: the calls themselves. */
  readonly stale?: readonly Call[];
  /** Its answer is lost too, so that the stale read comes when it matters. */
  readonly lost?: true;
  /** What the service says, or has, for the call to be made at all. */
  readonly prepare?: (world: World) => Promise<unknown>;
  readonly options?: Parameters<typeof inWorld>[2];
  /** Not possible for this call: no cell. */
  readonly without?: readonly Column[];
  /** When it fails for as long as it is tried, and heals an hour later. */
  readonly exhausted?: { readonly expected: string; readonly outcome: 'live' | 'restored' | 'later' };
}

type Column = keyof typeof columns;

/** Each with the faults that it stands for; the deployment must come to what it comes to without them. */
const columns = {
  T: ['throttled'],
  '5': ['unavailable', 'lostRequest'],
  C: ['crashBefore'],
  E: ['lostAnswer', 'crashAfter'],
  S: ['stale'],
} as const satisfies Record<string, readonly CallFault[]>;

const byRequests = { name: 'requests', metric: 'requestsPerTarget', target: 500 } as const;

const rows: readonly Row[] = [
  {
    row: '2 PutItem, taking the service',
    calls: [{ callers: ['plan-deployment'], service: 'dynamodb', operation: 'PutItem' }],
    // Read with strong consistency.
    without: ['S'],
    exhausted: { expected: 'nothing changed; the sweep finds it when healed', outcome: 'later' },
  },
  {
    row: '3 DescribeImages',
    calls: [{ callers: ['plan-deployment'], service: 'ecr', operation: 'DescribeImages' }],
    // Each image is asked about once.
    without: ['S'],
    exhausted: { expected: 'nothing changed; it waits, and is taken when healed', outcome: 'later' },
  },
  {
    row: '3 BatchGetImage',
    calls: [{ callers: ['launch'], service: 'ecr', operation: 'BatchGetImage' }],
    without: ['S'],
    exhausted: { expected: 'live; people are told that its image is not kept', outcome: 'live' },
  },
  {
    row: '3 PutImage',
    calls: [{ callers: ['launch'], service: 'ecr', operation: 'PutImage' }],
    without: ['S'],
    exhausted: { expected: 'live; people are told that its image is not kept', outcome: 'live' },
  },
  {
    row: '4 DescribeImageScanFindings',
    calls: [{ callers: ['launch'], service: 'ecr', operation: 'DescribeImageScanFindings' }],
    prepare: (world) =>
      world.declare({ imageGate: imageGateSchema.parse({ scan: { maximumSeverity: 'HIGH' } }) }),
    // Each image is asked about until it is known.
    without: ['S'],
    exhausted: { expected: 'nothing launched, restored', outcome: 'restored' },
  },
  {
    row: '5 RegisterTaskDefinition',
    service: 'web',
    calls: [{ callers: ['launch'], service: 'ecs', operation: 'RegisterTaskDefinition' }],
    stale: [{ callers: ['launch'], service: 'ecs', operation: 'DescribeTaskDefinition' }],
    lost: true,
    exhausted: { expected: 'nothing launched, restored', outcome: 'restored' },
  },
  {
    row: '5 CreateLaunchTemplate',
    service: 'worker',
    calls: [{ callers: ['launch'], service: 'ec2', operation: 'CreateLaunchTemplate' }],
    stale: [{ callers: ['launch'], service: 'ec2', operation: 'DescribeLaunchTemplateVersions' }],
    lost: true,
    exhausted: { expected: 'nothing launched, restored', outcome: 'restored' },
  },
  {
    row: '7 CreateService',
    service: 'web',
    calls: [{ callers: ['launch'], service: 'ecs', operation: 'CreateService' }],
    stale: [{ callers: ['launch', 'await'], service: 'ecs', operation: 'DescribeServices' }],
    lost: true,
    exhausted: { expected: 'restored', outcome: 'restored' },
  },
  {
    row: '9 DescribeServices, ListTasks, DescribeTasks',
    service: 'web',
    calls: [
      { callers: ['launch', 'await', 'shift', 'judge'], service: 'ecs', operation: 'DescribeServices' },
      { callers: ['await', 'shift', 'judge'], service: 'ecs', operation: 'ListTasks' },
      { callers: ['await', 'shift', 'judge'], service: 'ecs', operation: 'DescribeTasks' },
    ],
    exhausted: { expected: 'restored', outcome: 'restored' },
  },
  {
    row: '8 CreateAutoScalingGroup',
    service: 'worker',
    calls: [{ callers: ['launch'], service: 'autoscaling', operation: 'CreateAutoScalingGroup' }],
    stale: [{ callers: ['launch', 'await'], service: 'autoscaling', operation: 'DescribeAutoScalingGroups' }],
    lost: true,
    exhausted: { expected: 'restored', outcome: 'restored' },
  },
  {
    row: '9 DescribeAutoScalingGroups',
    service: 'worker',
    calls: [
      {
        callers: ['launch', 'await', 'shift', 'judge'],
        service: 'autoscaling',
        operation: 'DescribeAutoScalingGroups',
      },
    ],
    exhausted: { expected: 'restored', outcome: 'restored' },
  },
  {
    row: '10 DescribeTargetHealth',
    calls: [
      {
        callers: ['await', 'shift', 'judge'],
        service: 'elasticloadbalancing',
        operation: 'DescribeTargetHealth',
      },
    ],
    exhausted: { expected: 'no weight is raised, restored', outcome: 'restored' },
  },
  {
    row: '11 ModifyRule',
    calls: [{ callers: ['shift'], service: 'elasticloadbalancing', operation: 'ModifyRule' }],
    stale: [{ callers: ['shift'], service: 'elasticloadbalancing', operation: 'DescribeRules' }],
    exhausted: { expected: 'frozen, both up; restored when healed', outcome: 'restored' },
  },
  {
    row: '12 DescribeRules',
    calls: [
      {
        callers: ['plan-deployment', 'shift', 'judge'],
        service: 'elasticloadbalancing',
        operation: 'DescribeRules',
      },
    ],
    exhausted: { expected: 'held where it is; restored when healed', outcome: 'restored' },
  },
  {
    row: '13 DescribeAlarms',
    calls: [
      { callers: ['plan-deployment', 'await', 'judge'], service: 'monitoring', operation: 'DescribeAlarms' },
    ],
    exhausted: { expected: 'unknown is not green: restored', outcome: 'restored' },
  },
  {
    row: '13 RegisterScalableTarget, PutScalingPolicy',
    service: 'web',
    calls: [
      {
        callers: ['launch', 'shift'],
        service: 'application-autoscaling',
        operation: 'RegisterScalableTarget',
      },
      { callers: ['launch'], service: 'application-autoscaling', operation: 'PutScalingPolicy' },
    ],
    options: { scaling: { minimum: 1, maximum: 8, policies: [byRequests] } },
    without: ['S'],
    exhausted: { expected: 'no weight is raised, restored', outcome: 'restored' },
  },
  {
    row: '13 UpdateAutoScalingGroup, PutScalingPolicy',
    service: 'worker',
    calls: [
      { callers: ['launch', 'shift'], service: 'autoscaling', operation: 'UpdateAutoScalingGroup' },
      { callers: ['launch'], service: 'autoscaling', operation: 'PutScalingPolicy' },
    ],
    options: { scaling: { minimum: 1, maximum: 8, policies: [byRequests] } },
    without: ['S'],
    exhausted: { expected: 'no weight is raised, restored', outcome: 'restored' },
  },
  {
    row: '14 Invoke, a hook',
    calls: [{ callers: ['announce', 'hook'], service: 'lambda', operation: 'Invoke' }],
    prepare: hooked,
    without: ['S'],
    exhausted: { expected: 'it has not answered: nothing shifted, restored', outcome: 'restored' },
  },
  {
    row: '15 SendTaskSuccess',
    calls: [{ callers: ['await'], service: 'states', operation: 'SendTaskSuccess' }],
    without: ['S'],
    exhausted: { expected: 'the look at the deadline decides', outcome: 'restored' },
  },
  {
    row: '15 SendTaskFailure',
    calls: [{ callers: ['signal'], service: 'states', operation: 'SendTaskFailure' }],
    without: ['S'],
    exhausted: { expected: 'the next look finds it: live', outcome: 'live' },
  },
  {
    row: '16 DeleteService',
    service: 'web',
    calls: [{ callers: ['terminate'], service: 'ecs', operation: 'DeleteService' }],
    stale: [{ callers: ['terminate'], service: 'ecs', operation: 'DescribeServices' }],
    back: true,
    exhausted: { expected: 'ended when healed', outcome: 'restored' },
  },
  {
    row: '17 DeregisterTaskDefinition',
    service: 'web',
    calls: [{ callers: ['terminate'], service: 'ecs', operation: 'DeregisterTaskDefinition' }],
    stale: [{ callers: ['terminate'], service: 'ecs', operation: 'DescribeServices' }],
    back: true,
    exhausted: { expected: 'the outcome is the same', outcome: 'restored' },
  },
  {
    row: '16 UpdateAutoScalingGroup, DeleteAutoScalingGroup',
    service: 'worker',
    calls: [
      { callers: ['terminate'], service: 'autoscaling', operation: 'UpdateAutoScalingGroup' },
      { callers: ['terminate'], service: 'autoscaling', operation: 'DeleteAutoScalingGroup' },
    ],
    stale: [{ callers: ['terminate'], service: 'autoscaling', operation: 'DescribeAutoScalingGroups' }],
    back: true,
    exhausted: { expected: 'ended when healed', outcome: 'restored' },
  },
  {
    row: '17 DeleteLaunchTemplate',
    service: 'worker',
    calls: [{ callers: ['terminate'], service: 'ec2', operation: 'DeleteLaunchTemplate' }],
    stale: [{ callers: ['terminate'], service: 'autoscaling', operation: 'DescribeAutoScalingGroups' }],
    back: true,
    exhausted: { expected: 'the outcome is the same', outcome: 'restored' },
  },
  {
    row: '18 Publish',
    calls: [{ callers: ['announce'], service: 'sns', operation: 'Publish' }],
    without: ['S'],
    exhausted: { expected: 'the outcome is the same', outcome: 'live' },
  },
  {
    row: '19 PutItem, intents and outcomes',
    calls: [{ callers: ['launch', 'await', 'shift', 'promote'], service: 'dynamodb', operation: 'PutItem' }],
    without: ['S'],
    exhausted: { expected: 'recovered when healed', outcome: 'restored' },
  },
];

const hourMs = 3_600_000;

export const matrixA: readonly Cell[] = (['web', 'worker'] as const).flatMap((service) =>
  on(service, [
    ...again(service, startCells()),
    ...rows
      .filter((row) => (row.service ?? service) === service)
      .flatMap((row) => (row.service === undefined ? again(service, cellsOf(row)) : cellsOf(row))),
  ]),
);

function again(service: Cell['service'], cells: readonly Unplaced[]): readonly Unplaced[] {
  return cells.map((cell) => ({ ...cell, isAgain: service !== 'web' }));
}

function cellsOf(row: Row): readonly Unplaced[] {
  return [
    ...(Object.keys(columns) as Column[])
      .filter((column) => row.without?.includes(column) !== true)
      .map((column) => faultCell(row, column)),
    twiceCell(row),
    ...(row.exhausted === undefined ? [] : [exhaustedCell(row, row.exhausted)]),
  ];
}

/** 1: EventBridge starts the execution; it tries for a day, and may do it twice. */
function startCells(): readonly Unplaced[] {
  const row = '1 StartExecution by EventBridge';
  const isPush = (detailType: string, target: string): boolean =>
    detailType === 'ECR Image Action' && target.includes(':stateMachine:');
  const cell = (column: string, expected: string, interception: 'twice' | { delayMs: number }): Unplaced => ({
    matrix: 'A',
    row,
    column,
    expected,
    run: (ground) =>
      inWorld(ground, async (world) => {
        await world.goLive('v1');
        world.onDelivery((detailType, target) => (isPush(detailType, target) ? interception : undefined));
        const digest = await world.goLive('v2');
        await ended(world);
        expectLive(world, digest);
        expectEqual(generations(world), 2, 'generations');
      }),
  });
  return [
    cell('T', 'live, later', { delayMs: 90_000 }),
    cell('5', 'live, later', { delayMs: 600_000 }),
    cell('E', 'one deployment', 'twice'),
    cell('D', 'one deployment', 'twice'),
  ];
}

function callersOf(
  calls: readonly Call[],
): readonly { caller: string; service: string; operation: string }[] {
  return calls.flatMap(({ callers, service, operation }) =>
    callers.map((caller) => ({ caller, service, operation })),
  );
}

function isCall(call: { caller: string; service: string; operation: string }) {
  return (point: CallPoint): boolean =>
    point.caller === call.caller && point.service === call.service && point.operation === call.operation;
}

async function deploy(world: World, { back = false }: Row): Promise<string> {
  const digest = world.push('v2', back ? { healthyAfterMs: 'never' } : {});
  await world.pass(() => world.item?.deployment?.plan.to.digest === digest, 'the plan');
  return digest;
}

/** `first`: the digest that is live. */
function inRow(
  { options, prepare }: Row,
  ground: Parameters<typeof inWorld>[0],
  tell: (world: World, first: string) => Promise<void>,
): Promise<void> {
  return inWorld(
    ground,
    async (world) => {
      await prepare?.(world);
      await tell(world, await world.goLive('v1'));
    },
    options,
  );
}

function faultCell(row: Row, column: Column): Unplaced {
  const expected = row.back === true ? 'restored, as without it' : 'live, as without it';
  return {
    matrix: 'A',
    row: row.row,
    column,
    expected,
    run: async (ground) => {
      for (const fault of columns[column]) {
        await inRow(row, ground, async (world) => {
          const calls = column === 'S' ? (row.stale ?? row.calls) : row.calls;
          for (const call of callersOf(calls)) {
            const met = isCall(call);
            world.break(
              `${call.caller} ${call.operation} ${fault}`,
              (point) => met(point) && (fault !== 'stale' || point.readBefore),
              fault,
            );
          }
          if (fault === 'stale' && row.lost === true)
            for (const call of callersOf(row.calls)) world.break('lost', isCall(call), 'lostAnswer');
          await finish(world, row, fault === 'stale' ? 'any' : 'each');
        });
      }
    },
  };
}

/** Every function that makes the call is called twice at once. */
function twiceCell(row: Row): Unplaced {
  return {
    matrix: 'A',
    row: row.row,
    column: 'D',
    expected: row.back === true ? 'restored, once' : 'live, once',
    run: (ground) =>
      inRow(row, ground, async (world) => {
        for (const caller of new Set(row.calls.flatMap(({ callers }) => callers))) {
          if (caller === 'signal')
            world.onDelivery((_, target) => (target.includes('Signal') ? 'twice' : undefined));
          // A batch of the stream, and an event, whose function died is delivered again.
          else if (caller === 'announce' || caller === 'hook')
            world.break(`${caller} dies`, (point) => point.caller === caller, 'crashAfter');
          else world.callTwice(caller, caller);
        }
        await finish(world, row);
      }),
  };
}

/** `met`: not each function that reads does so twice. */
async function finish(world: World, row: Row, met: 'each' | 'any' = 'each'): Promise<void> {
  const digest = await deploy(world, row);
  await ended(world);
  if (met === 'each') expectHits(world);
  else if ([...world.hits].every(([, count]) => count === 0)) throw new Error('nothing stale was read');
  if (row.back === true) expectOutcome(world, 'restored');
  else expectLive(world, digest);
  expectEqual(generations(world), 2, 'generations');
}

function exhaustedCell(row: Row, { expected, outcome }: NonNullable<Row['exhausted']>): Unplaced {
  return {
    matrix: 'A',
    row: row.row,
    column: 'exhausted',
    expected,
    run: (ground) =>
      inRow(row, ground, async (world, first) => {
        // A push that cannot even be looked at waits; here it is the running deployment that is hit.
        const calls = callersOf(row.calls);
        const running = calls.filter(({ caller }) => caller !== 'plan-deployment');
        for (const call of running.length === 0 ? calls : running)
          world.break(`${call.caller} ${call.operation}`, isCall(call), 'unavailable', Infinity);
        const before = world.checker.writes.length;
        const digest = world.push('v2', row.back === true ? { healthyAfterMs: 'never' } : {});
        await world.passMs(hourMs);
        if (outcome === 'later') expectEqual(world.checker.writes.length, before, 'writes');
        world.heal();
        const isOver = (): boolean =>
          world.item?.deployment?.plan.to.digest === digest && world.item.owner === null;
        await world.pass(isOver, 'the end of it');
        await ended(world);
        expectLive(world, outcome === 'restored' ? first : digest);
        expectOutcome(world, outcome === 'restored' ? 'restored' : 'live');
      }),
  };
}
