/** Small layers of ECR, such as configurations and signatures, which ECR hands out by a presigned URL. */
import { type ECRClient, GetDownloadUrlForLayerCommand } from '@aws-sdk/client-ecr';
import { CutoverError } from '../core/errors.ts';

/** A bundle with its proofs has some 10 KB, a configuration as much; what is larger is none, and must not fill the function's memory. */
const mostBytes = 256 * 1_024;
const timeoutMs = 10_000;

/** Undefined for a layer that is too large for what it should be. */
export async function readLayer(
  client: ECRClient,
  repositoryName: string,
  layer: { readonly digest: string; readonly size: number },
): Promise<Uint8Array | undefined> {
  if (layer.size > mostBytes) return undefined;
  const { downloadUrl = '' } = await client.send(
    new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: layer.digest }),
  );
  const what = `the layer ${layer.digest} of ${repositoryName}`;
  try {
    return await firstBytes(await asked(downloadUrl, what));
  } catch (thrown) {
    if (thrown instanceof CutoverError) throw thrown;
    throw new CutoverError('Cutover.AwsUnavailable', `${what} could not be fetched: ${String(thrown)}`, {
      cause: thrown,
    });
  }
}

/** Whoever pushed the manifest says how large its layers are, and is not believed. */
async function firstBytes(response: Response): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the rest.
    if (size > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function asked(url: string, what: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (response.ok) return response;
  throw new CutoverError(
    response.status >= 500 ? 'Cutover.AwsUnavailable' : 'Cutover.AwsRefused',
    `${what} could not be fetched: HTTP ${response.status}`,
  );
}
