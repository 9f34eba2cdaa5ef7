import fc from 'fast-check';
import type { Alert } from '../../../sidecar/alert/alert';
import type { AlertChange } from '../../../sidecar/alert/alert-change';
import { alertKey } from '../../../sidecar/alert/alert-key';
import { MEMORY_KEYS } from '../../../sidecar/memory/memory-changes';
import { encodeRecord, valueOf } from '../../../sidecar/memory/memory-record';
import type { Message } from '../../../sidecar/route/message';
import { RESOLVED_TOLD_MS, StandingBook, type StandingChannel } from '../../../sidecar/route/standing-book';
import {
  acknowledgedAlert,
  ALERT_START_MS,
  firingAlert,
  resolvedAlert,
  worsenedAlert,
} from '../../support/sample-alerts';

const MINUTE_MS = 60_000;
const CLUSTER: StandingChannel = { name: 'cluster', resendIntervalMs: MINUTE_MS };
const OTHER: StandingChannel = { name: 'other', resendIntervalMs: 3 * MINUTE_MS };

/** Alerts of services, and a book that is told of them in each round. */
class Story {
  book = new StandingBook();
  /** What is on disk. */
  written: unknown;
  readonly alerts = new Map<string, Alert>();
  readonly muted = new Set<string>();
  channels: readonly StandingChannel[] = [CLUSTER];
  nowMs = ALERT_START_MS;
  messages: Message[] = [];
  #changes: AlertChange[] = [];

  fire(name: string): this {
    const scope = { level: 'service', service: name } as const;
    return this.#change('fired', name, firingAlert({ scope, sinceMs: this.nowMs }));
  }

  worsen(name: string): this {
    return this.#change('worsened', name, worsenedAlert(this.#alert(name), 'critical'));
  }

  acknowledge(name: string): this {
    return this.#change('acknowledged', name, acknowledgedAlert(this.#alert(name), 'ada', this.nowMs));
  }

  resolve(name: string): this {
    return this.#change('resolved', name, resolvedAlert(this.#alert(name), this.nowMs));
  }

  /** It is gone, and nobody says how it ended. */
  lose(name: string): this {
    this.alerts.delete(name);
    return this;
  }

  mute(...names: string[]): this {
    this.muted.clear();
    for (const name of names) this.muted.add(name);
    return this;
  }

  /** `cluster: fired shop, resolved cart`, some ms after the start. */
  round(atMs = this.nowMs - ALERT_START_MS): string[] {
    this.nowMs = ALERT_START_MS + atMs;
    this.messages = this.book.round({
      channels: this.channels,
      alerts: this.alerts.values(),
      changes: this.#changes,
      isMuted: (key) =>
        [...this.alerts].some(
          ([name, { rule, scope }]) => this.muted.has(name) && alertKey(rule.name, scope) === key,
        ),
      nowMs: this.nowMs,
    });
    this.#changes = [];
    for (const { key, value } of this.book.takeDirty().puts) {
      expect(key).toBe(MEMORY_KEYS.standing);
      this.written = valueOf(encodeRecord(key, value));
    }
    return this.messages.map(
      ({ channel, items }) =>
        `${channel}: ${items.map(({ occasion, alert }) => `${occasion} ${nameOf(alert)}`).join(', ')}`,
    );
  }

  /** Another process begins with what is on disk. */
  restart(): this {
    this.book = new StandingBook();
    this.book.restore(this.written);
    return this;
  }

  /** Of rounds every so often, those that said something. */
  rounds(fromMs: number, toMs: number, everyMs = 5_000): string[] {
    const said: string[] = [];
    for (let atMs = fromMs; atMs <= toMs; atMs += everyMs)
      said.push(...this.round(atMs).map((text) => `${atMs / 1_000} ${text}`));
    return said;
  }

