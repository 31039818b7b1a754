import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AlbProductionRule } from './aws/alb-production-rule.ts';
import { clientOptions } from './aws/client-options.ts';
import {
  answerCloudFormation,
  type CustomResourceRequest,
  customResourceRequest,
} from './aws/cloudformation-answer.ts';
import { CutoverError } from './core/errors.ts';
import { serviceName } from './core/names.ts';
import { parse } from './core/parse.ts';
import { rulePhysicalId } from './core/traffic/listener-rule.ts';
import { entry } from './entry.ts';
import { listenerRule, ruleRequest } from './steps/listener-rule.ts';

/** The custom resource behind a service's production rule. Answers CloudFormation whatever happens. */
export const create = entry({
  name: 'listener-rule',
  input: customResourceRequest,
  wire: (_env, aws) => {
    const rule = new AlbProductionRule(new ElasticLoadBalancingV2Client(clientOptions(aws, 'sdk')));
    return async (request) => {
      const physicalId = physicalIdOf(request);
      try {
        const parsed = parse(ruleRequest, request);
        // What cannot be read was never created: its deletion must not hold the stack.
        if (!parsed.ok && request.RequestType === 'Delete')
          return await succeed(request, physicalId, undefined);
        if (!parsed.ok)
          throw new CutoverError(
            'Cutover.InvalidInput',
            `the rule's properties are not valid: ${parsed.mistakes.join('; ')}`,
          );
        const { ruleArn } = await listenerRule(parsed.value, rule);
        return await succeed(request, physicalId, ruleArn);
      } catch (failure) {
        const Reason = failure instanceof Error ? failure.message : String(failure);
        await answerCloudFormation(request, physicalId, { Status: 'FAILED', Reason });
        return { refused: Reason };
      }
    };
  },
});
export const handler = create(process.env, {});

async function succeed(
  request: CustomResourceRequest,
  physicalId: string,
  ruleArn: string | undefined,
): Promise<{ ruleArn: string | undefined }> {
  await answerCloudFormation(request, physicalId, { Status: 'SUCCESS', Data: { RuleArn: ruleArn ?? '' } });
  return { ruleArn };
}

/** Also a request whose properties are wrong gets an answer, so the name must not depend on all of them. */
function physicalIdOf(request: CustomResourceRequest): string {
  const properties = request['ResourceProperties'];
  const service =
    typeof properties === 'object' && properties !== null && 'Service' in properties
      ? properties.Service
      : undefined;
  const parsed = serviceName.safeParse(service);
  return parsed.success ? rulePhysicalId(parsed.data) : `cutover-rule-${request.LogicalResourceId}`;
}
