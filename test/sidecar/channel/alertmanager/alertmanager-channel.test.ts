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
import { Authority } from '../../../support/certificates';
import { alertmanagerSettings } from '../../../support/channel-settings';
import { findFreePorts } from '../../../support/free-ports';
import { ManualClock } from '../../../support/manual-clock';
import { sampleGroup, sampleItem, sampleNotification } from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver, type ReceivedRequest } from '../../../support/webhook-receiver';

const SECRET = 'T0SECRET-path-key';
const clock = new ManualClock(Date.parse('2026-03-01T10:00:00Z'));

let first: WebhookReceiver;
let second: WebhookReceiver;

beforeEach(async () => {
  [first, second] = await Promise.all([WebhookReceiver.start(), WebhookReceiver.start()]);
});
afterEach(() => Promise.all([first.close(), second.close()]));

function channel(urls: readonly string[], others: Partial<AlertmanagerChannelSettings> = {}): Channel {
  const settings = alertmanagerSettings(urls, others);
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

  it('names those that could not be told by their place, and not by their address', async () => {
    const away = [
      `http://no-such-host-${SECRET}.invalid/`,
      `http://u:${SECRET}@127.0.0.1:${await findFreePorts(1)}`,
    ];
    const outcome = await channel(away).send(sampleNotification());
    expect(outcome).toMatchObject({
      result: 'retry',
      reason: expect.stringMatching(
        /^urls\[0\]: no answer \(\w+\); urls\[1\]: no answer \(ECONNREFUSED\)$/,
      ) as string,
    });
  });

  it('is told one member after the other to who listens', async () => {
    const lines: string[] = [];
    const conversation = {
      said: (line: string) => lines.push(`> ${line}`),
      heard: (line: string) => lines.push(`< ${line}`),
    };
    first.answer('reset');
    const settings = alertmanagerSettings([first.url(), second.url()]);
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
    ['trusts no other', { file: 'ca.pem', pem: new Authority('another').cert }, 'refused'],
    ['trusts none that Node.js does not know', undefined, 'refused'],
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