  #change(kind: AlertChange['kind'], name: string, alert: Alert): this {
    this.alerts.set(name, alert);
    this.#changes.push({
      kind,
      alert,
      atMs: this.nowMs,
      endReason: kind === 'resolved' ? 'recovered' : undefined,
    });
    return this;
  }

  #alert(name: string): Alert {
    const alert = this.alerts.get(name);
    if (!alert) throw new Error(`no alert "${name}"`);
    return alert;
  }
}

function nameOf({ scope }: Alert): string {
  return 'service' in scope ? scope.service : '';
}

describe('a channel that keeps the state itself', () => {
  it('is told of all that fires at once, and again at each interval', () => {
    const story = new Story().fire('shop').fire('cart');
    expect(story.rounds(0, 125_000)).toEqual([
      '0 cluster: fired shop, fired cart',
      '60 cluster: fired shop, fired cart',
      '120 cluster: fired shop, fired cart',
    ]);
    expect(story.round(180_000)).toHaveLength(1);
    expect(story.messages).toMatchObject([
      { kind: 'standing', groupKey: '', firing: 2, leftOut: 0, repeat: 3 },
    ]);
  });

  it('is told nothing where there is nothing to tell', () => {
    expect(new Story().rounds(0, 600_000)).toEqual([]);
  });

  it('is told of each change at once, with all the rest, and its interval begins anew', () => {
    const story = new Story().fire('shop');
    expect(story.rounds(0, 25_000)).toEqual(['0 cluster: fired shop']);
    expect(story.fire('cart').rounds(30_000, 85_000)).toEqual(['30 cluster: fired shop, fired cart']);
    expect(story.worsen('shop').round(87_000)).toEqual(['cluster: worsened shop, fired cart']);
    expect(story.acknowledge('cart').round(88_000)).toEqual(['cluster: worsened shop, acknowledged cart']);
    expect(story.rounds(90_000, 150_000)).toEqual(['150 cluster: worsened shop, acknowledged cart']);
    expect(story.messages[0]?.repeat).toBe(1);
  });

  it('is told for a quarter of an hour that an alert is over, and then no more', () => {
    const story = new Story().fire('shop');
    story.round(0);
    story.nowMs += 10_000;
    const said = story.resolve('shop').rounds(10_000, 3_600_000);
    expect(said[0]).toBe('10 cluster: resolved shop');
    expect(said).toHaveLength(1 + RESOLVED_TOLD_MS / MINUTE_MS - 1);
    expect(said.at(-1)).toBe('850 cluster: resolved shop');
    expect(story.messages).toEqual([]);
  });

  it('is told that an alert is over of which nobody says how it ended', () => {
    const story = new Story().fire('shop');
    story.round(0);
    expect(story.lose('shop').round(5_000)).toEqual(['cluster: resolved shop']);
    expect(story.messages[0]?.items).toMatchObject([
      { atMs: ALERT_START_MS + 5_000, endReason: 'recovered' },
    ]);
  });

  it('is told of an alert that fires anew in the place of its end', () => {
    const story = new Story().fire('shop');
    story.round(0);
    story.resolve('shop').round(5_000);
    story.nowMs += 5_000;
    expect(story.fire('shop').round(10_000)).toEqual(['cluster: fired shop']);
  });

  it('begins after a start with what fires then, as it is', () => {
    const story = new Story();
    const scope = { level: 'service', service: 'shop' } as const;
    story.alerts.set('shop', acknowledgedAlert(firingAlert({ scope }), 'ada', ALERT_START_MS));
    story.alerts.set(
      'cart',
      resolvedAlert(firingAlert({ scope: { ...scope, service: 'cart' } }), ALERT_START_MS),
    );
    expect(story.round(60_000)).toEqual(['cluster: fired shop']);
    expect(story.messages[0]?.items).toMatchObject([{ atMs: ALERT_START_MS }]);
  });

  it('is told of more than people read', () => {
    const story = new Story();
    for (let number = 0; number < 500; number += 1) story.fire(`s${number}`);
    story.round(0);
    expect(story.messages).toMatchObject([{ leftOut: 0, firing: 500 }]);
    expect(story.messages[0]?.items).toHaveLength(500);
  });
});

