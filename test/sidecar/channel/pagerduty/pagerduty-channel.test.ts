import { alertId } from '../../../../sidecar/alert/alert-key';
import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { Channel, Thread } from '../../../../sidecar/channel/channel';
import type { ChannelParts } from '../../../../sidecar/channel/channel-parts';
import type { Clock } from '../../../../sidecar/clock';
import { Secret } from '../../../../sidecar/config/secret';
import type { ChangeNotice } from '../../../../sidecar/notify/letter';
import type { Notification, NotificationItem } from '../../../../sidecar/notify/notification';
import { pagerDutySettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import { PagerDutyServer } from '../../../support/pagerduty-server';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
  SAMPLE_STARTED_MS,
  type SampleChanges,
} from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';

const ID = alertId(sampleItem().alertKey);

const ACKNOWLEDGED: SampleChanges = {
  alert: {
    state: 'acknowledged',
    acknowledgement: { by: 'ann', comment: 'on it', atMs: SAMPLE_STARTED_MS + 60_000 },
  },
  item: { occasion: 'acknowledged', atMs: SAMPLE_STARTED_MS + 60_000 },
};

const CHANGE: ChangeNotice = {
  id: 'change-1',
  channel: 'pager',
  kind: 'change',
  instance: '10.0.0.1:8100',
  before: 'aaaa1111',
  after: 'bbbb2222',
  externalLabels: {},
  atMs: SAMPLE_STARTED_MS,
  createdMs: SAMPLE_STARTED_MS,
};

let pager: PagerDutyServer;
let clock: ManualClock;

beforeEach(async () => {
  pager = await PagerDutyServer.start();
  clock = new ManualClock(SAMPLE_STARTED_MS);
});
afterEach(async () => {
  await pager.close();
  expect(pager.faults).toEqual([]);
});

function channel(
  others: Parameters<typeof pagerDutySettings>[1] = {},
  parts: Partial<ChannelParts> = {},
): Channel {
  return createChannel(pagerDutySettings(pager.url, others), {
    clock,
    project: NO_PROJECT,
    externalUrl: 'https://gatewatch.example',
    ...parts,
  });
}

function actions(): unknown[] {
  return pager.events.map(({ event_action: action }) => action);
}

/** Services of the events, by which a test tells alerts apart. */
function sources(): unknown[] {
  return pager.events.map(({ payload }) => (payload as { source: string }).source);
}

function group(items: readonly NotificationItem[], message: Partial<Notification> = {}): Notification {
  return sampleGroup(items, { message });
}

const many = (count: number): NotificationItem[] =>
  Array.from({ length: count }, (_, index) => sampleItem({ service: `s${index}` }));

describe('an alert in PagerDuty', () => {
  it.each(['fired', 'worsened', 'escalated', 'repeated'] as const)(
    'is triggered when it has %s',
    async (occasion) => {
      await expect(channel().send(sampleNotification({ item: { occasion } }))).resolves.toEqual({
        result: 'sent',
      });
      expect(pager.incidents).toMatchObject([{ dedupKey: ID, status: 'triggered' }]);
    },
  );

  it('is one incident from its first word to its last', async () => {
    const story = [
      sampleNotification({ alert: { severity: 'warning' } }),
      sampleNotification({ item: { occasion: 'worsened' } }),
      sampleNotification(ACKNOWLEDGED),
      sampleResolved(),
    ];
    for (const notification of story)
      await expect(channel().send(notification)).resolves.toEqual({ result: 'sent' });
    expect(pager.incidents).toMatchObject([{ dedupKey: ID, status: 'resolved' }]);
    expect(pager.incidents[0]?.log.map(({ action }) => action)).toEqual([
      'trigger',
      'trigger',
      'acknowledge',
      'resolve',
    ]);
    expect(pager.dropped).toEqual([]);
  });

  it('is another incident when it fires again', async () => {
    for (const notification of [sampleNotification(), sampleResolved(), sampleNotification()])
      await channel().send(notification);
    expect(pager.incidentsOf(ID).map(({ status }) => status)).toEqual(['resolved', 'triggered']);
  });

  it('is acknowledged at once where somebody did so before the channel was told', async () => {
    await channel().send(sampleNotification({ ...ACKNOWLEDGED, item: { occasion: 'fired' } }));
    expect(pager.incidents).toMatchObject([{ status: 'acknowledged' }]);
  });

  it('keeps its incident while it gets worse', async () => {
    await channel().send(sampleNotification({ alert: { severity: 'info' } }));
    await channel().send(sampleNotification({ item: { occasion: 'worsened' } }));
    expect(pager.incidents).toHaveLength(1);
    expect(
      pager.incidents[0]?.log.map(({ event }) => (event['payload'] as { severity: string }).severity),
    ).toEqual(['info', 'critical']);
  });
});

