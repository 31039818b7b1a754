/** Nothing is launched before its image may be, and nobody waits for that for ever. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { CutoverError } from '../../functions/core/errors.ts';
import type { ImageScan } from '../../functions/core/gates/image-scan.ts';
import { launch } from '../../functions/steps/launch.ts';
import { signal } from '../../functions/steps/signal.ts';
import { generationOf, liveItem, pushOf, settingsOf, start } from '../core/examples.ts';
import { deploy } from './machine.ts';
import { World } from './world.ts';

const scanned = (severity: string | null): ImageScan => ({
  kind: 'read',
  manifests: [
    {
      platform: null,
      status: 'COMPLETE',
      description: null,
      completedAt: start,
      findings: severity === null ? [] : [{ vulnerability: 'CVE-2026-1', severity, package: 'zlib' }],
      counted: severity === null ? 0 : 1,
    },
  ],
});
const unscanned: ImageScan = {
  kind: 'read',
  manifests: [
    { platform: null, status: null, description: null, completedAt: null, findings: [], counted: 0 },
  ],
};

let world: World;
let plan: Plan;
beforeEach(async () => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
  world.settings = settingsOf({ imageGate: { deadlineSeconds: 900, scan: { maximumSeverity: 'MEDIUM' } } });
  plan = await world.plan(pushOf(2));
  world.written();
});

const launched = () => launch({ plan }, world.ports);
const failure = (): Promise<unknown> =>
  launched().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
const effects = () => world.written().filter((each) => !each.startsWith('ledger'));

describe('an image', () => {
  it('whose scan found nothing too bad is launched', async () => {
    world.scan = scanned('LOW');
    await launched();
    expect(effects()).toContain('fleet: web-g0002 launched with 4');
  });

  it('whose scan found worse is not, with the finding in words', async () => {
    world.scan = scanned('CRITICAL');
    const thrown = await failure();
    expect(thrown).toMatchObject({ name: 'Cutover.GateFailed' });
    expect(String(thrown)).toMatch(/shop\/web:v2 \(\w{12}\) may not be launched: .*CVE-2026-1/);
    expect(world.written()).toEqual([]);
  });

  it('that is refused while what is live is dead keeps nobody from the next push, which may mend it', async () => {
    world.fleets.get('web-g0001')!.health = 'unhealthy';
    world.scan = scanned('CRITICAL');
    await deploy(world, plan, 0);
    expect(world.item).toMatchObject({ owner: null, deployment: { outcome: 'restored' } });
  });

  it('that is not scanned yet is waited for, until the deadline', async () => {
    world.scan = unscanned;
    expect(await failure()).toMatchObject({ name: 'Cutover.ImagePending' });
    world.time += 900_000;
    const thrown = await failure();
    expect(thrown).toMatchObject({ name: 'Cutover.GateFailed' });
    expect(String(thrown)).toContain('missing after 900 s');
    expect(world.written()).toEqual([]);
  });

  it('is not waited for any more when somebody ends the deployment', async () => {
    world.scan = unscanned;
    await failure();
    await signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'no' }, world.ports);
    expect(await failure()).toMatchObject({ name: 'Cutover.Aborted' });
  });

  it('that was passed once is not asked about again on a way back', async () => {
    world.scan = scanned('CRITICAL');
    plan = { ...plan, direction: 'back' };
    await launched();
    expect(effects()).toContain('fleet: web-g0002 launched with 4');
  });

  it('whose registry does not answer is asked about again', async () => {
    world.fail('images.scan');
    expect(await failure()).toBeInstanceOf(CutoverError);
    expect(await failure()).toMatchObject({ name: 'Cutover.GateFailed' });
  });
});
