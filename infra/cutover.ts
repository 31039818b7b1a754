/** The deployer: for 32 services at least, by IAM's limit on the inline policies of one role; more deployers for more. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Variable } from '../functions/core/environment.ts';
import { ledgerTable } from '../functions/core/ledger/ledger-table.ts';
import { allowInstances } from './asg-rights.ts';
import { DeployerFunction, localArn } from './deployer-function.ts';
import { allowGenerations } from './generation-rights.ts';
import { Machine } from './machine.ts';
import { allowScaling } from './scaling-rights.ts';
import { hearSignals } from './signal-rules.ts';
import { Watch } from './watch.ts';

export interface CutoverProps {
  /** Path under which services' settings are stored in SSM. Default: `/cutover`. */
  readonly settingsPrefix?: string;
  /** How long logs of functions and machines are kept. Default: three months. */
  readonly logRetention?: RetentionDays;
}

export class Cutover extends Construct {
  readonly settingsPrefix: string;
  readonly table: Table;
  /** Messages of all deployments: subscribe e-mail, chat, queues or functions. */
  readonly topic: Topic;
  /** Alarms on what must never happen: for whoever runs Cutover. */
  readonly alarms: Topic;
  /** Events and records that could not be handled. Nothing should ever be in it. */
  readonly deadLetters: Queue;
  /** The same queue as targets of rules should name it: its policy allows every rule already, and is not extended. */
  readonly undelivered: IQueue;
  readonly functions: Readonly<Record<FunctionName, DeployerFunction>>;
  /** Started by pushes. */
  readonly deploy: StateMachine;
  /** Started by people: `{"service":"web"}`. */
  readonly rollback: StateMachine;
  /** Started by the sweep, for executions that died. */
  readonly recover: StateMachine;
  readonly retire: StateMachine;

