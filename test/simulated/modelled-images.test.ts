import { afterEach, beforeEach, expect, test } from 'vitest';
import { pushImage } from '../../local/registry/oci-image.ts';
import { wellBehaved } from '../../local/simulated/behaviour.ts';
import { ModelledImages, pushModelledImage } from '../../local/simulated/modelled-images.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';

let embedded: EmbeddedRegistry;
let images: ModelledImages;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start('web');
  images = new ModelledImages({
    clock: embedded.clock,
    registry: embedded.registry,
    behaviourOf: () => ({ ...wellBehaved, pullMs: 4_000 }),
  });
});
afterEach(async () => {
  await embedded.close();
});

function push(tag: string, content: string): string {
  return pushModelledImage(embedded.registry, { repository: 'web', tag, content });
}

/** What the pull comes to when it is given a minute. */
async function pulled(reference: string): Promise<string> {
  const pull = images.pull(embedded.uri(reference)).then(
    ({ repository, digest }) => `${repository} ${digest}`,
    (error: unknown) => String(error),
  );
  await embedded.clock.advance(60_000);
  return pull;
}

test('a pushed image is announced as ECR announces a real one, under the tag it was given', async () => {
  const real = await pushImage(
    { layers: [], config: {} },
    { registry: embedded.url, repository: 'web', tag: 'v1' },
  );
  const digest = push('v1', 'two');
  expect(digest).not.toBe(real);
  const [first, second] = embedded.events;
  expect(second).toEqual({
    ...first,
    detail: { ...(first?.detail as object), 'image-digest': digest },
  });
  expect(embedded.registry.repository('web').tags.get('v1')).toBe(digest);
});

test('the same content is the same digest, and tagging it again a push of its own', () => {
  expect(push('v1', 'one')).toBe(push('v2', 'one'));
  expect(push('v3', 'other')).not.toBe(push('v4', 'one'));
  expect(embedded.events).toHaveLength(4);
});

test('a pull finds the image by tag and by digest, in the time that its behaviour says', async () => {
  const digest = push('v1', 'one');
  expect(await pulled('web:v1')).toBe(`web ${digest}`);
  expect(await pulled(`web@${digest}`)).toBe(`web ${digest}`);
  let done = false;
  void images.pull(embedded.uri('web:v1')).then(() => {
    done = true;
  });
  await embedded.clock.advance(3_999);
  expect(done).toBe(false);
  await embedded.clock.advance(1);
  expect(done).toBe(true);
});

test('an image whose manifest was deleted cannot be pulled, in the words of the real puller', async () => {
  const digest = push('v1', 'one');
  embedded.registry.deleteImage('web', { digest });
  const uri = embedded.uri(`web@${digest}`);
  const failure = await pulled(`web@${digest}`);
  expect(failure).toBe(
    `Error: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${uri}: ${uri}: not found`,
  );
  await expect(embedded.images.pull(uri)).rejects.toThrow(failure.replace('Error: ', ''));
});