describe('a restart', () => {
  it('tells to its end what was told before, though it is muted by now', () => {
    const story = new Story().fire('shop').fire('cart');
    story.round(0);
    expect(story.mute('shop', 'cart').restart().round(5_000)).toEqual(['cluster: fired shop, fired cart']);
    expect(story.resolve('shop').round(10_000)).toEqual(['cluster: resolved shop, fired cart']);
  });

  it('tells that an alert is over that ended meanwhile, when and how', () => {
    const story = new Story().fire('shop').fire('cart');
    story.round(0);
    story.nowMs += 60_000;
    story.resolve('shop');
    story.alerts.set('cart', resolvedAlert(story.alerts.get('cart') as Alert, ALERT_START_MS + 30_000));
    expect(story.restart().round(60_000)).toEqual(['cluster: resolved shop, resolved cart']);
    expect(story.messages[0]?.items).toMatchObject([
      { atMs: ALERT_START_MS + 60_000, endReason: 'recovered' },
      { atMs: ALERT_START_MS + 30_000 },
    ]);
  });

  it.each(['inactive', 'unknown', 'pending'] as const)(
    'tells nothing of an alert that has been %s for long',
    (state) => {
      const story = new Story().fire('shop').fire('cart');
      story.round(0);
      story.resolve('shop').round(5_000);
      const shop = { ...(story.alerts.get('shop') as Alert), state, resolvedMs: undefined };
      story.alerts.set('shop', shop);
      expect(story.restart().round(10_000)).toEqual(['cluster: fired cart']);
      expect(story.restart().round(15_000)).toEqual(['cluster: fired cart']);
    },
  );

  it('begins with what fires where nothing can be read', () => {
    const story = new Story().fire('shop').mute('shop');
    story.written = { shop: true };
    expect(story.restart().round(0)).toEqual([]);
  });

  it('keeps no more than what is told', () => {
    const story = new Story().fire('shop');
    story.round(0);
    expect(story.written).toHaveLength(1);
    story.nowMs += 5_000;
    story.resolve('shop').rounds(5_000, 2 * RESOLVED_TOLD_MS);
    expect(story.written).toEqual([]);
    story.fire('shop').round();
    story.channels = [];
    story.restart().round();
    expect(story.written).toEqual([]);
  });
});

describe('several of them', () => {
  it('are told at their own intervals, under ids of their own', () => {
    const story = new Story();
    story.channels = [CLUSTER, OTHER];
    story.fire('shop');
    expect(story.round(0)).toEqual(['cluster: fired shop', 'other: fired shop']);
    const ids = new Set(story.messages.map(({ id }) => id));
    for (let minute = 1; minute <= 3; minute += 1) {
      story.round(minute * MINUTE_MS);
      for (const { id } of story.messages) ids.add(id);
    }
    expect(story.messages.map(({ channel, repeat }) => [channel, repeat])).toEqual([
      ['cluster', 3],
      ['other', 1],
    ]);
    expect(ids.size).toBe(2 + 3 + 1);
  });

  it('hear at once of what there is where they are new', () => {
    const story = new Story().fire('shop');
    story.round(0);
    story.channels = [CLUSTER, OTHER];
    expect(story.round(5_000)).toEqual(['other: fired shop']);
  });

  it('that are all gone leave nothing behind: what comes back begins anew', () => {
    const story = new Story().fire('shop');
    story.round(0);
    story.channels = [];
    expect(story.resolve('shop').rounds(5_000, 120_000)).toEqual([]);
    story.channels = [CLUSTER];
    expect(story.rounds(125_000, 300_000)).toEqual([]);
  });
});

