/** A state machine from a plain ASL file, its definition inline in the template, so that a diff shows what changes. */
import { readFileSync } from 'node:fs';
import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DeployerFunction } from './deployer-function.ts';
import { acknowledgeWildcards } from './wildcard-finding.ts';

export interface MachineProps {
  /** File in `statemachines/`. */
  readonly definition: URL;
  readonly comment: string;
  /** Functions by the name that the definition calls them; each stands for its version's ARN. */
  readonly functions: Readonly<Record<string, DeployerFunction>>;
  /** Machines that it starts, by the name that the definition calls them. */
  readonly machines?: Readonly<Record<string, StateMachine>>;
  readonly logRetention: RetentionDays;
}

export class Machine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: MachineProps) {
    super(scope, id);
    const machines = Object.entries(props.machines ?? {});
    const functions = Object.entries(props.functions);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineType: StateMachineType.STANDARD,
      comment: props.comment,
      definitionBody: DefinitionBody.fromString(
        JSON.stringify(JSON.parse(readFileSync(props.definition, 'utf8'))),
      ),
      definitionSubstitutions: Object.fromEntries([
        ...functions.map(([name, each]) => [name, each.versionArn]),
        ...machines.map(([name, machine]) => [name, machine.stateMachineArn]),
      ]),
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Log', {
          // CloudWatch delivers to groups of this name without a resource policy that could outgrow its limit.
          logGroupName: `/aws/vendedlogs/states/${this.node.addr}`,
          retention: props.logRetention,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        // Inputs and outputs are in the history already; a second copy would only be one more place to leak.
        includeExecutionData: false,
      },
    });
    // Every version, not only the newest: an execution that runs while the deployer is upgraded keeps its code.
    this.machine.addToRolePolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: functions.map(([, each]) => `${each.function.functionArn}:*`),
      }),
    );
    acknowledgeWildcards(
      this.machine,
      functions.map(([, each]) => `${each.function.functionArn}:*`),
      'All versions of one function: a running execution keeps the version it was started with',
    );
    acknowledgeWildcards(
      this.machine,
      ['*'],
      'X-Ray and the delivery of logs have no resources that a policy could name',
    );
    for (const [, machine] of machines) machine.grantStartExecution(this.machine);
  }
}
