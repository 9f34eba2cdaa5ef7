import type { Channel } from '../../../sidecar/channel/channel';
import { MEMORY_KEYS } from '../../../sidecar/memory/memory-changes';
import { describeNotification } from '../../../sidecar/notify/describe-notification';
import type { ChangeNotice } from '../../../sidecar/notify/letter';
import type { Notification } from '../../../sidecar/notify/notification';
import { MAX_QUEUED } from '../../../sidecar/outbox/channel-queue';
import { AnsweringChannel, hangs } from '../../support/answering-channel';
import { DELIVERY } from '../../support/channel-settings';
import { settle } from '../../support/manual-clock';
import { OutboxRun } from '../../support/outbox-run';
import {
  SAMPLE_STARTED_MS,
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
} from '../../support/sample-notification';
import { REFUSED, RETRY, SENT } from '../../support/scripted-channel';

const ALL_FIRE = (): boolean => true;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function changeNotice(changes: Partial<ChangeNotice> = {}): ChangeNotice {
  return {
    id: 'change-1',
    channel: 'a',
    kind: 'change',
    instance: '10.0.0.1:8007',
    before: 'aaaa',
    after: 'bbbb',
    externalLabels: {},
    atMs: SAMPLE_STARTED_MS,
    createdMs: SAMPLE_STARTED_MS,
    ...changes,
  };
}

/** A chain of channels, each the fallback of the one before. */
function chainOf(...names: string[]): AnsweringChannel[] {
  return names.map((name, index) => new AnsweringChannel(name, { fallback: names[index + 1] }));
}

/** `fired slow`, or `resolved slow`. */
function told({ taken }: AnsweringChannel): string[] {
  return taken.flatMap(({ items }) =>
    items.map(({ occasion, alert: { scope } }) => `${occasion} ${'service' in scope ? scope.service : ''}`),
  );
}

