/**
 * Token buckets of an account in a region, as AWS refuses calls that come too fast:
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (us-east-1)
 *
 * Only calls of roles are counted: ECS and CloudFormation have buckets of their own in ELB, CloudFormation tries again by
 * itself in the other services, and a person hardly draws enough to matter.
 */
import { AwsError } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Hook, PendingCall } from './call-log.ts';

interface Bucket {
  /** The signing name. */
  readonly service: string;
  /** The operations that share it. */
  readonly operations: RegExp;
  /** Calls at once. */
  readonly burst: number;
  readonly perSecond: number;
}

const ecs = (operations: RegExp, burst: number, perSecond: number): Bucket => ({
  service: 'ecs',
  operations,
  burst,
  perSecond,
});
const elb = (operations: RegExp, burst: number, perSecond: number): Bucket => ({
  service: 'elasticloadbalancing',
  operations,
  burst,
  perSecond,
});
const states = (operations: RegExp, burst: number, perSecond: number): Bucket => ({
  service: 'states',
  operations,
  burst,
  perSecond,
});

const awsBuckets: readonly Bucket[] = [
  ecs(/^(?:Create|Update|Delete)Service$/, 50, 5),
  ecs(/^(?:DescribeServices|ListServices)$/, 100, 20),
  ecs(/^(?:Register|Deregister)TaskDefinition$/, 20, 1),
  ecs(/^(?:DescribeTaskDefinition|ListTaskDefinitions|ListTaskDefinitionFamilies)$/, 50, 20),
  ecs(/^DeleteTaskDefinitions$/, 5, 1),
  ecs(/^(?:Create|Update|Delete)Cluster$/, 20, 1),
  ecs(/^(?:DescribeClusters|ListClusters)$/, 50, 20),
  ecs(/^(?:Run|Stop)Task$/, 100, 40),
  ecs(/^(?:Describe|List)Tasks$/, 100, 20),
  ecs(/^(?:Tag|Untag)Resource$/, 20, 10),
  ecs(/Service(?:Deployment|Revision)s?$/, 50, 20),
  elb(/./, 40, 10),
  elb(/^(?:RegisterTargets|DeregisterTargets)$/, 20, 4),
  elb(/^(?:CreateLoadBalancer|SetSubnets)$/, 10, 0.2),
  elb(/^(?!Describe|RegisterTargets|DeregisterTargets|CreateLoadBalancer|SetSubnets)/, 20, 3),
  states(/^StartExecution$/, 1300, 300),
  states(/^StopExecution$/, 1000, 200),
  states(/^DescribeExecution$/, 300, 15),
  states(/^ListExecutions$/, 200, 5),
  states(/^GetExecutionHistory$/, 400, 20),
  states(/^SendTask(?:Success|Failure|Heartbeat)$/, 3000, 500),
];

interface Level {
  tokens: number;
  /** When it was, on the clock. */
  at: number;
}

export class Throttle implements Hook {
  readonly #clock: Clock;
  readonly #buckets: readonly (readonly [Bucket, Level])[];

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
    const at = options.clock.now();
    this.#buckets = awsBuckets.map((bucket) => [bucket, { tokens: bucket.burst, at }]);
  }

  /** Takes a token from each bucket of the call, or none when one is empty. */
  before({ service, operation, principal }: PendingCall): void {
    if (principal.kind !== 'role') return;
    const levels = this.#buckets
      .filter(([bucket]) => bucket.service === service && bucket.operations.test(operation))
      .map(([bucket, level]) => this.#refilled(bucket, level));
    if (levels.some(({ tokens }) => tokens < 1))
      throw new AwsError('ThrottlingException', 'Rate exceeded', { status: 400 });
    for (const level of levels) level.tokens -= 1;
  }

  #refilled(bucket: Bucket, level: Level): Level {
    const now = this.#clock.now();
    level.tokens = Math.min(bucket.burst, level.tokens + ((now - level.at) / 1000) * bucket.perSecond);
    level.at = now;
    return level;
  }
}
