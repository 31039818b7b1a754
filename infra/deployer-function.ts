/** One function of the deployer: its own bundle, its own role that grants what it calls and nothing else. */
import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  Effect,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Variable } from '../functions/core/environment.ts';
import { bundledCode } from './bundle.ts';
import { acknowledgeWildcards } from './wildcard-finding.ts';

export interface DeployerFunctionProps {
  /** File name of the entry in `functions/`, without its ending. */
  readonly entry: string;
  readonly description: string;
  readonly environment: Partial<Record<Variable, string>>;
  readonly logRetention: RetentionDays;
  /** Default: one minute. */
  readonly timeout?: Duration;
  /** Where events go that the function could not handle; for functions that events call. */
  readonly deadLetters?: IQueue;
}

export interface Allowance {
  readonly because?: string;
  readonly conditions?: Record<string, Record<string, unknown>>;
}

export class DeployerFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  /** Not inline: the inline policies' 10,240 characters are for what each service adds. */
  #rights: ManagedPolicy | undefined;

  constructor(scope: Construct, id: string, props: DeployerFunctionProps) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Not AWSLambdaBasicExecutionRole: that one may write to every log group of the account.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Log: new PolicyDocument({
          statements: [
            new PolicyStatement({
              effect: Effect.ALLOW,
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [logGroup.logGroupArn],
            }),
          ],
        }),
      },
    });
    this.function = new LambdaFunction(this, 'Function', {
      description: props.description,
      code: bundledCode(props.entry),
      handler: `${props.entry}.handler`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      // Steps make a few calls; course.ts counts on this limit when it stamps until when a write may be under way.
      timeout: props.timeout ?? Duration.seconds(60),
      environment: { ...props.environment },
      role: this.role,
      logGroup,
      tracing: Tracing.ACTIVE,
      ...(props.deadLetters && { deadLetterQueue: props.deadLetters }),
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    acknowledgeWildcards(this.role, ['*'], 'X-Ray has no resources that a policy could name');
  }

  /** `because`: why a wildcard among the resources is as narrow as it can be. */
  allow(actions: readonly string[], resources: readonly string[], options: Allowance = {}): void {
    this.#add(Effect.ALLOW, actions, resources, options.conditions);
    if (options.because !== undefined) acknowledgeWildcards(this.role, resources, options.because);
  }

  /** Whatever any policy allows. */
  deny(
    actions: readonly string[],
    resources: readonly string[],
    conditions: NonNullable<Allowance['conditions']>,
  ): void {
    this.#add(Effect.DENY, actions, resources, conditions);
  }

  #add(
    effect: Effect,
    actions: readonly string[],
    resources: readonly string[],
    conditions: Allowance['conditions'],
  ): void {
    // Below the role, so that whoever waits for the role waits for its rights.
    this.#rights ??= new ManagedPolicy(this.role, 'Rights', { roles: [this.role] });
    this.#rights.addStatements(
      new PolicyStatement({
        effect,
        actions: [...actions],
        resources: [...resources],
        ...(conditions && { conditions }),
      }),
    );
  }

  /** The immutable version that definitions name: a running execution keeps its code. */
  get versionArn(): string {
    return this.function.currentVersion.functionArn;
  }
}

/** An ARN in this stack's account and region. */
export function localArn(scope: Construct, service: string, resource: string): string {
  return Stack.of(scope).formatArn({ service, resource, arnFormat: ArnFormat.NO_RESOURCE_NAME });
}
