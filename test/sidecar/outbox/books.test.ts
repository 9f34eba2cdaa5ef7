// What the outbox keeps of letters that have ended is bounded, in number and in time, on disk as well.
import { MEMORY_KEYS, type MemoryChanges } from '../../../sidecar/memory/memory-changes';
import {
  DeadLetterBook,
  KEEP_DEAD_LETTERS_MS,
  MOST_DEAD_LETTERS,
  type DeadLetter,
} from '../../../sidecar/outbox/dead-letter-book';
import { StandInBook, type MeantLetter } from '../../../sidecar/outbox/stand-in-book';
import { ThreadBook } from '../../../sidecar/outbox/thread-book';
import type { Notification } from '../../../sidecar/notify/notification';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
} from '../../support/sample-notification';

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;
const START_MS = Date.parse('2026-03-01T10:00:00Z');

/** Own keys and values, as a restart gives them: sorted by key. */
function apply(
  disk: Map<string, unknown>,
  prefix: string,
  { puts, deletes }: MemoryChanges,
): [string, unknown][] {
  for (const { key, value } of puts) disk.set(key, value);
  for (const key of deletes) disk.delete(key);
  return [...disk]
    .map(([key, value]): [string, unknown] => [key.slice(prefix.length), value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('dead letters', () => {
  let book: DeadLetterBook;
  let disk: Map<string, unknown>;
  beforeEach(() => {
    book = new DeadLetterBook();
    disk = new Map();
  });

  function add(failedMs: number, id: string): void {
    const dead: DeadLetter = {
      letter: sampleNotification({ message: { id } }),
      how: 'expired',
      reason: 'answered 503',
      failures: 3,
      failedMs,
      toldSinceMs: undefined,
    };
    book.add(dead, 'a');
  }

  function ids(): string[] {
    return book.list().map(({ letter }) => letter.id);
  }

  function restarted(): DeadLetterBook {
    const next = new DeadLetterBook();
    expect(next.restore(apply(disk, MEMORY_KEYS.deadLetter, book.takeDirty()), [])).toBe(0);
    return next;
  }

  it('are listed with the newest first, before and after a restart', () => {
    // Their ids tell nothing of their order.
    add(START_MS, 'z');
    add(START_MS + 1, 'a');
    add(START_MS + 2, 'm');
    expect(ids()).toEqual(['m', 'a', 'z']);
    const before = book.list();
    book = restarted();
    expect(book.list()).toEqual(before);
  });

  it('are so many at most: of more the oldest go, counted', () => {
    for (let number = 0; number < MOST_DEAD_LETTERS + 3; number += 1) add(START_MS + number, `id${number}`);
    expect([ids().length, ids().at(-1), book.letGo]).toEqual([MOST_DEAD_LETTERS, 'id3', 3]);
    book = restarted();
    expect([ids().length, disk.size]).toEqual([MOST_DEAD_LETTERS, MOST_DEAD_LETTERS]);
  });

  it('are kept for a week, counted', () => {
    add(START_MS, 'old');
    add(START_MS + 1, 'young');
    book = restarted();
    book.forget(START_MS + KEEP_DEAD_LETTERS_MS - 1);
    expect(ids()).toEqual(['young', 'old']);
    book.forget(START_MS + KEEP_DEAD_LETTERS_MS);
    expect([ids(), book.letGo]).toEqual([['young'], 1]);
    expect(apply(disk, MEMORY_KEYS.deadLetter, book.takeDirty()).map(([key]) => key)).toEqual(['young']);
  });

  it('that come again under one id are one', () => {
    add(START_MS, 'x');
    add(START_MS, 'y');
    add(START_MS + 5, 'x');
    expect([ids(), book.letGo]).toEqual([['x', 'y'], 0]);
  });

  it('say that they are old news once all of their alerts were told of', () => {
    const items = [sampleItem({ service: 'x' }), sampleItem({ service: 'y' })];
    const letter = sampleGroup(items, { message: { id: 'two' } });
    book.add(
      { letter, how: 'expired', reason: '', failures: 0, failedMs: START_MS, toldSinceMs: undefined },
      'a',
    );
    book.letterArrived(sampleGroup(items.slice(0, 1)), 'a', START_MS + 1);
    book = restarted();
    expect(book.get('two')?.toldSinceMs).toBeUndefined();
    book.letterArrived(sampleGroup(items.slice(1)), 'a', START_MS + 2);
    expect(book.get('two')?.toldSinceMs).toBe(START_MS + 2);
  });

  it('do not say that the group was told of by another channel, or before they failed', () => {
    book.letterArrived(sampleResolved(), 'a', START_MS);
    add(START_MS, 'x');
    book.letterArrived(sampleResolved({ channel: 'b' }), 'b', START_MS + 1);
    expect(book.get('x')?.toldSinceMs).toBeUndefined();
    book.letterArrived(sampleResolved({ channel: 'b' }), 'a', START_MS + 2);
    book.letterArrived(sampleResolved(), 'a', START_MS + 3);
    expect(book.get('x')?.toldSinceMs).toBe(START_MS + 2);
  });
});

describe('threads', () => {
  const of = (service: string, channel = 'a') => sampleNotification({ service, channel });

  it('are forgotten where nothing was said in them for a month', () => {
    const book = new ThreadBook();
    book.note(of('old'), { root: '1' }, START_MS);
    book.note(of('young'), { root: '2' }, START_MS + 1);
    book.note(of('new'), { root: '3' }, START_MS + MONTH_MS);
    expect([book.of(of('old')), book.of(of('young')), book.size]).toEqual([undefined, { root: '2' }, 2]);
  });

  it('are kept while their group is told of, without a write for each message', () => {
    const book = new ThreadBook();
    book.note(of('fires on'), { root: '1' }, START_MS);
    let writes = 0;
    for (let hour = 0; hour < 60 * 24; hour += 1) {
      book.letterArrived(of('fires on'), START_MS + hour * 3_600_000);
      writes += book.takeDirty().puts.length;
    }
    book.note(of('new'), { root: '2' }, START_MS + 60 * DAY_MS);
    expect(book.of(of('fires on'))).toEqual({ root: '1' });
    expect(writes).toBeLessThanOrEqual(60);
  });

  it('are ten thousand at most: of more the one that was used longest ago goes, after a restart too', () => {
    const disk = new Map<string, unknown>();
    let book = new ThreadBook();
    // In an order that is not that of their keys.
    for (let number = 10_000; number > 0; number -= 1)
      book.note(of(`s${number}`), { root: String(number) }, START_MS + 10_000 - number);
    const entries = apply(disk, MEMORY_KEYS.thread, book.takeDirty());
    book = new ThreadBook();
    expect(book.restore(entries)).toBe(0);
    book.note(of('s9999'), { root: 'again' }, START_MS + 20_000);
    book.note(of('one more'), { root: 'x' }, START_MS + 20_001);
    book.note(of('and another'), { root: 'y' }, START_MS + 20_002);
    expect([book.size, book.of(of('s10000')), book.of(of('s9999')), book.of(of('s9998'))]).toEqual([
      10_000,
      undefined,
      { root: 'again' },
      undefined,
    ]);
  });

  it('of a digest are of this one alone, for its next try, and end with it', () => {
    const book = new ThreadBook();
    const digest = () => sampleNotification({ message: { kind: 'digest', groupKey: 'digest' } });
    const [one, other] = [digest(), digest()];
    book.note(one, { part: '1' }, START_MS);
    book.note(other, { part: '2' }, START_MS);
    expect([book.of(one), book.of(other), book.of(digest())]).toEqual([
      { part: '1' },
      { part: '2' },
      undefined,
    ]);
    book.letterArrived(one, START_MS);
    book.letterFailed(other);
    expect(book.size).toBe(0);
  });

  it('are none of the news that a configuration has changed', () => {
    const book = new ThreadBook();
    const change = {
      id: 'c',
      channel: 'a',
      kind: 'change',
      instance: '10.0.0.1:8007',
      before: 'a',
      after: 'b',
      externalLabels: {},
      atMs: START_MS,
      createdMs: START_MS,
    } as const;
    book.note(change, { root: '1' }, START_MS);
    expect([book.of(change), book.size]).toEqual([undefined, 0]);
  });
});

describe('stand-ins', () => {
  let book: StandInBook;
  let order: number;
  beforeEach(() => {
    book = new StandInBook();
    order = 0;
  });

  /** To `channel` in the place of `a`. */
  function meantLetter(channel: string, service: string, isOver = false): MeantLetter {
    order += 1;
    const letter = isOver ? sampleResolved({ service, channel }) : sampleNotification({ service, channel });
    return { letter, meantFor: 'a', order };
  }

  function toldTo(channel: string, service: string, { isOver = false, nowMs = START_MS } = {}): void {
    const meant = meantLetter(channel, service, isOver);
    book.posted(meant, nowMs);
    book.ended(meant, { wasTaken: true, isFollowUp: true }, nowMs);
  }

  /** Channel -> services, of a letter that was taken. */
  function newsOf(letter: Notification, meantFor = 'a'): [string, string[]][] {
    order += 1;
    return [...book.newsOf({ letter, meantFor, order })].map(([channel, items]) => [
      channel,
      items.map(({ alert: { scope } }) => ('service' in scope ? scope.service : '')),
    ]);
  }

  function restarted(): StandInBook {
    const next = new StandInBook();
    expect(next.restore(apply(new Map(), MEMORY_KEYS.standIn, book.takeDirty()))).toBe(0);
    return next;
  }

  it('are those of each alert and channel that it was meant for, each once, and again after a restart', () => {
    for (const channel of ['b', 'c', 'b']) toldTo(channel, 'x');
    toldTo('d', 'y');
    const { lastOrder } = book;
    book = restarted();
    expect(book.lastOrder).toBe(lastOrder);
    const items = [sampleItem({ service: 'x' }), sampleItem({ service: 'y' }), sampleItem({ service: 'z' })];
    expect(new Map(newsOf(sampleGroup(items)))).toEqual(
      new Map([
        ['b', ['x']],
        ['c', ['x']],
        ['d', ['y']],
      ]),
    );
    expect(newsOf(sampleGroup(items), 'e')).toEqual([]);
  });

  it('hear of an alert until they have taken its end, and not only until it is on its way', () => {
    toldTo('b', 'slow');
    const end = meantLetter('b', 'slow', true);
    book.posted(end, START_MS);
    expect(newsOf(sampleResolved())).toEqual([]);
    book.ended(end, { wasTaken: false, isFollowUp: true }, START_MS);
    expect(newsOf(sampleResolved())).toEqual([['b', ['slow']]]);
    toldTo('b', 'slow', { isOver: true });
    expect([newsOf(sampleResolved()), book.size]).toEqual([[], 0]);
  });

  it('that took an end in the place of their channel are known for it until that has taken it too', () => {
    const end = meantLetter('b', 'slow', true);
    book.posted(end, START_MS);
    expect(book.knowsEnds(end, 'b')).toBe(false);
    book.ended(end, { wasTaken: true, isFollowUp: false }, START_MS);
    book = restarted();
    expect([book.knowsEnds(end, 'b'), book.knowsEnds(end, 'c'), newsOf(sampleResolved())]).toEqual([
      true,
      false,
      [],
    ]);
    const begins = { ...end, letter: sampleNotification({ service: 'slow' }) };
    expect(book.knowsEnds(begins, 'b')).toBe(false);
    expect(book.takeOrphans((channel) => channel === 'b')).toEqual([]);
    const own = { ...end, letter: sampleResolved({ service: 'slow', channel: 'a' }) };
    book.posted(end, START_MS);
    book.ended(end, { wasTaken: true, isFollowUp: false }, START_MS);
    book.ownTook(own, START_MS);
    expect([book.knowsEnds(end, 'b'), book.size]).toEqual([false, 0]);
  });

  it('hear nothing of what they did not take', () => {
    const refused = meantLetter('b', 'slow');
    book.posted(refused, START_MS);
    book.ended(refused, { wasTaken: false, isFollowUp: true }, START_MS);
    expect([newsOf(sampleNotification()), book.size]).toEqual([[], 0]);
  });

  it('hear of what they may have taken from an earlier process', () => {
    const unknown = meantLetter('b', 'slow');
    book.posted(unknown, START_MS);
    book.ended(unknown, { wasTaken: undefined, isFollowUp: true }, START_MS);
    expect(newsOf(sampleResolved())).toEqual([['b', ['slow']]]);
  });

  it('hear of the next run though the one before was refused, or its end was', () => {
    const [fired, end, again] = [false, true, false].map((isOver) => meantLetter('b', 'slow', isOver));
    if (!fired || !end || !again) throw new Error('there are three');
    for (const meant of [fired, end, again]) book.posted(meant, START_MS);
    for (const meant of [fired, end]) book.ended(meant, { wasTaken: false, isFollowUp: true }, START_MS);
    expect(newsOf(sampleResolved())).toEqual([['b', ['slow']]]);
    book.ended(again, { wasTaken: true, isFollowUp: true }, START_MS);
    expect(newsOf(sampleResolved())).toEqual([['b', ['slow']]]);
  });

  it('hear nothing that is older than what they know, and nothing twice', () => {
    const old = meantLetter('c', 'slow', true);
    toldTo('b', 'slow');
    expect([...book.newsOf(old)]).toEqual([]);
    expect([...book.newsOf({ ...old, order })]).toEqual([]);
  });

  it('of a channel that there is no more are let go, each with its alerts', () => {
    toldTo('gone', 'x');
    toldTo('b', 'x');
    toldTo('b', 'y');
    const keys = ['x', 'y'].map((service) => sampleItem({ service }).alertKey);
    expect(book.takeOrphans(() => true)).toEqual([]);
    expect(book.takeOrphans((channel) => channel === 'b')).toEqual([{ channel: 'b', alertKeys: keys }]);
    expect([book.takeOrphans((channel) => channel === 'b'), book.size]).toEqual([[], 0]);
  });

  it('are forgotten after a month, and over ten thousand', () => {
    toldTo('b', 'old');
    for (let number = 0; number < 10_000; number += 1) toldTo('b', `s${number}`, { nowMs: START_MS + 1 });
    const toldOf = (service: string): number => newsOf(sampleNotification({ service })).length;
    expect([book.size, toldOf('old'), toldOf('s0')]).toEqual([10_000, 0, 1]);
    toldTo('b', 'new', { nowMs: START_MS + 1 + MONTH_MS });
    expect([book.size, toldOf('new')]).toEqual([1, 1]);
  });
});