describe('an alert that is muted', () => {
  it('is not begun with, and is told once it is no longer muted', () => {
    const story = new Story().mute('shop').fire('shop').fire('cart');
    expect(story.rounds(0, 65_000)).toEqual(['0 cluster: fired cart', '60 cluster: fired cart']);
    expect(story.mute().round(70_000)).toEqual(['cluster: fired cart, fired shop']);
    expect(story.messages[0]?.items[1]).toMatchObject({ atMs: ALERT_START_MS });
  });

  it('is told to its end where it was begun with', () => {
    const story = new Story().fire('shop');
    story.round(0);
    story.mute('shop');
    expect(story.rounds(5_000, 120_000)).toEqual(['60 cluster: fired shop', '120 cluster: fired shop']);
    expect(story.worsen('shop').round(125_000)).toEqual(['cluster: worsened shop']);
    expect(story.resolve('shop').round(130_000)).toEqual(['cluster: resolved shop']);
  });

  it('and over before it was told is told nothing of', () => {
    const story = new Story().mute('shop').fire('shop');
    story.round(0);
    expect(story.resolve('shop').rounds(5_000, 120_000)).toEqual([]);
  });

  it('and fires anew is not told: the end of its last run is, for as long as of any other', () => {
    const story = new Story().fire('shop');
    story.round(0);
    story.resolve('shop').round(5_000);
    story.nowMs += 5_000;
    const said = story.fire('shop').mute('shop').rounds(10_000, 3_600_000);
    expect(new Set(said.map((text) => text.replace(/^\d+ /, '')))).toEqual(
      new Set(['cluster: resolved shop']),
    );
    expect(story.nowMs - ALERT_START_MS).toBe(3_600_000);
    const lastS = Number(said.at(-1)?.split(' ')[0]);
    expect(lastS * 1_000).toBeLessThanOrEqual(5_000 + RESOLVED_TOLD_MS);
  });
});

describe('whatever happens', () => {
  it('such a channel knows, from the latest that it was told, all that fires and is not muted, and nothing that is over to fire', () => {
    const deed = fc.tuple(
      fc.constantFrom('fire', 'resolve', 'lose', 'mute', 'unmute', 'worsen', 'acknowledge', 'wait'),
      fc.constantFrom('a', 'b', 'c'),
    );
    fc.assert(
      fc.property(fc.array(fc.array(deed, { maxLength: 3 }), { maxLength: 60 }), (rounds) => {
        const story = new Story();
        let known: Message | undefined;
        let toldMs = -Infinity;
        const begun = new Set<string>();
        rounds.forEach((deeds, index) => {
          story.nowMs = ALERT_START_MS + index * 20_000;
          for (const [what, name] of deeds) {
            const isActive = ['firing', 'acknowledged'].includes(story.alerts.get(name)?.state ?? '');
            if (what === 'fire' && !isActive) story.fire(name);
            else if (what === 'resolve' && isActive) story.resolve(name);
            else if (what === 'lose') story.lose(name);
            else if (what === 'mute') story.muted.add(name);
            else if (what === 'unmute') story.muted.delete(name);
            else if (what === 'worsen' && isActive) story.worsen(name);
            else if (what === 'acknowledge' && isActive) story.acknowledge(name);
          }
          story.round();
          if (story.messages[0]) {
            [known] = story.messages;
            toldMs = story.nowMs;
          }
          // Never silent for longer than its interval while anything fires that it knows of.
          const firing = [...story.alerts.values()].filter(
            ({ state }) => state === 'firing' || state === 'acknowledged',
          );
          for (const alert of firing) if (!story.muted.has(nameOf(alert))) begun.add(nameOf(alert));
          for (const name of begun) if (!firing.some((alert) => nameOf(alert) === name)) begun.delete(name);
          const items = known?.items ?? [];
          const fires = items.filter(({ occasion }) => occasion !== 'resolved');
          expect(fires.map(({ alert }) => nameOf(alert)).sort()).toEqual([...begun].sort());
          for (const { alert } of fires) expect(firing).toContain(alert);
          if (begun.size > 0) expect(story.nowMs - toldMs).toBeLessThan(CLUSTER.resendIntervalMs);
        });
      }),
      { numRuns: 300 },
    );
  });
});
