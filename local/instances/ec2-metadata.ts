/** Amazon Linux's `ec2-metadata`, one question at a time. */
import { type Asked, failed, notModelled, type Outcome, said } from './command.ts';
import { parseOptions } from './command-options.ts';
import type { Metadata } from './metadata.ts';

/** The option, what it prints before the value, and the category that it reads. */
const questions: Readonly<Record<string, readonly [label: string, category: string]>> = {
  '--ami-id': ['ami-id', 'ami-id'],
  '--availability-zone': ['placement', 'placement/availability-zone'],
  '--instance-id': ['instance-id', 'instance-id'],
  '--instance-type': ['instance-type', 'instance-type'],
  '--local-hostname': ['local-hostname', 'local-hostname'],
  '--local-ipv4': ['local-ipv4', 'local-ipv4'],
  '--region': ['region', 'placement/region'],
};

export function ec2Metadata(metadata: Metadata, { args }: Asked): Outcome {
  const { flags, words, unknown } = parseOptions(args, {
    ...Object.fromEntries(Object.keys(questions).map((name) => [name, 'flag'] as const)),
    '-a': '--ami-id',
    '-z': '--availability-zone',
    '-i': '--instance-id',
    '-t': '--instance-type',
    '-h': '--local-hostname',
    '-o': '--local-ipv4',
    '-R': '--region',
    '--quiet': 'flag',
    '-q': '--quiet',
  });
  const asked = Object.entries(questions).filter(([name]) => flags.has(name));
  if (unknown !== undefined || words.length > 0) return notModelled(`ec2-metadata ${unknown ?? words[0]}`);
  if (asked.length === 0) return notModelled('ec2-metadata without an option');
  const answers = asked.map(([, [label, category]]) => {
    const value = metadata.value(category) ?? 'not available';
    return flags.has('--quiet') ? `${value}\n` : `${label}: ${value}\n`;
  });
  return metadata.value('instance-id') === undefined
    ? failed('ec2-metadata: no answer')
    : said(answers.join(''));
}
