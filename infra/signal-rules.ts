/** Which events come to the signal function, beside what people and hooks say to it. */
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import { drainHook } from '../functions/core/fleet/drain-hook.ts';

export function hearSignals(scope: Construct, target: () => IRuleTarget): void {
  new Rule(scope, 'AlarmSignals', {
    description: 'Alarms that turn red end a bake at once',
    eventPattern: {
      source: ['aws.cloudwatch'],
      detailType: ['CloudWatch Alarm State Change'],
      detail: { state: { value: ['ALARM'] } },
    },
    targets: [target()],
  });
  new Rule(scope, 'TaskSignals', {
    description: 'Tasks of generations that run or stop end a wait early',
    eventPattern: {
      source: ['aws.ecs'],
      detailType: ['ECS Task State Change'],
      detail: { lastStatus: ['RUNNING', 'STOPPED'], group: [{ wildcard: 'service:*-g*' }] },
    },
    targets: [target()],
  });
  new Rule(scope, 'InstanceSignals', {
    description:
      'Instances of generations that are in service, could not be launched or have ended end a wait early',
    eventPattern: {
      source: ['aws.autoscaling'],
      detailType: [
        'EC2 Instance Launch Successful',
        'EC2 Instance Launch Unsuccessful',
        'EC2 Instance Terminate Successful',
      ],
      detail: { AutoScalingGroupName: [{ wildcard: '*-g*' }] },
    },
    targets: [target()],
  });
  new Rule(scope, 'DrainSignals', {
    description: 'Instances of generations that are about to end wait to be drained',
    eventPattern: {
      source: ['aws.autoscaling'],
      detailType: ['EC2 Instance-terminate Lifecycle Action'],
      detail: { LifecycleHookName: [drainHook], AutoScalingGroupName: [{ wildcard: '*-g*' }] },
    },
    targets: [target()],
  });
  new Rule(scope, 'ServiceSignals', {
    description: 'Generations that ECS calls steady, gives up or finds no room for end a wait early',
    eventPattern: {
      source: ['aws.ecs'],
      detailType: ['ECS Service Action', 'ECS Deployment State Change'],
      detail: {
        eventName: ['SERVICE_STEADY_STATE', 'SERVICE_DEPLOYMENT_FAILED', 'SERVICE_TASK_PLACEMENT_FAILURE'],
      },
    },
    targets: [target()],
  });
}