describe('the outbox', () => {
  it('sends nothing that was posted before it is released', async () => {
    const channel = new AnsweringChannel('a');
    const run = new OutboxRun([channel]);
    run.outbox.post([sampleNotification()]);
    await run.clock.advanceAndSettle(MINUTE_MS);
    expect(channel.tries).toEqual([]);
    run.outbox.release();
    await settle();
    expect(told(channel)).toEqual(['fired slow']);
  });

  it('sends nothing of what was posted since the changes were taken that are on disk', async () => {
    const channel = new AnsweringChannel('a');
    const run = new OutboxRun([channel]);
    run.outbox.post([sampleNotification({ service: 'written' })]);
    const { lastPosted } = run.outbox;
    run.outbox.post([sampleNotification({ service: 'later' })]);
    run.outbox.release(lastPosted);
    await settle();
    expect(told(channel)).toEqual(['fired written']);
    run.outbox.release();
    await settle();
    expect(told(channel)).toEqual(['fired written', 'fired later']);
  });

  it('keeps what is posted until its end is on disk, and nothing after it', async () => {
    const channel = new AnsweringChannel('a');
    const run = new OutboxRun([channel]);
    await run.send(sampleNotification());
    expect(told(channel)).toEqual(['fired slow']);
    expect(run.kept(MEMORY_KEYS.delivery)).toHaveLength(1);
    run.write();
    expect([...run.disk.keys()]).toEqual([]);
  });

  it('sends again, after a kill before the end was written, the same letter under the same id, and once it is written no more', async () => {
    const channel = new AnsweringChannel('a');
    const run = new OutboxRun([channel]);
    const letter = sampleNotification({ item: { links: [{ name: 'runbook', url: 'https://run.book/' }] } });
    await run.send(letter);
    run.restart();
    await settle();
    run.write();
    run.restart();
    await settle();
    expect(channel.taken).toEqual([letter, letter]);
  });

  it('goes on after a restart in the order in which letters were posted, and numbers new ones after them', async () => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    await run.send(sampleNotification(), sampleResolved());
    run.restart();
    await run.send(sampleNotification());
    run.restart();
    channel.answers(() => SENT);
    run.restart();
    await run.advance(MINUTE_MS);
    expect(told(channel)).toEqual(['fired slow', 'resolved slow', 'fired slow']);
    expect(run.unreadable).toBe(0);
  });

  it.each([
    [HOUR_MS - 1, 2],
    [HOUR_MS, 1],
  ])('counts the deadline on over restarts: after %i ms there were %i tries', async (downMs, tries) => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    await run.send(sampleNotification());
    run.restart({ downMs });
    await settle();
    expect([channel.tries.length, run.endings()]).toEqual([tries, ['expired a']]);
  });

  it('tells the routing the end of each letter once, with how long it took', async () => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    const letter = sampleNotification();
    await run.send(letter);
    channel.answers(() => SENT);
    await run.advance(5_000);
    expect(run.ends).toMatchObject([
      { how: 'sent', failures: 1, tookMs: 1_000, delivery: { channel: 'a', id: letter.id, how: 'sent' } },
    ]);
  });

  it('lets go of what it cannot read, and says how much, and how far the rest is', async () => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    const letter = sampleNotification();
    await run.send(letter);
    run.disk.set(`${MEMORY_KEYS.delivery}0000000000000007`, { letter: { id: 'x' }, sinceMs: 1 });
    run.disk.set(`${MEMORY_KEYS.delivery}no number`, 'x');
    run.disk.set(`${MEMORY_KEYS.thread}["a","g"]`, { thread: 7 });
    run.disk.set(`${MEMORY_KEYS.deadLetter}gone`, { letter: {} });
    run.disk.set(`${MEMORY_KEYS.standIn}["a","k"]`, []);
    run.restart();
    expect(run.unreadable).toBe(5);
    channel.answers(() => SENT);
    await run.send(sampleResolved());
    await run.advance(MINUTE_MS);
    expect([told(channel), [...run.disk.keys()]]).toEqual([['fired slow', 'resolved slow'], []]);
  });

  it('tells of the letters that the routing waits for after a restart, and of no other', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => REFUSED);
    b.answers(() => RETRY);
    const run = new OutboxRun([a, b]);
    const letter = sampleNotification();
    await run.send(letter);
    await run.written();
    run.write();
    expect(run.outbox.restore((prefix) => ownEntries(run, prefix), []).origins).toEqual([
      { channel: 'a', id: letter.id },
    ]);
  });
});

function ownEntries(run: OutboxRun, prefix: string): [string, unknown][] {
  return [...run.disk].flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value] as [string, unknown]] : [],
  );
}

