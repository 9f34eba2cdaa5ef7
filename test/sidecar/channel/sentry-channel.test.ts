import { alertId } from '../../../sidecar/alert/alert-key';
import { Secret } from '../../../sidecar/config/secret';
import { envelopeUrlOf } from '../../../sidecar/config/sentry-dsn';
import type { Channel } from '../../../sidecar/channel/channel';
import { sentryChannel } from '../../../sidecar/channel/sentry/sentry-channel';
import type { Clock } from '../../../sidecar/clock';
import { eventIdOf } from '../../../sidecar/channel/sentry/sentry-issue';
import { sentrySettings } from '../../support/channel-settings';
import { EnvelopeServer } from '../../support/envelope-server';
import { findFreePorts } from '../../support/free-ports';
import { ManualClock } from '../../support/manual-clock';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
  SAMPLE_STARTED_MS,
} from '../../support/sample-notification';
import { API_TOKEN, SentryApiServer } from '../../support/sentry-api-server';
import { WebhookReceiver } from '../../support/webhook-receiver';

const RESOLVED_MS = sampleResolvedItem().atMs;

let sentry: EnvelopeServer;
let api: SentryApiServer;
let clock: ManualClock;

beforeEach(async () => {
  sentry = await EnvelopeServer.start();
  api = await SentryApiServer.start();
  clock = new ManualClock(RESOLVED_MS + 1_000);
});
afterEach(() => Promise.all([sentry.close(), api.close()]));

interface ChannelChanges {
  readonly apiUrl?: string;
  readonly token?: string;
  readonly spotlightUrl?: string;
  readonly resolves?: boolean;
  readonly time?: Clock;
}

function channel({
  apiUrl = api.url,
  token = API_TOKEN,
  spotlightUrl = '',
  resolves = true,
  time = clock,
}: ChannelChanges = {}): Channel {
  const settings = sentrySettings({
    resolving: resolves
      ? { authToken: new Secret(token), organization: 'acme', project: 'gateway', apiUrl }
      : undefined,
  });
  const project = {
    envelopeUrl: envelopeUrlOf(sentry.dsn(), '1.2.3'),
    spotlightUrl: spotlightUrl === '' ? undefined : spotlightUrl,
    environment: 'test',
    release: 'gatewatch@1.2.3',
  };
  return sentryChannel(settings, { project, clock: time, externalUrl: undefined });
}

describe('an alert that fires, in Sentry', () => {
  it('is an event whose fingerprint is the alert, with its severity as level and its words as message', async () => {
    const notification = sampleNotification();
    await expect(channel().send(notification)).resolves.toEqual({ result: 'sent' });
    expect(sentry.faults).toEqual([]);
    expect(sentry.payloads('event')).toMatchObject([
      {
        event_id: eventIdOf(sampleItem()),
        level: 'fatal',
        environment: 'test',
        release: 'gatewatch@1.2.3',
        fingerprint: ['gatewatch-alert', sampleItem().alertKey],
        message: {
          formatted: expect.stringMatching(/^CRITICAL: High p95 latency: 812 ms on service slow\n/) as string,
        },
        tags: { alert: alertId(sampleItem().alertKey), service: 'slow', severity: 'critical' },
        contexts: { alert: { value: 812, threshold: 500, requests: 1_204, window_ms: 300_000 } },
      },
    ]);
  });

  it('is the same event in every try, and another event of the same issue when it fires again', async () => {
    const again = sampleNotification({ alert: { sinceMs: SAMPLE_STARTED_MS + 1 } });
    for (const notification of [sampleNotification(), sampleNotification(), again])
      await channel().send(notification);
    const [first, second, third] = sentry.payloads('event');
    expect(second?.['event_id']).toBe(first?.['event_id']);
    expect(third?.['event_id']).not.toBe(first?.['event_id']);
    expect(third?.['fingerprint']).toEqual(first?.['fingerprint']);
  });

  it('is another event of the same issue when it gets worse, or Sentry would not take it', async () => {
    await channel().send(sampleNotification({ alert: { severity: 'warning' } }));
    await channel().send(sampleNotification({ item: { occasion: 'worsened' } }));
    const [mild, bad] = sentry.payloads('event');
    expect(bad?.['event_id']).not.toBe(mild?.['event_id']);
    expect(bad).toMatchObject({ fingerprint: mild?.['fingerprint'], level: 'fatal' });
  });

  it('is shown to Spotlight too, and sent where Spotlight is away', async () => {
    const spotlight = await WebhookReceiver.start();
    await channel({ spotlightUrl: spotlight.url('/stream') }).send(sampleNotification());
    await spotlight.received(1);
    expect(spotlight.requests[0]?.body).toContain('gatewatch-alert');
    await spotlight.close();
    await expect(
      channel({ spotlightUrl: spotlightAway(await findFreePorts(1)) }).send(sampleNotification()),
    ).resolves.toEqual({ result: 'sent' });
    expect(sentry.payloads('event')).toHaveLength(2);
  });
});

function spotlightAway(port: number): string {
  return `http://127.0.0.1:${port}/stream`;
}

