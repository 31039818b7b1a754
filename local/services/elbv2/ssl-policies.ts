/** The security policies for HTTPS listeners, by name. They are kept with a listener; the local one speaks plain HTTP. */
import type {
  DescribeSSLPoliciesCommandInput,
  DescribeSSLPoliciesCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { page } from './paging.ts';

const policies: Readonly<Record<string, readonly string[]>> = {
  'ELBSecurityPolicy-2016-08': ['TLSv1', 'TLSv1.1', 'TLSv1.2'],
  'ELBSecurityPolicy-TLS13-1-2-2021-06': ['TLSv1.2', 'TLSv1.3'],
  'ELBSecurityPolicy-TLS13-1-2-Res-2021-06': ['TLSv1.2', 'TLSv1.3'],
  'ELBSecurityPolicy-TLS13-1-3-2021-06': ['TLSv1.3'],
};

/** What a listener gets when it names none. */
export const defaultSslPolicy = 'ELBSecurityPolicy-2016-08';

/** AWS adds policies every year: what is named like one is taken for one. */
export function checkSslPolicy(name: string): void {
  if (!name.startsWith('ELBSecurityPolicy-'))
    throw new AwsError('SSLPolicyNotFoundException', `SSL policy '${name}' not found`);
}

export const sslPolicyOperations = {
  DescribeSSLPolicies(input: DescribeSSLPoliciesCommandInput): Output<DescribeSSLPoliciesCommandOutput> {
    for (const name of input.Names ?? []) checkSslPolicy(name);
    const { items, next } = page(input.Names ?? Object.keys(policies), input);
    return {
      SslPolicies: items.map((Name) => ({
        Name,
        SslProtocols: [...(policies[Name] ?? [])],
        SupportedLoadBalancerTypes: ['application', 'network'],
      })),
      ...next,
    };
  },
} satisfies Operations;