describe('a fallback', () => {
  it.each([
    ['refuses', REFUSED, 'answered 404'],
    ['does not take by its deadline', RETRY, 'answered 503'],
  ] as const)('is told what its channel %s, and says so', async (_, outcome, reason) => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => outcome);
    const run = new OutboxRun([a, b]);
    const letter = sampleNotification();
    await run.send(letter);
    await run.advance(2 * HOUR_MS);
    const [there] = b.taken;
    expect(there).toEqual({ ...letter, id: there?.id, channel: 'b', insteadOf: { channel: 'a', reason } });
    expect(there && describeNotification(there).notes).toEqual([`Channel a did not take this: ${reason}.`]);
    expect(there?.id).toMatch(/^[0-9a-f]{16}$/);
    expect(run.ends.map(({ delivery, next }) => [delivery, next])).toEqual([
      [undefined, 'b'],
      [{ channel: 'a', id: letter.id, how: 'sent' }, undefined],
    ]);
    expect([...run.disk.keys()]).toEqual([expect.stringContaining(MEMORY_KEYS.standIn)]);
  });

  it('gets its own whole deadline, and its id is the same after a kill', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    for (const channel of [a, b]) channel.answers(() => RETRY);
    const run = new OutboxRun([a, b]);
    await run.send(sampleNotification());
    // The hand-over is not on the disk yet.
    await run.clock.advanceAndSettle(HOUR_MS);
    expect(run.endings()).toEqual(['expired a, then b']);
    run.release();
    run.restart();
    await run.advance(HOUR_MS - 5 * MINUTE_MS);
    run.restart();
    b.answers(() => SENT);
    await run.advance(MINUTE_MS);
    expect(new Set(b.tries.map(({ letter }) => letter.id)).size).toBe(1);
    expect(run.endings()).toEqual(['expired a, then b', 'expired a, then b', 'sent b']);
  });

  it('has its own fallback, which names the first and says why neither took it', async () => {
    const [a, b, c, d] = chainOf('a', 'b', 'c', 'd') as [
      AnsweringChannel,
      AnsweringChannel,
      AnsweringChannel,
      AnsweringChannel,
    ];
    for (const channel of [a, c]) channel.answers(() => REFUSED);
    b.answers(() => RETRY);
    const run = new OutboxRun([a, b, c, d]);
    const letter = sampleNotification();
    await run.send(letter);
    await run.advance(2 * HOUR_MS);
    expect(run.endings()).toEqual(['refused a, then b', 'expired b, then c', 'refused c, then d', 'sent d']);
    expect(d.taken[0]?.insteadOf).toEqual({
      channel: 'a',
      reason: 'answered 404; nor did b: answered 503; nor did c: answered 404',
    });
    expect(run.ends.flatMap(({ delivery }) => delivery ?? [])).toEqual([
      { channel: 'a', id: letter.id, how: 'sent' },
    ]);
  });

  it('is told what was dropped because too many wait', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => hangs());
    const run = new OutboxRun([a, b]);
    await run.send(sampleNotification({ service: 'tried' }));
    await run.send(
      ...Array.from({ length: MAX_QUEUED }, (_, index) => sampleNotification({ service: `s${index + 1}` })),
    );
    await run.written();
    expect(told(b)).toEqual(['fired s1']);
    expect(b.taken[0]?.insteadOf?.reason).toBe('1000 others are waiting');
  });

  it('that is not there any more is no fallback', async () => {
    const a = new AnsweringChannel('a', { fallback: 'gone' }).answers(() => REFUSED);
    const run = new OutboxRun([a]);
    await run.send(sampleNotification());
    expect(run.endings()).toEqual(['refused a']);
    expect(run.outbox.deadLetters()).toHaveLength(1);
  });
});

