import { createEnvelope, type CheckInEnvelope } from '@sentry/core';
import { envelopeUrlOf } from '../../../sidecar/config/sentry-dsn';
import { countingTransport } from '../../../sidecar/sentry/counting-transport';
import { EnvelopeServer } from '../../support/envelope-server';

/** As many as the SDK has on their way at once. */
const ON_THEIR_WAY = 64;

const CHECK_IN = createEnvelope<CheckInEnvelope>({ sent_at: new Date(0).toISOString() }, [
  [{ type: 'check_in' }, { check_in_id: 'a'.repeat(32), monitor_slug: 'rounds', status: 'ok' }],
]);

let sentry: EnvelopeServer;
beforeEach(async () => (sentry = await EnvelopeServer.start()));
afterEach(() => sentry.close());

function start(ended: string[]): () => Promise<unknown> {
  const transport = countingTransport({
    envelopeUrl: envelopeUrlOf(sentry.dsn(), '1.0.0'),
    spotlightUrl: undefined,
    redact: (text) => text,
    onEnded: (item, outcome) => ended.push(`${item} ${outcome}`),
  })({ url: '', recordDroppedEvent: () => undefined });
  return async () => transport.send(CHECK_IN);
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
