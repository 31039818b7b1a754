/** What one can do with the demo once it stays up. Each command is one line, to be pasted as it is. */

import { region } from '../account.ts';

export interface Ways {
  readonly service: string;
  readonly endpoint: string;
  readonly site: string;
  readonly listener: string;
  readonly rollbackMachine: string;
  readonly signalFunction: string;
  /** A tag that was not pushed yet. */
  readonly next: string;
}

export function hints(ways: Ways): readonly string[] {
  const { service, endpoint, site, listener, rollbackMachine, next } = ways;
  const registry = new URL(endpoint).host;
  return [
    'It stays up. Push an image of your own that serves HTTP on port 8080 and answers GET /health:',
    `  docker push ${registry}/${service}:${next}`,
    `  skopeo copy --dest-tls-verify=false docker-archive:FILE docker://${registry}/${service}:${next}`,
    'Look at it as you would at AWS, in a shell that is told where it is:',
    `  export AWS_ENDPOINT_URL=${endpoint} AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`,
    '  aws stepfunctions list-state-machines',
    `  aws elbv2 describe-rules --listener-arn ${listener}`,
    `  curl ${site}`,
    'Abort the deployment that runs:',
    `  ${signalling(ways, 'abort')}`,
    'Release the image that the rollback left, which is held; then go back to the last one that was proven good:',
    `  ${signalling(ways, 'release')}`,
    `  aws stepfunctions start-execution --state-machine-arn ${rollbackMachine} --input '{"service":"${service}"}'`,
    'Ctrl-C ends it.',
  ];
}

/** A payload from a file is taken as it is by the CLI's versions 1 and 2 alike; on the command line only with a flag of 2. */
function signalling({ service, signalFunction }: Ways, signal: 'abort' | 'release'): string {
  const payload = JSON.stringify({ service, signal, by: 'you' });
  return `echo '${payload}' | aws lambda invoke --function-name ${signalFunction} --payload fileb:///dev/stdin /dev/stdout`;
}
