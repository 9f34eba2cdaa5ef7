import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serializeEnvelope } from '@sentry/core';
import type { LogLevel } from '../../../../kong-plugin/plugin-log';
import { TRY_TIMEOUT_MS } from '../../../../kong-plugin/sentry/send/post-envelope';
import { MAX_WAITING, SentrySender } from '../../../../kong-plugin/sentry/send/sentry-sender';
import { EnvelopeServer, readEnvelope } from '../../../support/envelope-server';
import {
  checkInEnvelope,
  eventEnvelope,
  idOf,
  reportEnvelope,
  transactionEnvelope,
} from '../../../support/envelopes';
import { eventually } from '../../../support/eventually';

interface Ended {
  readonly category: string;
  readonly outcome: string;
  readonly eventId: string;
}

let sentry: EnvelopeServer;
let sender: SentrySender;
let ended: Ended[];
let dropped: Map<string, number>;
let lines: { level: LogLevel; message: string; fields: Readonly<Record<string, unknown>> }[];

function startSender(dsn = sentry.dsn()): SentrySender {
  const started = new SentrySender({
    dsn,
    log: (level, message, fields = {}) => void lines.push({ level, message, fields }),
    onEnded: (category, outcome, eventId) => void ended.push({ category, outcome, eventId }),
  });
  started.recordDroppedWith((reason, category, count) => {
    const key = `${reason}:${category}`;
    dropped.set(key, (dropped.get(key) ?? 0) + count);
  });
  return started;
}