describe('who was told of an alert in the place of another', () => {
  function pair(): [AnsweringChannel, AnsweringChannel, OutboxRun] {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => REFUSED);
    return [a, b, new OutboxRun([a, b])];
  }

  it('is told that it is over too, once that one takes messages again', async () => {
    const [a, b, run] = pair();
    await run.send(sampleNotification());
    await run.written();
    a.answers(() => SENT);
    const resolved = sampleResolved();
    await run.send(resolved);
    await run.written();
    expect([told(a), told(b)]).toEqual([['resolved slow'], ['fired slow', 'resolved slow']]);
    expect(b.taken[1]).toEqual({ ...resolved, id: b.taken[1]?.id, channel: 'b' });
    // Of what comes then it hears no more.
    await run.send(sampleNotification());
    await run.send(sampleResolved());
    await run.written();
    expect(told(b)).toHaveLength(2);
    expect([...run.disk.keys()]).toEqual([]);
  });

  it('is told what it is about of a message of many alerts, and nothing of reminders', async () => {
    const [a, b, run] = pair();
    await run.send(sampleNotification());
    await run.written();
    a.answers(() => SENT);
    await run.send(sampleNotification({ item: { occasion: 'repeated' }, message: { repeat: 1 } }));
    const items = [sampleItem({ service: 'other' }), sampleItem({ item: { occasion: 'worsened' } })];
    await run.send(sampleGroup(items, { message: { leftOut: 3, firing: 5 } }));
    await run.written();
    expect(told(b)).toEqual(['fired slow', 'worsened slow']);
    expect(b.taken[1]).toMatchObject({ leftOut: 0, firing: 5 });
  });

  it('leaves its channel untold of the ends that it took, and of nothing else', async () => {
    const [, b, run] = pair();
    const [begins, over] = [sampleItem({ service: 'begins' }), sampleResolvedItem({ service: 'over' })];
    const letter = sampleGroup([begins, over]);
    await run.send(letter);
    await run.written();
    expect(b.taken).toHaveLength(1);
    expect(run.ends.at(-1)?.delivery).toEqual({
      channel: 'a',
      id: letter.id,
      how: 'sent',
      untold: [over.alertKey],
    });
  });

  it('is told in order, though it is slow', async () => {
    const [a, b, run] = pair();
    b.answers(() => RETRY);
    await run.send(sampleNotification());
    await run.written();
    a.answers(() => SENT);
    await run.send(sampleResolved());
    await run.written();
    b.answers(() => SENT);
    await run.advance(MINUTE_MS);
    expect(told(b)).toEqual(['fired slow', 'resolved slow']);
  });

  it('is not forgotten while it has yet to be told of the next run', async () => {
    const [a, b, run] = pair();
    b.answers(() => RETRY);
    await run.send(sampleNotification());
    await run.send(sampleResolved());
    await run.send(sampleNotification());
    await run.written();
    b.answers(() => SENT);
    a.answers(() => SENT);
    await run.send(sampleResolved());
    await run.advance(MINUTE_MS);
    expect(told(a)).toEqual(['resolved slow']);
    expect(told(b)).toEqual(['fired slow', 'resolved slow', 'fired slow', 'resolved slow']);
    run.write();
    expect([...run.disk.keys()]).toEqual([]);
  });

  it('is told what goes on after a restart as well, under one id', async () => {
    const [a, b, run] = pair();
    await run.send(sampleNotification());
    await run.written();
    run.write();
    run.restart();
    a.answers(() => SENT);
    await run.send(sampleResolved());
    run.release();
    run.restart();
    await settle();
    await run.written();
    run.restart();
    await settle();
    expect(told(a)).toEqual(['resolved slow', 'resolved slow']);
    expect(told(b).slice(0, 2)).toEqual(['fired slow', 'resolved slow']);
    expect(new Set(b.taken.map(({ id }) => id)).size).toBe(2);
  });

  it('is told the end with the next word of it, where it did not take the end either', async () => {
    const [a, b, run] = pair();
    await run.send(sampleNotification());
    await run.written();
    b.answers(() => REFUSED);
    await run.send(sampleResolved());
    await run.written();
    for (const channel of [a, b]) channel.answers(() => SENT);
    // As the routing does after a dead letter.
    await run.send(sampleResolved());
    await run.written();
    expect([told(a), told(b)]).toEqual([['resolved slow'], ['fired slow', 'resolved slow']]);
    run.write();
    expect(run.kept(MEMORY_KEYS.standIn)).toEqual([]);
  });

  it('is told nothing where it did not take the alert either', async () => {
    const [a, b, run] = pair();
    b.answers(() => REFUSED);
    await run.send(sampleNotification());
    await run.written();
    for (const channel of [a, b]) channel.answers(() => SENT);
    await run.send(sampleNotification());
    await run.send(sampleResolved());
    await run.written();
    expect([told(a), told(b)]).toEqual([['fired slow', 'resolved slow'], []]);
  });

  it('is told once of what yet another takes in the place of the first', async () => {
    const [a, b, c] = chainOf('a', 'b', 'c') as [AnsweringChannel, AnsweringChannel, AnsweringChannel];
    for (const channel of [a, b]) channel.answers(() => REFUSED);
    const run = new OutboxRun([a, b, c]);
    await run.send(sampleNotification());
    await run.written();
    b.answers(() => SENT);
    await run.send(sampleResolved());
    await run.written();
    await run.written();
    expect([told(b), told(c)]).toEqual([['resolved slow'], ['fired slow', 'resolved slow']]);
  });

  it('is told the end of what it was told of only after the first channel had taken the end', async () => {
    const [a, b, c] = chainOf('a', 'b', 'c') as [AnsweringChannel, AnsweringChannel, AnsweringChannel];
    a.answers(() => REFUSED);
    b.answers(() => RETRY);
    const run = new OutboxRun([a, b, c]);
    await run.send(sampleNotification());
    await run.written();
    a.answers(() => SENT);
    await run.send(sampleResolved());
    b.answers(({ letter }) => (letter.insteadOf ? REFUSED : SENT));
    await run.advance(MINUTE_MS);
    await run.written();
    expect([told(b), told(c)]).toEqual([['resolved slow'], ['fired slow', 'resolved slow']]);
  });

  it('is told no more where it was removed', async () => {
    const [a, , run] = pair();
    await run.send(sampleNotification());
    await run.written();
    a.answers(() => SENT);
    run.reconfigure([a]);
    await run.send(sampleResolved());
    expect(run.endings()).toEqual(['refused a, then b', 'sent b', 'sent a']);
  });

  it('is told no end of what it did not begin with', async () => {
    const [a, b, run] = pair();
    await run.send(sampleResolved());
    await run.written();
    a.answers(() => SENT);
    await run.send(sampleNotification());
    await run.send(sampleResolved());
    await run.written();
    expect(told(b)).toEqual(['resolved slow']);
  });
});

