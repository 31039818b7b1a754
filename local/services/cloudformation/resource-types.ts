/** The resource types that CloudFormation can provision here. */
import type { CustomResponses } from './custom-responses.ts';
import type { ResourceType } from './resource-type.ts';
import { alarm } from './resources/cloudwatch.ts';
import { customResource } from './resources/custom.ts';
import { table } from './resources/dynamodb.ts';
import * as ec2 from './resources/ec2.ts';
import { repository } from './resources/ecr.ts';
import * as ecs from './resources/ecs.ts';
import * as elbv2 from './resources/elbv2.ts';
import { rule } from './resources/events.ts';
import * as iam from './resources/iam.ts';
import { instanceProfile } from './resources/instance-profile.ts';
import { bucketPolicy, cdkMetadata, key, keyAlias } from './resources/kept.ts';
import * as lambda from './resources/lambda.ts';
import { launchTemplate } from './resources/launch-template.ts';
import { logGroup, resourcePolicy } from './resources/logs.ts';
import { bucket } from './resources/s3.ts';
import * as sns from './resources/sns.ts';
import * as sqs from './resources/sqs.ts';
import { parameter } from './resources/ssm.ts';
import { stateMachine } from './resources/states.ts';
import { invalid, type Template } from './template.ts';

const types: Readonly<Record<string, ResourceType>> = {
  'AWS::CDK::Metadata': cdkMetadata,
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::DynamoDB::Table': table,
  'AWS::EC2::EIP': ec2.eip,
  'AWS::EC2::FlowLog': ec2.flowLog,
  'AWS::EC2::InternetGateway': ec2.internetGateway,
  'AWS::EC2::LaunchTemplate': launchTemplate,
  'AWS::EC2::NatGateway': ec2.natGateway,
  'AWS::EC2::Route': ec2.route,
  'AWS::EC2::RouteTable': ec2.routeTable,
  'AWS::EC2::SecurityGroup': ec2.securityGroup,
  'AWS::EC2::SecurityGroupEgress': ec2.securityGroupEgress,
  'AWS::EC2::SecurityGroupIngress': ec2.securityGroupIngress,
  'AWS::EC2::Subnet': ec2.subnet,
  'AWS::EC2::SubnetRouteTableAssociation': ec2.subnetRouteTableAssociation,
  'AWS::EC2::VPC': ec2.vpc,
  'AWS::EC2::VPCEndpoint': ec2.vpcEndpoint,
  'AWS::EC2::VPCGatewayAttachment': ec2.vpcGatewayAttachment,
  'AWS::ECR::Repository': repository,
  'AWS::ECS::Cluster': ecs.cluster,
  'AWS::ECS::ClusterCapacityProviderAssociations': ecs.clusterCapacityProviderAssociations,
  'AWS::ECS::Service': ecs.service,
  'AWS::ECS::TaskDefinition': ecs.taskDefinition,
  'AWS::ElasticLoadBalancingV2::Listener': elbv2.listener,
  'AWS::ElasticLoadBalancingV2::ListenerRule': elbv2.listenerRule,
  'AWS::ElasticLoadBalancingV2::LoadBalancer': elbv2.loadBalancer,
  'AWS::ElasticLoadBalancingV2::TargetGroup': elbv2.targetGroup,
  'AWS::Events::Rule': rule,
  'AWS::IAM::InstanceProfile': instanceProfile,
  'AWS::IAM::ManagedPolicy': iam.managedPolicy,
  'AWS::IAM::Policy': iam.policy,
  'AWS::IAM::Role': iam.role,
  'AWS::KMS::Alias': keyAlias,
  'AWS::KMS::Key': key,
  'AWS::Lambda::Alias': lambda.alias,
  'AWS::Lambda::EventInvokeConfig': lambda.eventInvokeConfig,
  'AWS::Lambda::EventSourceMapping': lambda.eventSourceMapping,
  'AWS::Lambda::Function': lambda.lambdaFunction,
  'AWS::Lambda::Permission': lambda.permission,
  'AWS::Lambda::Version': lambda.version,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::Logs::ResourcePolicy': resourcePolicy,
  'AWS::S3::Bucket': bucket,
  'AWS::S3::BucketPolicy': bucketPolicy,
  'AWS::SNS::Subscription': sns.subscription,
  'AWS::SNS::Topic': sns.topic,
  'AWS::SNS::TopicPolicy': sns.topicPolicy,
  'AWS::SQS::Queue': sqs.queue,
  'AWS::SQS::QueuePolicy': sqs.queuePolicy,
  'AWS::SSM::Parameter': parameter,
  'AWS::StepFunctions::StateMachine': stateMachine,
};

export class ResourceTypes {
  readonly #custom: ResourceType;

  constructor(responses: CustomResponses) {
    this.#custom = customResource(responses);
  }

  /** Throws for a type that is not had. */
  get(name: string): ResourceType {
    const type = this.#find(name);
    if (type === undefined) throw unrecognized([name]);
    return type;
  }

  /** Refuses a template before anything of it is created. */
  check(template: Template): void {
    const unknown = Object.values(template.Resources).flatMap(({ Type }) =>
      this.#find(Type) === undefined ? [Type] : [],
    );
    if (unknown.length > 0) throw unrecognized([...new Set(unknown)]);
  }

  #find(name: string): ResourceType | undefined {
    if (name.startsWith('Custom::') || name === 'AWS::CloudFormation::CustomResource') return this.#custom;
    return types[name];
  }
}

function unrecognized(names: readonly string[]): Error {
  return invalid(`Template format error: Unrecognized resource types: [${names.join(', ')}]`);
}
