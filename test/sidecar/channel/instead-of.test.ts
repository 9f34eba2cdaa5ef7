// A channel that is told in the place of another says so, whatever its kind.
import type { ChannelSettings } from '../../../sidecar/config/channel/channel-settings';
import { previewOf } from '../../../sidecar/channel/preview';
import {
  emailSettings,
  pagerDutySettings,
  sentrySettings,
  slackBotSettings,
  slackWebhookSettings,
  webhookSettings,
} from '../../support/channel-settings';
import { ManualClock } from '../../support/manual-clock';
import { SAMPLE_STARTED_MS, sampleNotification } from '../../support/sample-notification';
import { NO_PROJECT } from '../../support/sentry-project';

const URL = 'http://127.0.0.1:1/';

it.each<[string, ChannelSettings]>([
  ['a webhook', webhookSettings(URL)],
  ['Teams', webhookSettings(URL, { content: { kind: 'format', format: 'teams' } })],
  ['Discord', webhookSettings(URL, { content: { kind: 'format', format: 'discord' } })],
  ['Slack', slackWebhookSettings(URL)],
  ["Slack's bot", slackBotSettings(URL)],
  ['PagerDuty', pagerDutySettings(URL)],
  ['Sentry', sentrySettings()],
  ['a mail', emailSettings(25)],
])('%s that stands in for another channel says for which, and why', (_, settings) => {
  const insteadOf = { channel: 'oncall', reason: 'answered 503' };
  const shown = previewOf(settings, sampleNotification({ message: { insteadOf } }), undefined, {
    clock: new ManualClock(SAMPLE_STARTED_MS),
    project: { ...NO_PROJECT, envelopeUrl: URL },
    externalUrl: undefined,
  });
  const text = 'messages' in shown ? shown.messages.flat().join('\n') : shown.problem;
  expect(text).toContain('Channel oncall did not take this: answered 503.');
});
