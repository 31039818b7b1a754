/** The example as it would go to AWS, in an embedded AWS of its own whose clock runs fast while nothing happens. */
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client, ModifyRuleCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { inject } from 'vitest';
import * as z from 'zod';
import { DynamoHistory } from '../../functions/aws/dynamo-history.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { Chapter } from '../../functions/core/messages/chapter.ts';
import { type ServiceSettings, serviceSettings } from '../../functions/core/service-settings.ts';
import type { Weights } from '../../functions/core/traffic/weights.ts';
import { FastForwardClock } from '../../local/clock.ts';
import { type Behaviour, demoImage, nodeRuntime } from '../../local/demo/images.ts';
import { type Result, type Watch, watchService } from '../../local/demo/scenario.ts';
import { readServiceItem, readSlots } from '../../local/demo/service-view.ts';
import { Traffic } from '../../local/demo/traffic.ts';
import { createEmbeddedAws, type EmbeddedAws, type EmbeddedAwsOptions } from '../../local/embedded-aws.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import type { PendingCall } from '../../local/wire/call-log.ts';
import { clientOptions } from '../wire/embedded.ts';

const service = 'web';
const repository = 'web';

/** A message as a queue gets it that is subscribed to the topic. */
const message = z.object({
  Subject: z.string(),
  MessageAttributes: z.record(z.string(), z.object({ Value: z.string() })),
  /** The body for programs, and in it the text for people. */
  Message: z.string().transform((text) =>
    z
      .looseObject({
        schema: z.literal(1),
        id: z.string(),
        kind: z.string(),
        service: z.string(),
        deployment: z.string().nullable(),
        image: z.string().nullable(),
        generation: z.string().nullable(),
        reason: z.string().nullable(),
        weights: z.record(z.string(), z.number()).nullable(),
        restore: z.string().nullable(),
        text: z.string(),
      })
      .parse(JSON.parse(text)),
  ),
});
export type Said = z.infer<typeof message>;

const historyItem = z.looseObject({
  item: z.string(),
  kind: z.string(),
  deployment: z.string().nullable(),
  reason: z.string().nullable(),
  at: z.number(),
});

interface WorldOptions {
  /** How many times faster than the wall idle time passes. */
  readonly speed?: number;
  readonly deliveries?: EmbeddedAwsOptions['deliveries'];
  /** Refuse what comes faster than AWS takes it. */
  readonly throttling?: boolean;
}

export class World {
  readonly aws: EmbeddedAws;
  readonly clock: FastForwardClock;
  /** `http://127.0.0.1:PORT`: the service behind the load balancer. */
  readonly site: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly watch: Watch;
  /** What the embedded AWS itself did wrong. */
  readonly faults: unknown[];
  readonly client: ReturnType<typeof clientOptions>;
  readonly dynamodb: DynamoDBClient;
  readonly ecs: ECSClient;
  readonly elbv2: ElasticLoadBalancingV2Client;
  readonly lambda: LambdaClient;
  readonly sfn: SFNClient;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
  readonly ssm: SSMClient;
  readonly #closing: (() => unknown)[] = [];

  private constructor(made: {
    aws: EmbeddedAws;
    clock: FastForwardClock;
    outputs: Readonly<Record<string, string>>;
    faults: unknown[];
  }) {
    const { aws, clock, outputs, faults } = made;
    this.aws = aws;
    this.clock = clock;
    this.outputs = outputs;
    this.faults = faults;
    this.site = aws.elbv2.endpointOf(this.output('ListenerArn'));
    this.client = clientOptions(aws.endpoint);
    this.dynamodb = this.closeLater(new DynamoDBClient(this.client));
    this.ecs = this.closeLater(new ECSClient(this.client));
    this.elbv2 = this.closeLater(new ElasticLoadBalancingV2Client(this.client));
    this.lambda = this.closeLater(new LambdaClient(this.client));
    this.sfn = this.closeLater(new SFNClient(this.client));
    this.sns = this.closeLater(new SNSClient(this.client));
    this.sqs = this.closeLater(new SQSClient(this.client));
    this.ssm = this.closeLater(new SSMClient(this.client));
    this.watch = watchService({
      aws,
      table: this.output('LedgerTable'),
      service,
      onChapter: () => undefined,
      onResult: () => undefined,
      onFailure: (failure) => faults.push(failure),
    });
  }

