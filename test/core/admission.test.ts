import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Admission, admit, type Offer } from '../../functions/core/deployment/admission.ts';
import { promoted, restored, retired, retiring } from '../../functions/core/deployment/course.ts';
import { due } from '../../functions/core/deployment/retention.ts';
import type { Push } from '../../functions/core/images/push.ts';
import { newServiceItem, type ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import { soleSlot, splitBetween, type Weights } from '../../functions/core/traffic/weights.ts';
import {
  admitted,
  baking,
  blue,
  digestOf,
  execution,
  generationOf,
  green,
  imageOf,
  liveItem,
  offerOf,
  pendingOf,
  pushOf,
  red,
  retainedOf,
  settingsOf,
  start,
  web,
  weightsOf,
} from './examples.ts';

function reasonFor(item: ServiceItem, offer: Offer): Admission {
  const decided = admit(item, offer);
  expect(decided.admission.plan).toBeNull();
  expect({ ...decided.item, intake: null }).toEqual({
    ...item,
    intake: null,
    lastPush: decided.item.lastPush,
    seen: decided.item.seen,
  });
  expect(decided.item.intake).toMatchObject({
    admission: decided.admission.admission,
    reason: decided.admission.reason,
  });
  return decided.admission;
}

describe('a first push', () => {
  it('takes the slot that has the weight, and shifts nothing', () => {
    const { item, plan } = admitted(
      newServiceItem(web),
      offerOf(pushOf(1), { weights: weightsOf({ red: 100 }) }),
    );
    expect(plan).toMatchObject({
      deployment: 'web-g0001-d1',
      fence: 1,
      from: null,
      steps: [],
      to: { name: 'web-g0001', slot: 'red' },
    });
    expect(item).toMatchObject({
      fence: 1,
      lastGeneration: 1,
      owner: { execution: execution('event-1') },
      weights: { red: 100 },
    });
  });
});

describe('a push to a live service', () => {
  it('takes the first idle slot, and goes there by the strategy', () => {
    const { item, plan } = admitted();
    expect(plan).toMatchObject({
      direction: 'forward',
      fence: 2,
      from: { name: 'web-g0001' },
      to: { name: 'web-g0002', slot: 'green', digest: digestOf(2) },
    });
    expect(plan.weightsBefore).toEqual(weightsOf({ blue: 100 }));
    expect(plan.steps).toEqual([
      {
        weightPercent: 10,
        bakeSeconds: 300,
        weights: weightsOf({ blue: 90, green: 10 }),
        gates: ['alarms', 'comparison', 'metrics', 'hooks'],
        pause: false,
      },
      {
        weightPercent: 100,
        bakeSeconds: 600,
        weights: weightsOf({ green: 100 }),
        gates: ['alarms', 'comparison', 'metrics', 'hooks'],
        pause: false,
      },
    ]);
    expect(item.deployment).toMatchObject({
      phase: 'launching',
      step: -1,
      outcome: null,
      startedAt: pushOf(2).at + 5_000,
    });
    expect(item.intake?.reason).toBe('shop/web:v2 becomes web-g0002 in green');
  });

  it('passes over slots that hold a retained generation', () => {
    const retained = [retainedOf(generationOf(1, green), start)];
    expect(admitted(liveItem({ retained, lastGeneration: 4 })).plan.to).toMatchObject({
      slot: 'red',
      name: 'web-g0005',
    });
  });

  it('is planned once: a repeat in the same execution returns the same plan and changes nothing', () => {
    const { item, plan } = admitted();
    const later = offerOf(pushOf(2), {
      now: start + 3_600_000,
      weights: weightsOf({ red: 100 }),
      settings: settingsOf({ alarms: [] }),
    });
    const again = admit(item, later);
    expect(again.item).toBe(item);
    expect(again.admission).toEqual({
      admission: 'admitted',
      plan,
      reason: 'admitted before',
      notBefore: null,
    });
  });

  it('is refused once: a repeat in the same execution changes nothing', () => {
    const offer = offerOf(pushOf(3, { digest: digestOf(1) }));
    const first = admit(liveItem(), offer);
    const again = admit(first.item, { ...offer, now: offer.now + 60_000 });
    expect(again.item).toBe(first.item);
    expect(again.admission).toEqual(first.admission);
  });

  it('is not planned again by a redrive of its execution', () => {
    const { item } = admitted();
    const redriven = admit(
      item,
      offerOf(pushOf(2), { execution: { arn: execution('event-2'), redrives: 1 } }),
    );
    expect(redriven.admission).toMatchObject({ admission: 'nothing', plan: null });
  });
});

describe('no deployment comes of', () => {
  it.each<[string, ServiceItem, Offer, Pick<Admission, 'admission' | 'reason'>]>([
    [
      'an event that started one before',
      liveItem({ admitted: ['event-1', 'event-2'], live: generationOf(1) }),
      offerOf(pushOf(2)),
      {
        admission: 'nothing',
        reason: 'event event-2 started a deployment before; EventBridge delivered it again',
      },
    ],
    [
      'a push older than the last',
      liveItem({ lastPush: { eventId: 'event-9', at: start + 180_000 } }),
      offerOf(pushOf(2)),
      {
        admission: 'superseded',
        reason:
          'a newer push (2026-01-01T12:03:00.000Z) was taken before this one (2026-01-01T12:02:00.000Z)',
      },
    ],
    [
      'the digest that is live',
      liveItem(),
      offerOf(pushOf(2, { digest: digestOf(1) })),
      { admission: 'nothing', reason: 'web-g0001 is already live with 000000000000' },
    ],
    [
      'a push while another is deployed',
      admitted().item,
      offerOf(pushOf(3)),
      {
        admission: 'rejected',
        reason: `web-g0002-d2 (shop/web:v2) holds the service; push it under another tag when it has ended, or stop it with the signal function: {"service":"web","signal":"abort","by":"…"}. It runs as ${execution('event-2')}`,
      },
    ],
    [
      "a push while the weights are a stranger's",
      liveItem(),
      offerOf(pushOf(2), { weights: weightsOf({ blue: 50, red: 50 }) }),
      {
        admission: 'rejected',
        reason: `the rule's weights are blue 50, red 50, but Cutover wrote blue 100: somebody else changed them. Put them back, then try again. Rule ${settingsOf().traffic.rule}`,
      },
    ],
    [
      'a push while the weights are split',
      newServiceItem(web),
      offerOf(pushOf(2), { weights: weightsOf({ blue: 50, red: 50 }) }),
      {
        admission: 'rejected',
        reason: 'one slot must have all the weight before a deployment; the rule has blue 50, red 50',
      },
    ],
    [
      'a push while another slot than the live one has the traffic',
      liveItem({ weights: null }),
      offerOf(pushOf(2), { weights: weightsOf({ red: 100 }) }),
      { admission: 'rejected', reason: 'web-g0001 is live in blue, but the rule sends its traffic to red' },
    ],
    [
      'a push while no slot is free',
      liveItem({
        retained: [green, red].map((slot, index) =>
          retainedOf(generationOf(index + 2, slot), start + index * 1_000),
        ),
      }),
      offerOf(pushOf(2)),
      {
        admission: 'rejected',
        reason:
          'no slot is free: blue holds web-g0001, which is live; green holds web-g0002 until 2026-01-01T12:00:00.000Z; red holds web-g0003 until 2026-01-01T12:00:01.000Z. Try again later, or declare another slot',
      },
    ],
  ])('%s', (_, item, offer, expected) => {
    expect(reasonFor(item, offer)).toEqual({ ...expected, plan: null, notBefore: null });
  });

  it('a push while a generation is being retired: it is tried again, and waits should the tries run out', () => {
    const held = retiring(liveItem(), execution('retire'), start);
    const once = admit(held, offerOf(pushOf(2)));
    expect(once).toMatchObject({
      retry: { name: 'Cutover.Busy' },
      item: { pending: pushOf(2), intake: null },
    });
    const twice = admit(once.item, offerOf(pushOf(2)));
    expect(twice).toMatchObject({ retry: { name: 'Cutover.Busy' } });
    expect(twice.item).toBe(once.item);
    const free = retired(once.item, execution('retire'), []);
    expect(admit(free, offerOf(pushOf(2)))).toMatchObject({
      admission: { admission: 'admitted' },
      item: { pending: null },
    });
  });

  it('an older push after a newer one asked for what is live', () => {
    const { item } = admit(liveItem(), offerOf(pushOf(3, { digest: digestOf(1) })));
    expect(admit(item, offerOf(pushOf(2))).admission).toMatchObject({ admission: 'superseded' });
  });
});

describe('a push whose image lacks a tag that the service asks for', () => {
  const settings = settingsOf({ labels: { Release: 'true', Team: 'shop' } });
  const offer = (labels: Readonly<Record<string, string>>): Offer =>
    offerOf(pushOf(2), { settings, image: imageOf(2, { labels }) });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'and has none',
      { Team: 'shop' },
      'shop/web:v2 is not deployed: it has no tag Release, and this service deploys what has Release=true',
    ],
    [
      'and has another value of it',
      { Team: 'shop', Release: 'no' },
      'shop/web:v2 is not deployed: its tag Release is no, and this service deploys what has Release=true',
    ],
  ])('%s comes to nothing, in words with both values', (_, labels, reason) => {
    expect(reasonFor(liveItem(), offer(labels))).toMatchObject({ admission: 'nothing', reason });
  });

  it('is not remembered, so that it is found when it gets the tag', () => {
    expect(admit(liveItem(), offer({})).item.seen).toEqual([]);
    expect(admit(liveItem(), offer({ Release: 'true', Team: 'shop', More: '' })).admission.admission).toBe(
      'admitted',
    );
  });

  it('waits no more, if it did', () => {
    expect(admit(liveItem({ pending: pendingOf(2) }), offer({})).item.pending).toBeNull();
  });
});

