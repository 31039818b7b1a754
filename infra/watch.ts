/**
 * Alarms on what must never happen, however deployments end: a failed deployment is none of it, and no more are the time-outs
 * that end each bake. An execution of a deployment that dies is seen by the recovery that it gets.
 *
 * They have a topic of their own, without a key: CloudWatch may not use AWS's own key of the messages' topic
 * (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns), a key of one's own costs more than all of them, and
 * what they say (names and numbers) needs none. So they also need no function of Cutover's, which may be what is broken.
 */
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface WatchProps {
  readonly deadLetters: IQueue;
  readonly recover: IStateMachine;
  readonly retire: IStateMachine;
  readonly announce: IFunction;
  readonly signal: IFunction;
  readonly sweep: IFunction;
}

const minute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);
/** A message that comes later than this is a message that did not come. */
const lateMs = 60_000;

export class Watch extends Construct {
  /** Whoever runs Cutover should hear of it: subscribe e-mail, chat or a pager. */
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: WatchProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Alarms', { displayName: 'Cutover alarms', enforceSSL: true });
    this.#allow();
    const { deadLetters, recover, retire, announce, signal, sweep } = props;
    this.#alarm(
      'DeadLetters',
      'Events or changes that Cutover could not handle wait in its dead-letter queue: read them, mend the cause, send them again',
      deadLetters.metricApproximateNumberOfMessagesVisible({ period: minute, statistic: 'Maximum' }),
    );
    this.#alarm(
      'Recoveries',
      'An execution died and its deployment was taken back, or could not be: the failed execution of the recover machine says which',
      recover.metricFailed({ period: minute, statistic: 'Sum' }),
    );
    this.#alarm(
      'Retirements',
      'A generation whose retention is over could not be ended: the failed execution of the retire machine says why',
      retire.metricFailed({ period: minute, statistic: 'Sum' }),
    );
    for (const [name, each] of Object.entries({ Announce: announce, Signal: signal, Sweep: sweep })) {
      this.#alarm(
        `${name}Errors`,
        `The ${name.toLowerCase()} function fails: its log says why`,
        each.metricErrors({ period: fiveMinutes, statistic: 'Sum' }),
      );
    }
    this.#alarm(
      'LateMessages',
      'History and messages come more than a minute late or not at all: the log of the announce function says why',
      announce.metric('IteratorAge', { period: minute, statistic: 'Maximum' }),
      lateMs,
    );
  }

  #alarm(id: string, alarmDescription: string, metric: IMetric, threshold = 0): void {
    const alarm = new Alarm(this, id, {
      alarmDescription,
      metric,
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // Nothing happened: the normal case.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic as ITopic));
  }

  /** https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html#sns-allow-cloudwatch-alarm-to-publish */
  #allow(): void {
    const stack = Stack.of(this);
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'cloudwatch',
              resource: 'alarm',
              resourceName: '*',
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
  }
}
