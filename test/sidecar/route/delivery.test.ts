import {
  deliveriesEnded,
  lostDeliveries,
  MOST_RETOLD_END_MS,
  MOST_UNDERWAY_MS,
  retellAtOnce,
} from '../../../sidecar/route/delivery';
import { MOST_TRY_MS } from '../../../sidecar/outbox/channel-queue';
import type { Message } from '../../../sidecar/route/message';
import { readRouteState, writeRouteState } from '../../../sidecar/route/route-memory';
import { RoutingStory } from '../../support/routing-story';
import { errorRateRule } from '../../support/sample-rules';

const MINUTE_MS = 60_000;

/** A story whose messages end only when the test says so. */
function slowStory(policy: ConstructorParameters<typeof RoutingStory>[0] = {}): RoutingStory {
  const story = new RoutingStory({ repeatIntervalMs: undefined, ...policy });
  story.delivery = undefined;
  return story;
}

function firstMessage({ messages }: RoutingStory): Message {
  const [message] = messages;
  if (!message) throw new Error('no message');
  return message;
}

describe('an alert whose message did not arrive', () => {
  it('is told anew once the channel may take it again, without any repeat configured', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    story.at(61).end(firstMessage(story), 'expired');
    expect(story.rounds(61, 120)).toEqual(['66 slack: fired shop critical']);
  });

  it.each([
    ['dropped', ['5 slack: fired shop critical']],
    ['refused', ['60 slack: fired shop critical']],
  ] as const)('and was %s is told at %j', (how, said) => {
    const story = slowStory().fire('shop');
    story.round(0);
    story.end(firstMessage(story), how);
    expect(story.rounds(1, 100)).toEqual(said);
  });

  it('is told in the next round after a reload', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    story.end(firstMessage(story), 'refused');
    expect(story.round(1)).toEqual([]);
    story.state = retellAtOnce(story.state);
    expect(story.round(2)).toEqual(['slack: fired shop critical']);
  });

  it('does not wait where it is worse than what failed', () => {
    const story = slowStory().fire('shop', 'warning');
    story.round(0);
    story.end(firstMessage(story), 'refused');
    expect(story.at(1).worsen('shop', 'critical').round()).toEqual(['slack: fired shop critical']);
  });

  it('waits for its time where it got milder into the digest meanwhile and is again what failed', () => {
    const story = slowStory({ digest: { severities: ['warning'], everyMs: 60 * MINUTE_MS } }).fire('shop');
    story.round(0);
    story.end(firstMessage(story), 'dropped');
    expect(story.at(1).ease('shop', 'warning').round()).toEqual([]);
    expect(story.at(2).worsen('shop', 'critical').round()).toEqual([]);
    expect(story.rounds(3, 20)).toEqual(['5 slack: fired shop critical']);
  });

  it('is not told to be over where it never arrived', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    story.end(firstMessage(story), 'expired');
    expect(story.at(1).resolve('shop').round()).toEqual([]);
    expect(story.rounds(2, 60)).toEqual([]);
    expect(story.state.channels.get('slack')?.notes.size).toBe(0);
  });

  it('keeps what the channel knew of it: that it got worse is told again, and its end still is', () => {
    const story = slowStory().fire('shop', 'warning');
    story.round(0);
    story.end(firstMessage(story), 'sent');
    story.at(1).worsen('shop', 'critical').round();
    story.end(firstMessage(story), 'expired');
    expect(story.rounds(2, 6)).toEqual(['6 slack: worsened shop critical']);
    story.end(firstMessage(story), 'expired');
    expect(story.at(7).resolve('shop').round()).toEqual(['slack: resolved shop critical']);
  });

  it('is not told again where a later message of it arrives', () => {
    const story = slowStory().fire('shop', 'warning');
    story.round(0);
    const fired = firstMessage(story);
    story.at(1).worsen('shop', 'critical').round();
    const worsened = firstMessage(story);
    story.end(fired, 'expired').end(worsened, 'sent');
    expect(story.rounds(2, 60)).toEqual([]);
  });

  it('is told again from the start where the later message fails too', () => {
    const story = slowStory().fire('shop', 'warning');
    story.round(0);
    const fired = firstMessage(story);
    story.at(1).worsen('shop', 'critical').round();
    story.end(fired, 'expired').end(firstMessage(story), 'expired');
    expect(story.rounds(2, 60)).toEqual(['6 slack: fired shop critical']);
  });

  it('and that ends after a later message has arrived, since a fallback was slow, takes nothing of that back', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    const first = firstMessage(story);
    story.at(1).resolve('shop').round();
    story.end(firstMessage(story), 'sent');
    story.at(2).fire('shop', 'warning').round();
    story.end(firstMessage(story), 'sent');
    story.at(200).end(first, 'expired');
    expect(story.round()).toEqual([]);
    expect(story.at(201).resolve('shop').round()).toEqual(['slack: resolved shop warning']);
    story.end(firstMessage(story), 'sent');
    expect(story.rounds(202, 300)).toEqual([]);
    expect(story.state.channels.get('slack')?.notes.size).toBe(0);
  });

  it('of two alerts is told anew of the one that no later message told of', () => {
    const story = slowStory({ groupBy: [] }).fire('shop').fire('cart');
    story.round(0);
    const both = firstMessage(story);
    story.at(1).resolve('cart').round();
    story.end(firstMessage(story), 'sent').at(2).end(both, 'expired');
    expect(story.rounds(2, 60)).toEqual(['7 slack: fired shop critical']);
  });

  it('of a digest is gathered again', () => {
    const digest = { severities: ['info'], everyMs: 10 * MINUTE_MS } as const;
    const story = slowStory({ digest }).fire('shop', 'info');
    expect(story.rounds(0, 10)).toEqual(['10 slack: digest: fired shop info']);
    story.end(firstMessage(story), 'dropped');
    expect(story.rounds(11, 60)).toEqual(['25 slack: digest: fired shop info']);
  });
});

