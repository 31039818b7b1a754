/**
 * A complete example: network, load balancer, cluster, repository, and the services that Cutover deploys: `web` on
 * ECS and `worker` on EC2 Auto Scaling. Set from
 * cdk.json's context. Environment-agnostic: the same template goes to any account and region.
 */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { WebStack } from './web-stack.ts';

const app = new App();
new WebStack(app, 'Cutover', {
  description: 'Immutable deployments of the services web and worker, by Cutover',
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