  static async create({ speed = 60, deliveries, throttling = false }: WorldOptions = {}): Promise<World> {
    const faults: unknown[] = [];
    const onFailure = (failure: unknown): void => void faults.push(failure);
    const clock = new FastForwardClock({ speed, onFailure });
    const aws = await createEmbeddedAws({
      clock,
      sharedOffset: clock.shared,
      port: 0,
      onFailure,
      throttling,
      ...(deliveries && { deliveries }),
    });
    try {
      const outputs = (await aws.provision(inject('assembly'))).get('Cutover') ?? {};
      return new World({ aws, clock, outputs, faults });
    } catch (failure) {
      await aws.close();
      clock.stop();
      throw failure;
    }
  }

  /** Ends everything; throws what the embedded AWS itself did wrong. */
  async close(): Promise<void> {
    this.watch.close();
    for (const close of this.#closing.toReversed()) await close();
    await this.aws.close();
    this.clock.stop();
    if (this.faults.length > 0) throw new AggregateError(this.faults, 'faults of the embedded AWS');
  }

  /** A client of the SDK, destroyed with the world. */
  closeLater<T extends { destroy(): void }>(client: T): T {
    this.#closing.push(() => client.destroy());
    return client;
  }

  output(name: string): string {
    const value = this.outputs[name];
    if (value === undefined) throw new Error(`the stack has no output ${name}`);
    return value;
  }

  /** Pushes an image whose digest goes by `content`, so that two tags can name one digest. */
  async push(tag: string, behaviour: Behaviour = 'good', content = tag): Promise<string> {
    const image = demoImage({ tag: content, behaviour }, await nodeRuntime());
    // The making of the image is the pusher's time, none of which passes here.
    return this.clock.busy(() => pushImage(image, { registry: this.aws.endpoint, repository, tag }));
  }

  /** Pushes, and resolves with what became of it. */
  async deploy(tag: string, behaviour: Behaviour = 'good'): Promise<Result> {
    const outcome = this.watch.outcomeOf(`${repository}:${tag}`);
    await this.push(tag, behaviour);
    return outcome;
  }

  /** Pushes; rejects when anything else becomes of it than the live generation. */
  async goLive(tag: string, behaviour: Behaviour = 'good'): Promise<void> {
    const { outcome, reason } = await this.deploy(tag, behaviour);
    if (outcome !== 'live') throw new Error(`${tag} is ${outcome}: ${reason}`);
  }

  /** Steady traffic until `stop`. */
  traffic(requestsPerSecond = 5): Traffic {
    const traffic = new Traffic({ clock: this.clock, url: this.site, requestsPerSecond });
    this.#closing.push(() => traffic.stop());
    return traffic;
  }

  async item(): Promise<ServiceItem> {
    const item = await readServiceItem(this.aws, this.output('LedgerTable'), service);
    if (item === undefined) throw new Error(`nothing was ever pushed to ${service}`);
    return item;
  }

  /** The record of a deployment, in the order of its course. */
  async record(deployment: string): Promise<readonly Chapter[]> {
    return new DynamoHistory(this.dynamodb, this.output('LedgerTable')).read(service, deployment);
  }

  /** The history items of the ledger whose keys begin so, in their order: one Query. */
  async history(prefix: string): Promise<readonly z.infer<typeof historyItem>[]> {
    const { Items } = await this.dynamodb.send(
      new QueryCommand({
        TableName: this.output('LedgerTable'),
        KeyConditionExpression: '#service = :service AND begins_with(#item, :prefix)',
        ExpressionAttributeNames: { '#service': 'service', '#item': 'item' },
        ExpressionAttributeValues: marshall({ ':service': service, ':prefix': prefix }),
      }),
    );
    return (Items ?? []).map((item) => historyItem.parse(unmarshall(item)));
  }

  async settings(): Promise<ServiceSettings> {
    const { Parameter } = await this.ssm.send(new GetParameterCommand({ Name: `/cutover/${service}` }));
    return serviceSettings.parse(JSON.parse(Parameter?.Value ?? ''));
  }

  /** As a deployment of a changed stack would. */
  async changeSettings(change: Partial<ServiceSettings>): Promise<void> {
    const Value = JSON.stringify({ ...(await this.settings()), ...change });
    await this.ssm.send(
      new PutParameterCommand({ Name: `/cutover/${service}`, Value, Type: 'String', Overwrite: true }),
    );
  }

  /** Of the production rule. */
  async weights(): Promise<Weights> {
    const slots = await readSlots(this.aws, await this.settings());
    return Object.fromEntries(slots.map(({ name, weight }) => [name, weight]));
  }

  /** What a person may do with any client. */
  async writeWeights(weights: Readonly<Record<string, number>>): Promise<void> {
    const { traffic } = await this.settings();
    const TargetGroups = traffic.slots.map(({ name, targetGroup }) => ({
      TargetGroupArn: targetGroup,
      Weight: weights[name] ?? 0,
    }));
    const Actions = [{ Type: 'forward' as const, ForwardConfig: { TargetGroups } }];
    await this.elbv2.send(new ModifyRuleCommand({ RuleArn: traffic.rule, Actions }));
  }

  /** The ARN of the function whose logical name has `part` in it. */
  async functionNamed(part: string): Promise<string> {
    const { Functions } = await this.lambda.send(new ListFunctionsCommand({}));
    const found = (Functions ?? []).filter(({ FunctionName }) => FunctionName?.includes(part));
    if (found.length !== 1) throw new Error(`${found.length} functions have ${part} in their name`);
    return found[0]?.FunctionArn ?? '';
  }

  /** The ARN of the machine whose logical name has `part` in it. */
  async machineNamed(part: string): Promise<string> {
    const { stateMachines } = await this.sfn.send(new ListStateMachinesCommand({}));
    const found = (stateMachines ?? []).filter(({ name }) => name?.includes(part));
    if (found.length !== 1) throw new Error(`${found.length} machines have ${part} in their name`);
    return found[0]?.stateMachineArn ?? '';
  }

  /** Whether a call is made by the function whose construct has this name, be it any of its versions. */
  callsOf(construct: string): (call: PendingCall) => boolean {
    return ({ principal }) =>
      principal.kind === 'role' && principal.roleArn.includes(`-Deployer${construct}Role`);
  }

  /** What a person sends to the signal function; returns its remarks. */
  async signal(payload: object): Promise<readonly string[]> {
    const { Payload, FunctionError } = await this.lambda.send(
      new InvokeCommand({
        FunctionName: await this.functionNamed('Signal'),
        Payload: Buffer.from(JSON.stringify(payload)),
      }),
    );
    const answer = Buffer.from(Payload ?? []).toString();
    if (FunctionError !== undefined) throw new Error(answer);
    return z.object({ remarks: z.array(z.string()) }).parse(JSON.parse(answer)).remarks;
  }

  /** ARNs of all executions of the deploy machine, or of another one. */
  async executions(stateMachineArn = this.output('DeployMachineArn')): Promise<readonly string[]> {
    const { executions } = await this.sfn.send(new ListExecutionsCommand({ stateMachineArn }));
    return (executions ?? []).map(({ executionArn }) => executionArn ?? '');
  }

  /** Starts one as EventBridge's rule does, and resolves with how it ended. */
  async startDeployment(event: unknown): Promise<DescribeExecutionCommandOutput> {
    const { executionArn } = await this.sfn.send(
      new StartExecutionCommand({
        stateMachineArn: this.output('DeployMachineArn'),
        input: JSON.stringify({ service, event }),
      }),
    );
    return this.ended(executionArn ?? '');
  }

  async ended(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return until(`the end of ${executionArn}`, async () => {
      const execution = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
      return execution.status === 'RUNNING' ? undefined : execution;
    });
  }

  /** The execution that a push of this tag started. */
  async executionOf(tag: string): Promise<DescribeExecutionCommandOutput> {
    return until(`an execution for ${tag}`, async () => {
      for (const executionArn of await this.executions()) {
        const execution = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
        const { detail } = eventIn(execution);
        if (detail['image-tag'] === tag) return execution;
      }
      return undefined;
    });
  }

  /** The state of the ECS services of these generations; `MISSING` when ECS knows none of that name. */
  async fleetStatus(...names: readonly string[]): Promise<readonly string[]> {
    const { fleet } = await this.settings();
    const { services } = await this.ecs.send(
      new DescribeServicesCommand({ cluster: String(fleet['cluster']), services: [...names] }),
    );
    return names.map(
      (name) => services?.find(({ serviceName }) => serviceName === name)?.status ?? 'MISSING',
    );
  }

  /** Calls since `since` that changed something in ECS or the load balancer, by `service operation`. */
  mutationsSince(since: number): readonly string[] {
    return this.aws.calls
      .records({ since })
      .filter(
        ({ service: of, operation }) =>
          /^(?:ecs|elasticloadbalancing)$/.test(of) && !/^(?:Describe|List)/.test(operation),
      )
      .map(({ service: of, operation }) => `${of} ${operation}`);
  }

  /** A queue subscribed to the topic of messages; the returned function gives all that came to it so far. */
  async subscribe(name: string): Promise<() => Promise<readonly Said[]>> {
    const received = await this.receive(name, this.output('MessagesTopicArn'));
    return async () => (await received()).map((body) => message.parse(body));
  }

  /** As `subscribe`, to any topic: the notifications as they come. */
  async receive(name: string, TopicArn: string): Promise<() => Promise<readonly unknown[]>> {
    const { QueueUrl } = await this.sqs.send(new CreateQueueCommand({ QueueName: name }));
    const Endpoint = `arn:aws:sqs:us-east-1:123456789012:${name}`;
    await this.sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }));
    const received: unknown[] = [];
    return async () => {
      for (;;) {
        const { Messages = [] } = await this.sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return received;
        for (const { Body, ReceiptHandle } of Messages) {
          received.push(JSON.parse(Body ?? ''));
          await this.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    };
  }

  /** Resolves when the service item is as `is` wants it. */
  async itemWhere(what: string, is: (item: ServiceItem) => boolean): Promise<ServiceItem> {
    return until(what, async () => {
      const item = await this.item();
      return is(item) ? item : undefined;
    });
  }

  /** Resolves when `tag` bakes at step `step` of its deployment. */
  async baking(tag: string, step = 0): Promise<ServiceItem> {
    return this.itemWhere(`${tag} to bake at step ${step}`, ({ deployment, wait }) => {
      if (deployment?.plan.to.tag !== tag) return false;
      if (deployment.outcome !== null)
        throw new Error(`${tag} ended: ${deployment.outcome}, ${deployment.reason}`);
      return deployment.phase === 'baking' && deployment.step === step && wait?.for === 'bake';
    });
  }
}

/** Polls until there is something; on the wall. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  patienceMs = 45_000,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1_000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const executionInput = z.object({
  event: z
    .looseObject({ id: z.string(), time: z.string(), detail: z.record(z.string(), z.unknown()) })
    .catch({ id: '', time: '', detail: {} }),
});

/** The event that an execution was started with. */
export function eventIn({ input }: DescribeExecutionCommandOutput): z.infer<typeof executionInput>['event'] {
  return executionInput.parse(JSON.parse(input ?? '')).event;
}
