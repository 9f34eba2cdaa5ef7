// A channel that is told in the place of another says so, whatever its kind.
import { EVERY_CHANNEL, sentText } from '../../support/every-channel';
import { sampleNotification } from '../../support/sample-notification';

// An Alertmanager is told what stands, again and again, and a message's notes are none of it.
const WITH_NOTES = EVERY_CHANNEL.filter(([, { type }]) => type !== 'alertmanager');

it.each(WITH_NOTES)('%s that stands in for another channel says for which, and why', (_, settings) => {
  const insteadOf = { channel: 'oncall', reason: 'answered 503' };
  expect(sentText(settings, sampleNotification({ message: { insteadOf } }))).toContain(
    'Channel oncall did not take this: answered 503.',
  );
});
