import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  MAX_ALERTS,
  alertmanagerChannel,
} from '../../../../sidecar/channel/alertmanager/alertmanager-channel';
import { clusterOutcome } from '../../../../sidecar/channel/alertmanager/cluster-outcome';
import type { PostableAlert } from '../../../../sidecar/channel/alertmanager/postable-alerts';
import type { Channel, Outcome } from '../../../../sidecar/channel/channel';
import type { AlertmanagerChannelSettings } from '../../../../sidecar/config/channel/alertmanager-settings';
import { channelDocument } from '../../../../sidecar/config/channel/channel-settings';
import { Authority } from '../../../support/certificates';
import { alertmanagerSettings } from '../../../support/channel-settings';
import { findFreePorts } from '../../../support/free-ports';
import { ManualClock } from '../../../support/manual-clock';
import { configOf, faultsOf } from '../../../support/read-config-text';
import { sampleGroup, sampleItem, sampleNotification } from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver, type ReceivedRequest, type Script } from '../../../support/webhook-receiver';

const SECRET = 'T0SECRET-path-key';
const clock = new ManualClock(Date.parse('2026-03-01T10:00:00Z'));

let first: WebhookReceiver;
let second: WebhookReceiver;

beforeEach(async () => {
  [first, second] = await Promise.all([WebhookReceiver.start(), WebhookReceiver.start()]);
});
afterEach(() => Promise.all([first.close(), second.close()]));

function channel(urls: readonly string[], others: Partial<AlertmanagerChannelSettings> = {}): Channel {
  const settings = alertmanagerSettings(urls, { labels: {}, ...others });
  return alertmanagerChannel(settings, { clock, project: NO_PROJECT, externalUrl: undefined });
}

function alertsOf(request: ReceivedRequest | undefined): PostableAlert[] {
  return JSON.parse(request?.body ?? '') as PostableAlert[];
}