describe('several alerts in one message to PagerDuty', () => {
  it('are an event each, in their order', async () => {
    const items = [
      sampleItem({ service: 'a' }),
      sampleResolvedItem({ service: 'b' }),
      sampleItem({ service: 'c', ...ACKNOWLEDGED }),
    ];
    await channel().send(group(items));
    expect(actions()).toEqual(['trigger', 'resolve', 'acknowledge']);
    expect(sources()).toEqual(['a', 'b', 'c']);
  });

  it('of a digest are told as they stand at its end: nobody is paged for what is over', async () => {
    const items = [
      sampleItem({ service: 'over' }),
      sampleResolvedItem({ service: 'over' }),
      sampleItem({ service: 'again' }),
      sampleResolvedItem({ service: 'again' }),
      sampleItem({ service: 'again' }),
    ];
    await expect(channel().send(group(items, { kind: 'digest' }))).resolves.toEqual({ result: 'sent' });
    expect(pager.incidents).toMatchObject([{ status: 'triggered' }]);
    expect(sources()).toEqual(['over', 'again']);
    expect(actions()).toEqual(['resolve', 'trigger']);
  });

  it('of a digest are triggered before they are acknowledged, or PagerDuty would drop that', async () => {
    const items = [sampleItem(), sampleItem(ACKNOWLEDGED)];
    await expect(channel().send(group(items, { kind: 'digest' }))).resolves.toEqual({ result: 'sent' });
    expect(pager.incidents).toMatchObject([{ status: 'acknowledged' }]);
    expect(pager.dropped).toEqual([]);
  });

  it('go on where they stopped when the rest could be sent only later', async () => {
    const notification = group(many(5));
    pager.script.push('right', 'right', { status: 503 });
    const half = await channel().send(notification);
    expect(half).toMatchObject({
      result: 'retry',
      reason: 'answered 503 (2 of 5 parts are done)',
      afterMs: undefined,
    });
    // Somebody resolves the first meanwhile: it must not be opened again.
    const [first] = pager.incidents;
    if (first) pager.resolveByHand(first);
    await expect(channel().send(notification, half.thread)).resolves.toEqual({ result: 'sent', thread: {} });
    expect(sources()).toEqual(['s0', 's1', 's2', 's3', 's4']);
    expect(pager.incidents.map(({ status }) => status)).toEqual([
      'resolved',
      'triggered',
      'triggered',
      'triggered',
      'triggered',
    ]);
  });

  async function halfDone(notification: Notification): Promise<Thread> {
    pager.script.push('right', { status: 503 });
    const { thread = {} } = await channel().send(notification);
    return thread;
  }

  it('are all sent that are left of a letter which tells of fewer than before', async () => {
    const items = many(3);
    const thread = await halfDone(group(items, { id: 'this' }));
    await channel().send(group(items.slice(1), { id: 'this' }), thread);
    expect(pager.incidents.map(({ status }) => status)).toEqual(['triggered', 'triggered', 'triggered']);
  });

  it('begin at the first where what was remembered is of another notification', async () => {
    const thread = await halfDone(group(many(3), { id: 'this' }));
    await channel().send(group(many(3), { id: 'another' }), thread);
    expect(sources()).toEqual(['s0', 's0', 's1', 's2']);
  });

  it('begin at the first where what was remembered is of another PagerDuty', async () => {
    const thread = await halfDone(group(many(3), { id: 'this' }));
    // Another address, of the same server.
    await channel({ apiUrl: `${pager.url}/.` }).send(group(many(3), { id: 'this' }), thread);
    expect(sources()).toEqual(['s0', 's0', 's1', 's2']);
  });

  it('begin at the first where nothing that can be read was remembered', async () => {
    await channel().send(group(many(3), { id: 'this' }), { notification: 'this', done: '2' });
    expect(sources()).toEqual(['s0', 's1', 's2']);
  });

  it('are sent but for the one that is refused', async () => {
    pager.script.push('right', { status: 400, document: { status: 'invalid event', errors: ['x'] } });
    await expect(channel().send(group(many(4)))).resolves.toEqual({
      result: 'refused',
      reason: '1 of 4 parts refused: answered 400: invalid event',
    });
    expect(sources()).toEqual(['s0', 's2', 's3']);
  });

  it('are tried again where they were refused, with those that were to come later', async () => {
    pager.script.push({ status: 400 }, 'right', { status: 500 });
    const notification = group(many(4));
    const half = await channel().send(notification);
    expect(half).toMatchObject({
      result: 'retry',
      reason: 'answered 500; answered 400 (1 of 4 parts are done)',
    });
    pager.script.push({ status: 400 });
    await expect(channel().send(notification, half.thread)).resolves.toEqual({
      result: 'refused',
      reason: '1 of 4 parts refused: answered 400',
      thread: {},
    });
    await expect(channel().send(notification, half.thread)).resolves.toEqual({ result: 'sent', thread: {} });
    expect(sources()[0]).toBe('s1');
    expect(new Set(sources())).toEqual(new Set(['s0', 's1', 's2', 's3']));
  });

  it('are not sent one by one to a PagerDuty that takes none of them', async () => {
    await expect(channel({ routingKey: new Secret('x'.repeat(32)) }).send(group(many(50)))).resolves.toEqual({
      result: 'refused',
      reason: 'answered 400: invalid event: check routing_key',
    });
    expect(pager.events).toHaveLength(1);
  });

  it('end within the time of one try, and tell how far they came', async () => {
    let lookedMs = 0;
    const slow: Clock = {
      nowMs: () => clock.nowMs(),
      // Each look at it finds a second gone.
      monotonicMs: () => (lookedMs += 1_000),
      after: () => () => undefined,
    };
    const outcome = await channel({ timeoutMs: 10_000 }, { clock: slow }).send(group(many(50)));
    expect(outcome).toMatchObject({
      result: 'retry',
      reason: 'no time left (9 of 50 parts are done)',
    });
    expect(pager.events).toHaveLength(9);
  });
});