describe('a dead letter', () => {
  it('is what no channel took: listed with its reason, on disk, and the routing hears of its end', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    for (const channel of [a, b]) channel.answers(() => REFUSED);
    const run = new OutboxRun([a, b]);
    const letter = sampleNotification();
    await run.send(letter);
    await run.written();
    run.write();
    run.restart();
    expect(run.outbox.deadLetters()).toMatchObject([
      {
        letter: {
          channel: 'b',
          groupKey: letter.groupKey,
          insteadOf: { channel: 'a', reason: 'answered 404' },
        },
        how: 'refused',
        reason: 'answered 404',
        failures: 0,
        failedMs: run.clock.nowMs(),
        toldSinceMs: undefined,
      },
    ]);
    expect(run.ends.flatMap(({ delivery }) => delivery ?? [])).toEqual([
      { channel: 'a', id: letter.id, how: 'refused' },
    ]);
  });

  async function withDeadLetter(): Promise<[AnsweringChannel, OutboxRun, Notification]> {
    const channel = new AnsweringChannel('a').answers(() => REFUSED);
    const run = new OutboxRun([channel]);
    const letter = sampleNotification();
    await run.send(letter);
    return [channel, run, letter];
  }

  it('is sent again with a new deadline, once it is released, and the routing hears of its end', async () => {
    const [channel, run, letter] = await withDeadLetter();
    await run.advance(3 * HOUR_MS);
    channel.answers(() => SENT);
    expect(run.outbox.sendAgain(letter.id, ALL_FIRE)).toEqual({ outcome: 'posted', letter, meantFor: 'a' });
    expect(run.outbox.deadLetters()).toEqual([]);
    await settle();
    expect(channel.taken).toEqual([]);
    await run.written();
    expect(channel.taken).toEqual([letter]);
    expect(run.ends.at(-1)).toMatchObject({
      how: 'sent',
      delivery: { channel: 'a', id: letter.id, how: 'sent' },
    });
    run.write();
    expect([...run.disk.keys()]).toEqual([]);
  });

  it('that is sent again and killed before it was taken is sent after the restart', async () => {
    const [channel, run, letter] = await withDeadLetter();
    channel.answers(() => RETRY);
    run.outbox.sendAgain(letter.id, ALL_FIRE);
    await run.written();
    run.restart();
    channel.answers(() => SENT);
    await run.advance(MINUTE_MS);
    expect([channel.taken, run.outbox.deadLetters()]).toEqual([[letter], []]);
  });

  it('that is refused again is one again', async () => {
    const [, run, letter] = await withDeadLetter();
    run.outbox.sendAgain(letter.id, ALL_FIRE);
    await run.written();
    expect(run.outbox.deadLetters().map((dead) => dead.letter)).toEqual([letter]);
  });

  it('cannot be sent again where there is none, or no channel for it', async () => {
    const [, run, letter] = await withDeadLetter();
    expect(run.outbox.sendAgain('nothing', ALL_FIRE)).toEqual({ outcome: 'not_found' });
    run.reconfigure([]);
    expect(run.outbox.sendAgain(letter.id, ALL_FIRE)).toEqual({ outcome: 'no_channel' });
    expect(run.outbox.deadLetters()).toHaveLength(1);
  });

  it('of a channel that is gone is sent again for the fallback itself, which the routing is to know of', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    for (const channel of [a, b]) channel.answers(() => REFUSED);
    const run = new OutboxRun([a, b]);
    await run.send(sampleNotification());
    await run.written();
    const [dead] = run.outbox.deadLetters();
    run.reconfigure([b]);
    b.answers(() => SENT);
    expect(run.outbox.sendAgain(dead?.letter.id ?? '', ALL_FIRE)).toMatchObject({
      outcome: 'posted',
      meantFor: 'b',
    });
    await run.written();
    expect(run.ends.at(-1)?.delivery).toMatchObject({ channel: 'b', how: 'sent' });
  });

  it('is not sent again where the alert that it says fires is over, and stays', async () => {
    const [channel, run, letter] = await withDeadLetter();
    channel.answers(() => SENT);
    expect(run.outbox.sendAgain(letter.id, () => false)).toEqual({ outcome: 'obsolete' });
    await run.written();
    expect([channel.taken, run.outbox.deadLetters().length]).toEqual([[], 1]);
  });

  it('is sent again without what of it is over, and with what it says has ended', async () => {
    const channel = new AnsweringChannel('a').answers(() => REFUSED);
    const run = new OutboxRun([channel]);
    const [fires, over] = [sampleItem({ service: 'fires' }), sampleItem({ service: 'over' })];
    const ended = sampleResolvedItem({ service: 'ended' });
    const letter = sampleGroup([fires, over, ended]);
    await run.send(letter);
    channel.answers(() => SENT);
    expect(run.outbox.sendAgain(letter.id, (key) => key === fires.alertKey)).toMatchObject({
      outcome: 'posted',
    });
    await run.written();
    expect(channel.taken).toEqual([{ ...letter, items: [fires, ended] }]);
  });

  it('is discarded, on disk too', async () => {
    const [, run, letter] = await withDeadLetter();
    run.write();
    expect([run.outbox.discard(letter.id), run.outbox.discard(letter.id)]).toEqual([true, false]);
    run.write();
    expect([...run.disk.keys()]).toEqual([]);
  });

  it('says since when its channel has been told of the group again', async () => {
    const [channel, run] = await withDeadLetter();
    channel.answers(() => SENT);
    await run.send(sampleNotification({ service: 'other' }));
    expect(run.outbox.deadLetters()[0]?.toldSinceMs).toBeUndefined();
    await run.advance(MINUTE_MS);
    await run.send(sampleResolved());
    run.write();
    run.restart();
    expect(run.outbox.deadLetters()[0]?.toldSinceMs).toBe(SAMPLE_STARTED_MS + MINUTE_MS);
  });

  it('of a fallback says since when the channel that it was meant for has been told again', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    for (const channel of [a, b]) channel.answers(() => REFUSED);
    const run = new OutboxRun([a, b]);
    await run.send(sampleNotification());
    await run.written();
    run.write();
    run.restart();
    a.answers(() => SENT);
    await run.send(sampleResolved());
    expect(run.outbox.deadLetters().at(-1)?.toldSinceMs).toBe(run.clock.nowMs());
  });
});

