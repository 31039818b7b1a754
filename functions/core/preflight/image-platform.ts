/** What a machine must be to run an image, in the words of the OCI image specification (Go's GOOS and GOARCH). */

import type { Unit } from '../fleet/unit.ts';
import type { Objection } from './objection.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/**
 * A mismatch shows only when tasks start: `exec format error`, or `image Manifest does not contain descriptor matching
 * platform` for an index. `offered`: of an index one for each of its images; empty when nothing says.
 */
export function unfitPlatform(
  image: string,
  offered: readonly Platform[],
  wanted: Platform,
  unit: Unit = 'task',
): Objection | undefined {
  if (offered.some((each) => inWords(each) === inWords(wanted))) return undefined;
  if (offered.length === 0)
    return {
      severity: 'warn',
      check: 'image',
      words: `${image} does not say for which platform it is; the ${unit}s run on ${inWords(wanted)}`,
    };
  return {
    severity: 'refuse',
    check: 'image',
    words: `${image} is for ${offered.map(inWords).join(' and ')}, but the ${unit}s run on ${inWords(wanted)}: build it for that (docker build --platform ${inWords(wanted)}), or declare the image's platform for the ${unit}s`,
  };
}

/** It brings its own operating system: the instances must only be of its architecture. */
export function unfitAmi(
  name: string,
  offered: readonly Platform[],
  { architecture }: Platform,
): Objection | undefined {
  if (offered.some((each) => each.architecture === architecture)) return undefined;
  const are = `the service's instances are ${architecture}`;
  if (offered.length === 0)
    return {
      severity: 'warn',
      check: 'image',
      words: `the AMI ${name} is of an architecture that is not known here; ${are}`,
    };
  const is = offered.map((each) => each.architecture).join(' and ');
  return {
    severity: 'refuse',
    check: 'image',
    words: `the AMI ${name} is for ${is}, but ${are}: build it for these, or name another instance type in the launch template`,
  };
}

function inWords({ os, architecture }: Platform): string {
  return `${os}/${architecture}`;
}