describe('the channel of Alertmanager', () => {
  it.each([
    ['', '/api/v2/alerts'],
    ['/', '/api/v2/alerts'],
    ['/alertmanager', '/alertmanager/api/v2/alerts'],
    ['/alertmanager//', '/alertmanager/api/v2/alerts'],
    ['/am?tenant=1', '/am/api/v2/alerts?tenant=1'],
  ])('posts to the API behind the address "%s"', async (prefix, path) => {
    const url = first.url(prefix === '' ? '' : prefix);
    await expect(channel([url]).send(sampleNotification())).resolves.toMatchObject({ result: 'sent' });
    expect(first.requests).toMatchObject([
      { method: 'POST', path, headers: { 'content-type': 'application/json' } },
    ]);
    expect(alertsOf(first.requests[0])).toMatchObject([{ labels: { alertname: 'slow', service: 'slow' } }]);
  });

  it('sends a name and password of the address as basic authentication', async () => {
    await channel([first.url().replace('http://', 'http://gate:p%40ss@')]).send(sampleNotification());
    expect(first.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('gate:p@ss').toString('base64')}`,
    );
  });

  it.each([
    ['four times as long as it takes until the next telling', 1_800_000, 7_200_000],
    ['but four minutes where it is told more often', 5_000, 240_000],
  ])('takes what fires to fire on for %s', async (_, resendIntervalMs, validMs) => {
    await channel([first.url()], { resendIntervalMs }).send(sampleNotification());
    expect(Date.parse(alertsOf(first.requests[0])[0]?.endsAt ?? '') - clock.nowMs()).toBe(validMs);
  });

  it('sends no more alerts at a time than Prometheus, and all of them', async () => {
    const items = Array.from({ length: 2 * MAX_ALERTS + 1 }, (_, index) =>
      sampleItem({ service: `s${index}` }),
    );
    const notification = sampleGroup(items, { message: { kind: 'standing' } });
    await expect(channel([first.url()]).send(notification)).resolves.toMatchObject({ result: 'sent' });
    const parts = first.requests.map(alertsOf);
    expect(parts.map((part) => part.length)).toEqual([256, 256, 1]);
    expect(new Set(parts.flat().map(({ labels }) => labels['service'])).size).toBe(513);
  });

  it('has not told a member that did not take all of it', async () => {
    const items = Array.from({ length: MAX_ALERTS + 1 }, (_, index) => sampleItem({ service: `s${index}` }));
    first.answer({ status: 200 }, { status: 503 });
    await expect(channel([first.url()]).send(sampleGroup(items))).resolves.toMatchObject({
      result: 'retry',
      reason: 'answered 503',
    });
  });

  it('remembers what it told only once it was taken', async () => {
    const rule = latencyRule({
      thresholds: [
        { severity: 'warning', value: 500 },
        { severity: 'critical', value: 800 },
      ],
    });
    const notification = sampleNotification({ rule });
    first.answer({ status: 503 });
    expect(await channel([first.url()]).send(notification, {})).not.toHaveProperty('thread');
    const { thread } = await channel([first.url()]).send(notification, {});
    expect(Object.values(thread ?? {})).toEqual(['critical']);
  });
});

// The exam of every channel.
describe('the channel of Alertmanager, with one member', () => {
  it.each<[string, Script, object]>([
    ['sent on 200', { status: 200 }, { result: 'sent' }],
    ['sent on 200 whose body breaks off', 'break_in_body', { result: 'sent' }],
    ['sent on 200 whose body does not end', 'endless', { result: 'sent' }],
    ['retried on 408', { status: 408 }, { result: 'retry', reason: 'answered 408' }],
    ['retried on 425', { status: 425 }, { result: 'retry', reason: 'answered 425' }],
    [
      'retried on 429, not before it wants',
      { status: 429, headers: { 'retry-after': '9' } },
      { result: 'retry', afterMs: 9_000 },
    ],
    ['retried on 500', { status: 500, body: SECRET }, { result: 'retry', reason: 'answered 500' }],
    ['retried on a huge 503', { status: 503, body: 'x'.repeat(5_000_000) }, { result: 'retry' }],
    ['refused on 301', { status: 301, headers: { location: '/x' } }, { result: 'refused' }],
    ['refused on 400', { status: 400, body: SECRET }, { result: 'refused', reason: 'answered 400' }],
    ['refused on 401', { status: 401 }, { result: 'refused', reason: 'answered 401' }],
    ['refused on 404', { status: 404 }, { result: 'refused', reason: 'answered 404' }],
    ['refused on 413', { status: 413 }, { result: 'refused', reason: 'answered 413' }],
    ['retried after a reset', 'reset', { result: 'retry', reason: 'no answer (ECONNRESET)' }],
    ['retried after garbage', 'garbage', { result: 'retry' }],
  ])('is %s', async (_, script, outcome) => {
    first.answer(script);
    await expect(channel([first.url()]).send(sampleNotification())).resolves.toMatchObject(outcome);
    expect(first.requests).toHaveLength(1);
  });

  it('is given up when its timeout is over', async () => {
    first.answer('hang');
    await expect(channel([first.url()], { timeoutMs: 60 }).send(sampleNotification())).resolves.toEqual({
      result: 'retry',
      reason: 'no answer (timeout)',
      afterMs: undefined,
    });
  });

  it('is refused, not thrown, for what is no address', async () => {
    await expect(channel([SECRET]).send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'the address cannot be used (ERR_INVALID_URL)',
    });
  });

  it('tells nothing of its address and its answers in a reason', async () => {
    const echoes = [400, 401, 404, 429, 500].map((status) => ({
      status,
      headers: { 'retry-after': SECRET, 'x-echo': SECRET },
      body: JSON.stringify(SECRET),
    }));
    const scripts: Script[] = [
      ...echoes,
      'reset',
      'garbage',
      { status: 302, headers: { location: `/${SECRET}` } },
    ];
    first.answer(...scripts);
    const outcomes: Outcome[] = [];
    while (outcomes.length < scripts.length)
      outcomes.push(await channel([first.url(`/${SECRET}`)]).send(sampleNotification()));
    const away = [
      `http://no-such-host-${SECRET}.invalid/`,
      `http://u:${SECRET}@127.0.0.1:${await findFreePorts(1)}`,
    ];
    outcomes.push(await channel(away).send(sampleNotification()));
    expect(outcomes.map(({ result }) => result)).not.toContain('sent');
    expect(JSON.stringify(outcomes)).not.toMatch(new RegExp(`${SECRET}|no-such-host|127\\.0\\.0\\.1`));
  });
});