describe('a reload', () => {
  it('that removes a channel gives up to the routing, once, the alerts that others hold in its place', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => REFUSED);
    const run = new OutboxRun([a, b]);
    await run.send(sampleNotification());
    await run.written();
    expect(run.outbox.orphans()).toEqual([]);
    run.reconfigure([b]);
    const { alertKey } = sampleItem();
    expect(run.outbox.orphans()).toEqual([{ channel: 'b', alertKeys: [alertKey] }]);
    expect(run.outbox.orphans()).toEqual([]);
  });

  it('posts what a removed channel has to its fallback, though that is new, and sends it once it is written', async () => {
    const a = new AnsweringChannel('a', { fallback: 'b' }).answers(() => hangs());
    const b = new AnsweringChannel('b');
    const run = new OutboxRun([a]);
    await run.send(sampleNotification(), sampleResolved());
    run.reconfigure([b]);
    await settle();
    expect([told(b), run.endings()]).toEqual([[], ['dropped a, then b', 'dropped a, then b']]);
    await run.written();
    expect(told(b)).toEqual(['fired slow', 'resolved slow']);
    expect(b.taken[0]?.insteadOf?.reason).toBe('the channel was removed from the configuration');
  });

  it('makes dead letters of what nobody takes any more', async () => {
    const channels = chainOf('a', 'b');
    for (const channel of channels) channel.answers(() => hangs());
    const run = new OutboxRun(channels);
    await run.send(sampleNotification());
    run.reconfigure([]);
    expect(run.outbox.deadLetters()).toMatchObject([{ how: 'dropped' }]);
  });

  it('in which a channel went while nothing ran makes dead letters of what it had', async () => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    const letter = sampleNotification();
    await run.send(letter);
    run.restart({ channels: [] });
    expect(run.outbox.deadLetters()).toMatchObject([{ how: 'dropped', reason: 'there is no such channel' }]);
    expect(run.ends.at(-1)?.delivery).toEqual({ channel: 'a', id: letter.id, how: 'dropped' });
  });
});