describe('two pushes within one second', () => {
  it('are both taken: neither is older', () => {
    const item = liveItem({ lastPush: { eventId: 'event-9', at: pushOf(2).at } });
    expect(admit(item, offerOf(pushOf(2))).admission.admission).toBe('admitted');
  });
});

describe('over any course of events', () => {
  const anyEvent = fc.record({
    what: fc.constantFrom<Event['what']>(
      'push',
      'push',
      'again',
      'promote',
      'promote',
      'restore',
      'retire',
      'meddle',
    ),
    number: fc.integer({ min: 1, max: 30 }),
  });

  it('fences and numbers only rise, one has the service, and no slot in use is given away', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), fc.integer({ min: 2, max: 5 }), (events, slots) => {
        const course = new Course(slots);
        for (const event of events) course.take(event);
        expect(course.broken).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('remembers a bounded number of events', () => {
    let item = newServiceItem(web);
    for (let number = 1; number <= 150; number++) {
      const decided = admitted(
        item,
        offerOf(pushOf(number), { weights: weightsOf({ [item.live?.slot ?? blue]: 100 }) }),
      );
      const weights = decided.plan.steps.at(-1)?.weights ?? item.weights;
      item = { ...promoted({ ...decided.item, weights }, decided.plan, start), retained: [] };
    }
    expect(item.admitted).toHaveLength(100);
    expect(item.admitted.at(-1)).toBe('event-150');
  });
});

describe('a deployment', () => {
  it('in the middle holds the service against every other execution', () => {
    expect(baking(1).item.owner).toMatchObject({ execution: execution('event-2'), redrives: 0 });
  });
});

interface Event {
  /** `again` is an event that may have come before; `meddle` is a stranger at the rule. */
  readonly what: 'push' | 'again' | 'promote' | 'restore' | 'retire' | 'meddle';
  readonly number: number;
}

/** A service through any course of events, and what was broken on the way. */
class Course {
  readonly broken: string[] = [];
  #item = newServiceItem(web);
  #rule: Weights;
  #now = start;
  #events = 0;
  readonly #settings: ServiceSettings;

  constructor(slots: number) {
    this.#settings = settingsOf({}, ['blue', 'green', 'red', 'amber', 'white'].slice(0, slots));
    const names = this.#settings.traffic.slots.map(({ name }) => name);
    this.#rule = splitBetween(names, blue, undefined, 100);
  }

  take(event: Event): void {
    this.#now += 600_000;
    this.#events += 1;
    const before = this.#item;
    this.#item = this.#after(event, before);
    const { fence, lastGeneration, owner, retained, live } = this.#item;
    this.#hold(fence >= before.fence && lastGeneration >= before.lastGeneration, 'a fence or number fell');
    const passedOn = before.owner !== null && owner !== null && before.owner.execution !== owner.execution;
    this.#hold(!passedOn, 'the service was taken from its owner');
    this.#hold(
      retained.length < this.#settings.traffic.slots.length,
      'more is retained than there are slots',
    );
    const inUse = [live, ...retained.map(({ generation }) => generation)].flatMap((each) => each?.slot ?? []);
    this.#hold(new Set(inUse).size === inUse.length, 'two generations in one slot');
  }

  #after({ what, number }: Event, item: ServiceItem): ServiceItem {
    const plan = item.deployment?.outcome === null ? item.deployment.plan : undefined;
    switch (what) {
      case 'push':
        return this.#push(item, pushOf(this.#events, { at: start + number * 60_000 }));
      case 'again':
        return this.#push(item, pushOf(number));
      case 'promote':
        if (plan === undefined) return item;
        this.#rule = plan.steps.at(-1)?.weights ?? this.#rule;
        return promoted({ ...item, weights: this.#rule }, plan, this.#now);
      case 'restore':
        if (plan === undefined) return item;
        this.#rule = plan.weightsBefore;
        return restored({ ...item, weights: this.#rule }, plan, this.#now);
      case 'retire': {
        if (item.owner !== null) return item;
        const gone = due(item.retained, this.#now).map(({ generation }) => generation.name);
        return retired(retiring(item, execution('retire'), this.#now), execution('retire'), gone);
      }
      case 'meddle':
        this.#rule = { ...this.#rule, [blue]: this.#rule[blue] === 100 ? 99 : (this.#rule[blue] ?? 0) };
        return item;
    }
  }

  #push(item: ServiceItem, push: Push): ServiceItem {
    const run = { arn: execution(String(this.#events)), redrives: 0 };
    const offer = offerOf(push, {
      execution: run,
      settings: this.#settings,
      weights: this.#rule,
      now: this.#now,
    });
    const { item: next, admission } = admit(item, offer);
    if (admission.plan === null) return next;
    const { to, from, fence } = admission.plan;
    this.#hold(
      fence === item.fence + 1 && to.number === item.lastGeneration + 1,
      'a fence or number was given twice',
    );
    const taken = [from?.slot, ...item.retained.map(({ generation }) => generation.slot)];
    this.#hold(!taken.includes(to.slot), 'a slot in use was given away');
    const idle = (this.#rule[to.slot] ?? 0) === 0;
    this.#hold(from === null ? soleSlot(this.#rule) === to.slot : idle, 'a slot with weight was given away');
    return next;
  }

  #hold(holds: boolean, what: string): void {
    if (!holds) this.broken.push(`event ${this.#events}: ${what}`);
  }
}
