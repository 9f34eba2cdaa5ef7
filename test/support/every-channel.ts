// A channel of each kind, and what it would send, for what all of them say.
import { previewOf } from '../../sidecar/channel/preview';
import type { ChannelSettings } from '../../sidecar/config/channel/channel-settings';
import type { Notification } from '../../sidecar/notify/notification';
import {
  alertmanagerSettings,
  emailSettings,
  pagerDutySettings,
  sentrySettings,
  slackBotSettings,
  slackWebhookSettings,
  webhookSettings,
} from './channel-settings';
import { ManualClock } from './manual-clock';
import { SAMPLE_STARTED_MS } from './sample-notification';
import { NO_PROJECT } from './sentry-project';

const URL = 'http://127.0.0.1:1/';

export const EVERY_CHANNEL: readonly [string, ChannelSettings][] = [
  ['a webhook', webhookSettings(URL)],
  ['Teams', webhookSettings(URL, { content: { kind: 'format', format: 'teams' } })],
  ['Discord', webhookSettings(URL, { content: { kind: 'format', format: 'discord' } })],
  ['Slack', slackWebhookSettings(URL)],
  ["Slack's bot", slackBotSettings(URL)],
  ['PagerDuty', pagerDutySettings(URL)],
  ['an Alertmanager', alertmanagerSettings([URL])],
  ['Sentry', sentrySettings()],
  ['a mail', emailSettings(25)],
];

/** All that the channel would send, one document after the other, or why it cannot. */
export function sentText(settings: ChannelSettings, notification: Notification): string {
  const shown = previewOf(settings, notification, undefined, {
    clock: new ManualClock(SAMPLE_STARTED_MS),
    project: { ...NO_PROJECT, envelopeUrl: `${URL}envelope` },
    externalUrl: undefined,
  });
  return 'messages' in shown ? shown.messages.flat().join('\n') : shown.problem;
}