describe('what a channel remembers of a group', () => {
  it('is given back with the next letter of it, after a restart too, and forgotten once nothing of it fires', async () => {
    const channel = new AnsweringChannel('a').answers(({ thread }) => ({
      result: 'sent',
      thread: { root: String(Number(thread?.['root'] ?? 0) + 1) },
    }));
    const run = new OutboxRun([channel]);
    await run.send(sampleNotification());
    run.write();
    run.restart();
    await run.send(sampleNotification({ item: { occasion: 'worsened' } }));
    await run.send(sampleNotification({ service: 'other' }));
    await run.send(sampleResolved());
    run.write();
    run.restart();
    await run.send(sampleNotification());
    expect(channel.tries.map(({ thread }) => thread?.['root'])).toEqual([
      undefined,
      '1',
      undefined,
      '2',
      undefined,
    ]);
  });

  it('is kept of a try that is to be repeated, and while another alert of the group fires', async () => {
    const thread = { root: '1' };
    const channel = new AnsweringChannel('a').answers(() => ({ ...RETRY, thread }));
    const run = new OutboxRun([channel]);
    await run.send(sampleNotification());
    channel.answers(() => SENT);
    await run.advance(1_000);
    await run.send(sampleResolved({ message: { firing: 1 } }));
    await run.send(sampleResolved());
    expect(channel.tries.map((one) => one.thread)).toEqual([undefined, thread, thread, thread]);
  });

  it('is not given to another channel', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => ({ ...REFUSED, thread: { root: '1' } }));
    const run = new OutboxRun([a, b]);
    await run.send(sampleNotification());
    await run.written();
    expect(b.tries.map(({ thread }) => thread)).toEqual([undefined]);
  });

  it('is not what answers that nobody waits for any more', async () => {
    let answer = (): void => undefined;
    const channel = new AnsweringChannel('a').answers(
      () => new Promise((resolve) => (answer = () => resolve({ result: 'sent', thread: { root: '1' } }))),
    );
    const run = new OutboxRun([channel]);
    await run.send(sampleNotification());
    run.reconfigure([]);
    answer();
    await settle();
    run.write();
    expect(run.kept(MEMORY_KEYS.thread)).toEqual([]);
  });
});

