/** The AWS managed policies that are known here, with their documents; any other name does not exist. */
import { partition } from '../account.ts';

const logWriting = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'];

function document(actions: readonly string[]): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
  });
}

const documents: Readonly<Record<string, string>> = {
  'service-role/AWSLambdaBasicExecutionRole': document(logWriting),
  'service-role/AWSLambdaVPCAccessExecutionRole': document([
    ...logWriting,
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ]),
  'service-role/AmazonECSTaskExecutionRolePolicy': document([
    'ecr:GetAuthorizationToken',
    'ecr:BatchCheckLayerAvailability',
    'ecr:GetDownloadUrlForLayer',
    'ecr:BatchGetImage',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ]),
};

/** Documents by policy ARN. */
export const awsManagedPolicies: ReadonlyMap<string, string> = new Map(
  Object.entries(documents).map(([name, text]) => [`arn:${partition}:iam::aws:policy/${name}`, text]),
);