describe('a cluster of Alertmanagers', () => {
  it('is told through every member, of the same', async () => {
    await channel([first.url(), second.url()]).send(sampleNotification());
    expect([alertsOf(first.requests[0]), alertsOf(second.requests[0])]).toEqual([
      alertsOf(first.requests[0]),
      alertsOf(first.requests[0]),
    ]);
  });

  it('knows it once one member does, with a warning of those that do not', async () => {
    first.answer({ status: 503 });
    await expect(channel([first.url(), second.url()]).send(sampleNotification())).resolves.toEqual({
      result: 'sent',
      warning: 'urls[0]: answered 503',
      thread: {},
    });
  });

  it('is not held up by a member that hangs', async () => {
    first.answer('hang');
    const sending = channel([first.url(), second.url()], { timeoutMs: 500 }).send(sampleNotification());
    await second.received(1);
    await expect(sending).resolves.toMatchObject({ result: 'sent', warning: 'urls[0]: no answer (timeout)' });
  });

  it('is told one member after the other to who listens', async () => {
    const lines: string[] = [];
    const conversation = {
      said: (line: string) => lines.push(`> ${line}`),
      heard: (line: string) => lines.push(`< ${line}`),
    };
    first.answer('reset');
    const settings = alertmanagerSettings([first.url(), second.url()], { labels: {} });
    await alertmanagerChannel(settings, {
      clock,
      project: NO_PROJECT,
      externalUrl: undefined,
      conversation,
    }).send(sampleNotification());
    const steps = lines.filter((line) => /POST|no answer|^< \d/.test(line));
    expect(steps).toEqual([
      `> POST ${first.url('/api/v2/alerts')}`,
      '< (no answer: ECONNRESET)',
      `> POST ${second.url('/api/v2/alerts')}`,
      '< 200',
    ]);
  });

  const retry = (afterMs?: number): Outcome => ({ result: 'retry', reason: 'answered 503', afterMs });
  const refused: Outcome = { result: 'refused', reason: 'answered 400' };

  it.each<[string, readonly Outcome[], object]>([
    [
      'refused where all refuse',
      [refused, refused],
      { result: 'refused', reason: 'urls[0]: answered 400; urls[1]: answered 400' },
    ],
    ['tried again where one may take it', [refused, retry(7)], { result: 'retry', afterMs: 7 }],
    [
      'tried again when the first is willing',
      [retry(9_000), retry(4_000)],
      { result: 'retry', afterMs: 4_000 },
    ],
    [
      'tried again soon where one has no wish',
      [retry(9_000), retry()],
      { result: 'retry', afterMs: undefined },
    ],
    ['sent where all take it', [{ result: 'sent' }, { result: 'sent' }], { result: 'sent' }],
  ])('is %s', (_, outcomes, outcome) => {
    expect(clusterOutcome(outcomes)).toMatchObject(outcome);
  });
});

describe('Alertmanager over TLS', () => {
  const authority = new Authority('Gatewatch test authority');

  it.each([
    ['trusts the authority of ca_file', { file: 'ca.pem', pem: authority.cert }, 'sent'],
    ['trusts no other', { file: 'ca.pem', pem: new Authority('another').cert }, 'retry'],
    ['trusts none that Node.js does not know', undefined, 'retry'],
  ])('%s', async (_, ca, result) => {
    const { cert, key } = authority.issue('localhost');
    let came = 0;
    const server = createServer({ cert, key }, (_request, response) => {
      came += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    await expect(channel([url], { ca }).send(sampleNotification())).resolves.toMatchObject({ result });
    expect(came).toBe(result === 'sent' ? 1 : 0);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('an Alertmanager of the configuration', () => {
  const text = (more: string): string =>
    `channels:\n  - { name: am, type: alertmanager, urls: ['http://u:${SECRET}@am:9093/'], ${more} }\n`;

  it('has labels of its own, which are shown, unlike its addresses', () => {
    const [settings] = configOf(text("labels: { cluster: eu-1, _x9: '7' }")).channels;
    expect(settings).toMatchObject({ labels: { cluster: 'eu-1', _x9: '7' }, resendIntervalMs: 60_000 });
    const shown = settings && channelDocument(settings);
    expect(shown).toMatchObject({ labels: { cluster: 'eu-1', _x9: '7' } });
    expect(JSON.stringify(shown)).not.toContain(SECRET);
  });

  it.each([
    ['an own label of alerts', 'labels: { severity: x }'],
    ['the name of alerts', 'labels: { alertname: x }'],
    ['a name that not every Alertmanager takes', "labels: { 'a-b': x }"],
    ['a name for inside of Prometheus', 'labels: { __x: x }'],
    ['an empty text', "labels: { cluster: '' }"],
    ['a number', 'labels: { cluster: 7 }'],
  ])('has for labels not %s', (_, more) => {
    expect(faultsOf(text(more))).toEqual([
      expect.stringMatching(/labels.*: expected labels such as cluster: eu-1/),
    ]);
  });
});
