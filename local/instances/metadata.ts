/**
 * The instance metadata service: tokens first (IMDSv2), then what an instance may know of itself
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html). Left out: credentials of the
 * instance's role, the identity document, and everything about networks but its address.
 */
import { randomBytes } from 'node:crypto';
import { region } from '../account.ts';
import type { Clock } from '../clock.ts';
import type { InstanceSpec } from '../services/autoscaling/instances.ts';

export interface MetadataAnswer {
  readonly status: number;
  readonly body: string;
}

export interface MetadataRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const tokenHeader = 'x-aws-ec2-metadata-token';
/** Six hours (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html). */
const longestTokenSeconds = 21_600;

export class Metadata {
  readonly #clock: Clock;
  readonly #spec: InstanceSpec;
  /** Until when each may be used. */
  readonly #tokens = new Map<string, number>();

  constructor(clock: Clock, spec: InstanceSpec) {
    this.#clock = clock;
    this.#spec = spec;
  }

  answer({ method, path, headers }: MetadataRequest): MetadataAnswer {
    const { metadata } = this.#spec;
    if (!metadata.isEnabled) return refused(403, 'Forbidden');
    if (path === '/latest/api/token') return this.#token(method, headers.get(`${tokenHeader}-ttl-seconds`));
    if (method !== 'GET') return refused(405, 'Method Not Allowed');
    const token = headers.get(tokenHeader);
    const isKnown = (this.#tokens.get(token ?? '') ?? 0) > this.#clock.now();
    if (!isKnown && (token !== undefined || metadata.tokens === 'required'))
      return refused(401, 'Unauthorized');
    const [, found] = /^\/latest\/(?:meta-data\/)?(.+?)\/?$/.exec(path) ?? [];
    const body = this.value(path === '/latest/user-data' ? 'user-data' : (found ?? ''));
    return body === undefined ? refused(404, 'Not Found') : { status: 200, body };
  }

  /** What a category says; `undefined` where there is none. */
  value(category: string): string | undefined {
    const { id, imageId, instanceType, availabilityZone, privateIp, userData, metadata, tags } = this.#spec;
    const own = metadata.tags ? tags : {};
    if (category === 'tags/instance' && metadata.tags) return Object.keys(own).join('\n');
    if (category.startsWith('tags/instance/')) return own[decodeURIComponent(category.slice(14))];
    const values: Readonly<Record<string, string | undefined>> = {
      'ami-id': imageId,
      'instance-id': id,
      'instance-type': instanceType,
      'local-ipv4': privateIp,
      hostname: hostNameOf(this.#spec),
      'local-hostname': hostNameOf(this.#spec),
      'placement/availability-zone': availabilityZone,
      'placement/region': region,
      'services/domain': 'amazonaws.com',
      'user-data': userData === undefined ? undefined : Buffer.from(userData, 'base64').toString('utf8'),
    };
    return values[category];
  }

  #token(method: string, seconds: string | undefined): MetadataAnswer {
    if (method !== 'PUT') return refused(405, 'Method Not Allowed');
    if (seconds === undefined || !/^\d+$/.test(seconds)) return refused(400, 'Bad Request');
    if (Number(seconds) < 1 || Number(seconds) > longestTokenSeconds) return refused(400, 'Bad Request');
    const token = randomBytes(40).toString('base64url');
    this.#tokens.set(token, this.#clock.now() + Number(seconds) * 1_000);
    return { status: 200, body: token };
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html; us-east-1 has `ec2.internal`. */
export function hostNameOf({ privateIp }: Pick<InstanceSpec, 'privateIp'>): string {
  return `ip-${privateIp.replaceAll('.', '-')}.ec2.internal`;
}

function refused(status: number, title: string): MetadataAnswer {
  return {
    status,
    body: `<?xml version="1.0" encoding="iso-8859-1"?>\n<html><head><title>${status} - ${title}</title></head><body><h1>${status} - ${title}</h1></body></html>\n`,
  };
}
