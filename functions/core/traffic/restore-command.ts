/** The one command that puts the weights back without Cutover: every message of a running deployment prints it. */
import type { TrafficSettings } from '../service-settings.ts';
import type { Weights } from './weights.ts';

export function restoreCommand(traffic: TrafficSettings, weights: Weights): string {
  const groups = traffic.slots.map(({ name, targetGroup }) => ({
    TargetGroupArn: targetGroup,
    Weight: weights[name] ?? 0,
  }));
  const actions = [{ Type: 'forward', ForwardConfig: { TargetGroups: groups } }];
  return `aws elbv2 modify-rule --rule-arn ${traffic.rule} --actions '${JSON.stringify(actions)}'`;
}
