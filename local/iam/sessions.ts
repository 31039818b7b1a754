/** Temporary credentials of role sessions: a call's access key tells which role calls. */
import { randomBytes } from 'node:crypto';
import type { Principal } from '../call.ts';
import { uniqueId } from './unique-id.ts';

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export class Sessions {
  readonly #principals = new Map<string, Principal>();

  /** Credentials for a session of the role. They never expire and outlive the role, whose absence then denies all. */
  issue(roleArn: string, sessionName: string): SessionCredentials {
    const credentials = newCredentials();
    this.#principals.set(credentials.accessKeyId, { kind: 'role', roleArn, session: sessionName });
    return credentials;
  }

  /**
   * Keys that were not issued here are the account's root: whatever credentials a person's CLI or SDK happens to hold
   * must work against a laptop's own AWS. Only the roles of functions, tasks and machines are held to their policies.
   */
  principalOf(accessKeyId: string): Principal {
    return this.#principals.get(accessKeyId) ?? { kind: 'root' };
  }
}

export function newCredentials(): SessionCredentials {
  return {
    accessKeyId: uniqueId('ASIA'),
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: randomBytes(96).toString('base64'),
  };
}