  constructor(scope: Construct, id: string, props: CutoverProps = {}) {
    super(scope, id);
    this.settingsPrefix = props.settingsPrefix ?? '/cutover';
    const logRetention = props.logRetention ?? RetentionDays.THREE_MONTHS;

    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    // Also for the rules of services: the deployer must not depend on their stacks.
    this.deadLetters.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.deadLetters.queueArn],
        conditions: { ArnLike: { 'aws:SourceArn': localArn(this, 'events', 'rule/*') } },
      }),
    );
    this.undelivered = Queue.fromQueueArn(this, 'Undelivered', this.deadLetters.queueArn);
    this.topic = new Topic(this, 'Messages', {
      displayName: 'Cutover',
      enforceSSL: true,
      // AWS's own key: its policy lets whoever may publish to the topic use it, so no grant and no cost come with it.
      masterKey: Alias.fromAliasName(this, 'TopicKey', 'alias/aws/sns'),
    });
    this.table = makeTable(this);
    this.functions = makeFunctions(this, logRetention);
    this.#allow();
    allowGenerations(this, this.functions);
    allowScaling(this, this.functions);
    allowInstances(this, this.functions);

    const { plan, planRollback, planRecovery, terminate } = this.functions;
    this.retire = new Machine(this, 'Retire', {
      definition: new URL('../statemachines/retire.asl.json', import.meta.url),
      comment: 'Ends generations that are no longer live when their retention is over',
      functions: { Terminate: terminate },
      logRetention,
    }).machine;
    const machine = (id: string, planner: DeployerFunction, comment: string): StateMachine =>
      this.#machine(id, planner, comment, logRetention);
    this.deploy = machine('Deploy', plan, 'Takes a service from its live generation to a new one');
    this.rollback = machine(
      'Rollback',
      planRollback,
      'Takes a service back to a generation that was proven good',
    );
    this.recover = machine('Recover', planRecovery, 'Takes back what an execution that died left half done');
    this.#listen();
    this.#sweep();
    this.alarms = this.#watch();
  }

  /** One definition makes the three machines; only the function behind Plan differs. */
  #machine(
    id: string,
    planner: DeployerFunction,
    comment: string,
    logRetention: RetentionDays,
  ): StateMachine {
    const { launch, await: waiting, shift, judge, promote, terminate } = this.functions;
    return new Machine(this, id, {
      definition: new URL('../statemachines/deploy.asl.json', import.meta.url),
      comment,
      functions: {
        Plan: planner,
        Launch: launch,
        Await: waiting,
        Shift: shift,
        Judge: judge,
        Promote: promote,
        Terminate: terminate,
      },
      machines: { RetireMachine: this.retire },
      logRetention,
    }).machine;
  }

  /** What every service needs of the functions, and no more. */
  #allow(): void {
    const {
      plan,
      planRollback,
      planRecovery,
      launch,
      await: waiting,
      shift,
      judge,
      promote,
      terminate,
      signal,
      announce,
      sweep,
      rule,
      hook,
    } = this.functions;
    for (const each of [
      plan,
      planRollback,
      planRecovery,
      launch,
      waiting,
      shift,
      promote,
      terminate,
      signal,
      sweep,
      hook,
    ]) {
      each.allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [this.table.tableArn]);
    }
    judge.allow(['dynamodb:GetItem'], [this.table.tableArn]);
    for (const each of [signal, sweep]) {
      each.allow(['dynamodb:Query'], [`${this.table.tableArn}/index/${ledgerTable.openIndex}`]);
    }
    for (const each of [plan, planRollback, sweep]) {
      each.allow(['ssm:GetParameter'], [localArn(this, 'ssm', `parameter${this.settingsPrefix}/*`)], {
        because: 'One parameter for each service, and the function serves all services',
      });
    }
    sweep.allow(['ssm:GetParametersByPath'], [localArn(this, 'ssm', `parameter${this.settingsPrefix}`)]);
    for (const each of [planRecovery, sweep]) {
      each.allow(['states:DescribeExecution'], [localArn(this, 'states', 'execution:*')], {
        because:
          'Executions of the very machines that this function is part of: naming them would be a circle',
      });
    }
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
    const unnamed = { because: 'The action cannot be limited to resources' };
    for (const each of [plan, planRollback, shift, judge, terminate, rule])
      each.allow(['elasticloadbalancing:DescribeRules'], ['*'], unnamed);
    for (const each of [plan, waiting, shift, judge, terminate, rule])
      each.allow(['elasticloadbalancing:DescribeTargetHealth'], ['*'], unnamed);
    plan.allow(
      [
        'elasticloadbalancing:DescribeTargetGroups',
        'elasticloadbalancing:DescribeAccountLimits',
        'ec2:DescribeSubnets',
      ],
      ['*'],
      unnamed,
    );
    plan.allow(['servicequotas:GetServiceQuota'], [localArn(this, 'servicequotas', 'fargate/*')], {
      because: 'One quota among those of Fargate, whose number is not known here',
    });
    rule.allow(['elasticloadbalancing:DescribeTags'], ['*'], unnamed);
    for (const each of [plan, launch, terminate, sweep])
      each.allow(['ecs:DescribeTaskDefinition'], ['*'], unnamed);
    for (const each of [terminate, sweep]) each.allow(['ecs:ListTaskDefinitionFamilies'], ['*'], unnamed);
    terminate.allow(['ecs:DeregisterTaskDefinition'], ['*'], unnamed);
    for (const each of [plan, waiting, judge]) {
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
      each.allow(['cloudwatch:DescribeAlarms'], ['*'], {
        because: 'A narrower scope returns no composite alarms',
      });
    }
    for (const each of [plan, waiting, judge, terminate])
      each.allow(['cloudwatch:GetMetricData'], ['*'], unnamed);
    waiting.allow(['states:SendTaskSuccess', 'states:SendTaskFailure'], ['*'], {
      because: 'A task token names no resource',
    });
    for (const each of [plan, signal, hook])
      each.allow(['states:SendTaskFailure'], ['*'], { because: 'A task token names no resource' });
    announce.allow(['dynamodb:PutItem'], [this.table.tableArn]);
    announce.allow(['lambda:InvokeFunction'], [hook.function.functionArn]);
    announce.function.addEnvironment('HOOK_FUNCTION' satisfies Variable, hook.function.functionArn);
    this.topic.grantPublish(announce.role);
  }

  #listen(): void {
    const { announce, signal } = this.functions;
    announce.function.addEventSource(
      new DynamoEventSource(this.table as ITable, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        // Only service items tell a story; the history items that announce writes must not call it again.
        filters: [
          FilterCriteria.filter({ dynamodb: { Keys: { item: { S: FilterRule.isEqual('service') } } } }),
        ],
        batchSize: 10,
        reportBatchItemFailures: true,
        bisectBatchOnError: true,
        retryAttempts: 100,
        maxRecordAge: Duration.hours(12),
        onFailure: new SqsDlq(this.deadLetters),
      }),
    );
    hearSignals(this, () => new LambdaFunction(signal.function, { deadLetterQueue: this.undelivered }));
  }

  /** Looks when an execution ends, and by schedule, for an event may be lost. */
  #sweep(): void {
    const { function: sweep } = this.functions.sweep;
    for (const machine of [this.deploy, this.recover, this.retire]) machine.grantStartExecution(sweep);
    const target = () => new LambdaFunction(sweep, { deadLetterQueue: this.undelivered });
    new Rule(this, 'Endings', {
      description: 'Executions that end, or die, leave something to look after',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT'],
          stateMachineArn: [this.deploy, this.rollback, this.recover, this.retire].map(
            ({ stateMachineArn }) => stateMachineArn,
          ),
        },
      },
      targets: [target()],
    });
    new Rule(this, 'Sweep', {
      description:
        'Finds what died, what waits and what was pushed, should its event be lost, and what is left over',
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [target()],
    });
    const { deploy, recover, retire } = this;
    const machines = { DEPLOY_MACHINE: deploy, RECOVER_MACHINE: recover, RETIRE_MACHINE: retire } satisfies {
      [name in Variable]?: StateMachine;
    };
    for (const [name, { stateMachineArn }] of Object.entries(machines))
      sweep.addEnvironment(name, stateMachineArn);
  }

  #watch(): Topic {
    const { deadLetters, recover, retire, functions } = this;
    return new Watch(this, 'Watch', {
      deadLetters,
      recover,
      retire,
      announce: functions.announce.function,
      signal: functions.signal.function,
      sweep: functions.sweep.function,
    }).topic;
  }
}

