/** The example's hook as a function: `hooks: [{ name: 'smoke', stage: 'testTraffic', function: new SmokeTest(…).function }]`. */
import { Duration } from 'aws-cdk-lib';
import { Architecture, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { bundledCode } from '../bundle.ts';

export interface SmokeTestProps {
  /** Where the load balancer answers, with its scheme. */
  readonly url: string;
  /** Default: `/`. */
  readonly paths?: readonly string[];
  /** To each path. Default: 20. */
  readonly requests?: number;
}

export class SmokeTest extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, { url, paths = ['/'], requests = 20 }: SmokeTestProps) {
    super(scope, id);
    this.function = new LambdaFunction(this, 'Function', {
      description: 'Asks a new generation before anybody else does',
      code: bundledCode('handler', 'infra/smoke-test'),
      handler: 'handler.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.minutes(1),
      environment: { URL: url, PATHS: paths.join(','), REQUESTS: String(requests) },
    });
  }
}
