import type { Message } from '../../../sidecar/route/message';
import { sentAgain } from '../../../sidecar/route/sent-again';
import { RoutingStory } from '../../support/routing-story';

/** A story in which the first message was refused for good; messages end only when the test says so. */
function refusedStory(policy: ConstructorParameters<typeof RoutingStory>[0] = {}): [RoutingStory, Message] {
  const story = new RoutingStory({ repeatIntervalMs: undefined, ...policy });
  story.delivery = undefined;
  story.fire('shop', 'warning').round(0);
  const [message] = story.messages;
  if (!message) throw new Error('no message');
  story.end(message, 'refused');
  return [story, message];
}

function sendAgain(story: RoutingStory, { channel, id, items }: Message): void {
  const told = items.map((item) => ({ ...item, alertKey: story.key('shop') }));
  story.state = sentAgain(story.state, { channel, id, items: told }, story.nowMs);
}

describe('a message that is sent again by hand', () => {
  it('has its channel told of the end once it has arrived, and not of the same again', () => {
    const [story, message] = refusedStory();
    story.at(1);
    sendAgain(story, message);
    story.end(message, 'sent');
    expect(story.rounds(2, 100)).toEqual([]);
    expect(story.resolve('shop').round(101)).toEqual(['slack: resolved shop warning']);
  });

  it('is told anew by itself some time later where it does not arrive again', () => {
    const [story, message] = refusedStory();
    story.at(1);
    sendAgain(story, message);
    story.end(message, 'dropped');
    expect(story.rounds(2, 20)).toEqual(['6 slack: fired shop warning']);
  });

  it('lets what got worse since be told at once, and what was acknowledged since', () => {
    const [story, message] = refusedStory();
    story.at(1).worsen('shop', 'critical');
    sendAgain(story, message);
    expect(story.round(2)).toEqual(['slack: worsened shop critical']);
    story.at(3).acknowledge('shop');
    expect(story.round(3)).toEqual(['slack: acknowledged shop critical']);
  });

  it('leaves as it is what the channel was told later', () => {
    const [story, message] = refusedStory();
    expect(story.worsen('shop', 'critical').round(61)).toEqual(['slack: fired shop critical']);
    const [later] = story.messages;
    if (later) story.end(later, 'sent');
    const before = story.state;
    sendAgain(story, message);
    expect(story.state).toBe(before);
  });

  it('says nothing of what no longer fires', () => {
    const [story, message] = refusedStory();
    story.at(1).resolve('shop').round();
    const before = story.state;
    sendAgain(story, message);
    expect(story.state).toBe(before);
  });
});