type FunctionName =
  | 'plan'
  | 'planRollback'
  | 'planRecovery'
  | 'sweep'
  | 'launch'
  | 'await'
  | 'shift'
  | 'judge'
  | 'promote'
  | 'terminate'
  | 'signal'
  | 'announce'
  | 'hook'
  | 'rule';

function makeTable(scope: Construct): Table {
  const table = new Table(scope, 'Ledger', {
    partitionKey: { name: ledgerTable.partitionKey, type: AttributeType.STRING },
    sortKey: { name: ledgerTable.sortKey, type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.AWS_MANAGED,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    stream: StreamViewType.NEW_AND_OLD_IMAGES,
    // The only record of what is live and what may be gone back to.
    removalPolicy: RemovalPolicy.RETAIN,
  });
  table.addGlobalSecondaryIndex({
    indexName: ledgerTable.openIndex,
    partitionKey: { name: ledgerTable.openKey, type: AttributeType.STRING },
    projectionType: ProjectionType.KEYS_ONLY,
  });
  return table;
}

function makeFunctions(
  cutover: Cutover,
  logRetention: RetentionDays,
): Record<FunctionName, DeployerFunction> {
  const ledger = { LEDGER_TABLE: cutover.table.tableName };
  const make = (id: string, entry: string, description: string, environment: DeployerFunctionEnvironment) =>
    new DeployerFunction(cutover, id, { entry, description, environment, logRetention });
  return {
    plan: make('PlanDeployment', 'plan-deployment', 'Decides what a push comes to', {
      ...ledger,
      SETTINGS_PREFIX: cutover.settingsPrefix,
    }),
    planRollback: make('PlanRollback', 'plan-rollback', 'Decides what an order to go back comes to', {
      ...ledger,
      SETTINGS_PREFIX: cutover.settingsPrefix,
    }),
    planRecovery: make('PlanRecovery', 'plan-recovery', 'Takes over what a dead execution left', ledger),
    sweep: new DeployerFunction(cutover, 'Sweeper', {
      entry: 'sweep',
      description: 'Looks after what died, what waits, what was lost and what is left over',
      environment: { ...ledger, SETTINGS_PREFIX: cutover.settingsPrefix },
      logRetention,
      deadLetters: cutover.deadLetters,
    }),
    launch: make('Launch', 'launch', 'Starts a new generation', ledger),
    await: make('Await', 'await', 'Begins a wait of a deployment', ledger),
    shift: make('Shift', 'shift', 'Writes weights, forward and back', ledger),
    judge: make('Judge', 'judge', 'Asks every gate at the end of a bake', ledger),
    promote: make('Promote', 'promote', 'Makes the new generation the live one', ledger),
    terminate: make('Terminate', 'terminate', 'Ends generations that no traffic reaches', ledger),
    signal: new DeployerFunction(cutover, 'Signal', {
      entry: 'signal',
      description: 'Latches signals and ends the waits that they decide',
      environment: ledger,
      logRetention,
      deadLetters: cutover.deadLetters,
    }),
    hook: new DeployerFunction(cutover, 'Hook', {
      entry: 'hook',
      description:
        'Calls the hooks of services, and what drains their instances, and takes down what comes of it',
      environment: ledger,
      // A hook is a function too, and may take as long as one can.
      timeout: Duration.minutes(15),
      logRetention,
      deadLetters: cutover.deadLetters,
    }),
    announce: make('Announce', 'announce', 'Tells the story of deployments', {
      ...ledger,
      TOPIC_ARN: cutover.topic.topicArn,
    }),
    rule: make('ListenerRule', 'listener-rule', "Makes services' production rules for CloudFormation", {}),
  };
}

type DeployerFunctionEnvironment = ConstructorParameters<typeof DeployerFunction>[2]['environment'];