describe('a message of several alerts, to Sentry', () => {
  it('tells what fires before it searches for what is over, and has all tried whatever one answers', async () => {
    sentry.answer({ status: 400 });
    const items = [sampleResolvedItem(), sampleItem({ service: 'a' }), sampleItem({ service: 'b' })];
    await expect(channel().send(sampleGroup(items))).resolves.toMatchObject({
      result: 'retry',
      reason: 'Sentry has no unresolved issue of it; answered 400 (1 of 3 parts are done)',
      afterMs: undefined,
    });
    expect(sentry.payloads('event').map(({ event_id: id }) => id)).toContain(
      eventIdOf(sampleItem({ service: 'b' })),
    );
  });

  it('is refused where one is and none may succeed later', async () => {
    sentry.answer({ status: 400 });
    const items = [sampleItem({ service: 'a' }), sampleItem({ service: 'b' })];
    await expect(channel().send(sampleGroup(items))).resolves.toEqual({
      result: 'refused',
      reason: '1 of 2 parts refused: answered 400',
    });
  });

  it('sends what is left, and no event twice, where some could be sent only later', async () => {
    const notification = sampleGroup([sampleItem({ service: 'a' }), sampleItem({ service: 'b' })]);
    sentry.answer({ status: 503 });
    const half = await channel().send(notification);
    expect(half).toMatchObject({ result: 'retry', reason: 'answered 503 (1 of 2 parts are done)' });
    await expect(channel().send(notification, half.thread)).resolves.toEqual({ result: 'sent', thread: {} });
    const services = sentry.payloads('event').map(({ tags }) => (tags as { service: string }).service);
    expect(services).toEqual(['b', 'a']);
  });

  it('leaves a Sentry alone that asks to be', async () => {
    sentry.answer({ status: 429, headers: { 'retry-after': '600' } });
    const items = ['a', 'b', 'c'].map((service) => sampleItem({ service }));
    await expect(channel().send(sampleGroup(items))).resolves.toEqual({
      result: 'retry',
      reason: 'answered 429 (0 of 3 parts are done)',
      afterMs: 600_000,
    });
    expect(sentry.received).toHaveLength(1);
  });

  it('is one try, which ends in its time however many alerts there are', async () => {
    let lookedMs = 0;
    const passing: Clock = {
      nowMs: () => clock.nowMs(),
      // Each look at it finds a second gone.
      monotonicMs: () => (lookedMs += 1_000),
      after: () => () => undefined,
    };
    const items = Array.from({ length: 50 }, (_, index) => sampleItem({ service: `s${index}` }));
    const outcome = await channel({ time: passing }).send(sampleGroup(items));
    expect(outcome).toMatchObject({ result: 'retry', reason: 'no time left (4 of 50 parts are done)' });
    expect(sentry.payloads('event')).toHaveLength(4);
  });

  it('resolves no issue of an alert that it says fires again', async () => {
    api.issueOfEvent.set(eventIdOf(sampleItem()), '77');
    const again = sampleItem({ alert: { sinceMs: RESOLVED_MS + 1 } });
    const digest = sampleGroup([sampleResolvedItem(), again], { message: { kind: 'digest' } });
    await expect(channel().send(digest)).resolves.toEqual({ result: 'sent' });
    expect([sentry.payloads('event').length, api.resolved]).toEqual([1, []]);
  });

  it('resolves the issue of an alert that it says has fired and ended', async () => {
    api.issueOfEvent.set(eventIdOf(sampleItem()), '77');
    const digest = sampleGroup([sampleItem(), sampleResolvedItem()], { message: { kind: 'digest' } });
    await expect(channel().send(digest)).resolves.toEqual({ result: 'sent' });
    expect([sentry.payloads('event').length, api.resolved]).toEqual([1, ['77']]);
  });
});

describe('an alert that ends, in Sentry', () => {
  it('has its issue resolved, found by the event, also by a sidecar that did not send it', async () => {
    api.issueOfEvent.set(eventIdOf(sampleItem()), '77');
    await expect(channel().send(sampleResolved())).resolves.toEqual({ result: 'sent' });
    expect(api.resolved).toEqual(['77']);
    expect(api.faults).toEqual([]);
  });

  it('has it resolved by its tag where Sentry does not know the event', async () => {
    api.issuesOfAlert.set(alertId(sampleItem().alertKey), ['5', '6']);
    await expect(channel().send(sampleResolved())).resolves.toEqual({ result: 'sent' });
    expect(api.resolved).toEqual(['5', '6']);
    expect(api.faults).toEqual([]);
  });

  it('is looked for again while Sentry may still take the event in, and is then given up', async () => {
    const reason = 'Sentry has no unresolved issue of it';
    await expect(channel().send(sampleResolved())).resolves.toEqual({
      result: 'retry',
      reason,
      afterMs: undefined,
    });
    clock.advance(180_000);
    await expect(channel().send(sampleResolved())).resolves.toEqual({ result: 'refused', reason });
  });

  it('is tried again, however late it is, where what Sentry answers breaks off', async () => {
    const breaking = await WebhookReceiver.start();
    breaking.otherwise = { status: 200, body: '{"groupId":"77"}', flow: 'breaks' };
    clock.advance(180_000);
    const outcome = await channel({ apiUrl: breaking.url('') }).send(sampleResolved());
    await breaking.close();
    expect(outcome).toMatchObject({ result: 'retry' });
  });

  it('tells of a token that is not taken, but not the token', async () => {
    const token = 'another-token-than-that';
    const outcome = await channel({ token }).send(sampleResolved());
    expect(outcome).toEqual({ result: 'refused', reason: 'its event: answered 401' });
  });

  it('asks nothing where no token is configured, and nowhere an address made of an answer', async () => {
    await expect(channel({ resolves: false }).send(sampleResolved())).resolves.toEqual({ result: 'sent' });
    api.script.push({ status: 200, document: { groupId: '../../evil' } });
    await expect(channel().send(sampleResolved())).resolves.toMatchObject({ result: 'retry' });
    expect([api.resolved, api.faults]).toEqual([[], []]);
  });
});