describe("the news that Kong's configuration has changed", () => {
  it('goes to channels that are told of it, at least once, and in order', async () => {
    const channel = new AnsweringChannel('a', {}, { takesChanges: true });
    const run = new OutboxRun([channel, new AnsweringChannel('b')]);
    expect(run.outbox.channelsOfChanges()).toEqual(['a']);
    const changes = [changeNotice(), changeNotice({ id: 'change-2', before: 'bbbb', after: 'cccc' })];
    await run.send(...changes);
    run.restart();
    await settle();
    run.write();
    expect(channel.changes).toEqual([...changes, ...changes]);
    expect([...run.disk.keys()]).toEqual([]);
  });

  it('goes to a fallback that is told of changes too, and to no other', async () => {
    const refusing: Channel = {
      name: 'a',
      type: 'answering',
      delivery: { ...DELIVERY, fallback: 'b' },
      send: () => Promise.resolve(SENT),
      sendChange: () => Promise.resolve(REFUSED),
    };
    const b = new AnsweringChannel('b', {}, { takesChanges: true });
    const run = new OutboxRun([refusing, b]);
    await run.send(changeNotice());
    await run.written();
    expect(b.changes).toMatchObject([{ channel: 'b', after: 'bbbb' }]);
    run.reconfigure([refusing, new AnsweringChannel('b')]);
    await run.send(changeNotice({ id: 'change-3' }));
    expect(run.endings().at(-1)).toBe('refused a');
    expect(run.outbox.deadLetters()).toMatchObject([{ letter: { id: 'change-3', kind: 'change' } }]);
  });

  it('is refused by a channel that is not told of changes, as after a reload', async () => {
    const channel = new AnsweringChannel('a');
    const run = new OutboxRun([channel]);
    await run.send(changeNotice());
    expect(run.ends).toMatchObject([{ how: 'refused', reason: 'it is not told of changes' }]);
    expect(channel.tries).toEqual([]);
  });
});

describe('a state of all alerts', () => {
  function standing(): Notification {
    return sampleNotification({ message: { kind: 'standing', groupKey: '' } });
  }

  it('is sent once it is released, and is never on disk', async () => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    run.outbox.post([standing()]);
    await settle();
    expect(channel.tries).toEqual([]);
    await run.written();
    expect([channel.tries.length, [...run.disk.keys()]]).toEqual([1, []]);
  });

  it('says how long it took until it was taken', async () => {
    const channel = new AnsweringChannel('a').answers(() => RETRY);
    const run = new OutboxRun([channel]);
    await run.send(standing());
    await run.advance(10 * MINUTE_MS);
    channel.answers(() => SENT);
    await run.advance(MINUTE_MS);
    expect(run.ends).toMatchObject([{ how: 'sent' }]);
    expect(run.ends[0]?.tookMs).toBeGreaterThan(9 * MINUTE_MS);
  });

  it('that is not taken is counted, and is no dead letter', async () => {
    const channel = new AnsweringChannel('a').answers(() => REFUSED);
    const run = new OutboxRun([channel]);
    await run.send(standing());
    expect(run.ends).toMatchObject([{ how: 'refused', delivery: undefined, next: undefined }]);
    expect(run.outbox.deadLetters()).toEqual([]);
    expect(run.outbox.counts().get('a')).toMatchObject({ refused: 1 });
  });
});

describe('a digest', () => {
  it('that tells of several runs of one alert ends what was told of it by the last of them', async () => {
    const [a, b] = chainOf('a', 'b') as [AnsweringChannel, AnsweringChannel];
    a.answers(() => REFUSED);
    const run = new OutboxRun([a, b]);
    const digest = (...items: Notification['items']): Notification =>
      sampleGroup(items, { message: { kind: 'digest', groupKey: 'digest' } });
    await run.send(digest(sampleItem(), sampleResolvedItem(), sampleItem()));
    await run.written();
    a.answers(() => SENT);
    await run.send(digest(sampleResolvedItem()));
    await run.written();
    expect(told(b)).toEqual(['fired slow', 'resolved slow', 'fired slow', 'resolved slow']);
  });
});