function outcomes(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { category, outcome } of ended) {
    const key = `${category} ${outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** What the sender makes of an answer it makes a moment after the server gave it. */
async function untilEnded(outcome: string): Promise<void> {
  await eventually(() => {
    expect(outcomes()[outcome]).toBeGreaterThan(0);
    return Promise.resolve();
  });
}

/** Each event has ended once. */
function expectExact(count: number): void {
  expect(ended.length).toBe(count);
  expect(new Set(ended.map(({ eventId }) => eventId)).size).toBe(count);
}

beforeEach(async () => {
  ended = [];
  dropped = new Map();
  lines = [];
  sentry = await EnvelopeServer.start();
  sender = startSender();
});

afterEach(async () => {
  await sender.close(0);
  await sentry.close();
  expect(sentry.faults).toEqual([]);
  expect(JSON.stringify(lines)).not.toContain('examplepublickey');
});

describe('what is sent', () => {
  it('arrives well-formed, each item in an envelope of its own, with the time of the try', async () => {
    const [header, items] = eventEnvelope(1, 'with ünicode and\nnewlines');
    const [, checkIns] = checkInEnvelope(2);
    sender.send([header, [...items, ...checkIns]] as ReturnType<typeof eventEnvelope>);
    sender.send(transactionEnvelope(3));
    await sender.close(60_000);
    expect(sentry.received.map((envelope) => envelope.items.map(({ type }) => type))).toEqual(
      expect.arrayContaining([['event'], ['check_in'], ['transaction']]),
    );
    expect(sentry.payloads('event')[0]?.['message']).toBe('with ünicode and\nnewlines');
    const sentAt = String(sentry.received[0]?.items[0]?.envelopeHeader['sent_at']);
    expect(Math.abs(Date.parse(sentAt) - Date.now())).toBeLessThan(10_000);
    expect(outcomes()).toEqual({ 'error sent': 1, 'transaction sent': 1 });
    expectExact(2);
    expect(lines).toEqual([]);
  });

  it('is compressed where it is large', async () => {
    sender.send(eventEnvelope(1, 'x'.repeat(40_000)));
    sender.send(eventEnvelope(2));
    await sender.close(60_000);
    expect(sentry.received.map(({ isCompressed }) => isCompressed).sort()).toEqual([false, true]);
    expect(outcomes()).toEqual({ 'error sent': 2 });
  });

  it('is two at a time', async () => {
    sentry.otherwise = 'hang';
    for (let number = 0; number < 5; number++) sender.send(eventEnvelope(number));
    await sentry.until(() => sentry.received.length === 2);
    await sender.close(200);
    expect(sentry.received.length).toBe(2);
    expectExact(5);
  });

  it('goes through the proxy of the environment', async () => {
    const asked: string[] = [];
    const proxy: Server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const { pathname, search } = new URL(request.url ?? '');
      const onward = httpRequest(
        {
          port: sentry.port,
          host: '127.0.0.1',
          method: 'POST',
          path: `${pathname}${search}`,
          headers: request.headers,
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    process.env['http_proxy'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const proxied = startSender('http://examplepublickey@sentry.invalid/42');
    delete process.env['http_proxy'];
    proxied.send(eventEnvelope(1));
    await proxied.close(60_000);
    expect(outcomes()).toEqual({ 'error sent': 1 });
    expect(asked).toEqual([expect.stringMatching(/^http:\/\/sentry\.invalid\/api\/42\/envelope\/\?/)]);
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });

  it('does not leave where it is larger than Sentry takes, or no JSON', async () => {
    sender.send(eventEnvelope(1, 'x'.repeat(1024 * 1024)));
    const circular: Record<string, unknown> = { event_id: idOf(2) };
    circular['self'] = circular;
    sender.send([{ event_id: idOf(2) }, [[{ type: 'event' }, circular]]] as unknown as ReturnType<
      typeof eventEnvelope
    >);
    await sender.close(60_000);
    expect(sentry.received).toEqual([]);
    expect(outcomes()).toEqual({ 'error failed': 2 });
    expect([...dropped]).toEqual([['send_error:error', 2]]);
  });
});

describe('while Sentry is away', () => {
  it.each([
    ['the connection breaks off', 'drop' as const],
    ['it answers 503', { status: 503 }],
    ['it answers 408', { status: 408 }],
  ])('events wait, and arrive with the same bytes: %s', async (_, script) => {
    sentry.answer(script, script);
    sender.send(eventEnvelope(1));
    await sentry.until(() => sentry.taken.length === 1);
    await sender.close(60_000);
    const payloads = sentry.received.map(({ text }) => text.slice(text.indexOf('\n')));
    expect(payloads.length).toBe(3);
    expect(new Set(payloads).size).toBe(1);
    expect(outcomes()).toEqual({ 'error sent': 1 });
    expect(lines.map(({ message }) => message)).toEqual([
      'Sentry does not take events; they wait, and are sent again',
      'Sentry answers again',
    ]);
    expect([...dropped]).toEqual([]);
  });

  it('nothing listens, and once something does, what waited arrives', async () => {
    const { port } = sentry;
    await sentry.close();
    for (let number = 0; number < 20; number++) sender.send(eventEnvelope(number));
    sentry = await EnvelopeServer.start({ port });
    await sentry.until(() => sentry.taken.length === 20);
    await sender.close(60_000);
    expect(outcomes()).toEqual({ 'error sent': 20 });
    expectExact(20);
  });

  it('the oldest are held back where it is full, transactions before errors, and each has one outcome', async () => {
    sentry.otherwise = { status: 503 };
    for (let number = 0; number < 100; number++) sender.send(transactionEnvelope(1_000 + number));
    for (let number = 0; number < MAX_WAITING + 50; number++) sender.send(eventEnvelope(number));
    const heldBack = ended.map(({ category, eventId }) => ({ category, eventId }));
    // Two are in flight, so so many fit.
    expect(heldBack.filter(({ category }) => category === 'transaction').length).toBe(98);
    const errors = heldBack.filter(({ category }) => category === 'error').map(({ eventId }) => eventId);
    expect(errors).toEqual(Array.from({ length: 50 }, (_, number) => idOf(number)));
    expect(dropped.get('queue_overflow:error')).toBe(50);
    expect(dropped.get('queue_overflow:transaction')).toBe(98);
    expect(dropped.get('queue_overflow:span')).toBe(196);
    sentry.otherwise = { status: 200 };
    await sentry.until(() => sentry.payloads('event').length === MAX_WAITING);
    await sender.close(60_000);
    expectExact(MAX_WAITING + 150);
  });

  it('the bytes that wait are bounded too', () => {
    sentry.otherwise = 'hang';
    for (let number = 0; number < 20; number++) sender.send(eventEnvelope(number, 'x'.repeat(900_000)));
    // Two are in flight, and nine of 900 KB fit into 8 MiB.
    expect(ended.map(({ eventId }) => eventId)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10].map(idOf));
    expect(outcomes()).toEqual({ 'error held_back': 9 });
  });
});

describe('a pause that Sentry asks for', () => {
  it('ends what falls into it at once, and other categories still go', async () => {
    sentry.answer({ status: 429, headers: { 'x-sentry-rate-limits': '60:error;default:key' } });
    sender.send(eventEnvelope(1));
    await untilEnded('error rate_limited');
    sender.send(checkInEnvelope(8));
    await sentry.until(() => sentry.payloads('check_in').length === 1);
    sender.send(eventEnvelope(2));
    expect(outcomes()).toEqual({ 'error rate_limited': 2 });
    sender.send(transactionEnvelope(3));
    await sender.close(60_000);
    expect(outcomes()).toEqual({ 'error rate_limited': 2, 'transaction sent': 1 });
    // Sentry counts what it answers with 429 itself.
    expect([...dropped]).toEqual([['ratelimit_backoff:error', 1]]);
    expect(lines.map(({ message }) => message)).toEqual([
      'Sentry asks for a pause; what falls into it is not sent',
    ]);
  });

  it('in the answer to what it takes is obeyed, and ends what waits', async () => {
    sentry.answer({ status: 200, headers: { 'x-sentry-rate-limits': '60:transaction:key' } });
    sender.send(eventEnvelope(1));
    sender.send(eventEnvelope(2));
    sender.send(transactionEnvelope(3));
    await sender.close(60_000);
    expect(outcomes()).toEqual({ 'error sent': 2, 'transaction rate_limited': 1 });
    expect(dropped.get('ratelimit_backoff:span')).toBe(2);
  });

  it('is over when it is over', async () => {
    sentry.answer({ status: 429, headers: { 'retry-after': '1' } });
    sender.send(eventEnvelope(1));
    await untilEnded('error rate_limited');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    sender.send(eventEnvelope(2));
    await sender.close(60_000);
    expect(outcomes()).toEqual({ 'error rate_limited': 1, 'error sent': 1 });
  });

  it('does not lose what a client report told: the next one tells it', async () => {
    sentry.answer({ status: 429, headers: { 'x-sentry-rate-limits': '60::key' } });
    sender.send(eventEnvelope(1));
    await sentry.until(() => sentry.received.length === 1);
    await sender.close(60_000);
    const paused = { reason: 'before_send', category: 'error', quantity: 7 } as const;
    const second = startSender();
    sentry.answer({ status: 429, headers: { 'x-sentry-rate-limits': '60::key' } });
    second.send(reportEnvelope(paused));
    await second.close(60_000);
    expect(dropped.get('before_send:error')).toBe(7);
    expectExact(1);
  });
});

describe('what Sentry refuses', () => {
  it.each([400, 401, 403, 404, 413, 301])('with %d is not sent again, and said once', async (status) => {
    const headers: Record<string, string> = status === 301 ? { location: sentry.dsn() } : {};
    sentry.otherwise = { status, headers, body: '{"detail":"no project for examplepublickey"}' };
    sender.send(eventEnvelope(1));
    sender.send(eventEnvelope(2));
    await sender.close(60_000);
    expect(sentry.received.length).toBe(2);
    expect(outcomes()).toEqual({ 'error failed': 2 });
    expect([...dropped]).toEqual([['send_error:error', 2]]);
    expect(lines).toMatchObject([{ level: 'error', fields: { status, detail: 'no project for …' } }]);
  });

  it('is one of many: the next one goes', async () => {
    sentry.answer({ status: 400 });
    sender.send(eventEnvelope(1));
    sender.send(eventEnvelope(2));
    await sender.close(60_000);
    expect(outcomes()).toEqual({ 'error failed': 1, 'error sent': 1 });
  });
});

describe('the end', () => {
  it('comes in time where Sentry hangs, and every event has failed', async () => {
    sentry.otherwise = 'hang';
    for (let number = 0; number < 10; number++) sender.send(eventEnvelope(number));
    const beganMs = performance.now();
    await sender.close(300);
    // A try alone would take so long.
    expect(performance.now() - beganMs).toBeLessThan(TRY_TIMEOUT_MS);
    expect(outcomes()).toEqual({ 'error failed': 10 });
    expectExact(10);
    expect(dropped.get('network_error:error')).toBe(10);
  });

  it('tries again at once where Sentry was away', async () => {
    sentry.answer('drop', 'drop', 'drop', 'drop');
    sender.send(eventEnvelope(1));
    await sentry.until(() => sentry.received.length === 3);
    await sender.close(60_000);
    expect(outcomes()).toEqual({ 'error sent': 1 });
  });

  it('is the same one where it is asked for twice, and what comes later has failed', async () => {
    const first = sender.close(1_000);
    expect(sender.close(1_000)).toBe(first);
    await first;
    sender.send(eventEnvelope(1));
    expect(outcomes()).toEqual({ 'error failed': 1 });
  });
});

describe('the server that stands in for Sentry', () => {
  const framed = (text: string): (() => unknown) => {
    return () => readEnvelope(Buffer.from(text));
  };
  const header = '{"sent_at":"2026-03-01T10:00:00Z"}';

  it.each([
    ['{}\n{"type":"check_in"}\n{}', 'sent_at undefined'],
    [`${header}\n`, 'no item'],
    [`${header}\n{"type":"statsd"}\n{}`, 'item type statsd'],
    [`${header}\n{"type":"check_in","length":9}\n{}\n`, 'item longer than the envelope'],
    [`${header}\n{"type":"check_in","length":1}\n{}\n`, 'item not followed by a newline'],
    [`${header}\n{"type":"event"}\n{}`, 'event_id of the envelope'],
    [`${header}\n{"type":"client_report"}\n{"discarded_events":[]}`, 'discarded_events'],
    [`${header}\n{"type":"profile_chunk"}\n{}`, 'platform of a profile chunk'],
    [`${header} \n{"type":"check_in"}\n{}`, 'envelope header: white space around it'],
  ])('refuses what is malformed: %j', (text, fault) => {
    expect(framed(text)).toThrow(fault);
  });

  it('reads what the SDK itself writes', () => {
    const text = String(serializeEnvelope(transactionEnvelope(1)));
    expect(readEnvelope(Buffer.from(text)).map(({ type }) => type)).toEqual(['transaction']);
  });
});
