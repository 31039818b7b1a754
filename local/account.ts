/** The one account and region of the embedded AWS. The account number is the one AWS uses in its own examples. */

export const region = 'us-east-1';
export const accountId = '123456789012';
export const partition = 'aws';

/** `arn:aws:<service>:us-east-1:123456789012:<resource>` */
export function arn(service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}

/** `arn:aws:<service>:us-east-1::<resource>`: what is named without an account, such as images and AWS's own parameters. */
export function publicArn(service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}::${resource}`;
}

/** `arn:aws:iam::123456789012:<resource>`: IAM is global, its ARNs name no region. */
export function iamArn(resource: string): string {
  return `arn:${partition}:iam::${accountId}:${resource}`;
}
