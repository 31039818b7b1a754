import { execFileSync } from 'node:child_process';

/** Why tests that need a network namespace for each task cannot run here, or undefined. */
export function noNetworkNamespaces(): string | undefined {
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', 'true'], {
      stdio: 'ignore',
    });
    return undefined;
  } catch {
    return 'this machine allows no user namespaces';
  }
}