describe('what PagerDuty says against an event', () => {
  const KEY = '0123456789abcdef0123456789abcdef';
  const INVALID = { status: 'invalid event' };
  const CHECK_KEY = 'answered 400: invalid event: check routing_key';
  const TOO_SHORT = "Length of 'routing_key' is incorrect (should be 32 characters)";
  const ONE = 'answered 400';

  it.each<[string, unknown, string]>([
    ['the word of it', { ...INVALID, errors: ["'payload.summary' is missing"] }, `${ONE}: invalid event`],
    ['what to do about the key', { ...INVALID, errors: ['Invalid routing key'] }, CHECK_KEY],
    ['what to do about a key that is too short', { ...INVALID, errors: [TOO_SHORT] }, CHECK_KEY],
    ['none of its errors', { ...INVALID, errors: [KEY, { x: KEY }, null] }, `${ONE}: invalid event`],
    ['nothing that it does not know', { status: KEY }, ONE],
    ['nothing of the name of an object', { status: 'constructor' }, ONE],
    ['nothing of errors that are no list', { status: ['x'], errors: KEY }, ONE],
    ['nothing of null', null, ONE],
  ])('is told by %s', async (_, document, reason) => {
    pager.script.push({ status: 400, document });
    await expect(channel().send(sampleNotification())).resolves.toEqual({ result: 'refused', reason });
  });

  it('is heard, with the event, by whoever listens', async () => {
    const lines: string[] = [];
    const conversation = {
      said: (line: string) => lines.push(`> ${line}`),
      heard: (line: string) => lines.push(`< ${line}`),
    };
    await channel({}, { conversation }).send(sampleNotification());
    expect(lines[0]).toBe(`> POST ${pager.url}/v2/enqueue`);
    expect(lines.at(-1)).toMatch(/^< \{"status":"success","message":"Event processed"/);
  });
});

describe("a change of Kong's configuration", () => {
  it('is a change event', async () => {
    await expect(channel().sendChange?.(CHANGE)).resolves.toEqual({ result: 'sent' });
    expect(pager.changes).toEqual([
      {
        routing_key: '0123456789abcdef0123456789abcdef',
        payload: {
          summary: 'The configuration of Kong has changed from aaaa1111 to bbbb2222',
          source: '10.0.0.1:8100',
          timestamp: '2026-03-01T10:00:00.000Z',
          custom_details: { instance: '10.0.0.1:8100', hash_before: 'aaaa1111', hash_after: 'bbbb2222' },
        },
        links: [{ href: 'https://gatewatch.example', text: 'gatewatch' }],
      },
    ]);
    expect(pager.incidents).toEqual([]);
  });

  it('is told without what was before, and without a link, where they are not known', async () => {
    await channel({}, { externalUrl: undefined }).sendChange?.({ ...CHANGE, before: undefined });
    expect(pager.changes).toMatchObject([{ payload: { summary: 'The configuration of Kong is bbbb2222' } }]);
    expect(pager.changes[0]).not.toHaveProperty('links');
  });

  it.each<[string, Parameters<typeof pagerDutySettings>[1]]>([
    ['it is switched off', { sendsChanges: false }],
    ['the key is of a ruleset, which takes none', { routingKey: new Secret(`R${'x'.repeat(31)}`) }],
  ])('is not told where %s', (_, others) => {
    expect('sendChange' in channel(others)).toBe(false);
  });

  it('has a summary of no more than 1,024 characters, whatever its names are', async () => {
    const hostile = {
      ...CHANGE,
      instance: '',
      before: '😀'.repeat(2_000),
      after: '\ud83d\u0000'.repeat(400_000),
    };
    await expect(channel().sendChange?.(hostile)).resolves.toEqual({ result: 'sent' });
    expect(pager.changes).toMatchObject([{ payload: { source: 'Kong' } }]);
  });
});
