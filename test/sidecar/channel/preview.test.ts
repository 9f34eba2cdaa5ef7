// A preview is held against what the channel really says: the same samples to receivers that take everything.
import { createChannel } from '../../../sidecar/channel/create-channels';
import type { ChannelParts } from '../../../sidecar/channel/channel-parts';
import { previewOf, type Preview } from '../../../sidecar/channel/preview';
import type { ChannelSettings } from '../../../sidecar/config/channel/channel-settings';
import { DEFAULT_LINKS } from '../../../sidecar/config/default-config';
import { Secret } from '../../../sidecar/config/secret';
import {
  SAMPLE_KINDS,
  SAMPLE_LASTED_MS,
  sampleNotification,
  type SampleKind,
} from '../../../sidecar/notify/sample-notification';
import {
  alertmanagerSettings,
  emailSettings,
  pagerDutySettings,
  sentrySettings,
  slackBotSettings,
  slackWebhookSettings,
  webhookSettings,
} from '../../support/channel-settings';
import { ManualClock } from '../../support/manual-clock';
import { parseMail } from '../../support/smtp-mail';
import { SmtpReceiver } from '../../support/smtp-receiver';
import { WebhookReceiver, type ReceivedRequest } from '../../support/webhook-receiver';

const NOW_MS = Date.parse('2026-03-01T10:00:00Z');
const LINKS = { ...DEFAULT_LINKS, runbookUrl: 'https://runbooks.example/{rule}' };

let receiver: WebhookReceiver;
let mailServer: SmtpReceiver;
let parts: ChannelParts;

beforeAll(async () => {
  receiver = await WebhookReceiver.start();
  mailServer = await SmtpReceiver.start();
  parts = {
    clock: new ManualClock(NOW_MS),
    project: {
      envelopeUrl: receiver.url('/api/7/envelope/?sentry_key=k'),
      spotlightUrl: undefined,
      environment: 'test',
      release: 'gatewatch@test',
    },
    externalUrl: 'https://gatewatch.example',
  };
});

afterAll(async () => {
  await receiver.close();
  await mailServer.close();
});

const sampleOf = (kind: SampleKind, nowMs: number) =>
  sampleNotification(kind, { channel: 'sample', links: LINKS, externalLabels: {}, nowMs });

/** What is shown of a sample, and what is sent of it to a channel that was told of what came before. */
async function both(
  settings: ChannelSettings,
  kind: SampleKind,
): Promise<{ shown: Preview; sent: ReceivedRequest[] }> {
  const sample = sampleOf(kind, NOW_MS);
  const before = kind === 'resolved' ? sampleOf('fired', NOW_MS - SAMPLE_LASTED_MS) : undefined;
  const shown = previewOf(settings, sample, before, parts);
  if ('problem' in shown) throw new Error(shown.problem);
  const channel = createChannel(settings, parts);
  const first = before && (await channel.send(before));
  const sentBefore = receiver.requests.length;
  const outcome = await channel.send(sample, first?.thread);
  expect(outcome).toMatchObject({ result: 'sent' });
  return { shown, sent: receiver.requests.slice(sentBefore) };
}

