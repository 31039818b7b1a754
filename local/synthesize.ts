/** The template that would go to AWS, by the same way: the pinned CDK CLI with cdk.json. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Rejects with the CLI's own words. A signal that is given ends the CLI. */
export async function synthesize(output: string, signal?: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)(
      process.execPath,
      [`${root}node_modules/aws-cdk/bin/cdk`, 'synth', '--quiet', '--output', output],
      // The app command says `node`; it must be this one.
      {
        cwd: root,
        env: { ...process.env, PATH: `${root}node_modules/.bin:${process.env['PATH'] ?? ''}` },
        maxBuffer: 16 * 2 ** 20,
        ...(signal && { signal }),
      },
    );
  } catch (failure) {
    const words =
      failure instanceof Error && 'stderr' in failure ? String(failure.stderr).trim() : String(failure);
    throw new Error(`the template could not be synthesized: ${words}`, { cause: failure });
  }
}