describe('an end that did not arrive', () => {
  it('is told again for a day, and then no more', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    story.end(firstMessage(story), 'sent');
    story.at(1).resolve('shop');
    let tries = 0;
    for (let minute = 1; minute <= MOST_RETOLD_END_MS / MINUTE_MS + 300; minute += 10) {
      tries += story.round(minute).filter((text) => text === 'slack: resolved shop critical').length;
      for (const message of story.messages) story.end(message, 'refused');
    }
    expect(tries).toBe(25);
    expect(story.state.ends.size).toBe(0);
  });

  it('is told before the next run, where both failed', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    story.end(firstMessage(story), 'sent');
    story.at(1).resolve('shop').round();
    const over = firstMessage(story);
    story.at(2).fire('shop', 'warning').round();
    story.end(over, 'expired').end(firstMessage(story), 'expired');
    expect(story.rounds(3, 20)).toEqual(['7 slack: resolved shop critical', '7 slack: fired shop warning']);
  });
});

describe('a message that only another channel has taken', () => {
  it('is told again of what ended, and of nothing else', () => {
    const story = slowStory({ groupBy: [] }).fire('shop');
    story.round(0);
    story.end(firstMessage(story), 'sent');
    story.at(1).resolve('shop').fire('cart');
    expect(story.round()).toEqual(['slack: fired cart critical, resolved shop critical']);
    const { id, items } = firstMessage(story);
    const untold = items.flatMap(({ occasion }) => (occasion === 'resolved' ? [story.key('shop')] : []));
    story.state = deliveriesEnded(story.state, [{ channel: 'slack', id, how: 'sent', untold }], story.nowMs);
    expect(story.rounds(2, 5)).toEqual([]);
    expect(story.round(6)).toEqual(['slack: resolved shop critical']);
    story.end(firstMessage(story), 'sent');
    expect(story.rounds(7, 19)).toEqual([]);
    expect(story.at(20).resolve('cart').round()).toEqual(['slack: resolved cart critical']);
  });
});

describe('messages on their way', () => {
  it('are waited for longer than the longest deadline on a channel and three fallbacks, and the tries that it ends with', () => {
    const HOUR_MS = 3_600_000;
    expect(MOST_UNDERWAY_MS).toBeGreaterThan(4 * (HOUR_MS + MOST_TRY_MS));
  });

  it('survive a restart: what fails after it is told again', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    const written: unknown = JSON.parse(JSON.stringify(writeRouteState(story.state)));
    const { state, unreadable } = readRouteState(written, [errorRateRule()], story.nowMs);
    expect([unreadable, state]).toEqual([0, story.state]);
    story.state = state;
    story.at(3).end(firstMessage(story), 'dropped');
    expect(story.rounds(4, 20)).toEqual(['8 slack: fired shop critical']);
  });

  it('that nobody delivers any more count as dropped', () => {
    const story = slowStory().fire('shop').fire('cart');
    story.round(0);
    const [shop, cart] = story.messages as [Message, Message];
    const lost = lostDeliveries(story.state, new Set([shop.id]));
    expect(lost).toEqual([{ channel: 'slack', id: cart.id, how: 'dropped' }]);
    story.state = deliveriesEnded(story.state, lost, story.nowMs);
    expect(story.rounds(1, 20)).toEqual(['5 slack: fired cart critical']);
  });

  it('count as arrived where nobody says how they ended', () => {
    const story = slowStory().fire('shop');
    story.round(0);
    const fired = firstMessage(story);
    story.round(MOST_UNDERWAY_MS / MINUTE_MS + 1);
    expect(story.state.channels.get('slack')?.underway.size).toBe(0);
    const { state } = story;
    expect(story.end(fired, 'expired').state).toBe(state);
  });
});