/** A message of a preview as a receiver would have it. */
function requestOf(lines: readonly string[]): {
  start: string;
  headers: Record<string, string>;
  body: string;
} {
  const [first = '', ...rest] = lines;
  const end = rest.indexOf('');
  const headers = rest.slice(0, end).map((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  const [method = '', url = ''] = first.split(' ');
  const { pathname, search } = new URL(url);
  return {
    start: `${method} ${pathname}${search}`,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: rest.slice(end + 1).join('\n'),
  };
}

describe.each(SAMPLE_KINDS)('a preview of the sample %s', (kind) => {
  it.each<[name: string, settings: () => ChannelSettings, answer: string]>([
    ['a webhook of Slack', () => slackWebhookSettings(receiver.url('/services/T/B/x')), 'ok'],
    [
      'a bot of Slack',
      () => slackBotSettings(receiver.url('/api')),
      '{"ok":true,"channel":"C0123456789","ts":"1700000000.000100"}',
    ],
    ['PagerDuty', () => pagerDutySettings(receiver.url('').replace(/\/$/, '')), '{"status":"success"}'],
    [
      'a webhook',
      () =>
        webhookSettings(receiver.url('/hook?key=k'), {
          method: 'PUT',
          headers: { 'x-api-key': new Secret('a-secret-key') },
          signingSecrets: [new Secret(`whsec_${Buffer.alloc(24, 7).toString('base64')}`)],
        }),
      '',
    ],
    [
      'a webhook with a template',
      () =>
        webhookSettings(receiver.url('/hook'), {
          content: {
            kind: 'template',
            file: 'words.liquid',
            text: '{{ title }}\n{% for alert in alerts %}- {{ alert.title }}\n{% endfor %}',
            contentType: 'text/plain',
          },
        }),
      '',
    ],
    [
      'Teams',
      () => webhookSettings(receiver.url('/hook'), { content: { kind: 'format', format: 'teams' } }),
      '',
    ],
    ['an Alertmanager', () => alertmanagerSettings([receiver.url('/am')], { resendIntervalMs: 90_000 }), ''],
    ['Sentry', () => sentrySettings(), ''],
  ])('is what %s is sent', async (_name, settingsOf, answer) => {
    const settings = settingsOf();
    receiver.otherwise = { status: settings.type === 'pagerduty' ? 202 : 200, body: answer };
    const { shown, sent } = await both(settings, kind);
    expect(sent).toHaveLength(shown.messages.length);
    for (const [index, lines] of shown.messages.entries()) {
      const { start, headers, body } = requestOf(lines);
      const received = sent[index];
      expect(`${received?.method ?? ''} ${received?.path ?? ''}`).toBe(start);
      expect(received?.headers).toMatchObject(headers);
      if (settings.type === 'slack')
        expect(JSON.parse(received?.body ?? '')).toMatchObject(JSON.parse(body) as object);
      else expect(received?.body).toBe(body);
    }
  });

  it('is what a mail server is sent', async () => {
    const settings = emailSettings(mailServer.port, { to: ['oncall@example.com', 'Ops <ops@example.com>'] });
    const { shown } = await both(settings, kind);
    const mail = parseMail(mailServer.mails.at(-1)?.data ?? '');
    const [lines = []] = shown.messages;
    const end = lines.indexOf('');
    for (const header of lines.slice(0, end)) {
      const colon = header.indexOf(': ');
      const name = header.slice(0, colon).toLowerCase();
      const value = mail.headers[name];
      const told = header.slice(colon + 2);
      if (name === 'date') expect(Date.parse(value ?? '')).toBe(Date.parse(told));
      else expect([name, value?.replaceAll('"', '')]).toEqual([name, told]);
    }
    expect(mail.text.replaceAll('\r\n', '\n').trimEnd()).toBe(lines.slice(end + 1).join('\n'));
    expect(mail.html.replaceAll('\r\n', '\n').trimEnd()).toBe(shown.html?.trimEnd());
    expect(Object.keys(mail.headers)).toEqual(
      expect.arrayContaining(kind === 'resolved' ? ['references', 'in-reply-to'] : ['subject']),
    );
  });
});

describe('a preview', () => {
  it('tells what is wrong with a template, and where', () => {
    const content = {
      kind: 'template',
      file: 'words.liquid',
      text: '{{ title | json }}\n{{ alerts.first.titel | json }}',
      contentType: 'application/json',
    } as const;
    const settings = webhookSettings(receiver.url('/hook'), { content });
    expect(previewOf(settings, sampleOf('fired', NOW_MS), undefined, parts)).toEqual({
      problem: expect.stringMatching(
        /^the template words\.liquid: line 2, column \d+: there is no /,
      ) as string,
    });
  });

  it('says what becomes of what no message shows', () => {
    const notes = (settings: ChannelSettings, kind: SampleKind, others: Partial<ChannelParts> = {}) => {
      const shown = previewOf(settings, sampleOf(kind, NOW_MS), undefined, { ...parts, ...others });
      if ('problem' in shown) throw new Error(shown.problem);
      return [shown.messages.length, shown.notes.join(' ')];
    };
    const resolving = {
      authToken: new Secret('a-token'),
      organization: 'shop',
      project: 'gateway',
      apiUrl: 'https://sentry.example',
    };
    expect(notes(sentrySettings(), 'resolved')).toEqual([0, expect.stringContaining('stays open')]);
    expect(notes(sentrySettings({ resolving }), 'resolved')).toEqual([
      0,
      expect.stringContaining('resolved, at https://sentry.example/api/0.'),
    ]);
    const project = { ...parts.project, envelopeUrl: undefined };
    expect(notes(sentrySettings(), 'fired', { project })).toEqual([
      0,
      expect.stringContaining('nothing would be sent'),
    ]);
    expect(notes(alertmanagerSettings(['http://a.example', 'http://b.example']), 'fired')).toEqual([
      1,
      expect.stringContaining('to 1 more of urls'),
    ]);
  });
});
