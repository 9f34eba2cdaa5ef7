import { adopt } from '../../../sidecar/route/adopt';
import { RoutingStory } from '../../support/routing-story';

/** Only the phone stood in, for a channel that is gone. */
function story(): RoutingStory {
  const own = new RoutingStory();
  own.channels = ['gone'];
  own.fire('shop', 'warning').fire('over').round(0);
  own.at(1).resolve('over').round();
  own.channels = ['phone'];
  own.policy = { ...own.policy, escalation: [{ afterMs: 0, channels: ['gone'], severities: ['critical'] }] };
  own.state = adopt(own.state, 'phone', [own.key('shop'), own.key('over')], own.nowMs);
  return own;
}

describe('a channel that stood in for one that is gone', () => {
  it('is told by itself how what fires goes on, and that it is over', () => {
    const own = story();
    expect(own.rounds(2, 10)).toEqual([]);
    expect(own.at(11).worsen('shop', 'critical').round()).toEqual(['phone: worsened shop critical']);
    expect(own.at(12).resolve('shop').round()).toEqual(['phone: resolved shop critical']);
  });

  it('is told the end that the other had not taken yet', () => {
    const own = new RoutingStory({
      escalation: [{ afterMs: 0, channels: ['gone'], severities: ['critical'] }],
    });
    own.channels = ['gone'];
    expect(own.fire('shop').round(0)).toEqual(['gone: fired shop critical']);
    own.delivery = undefined;
    own.at(1).resolve('shop').round();
    own.channels = ['phone'];
    own.state = adopt(own.state, 'phone', [own.key('shop')], own.nowMs);
    expect(own.round(2)).toEqual(['phone: resolved shop critical']);
  });

  it('knows no less than before of what it was told itself', () => {
    const own = story();
    const before = own.state.channels.get('phone')?.notes;
    own.state = adopt(own.state, 'phone', [own.key('shop')], own.nowMs + 1_000);
    expect(own.state.channels.get('phone')?.notes).toEqual(before);
  });
});
