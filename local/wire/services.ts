/** The services that the embedded AWS knows how to put on the wire: protocols, schemas, names. */
import type { Operations } from '../call.ts';
import { awsJson } from './json.ts';
import type { Protocol } from './protocol.ts';
import { awsQuery, ec2Query } from './query.ts';
import { restJson } from './rest-json.ts';
import type { ModelledService } from './service-entry.ts';

interface Wiring extends Omit<ModelledService, 'protocols' | 'operations'> {
  readonly protocols: () => readonly Protocol[];
}

const json10 = () => [awsJson('1.0')];
const json11 = () => [awsJson('1.1')];

/** Protocols are those of today's SDKs; CloudWatch is also spoken to by query (AWS CLI of Debian 12). */
const wirings = {
  applicationAutoScaling: {
    signingName: 'application-autoscaling',
    protocols: json11,
    schemas: () => import('@aws-sdk/client-application-auto-scaling'),
  },
  autoscaling: {
    signingName: 'autoscaling',
    protocols: () => [awsQuery('http://autoscaling.amazonaws.com/doc/2011-01-01/')],
    schemas: () => import('@aws-sdk/client-auto-scaling'),
  },
  cloudformation: {
    signingName: 'cloudformation',
    protocols: () => [awsQuery('http://cloudformation.amazonaws.com/doc/2010-05-15/')],
    schemas: () => import('@aws-sdk/client-cloudformation'),
  },
  cloudwatch: {
    signingName: 'monitoring',
    iamPrefix: 'cloudwatch',
    protocols: () => [
      awsJson('1.0', { queryCompatible: true }),
      awsQuery('http://monitoring.amazonaws.com/doc/2010-08-01/'),
    ],
    schemas: () => import('@aws-sdk/client-cloudwatch'),
  },
  dynamodb: { signingName: 'dynamodb', protocols: json10, schemas: () => import('@aws-sdk/client-dynamodb') },
  ec2: {
    signingName: 'ec2',
    protocols: () => [ec2Query('http://ec2.amazonaws.com/doc/2016-11-15/')],
    schemas: () => import('@aws-sdk/client-ec2'),
    heavySchemas: true,
  },
  ecr: { signingName: 'ecr', protocols: json11, schemas: () => import('@aws-sdk/client-ecr') },
  ecs: { signingName: 'ecs', protocols: json11, schemas: () => import('@aws-sdk/client-ecs') },
  elbv2: {
    signingName: 'elasticloadbalancing',
    protocols: () => [awsQuery('http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/')],
    schemas: () => import('@aws-sdk/client-elastic-load-balancing-v2'),
  },
  events: { signingName: 'events', protocols: json11, schemas: () => import('@aws-sdk/client-eventbridge') },
  iam: {
    signingName: 'iam',
    protocols: () => [awsQuery('https://iam.amazonaws.com/doc/2010-05-08/')],
    schemas: () => import('@aws-sdk/client-iam'),
  },
  lambda: {
    signingName: 'lambda',
    protocols: () => [restJson()],
    schemas: () => import('@aws-sdk/client-lambda'),
  },
  logs: { signingName: 'logs', protocols: json11, schemas: () => import('@aws-sdk/client-cloudwatch-logs') },
  servicequotas: {
    signingName: 'servicequotas',
    protocols: json11,
    schemas: () => import('@aws-sdk/client-service-quotas'),
  },
  sns: {
    signingName: 'sns',
    protocols: () => [awsQuery('http://sns.amazonaws.com/doc/2010-03-31/')],
    schemas: () => import('@aws-sdk/client-sns'),
  },
  // SQS by query (older clients) needs flattened names that today's schemas no longer carry: left out.
  sqs: {
    signingName: 'sqs',
    protocols: () => [awsJson('1.0', { queryCompatible: true })],
    schemas: () => import('@aws-sdk/client-sqs'),
    longPolls: ['ReceiveMessage'],
  },
  ssm: { signingName: 'ssm', protocols: json11, schemas: () => import('@aws-sdk/client-ssm') },
  states: { signingName: 'states', protocols: json10, schemas: () => import('@aws-sdk/client-sfn') },
  sts: {
    signingName: 'sts',
    protocols: () => [awsQuery('https://sts.amazonaws.com/doc/2011-06-15/')],
    schemas: () => import('@aws-sdk/client-sts'),
  },
} satisfies Record<string, Wiring>;

export type ServiceName = keyof typeof wirings;

/** The entry that puts these operations on the wire: `serviceEntry('ecs', ecs.operations)`. */
export function serviceEntry(name: ServiceName, operations: Operations): ModelledService {
  const wiring: Wiring = wirings[name];
  return { ...wiring, protocols: wiring.protocols(), operations };
}
