/** List prices of us-east-1 in USD, without free tiers, and what a deployment comes to with them. */

/** Of one unit each, as published with the service's pricing page. */
const prices = {
  // https://aws.amazon.com/step-functions/pricing/
  transition: 0.025 / 1_000,
  // https://aws.amazon.com/lambda/pricing/, arm64
  invocation: 0.2 / 1_000_000,
  gigabyteSecond: 0.0000133334,
  // https://aws.amazon.com/dynamodb/pricing/on-demand/
  writeUnit: 0.625 / 1_000_000,
  readUnit: 0.125 / 1_000_000,
  // https://aws.amazon.com/sns/pricing/; deliveries are the subscriber's
  publication: 0.5 / 1_000_000,
  // https://aws.amazon.com/cloudwatch/pricing/; DescribeAlarms is none of the requests that it charges
  logByte: 0.5 / 1_000_000_000,
  // https://aws.amazon.com/xray/pricing/
  trace: 5 / 1_000_000,
} as const;
// Free: events of AWS's own services on the default bus, reading streams by Lambda, standard parameters, and the APIs
// of ECS and Elastic Load Balancing.

/** What cannot be measured here: the embedded AWS answers faster than AWS does. */
const assumed = {
  memoryGigabytes: 0.5,
  /** Our own code in one invocation. */
  runMs: 10,
  /** One answer of an AWS API. */
  callMs: 20,
  /** Billed since August 2025; every function is taken to be cold once in a deployment. */
  coldStartMs: 350,
  /** A line of a machine's log without execution data. */
  historyEventBytes: 500,
} as const;

export interface Consumption {
  readonly transitions: number;
  readonly invocations: number;
  readonly calls: number;
  readonly functions: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly publications: number;
  readonly logBytes: number;
  readonly historyEvents: number;
  /** One for each execution and each event or batch that a function is called with. */
  readonly traces: number;
}

/** By service. */
export function costOf(used: Consumption): Readonly<Record<string, number>> {
  const ms =
    used.invocations * assumed.runMs + used.calls * assumed.callMs + used.functions * assumed.coldStartMs;
  return {
    'Step Functions': used.transitions * prices.transition,
    Lambda:
      used.invocations * prices.invocation + (ms / 1_000) * assumed.memoryGigabytes * prices.gigabyteSecond,
    DynamoDB: used.writeUnits * prices.writeUnit + used.readUnits * prices.readUnit,
    SNS: used.publications * prices.publication,
    Logs: (used.logBytes + used.historyEvents * assumed.historyEventBytes) * prices.logByte,
    'X-Ray': used.traces * prices.trace,
  };
}
