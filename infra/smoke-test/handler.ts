/**
 * An example of a hook: asks the new generation through the load balancer, by its slot's header, before anybody else does. In the
 * environment: `URL`, where the load balancer answers; `PATHS`, separated by commas; `REQUESTS`, how many of each.
 */
import * as z from 'zod';

const environment = z.object({
  URL: z.url(),
  PATHS: z
    .string()
    .min(1)
    .transform((paths) => paths.split(',')),
  REQUESTS: z.coerce.number().int().min(1).max(1_000),
});
const hookInput = z.object({ testTraffic: z.object({ header: z.string(), value: z.string() }) });

type Answer = { readonly verdict: 'pass' } | { readonly verdict: 'fail'; readonly reason: string };

export async function handler(event: unknown): Promise<Answer> {
  const { URL: url, PATHS: paths, REQUESTS: requests } = environment.parse(process.env);
  const { testTraffic } = hookInput.parse(event);
  const headers = { [testTraffic.header]: testTraffic.value };
  const failures: string[] = [];
  for (const path of paths) {
    const statuses = await Promise.all(
      Array.from({ length: requests }, () => statusOf(new URL(path, url), headers)),
    );
    const bad = statuses.filter((status) => status >= 400);
    if (bad.length > 0)
      failures.push(
        `${bad.length} of ${requests} requests to ${path} failed (${[...new Set(bad)].join(', ')})`,
      );
  }
  return failures.length === 0 ? { verdict: 'pass' } : { verdict: 'fail', reason: failures.join('; ') };
}

/** 599 when nothing answers. */
async function statusOf(url: URL, headers: Record<string, string>): Promise<number> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.status;
  } catch (failure) {
    if (failure instanceof Error) return 599;
    throw failure;
  }
}
