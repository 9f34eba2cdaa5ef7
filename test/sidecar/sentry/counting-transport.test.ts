import { createEnvelope, type CheckInEnvelope, type Envelope, type EventEnvelope } from '@sentry/core';
import { envelopeUrlOf } from '../../../sidecar/config/sentry-dsn';
import { countingTransport } from '../../../sidecar/sentry/counting-transport';
import { TransportLog } from '../../../sidecar/sentry/transport-log';
import { captureLog } from '../../support/captured-log';
import { EnvelopeServer } from '../../support/envelope-server';
import { ManualClock } from '../../support/manual-clock';

/** As many as the SDK has on their way at once. */
const ON_THEIR_WAY = 64;

const CHECK_IN = createEnvelope<CheckInEnvelope>({ sent_at: new Date(0).toISOString() }, [
  [{ type: 'check_in' }, { check_in_id: 'a'.repeat(32), monitor_slug: 'rounds', status: 'ok' }],
]);

let sentry: EnvelopeServer;
beforeEach(async () => (sentry = await EnvelopeServer.start()));
afterEach(() => sentry.close());

const EVENT = createEnvelope<EventEnvelope>(
  { event_id: 'b'.repeat(32), sent_at: new Date(0).toISOString() },
  [[{ type: 'event' }, { event_id: 'b'.repeat(32), timestamp: 1, platform: 'node' }]],
);

function start(ended: string[], log = captureLog()): (envelope?: Envelope) => Promise<unknown> {
  const clock = new ManualClock();
  const transport = countingTransport({
    envelopeUrl: envelopeUrlOf(sentry.dsn(), '1.0.0'),
    spotlightUrl: undefined,
    redact: (text) => text,
    log: new TransportLog('Sentry', log.logger, clock),
    onEnded: (item, outcome) => ended.push(`${item} ${outcome}`),
  })({ url: '', recordDroppedEvent: () => undefined });
  return async (envelope = CHECK_IN) => {
    clock.pass(1_000);
    return transport.send(envelope);
  };
}

describe('the end of what the sidecar tells Sentry', () => {
  it('is a failure, and no limit of Sentry, where too much is on its way already', async () => {
    sentry.otherwise = 'hang';
    const ended: string[] = [];
    const send = start(ended);
    for (let one = 0; one < ON_THEIR_WAY; one++) send().catch(() => undefined);
    await Promise.all([send(), send()]);
    expect(ended).toEqual(['check_in failed', 'check_in failed']);
  });

  it('is by a limit where Sentry asked for a pause, with the answer and as long as it lasts', async () => {
    sentry.otherwise = { status: 429, headers: { 'x-sentry-rate-limits': '60:monitor:key' } };
    const ended: string[] = [];
    const send = start(ended);
    await send();
    await send();
    expect(ended).toEqual(['check_in rate_limited', 'check_in rate_limited']);
    expect([sentry.received.length, sentry.faults]).toEqual([1, []]);
  });
});

describe('the log of what the sidecar tells Sentry', () => {
  it.each([
    ['a refusal', { status: 400 }, 'answered 400', 'takes it again'],
    ['a pause', { status: 429, headers: { 'retry-after': '0' } }, 'answered 429', 'takes it again'],
    ['a failure of Sentry', { status: 500 }, 'answered 500', 'answers again'],
    ['a Sentry that is away', 'drop', 'no answer (ECONNRESET)', 'answers again'],
  ] as const)(
    'has one line where %s begins, one where it ends, and no key',
    async (_, answer, reason, end) => {
      const log = captureLog();
      const send = start([], log);
      const lines = (): unknown[] => log.lines.map((line) => JSON.parse(line) as unknown);
      await send();
      expect(lines()).toEqual([]);
      sentry.otherwise = answer;
      for (let one = 0; one < 3; one++) await send().catch(() => undefined);
      expect(lines()).toMatchObject([{ level: 40, reason }]);
      sentry.otherwise = { status: 200 };
      await send();
      await send();
      expect(lines()).toMatchObject([
        { level: 40 },
        { level: 30, msg: expect.stringMatching(`${end}$`) as string, afterMs: 3_000 },
      ]);
      expect(log.lines.join('')).not.toMatch(/examplepublickey|127\.0\.0\.1/);
    },
  );

  it('tells of a refusal by kind of item: others that are taken do not end it, and it hides no failure', async () => {
    const log = captureLog();
    const send = start([], log);
    sentry.answer({ status: 400 }, { status: 200 }, { status: 503 });
    await send(EVENT);
    await send(CHECK_IN);
    expect(log.lines).toHaveLength(1);
    await send(CHECK_IN);
    await send(EVENT);
    expect(log.lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { item: 'event', reason: 'answered 400' },
      { reason: 'answered 503' },
      { msg: expect.stringMatching(/answers again$/) as string },
      { item: 'event', msg: expect.stringMatching(/takes it again$/) as string },
    ]);
  });
});
