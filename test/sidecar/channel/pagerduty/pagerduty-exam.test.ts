// What every channel has to stand, for PagerDuty, whatever answers in its place.
import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { Outcome } from '../../../../sidecar/channel/channel';
import { pagerDutySettings } from '../../../support/channel-settings';
import { findFreePorts } from '../../../support/free-ports';
import { ManualClock } from '../../../support/manual-clock';
import { sampleNotification } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver, type Script } from '../../../support/webhook-receiver';

const SECRET = '0123456789abcdef0123456789abcdef';
const clock = new ManualClock(Date.parse('2026-03-01T10:00:00Z'));
const ACCEPTED: Script = { status: 202, body: '{"status":"success","message":"Event processed"}' };

let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});
afterEach(() => receiver.close());

function send(timeoutMs = 5_000, apiUrl = receiver.url('')): Promise<Outcome> {
  const parts = { clock, project: NO_PROJECT, externalUrl: undefined };
  return createChannel(pagerDutySettings(apiUrl, { timeoutMs }), parts).send(sampleNotification());
}

function refusal(status: string, ...errors: unknown[]): Script {
  return { status: 400, body: JSON.stringify({ status, message: SECRET, errors }) };
}

describe('an event to PagerDuty', () => {
  it('is posted as JSON, with the key in its body', async () => {
    receiver.answer(ACCEPTED);
    await expect(send()).resolves.toEqual({ result: 'sent' });
    expect(receiver.requests).toMatchObject([
      { method: 'POST', path: '/v2/enqueue', headers: { 'content-type': 'application/json' } },
    ]);
    expect(JSON.parse(receiver.requests[0]?.body ?? '')).toMatchObject({ routing_key: SECRET });
  });

  it.each<[string, Script, object]>([
    ['sent on 202', ACCEPTED, { result: 'sent' }],
    ['sent on 202 whatever follows', { status: 202, body: '<html>' }, { result: 'sent' }],
    ['sent on 202 with a huge answer', { status: 202, body: 'x'.repeat(5_000_000) }, { result: 'sent' }],
    [
      'refused by a page that answers 200',
      { status: 200, body: '<html>Please log in</html>' },
      { result: 'refused', reason: 'answered 200, and PagerDuty accepts with 202' },
    ],
    ['refused on 204', { status: 204 }, { result: 'refused' }],
    ['refused when the page breaks off', 'break_in_body', { result: 'refused' }],
    ['refused on a page that does not end', 'endless', { result: 'refused' }],
    [
      'refused on 400, with the word of it',
      refusal('invalid event', "'payload.summary' is missing"),
      { result: 'refused', reason: '1 of 1 events refused: answered 400: invalid event' },
    ],
    [
      'refused on 400, with what to do about the key',
      refusal('invalid event', 'Invalid routing key'),
      { result: 'refused', reason: 'answered 400: invalid event: check routing_key' },
    ],
    [
      'refused on 400 for a key that is too short',
      refusal('invalid event', "Length of 'routing_key' is incorrect (should be 32 characters)"),
      { result: 'refused', reason: 'answered 400: invalid event: check routing_key' },
    ],
    [
      'refused on 400 that is not of PagerDuty',
      { status: 400, body: 'x'.repeat(1_000_000) },
      { result: 'refused', reason: '1 of 1 events refused: answered 400' },
    ],
    ['refused on 401', { status: 401 }, { result: 'refused', reason: 'answered 401' }],
    ['refused on 403', { status: 403 }, { result: 'refused', reason: 'answered 403' }],
    ['refused on 404', { status: 404 }, { result: 'refused', reason: 'answered 404' }],
    ['refused on 413', { status: 413 }, { result: 'refused', reason: 'answered 413' }],
    [
      'refused on a redirect',
      { status: 301, headers: { location: 'http://127.0.0.1:1/' } },
      { result: 'refused', reason: 'answered 301, a redirect, which is not followed' },
    ],
    ['retried on 408', { status: 408 }, { result: 'retry', reason: 'answered 408' }],
    [
      'retried on 429 after half a minute where it does not say when',
      { status: 429, body: '{"status":"throttle exceeded"}' },
      { result: 'retry', reason: 'answered 429', afterMs: 30_000 },
    ],
    [
      'retried on 429, not before the seconds it asks for',
      { status: 429, headers: { 'retry-after': '300' } },
      { result: 'retry', afterMs: 300_000 },
    ],
    ['retried on 500', { status: 500 }, { result: 'retry', reason: 'answered 500', afterMs: undefined }],
    [
      'retried on 503, not before the date it asks for',
      { status: 503, headers: { 'retry-after': 'Sun, 01 Mar 2026 10:02:00 GMT' } },
      { result: 'retry', afterMs: 120_000 },
    ],
    ['retried on a huge 502', { status: 502, body: 'x'.repeat(5_000_000) }, { result: 'retry' }],
    ['retried after a reset', 'reset', { result: 'retry', reason: 'no answer (ECONNRESET)' }],
    ['retried after garbage', 'garbage', { result: 'retry' }],
  ])('is %s', async (_, script, outcome) => {
    receiver.answer(script);
    await expect(send()).resolves.toMatchObject(outcome);
    expect(receiver.requests).toHaveLength(1);
  });

  it('is given up when its time is over', async () => {
    receiver.answer('hang');
    await expect(send(300)).resolves.toMatchObject({ result: 'retry', reason: 'no answer (timeout)' });
  });

  it('is retried where nothing listens, and the address is not told', async () => {
    const port = await findFreePorts(1);
    const outcome = await send(5_000, `http://127.0.0.1:${port}`);
    expect(outcome).toMatchObject({ result: 'retry', reason: 'no answer (ECONNREFUSED)' });
    expect(JSON.stringify(outcome)).not.toContain(String(port));
  });

  it.each(['not an address', 'ftp://127.0.0.1', 'http://127.0.0.1:99999'])(
    'is refused, not thrown, for the address %s',
    async (apiUrl) => {
      await expect(send(5_000, apiUrl)).resolves.toMatchObject({
        result: 'refused',
        reason: expect.stringContaining('address') as string,
      });
    },
  );

  it('does not follow a redirect with the key', async () => {
    const elsewhere = await WebhookReceiver.start();
    receiver.answer({ status: 307, headers: { location: elsewhere.url() } });
    await send();
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  it.each<[string, Script]>([
    ['as a status', refusal(SECRET)],
    ['as an error', refusal('invalid event', SECRET, { x: SECRET }, null)],
    ['as the name of an object', refusal('constructor')],
    ['as errors that are no list', { status: 400, body: JSON.stringify({ status: ['x'], errors: SECRET }) }],
    ['as null', { status: 400, body: 'null' }],
    [
      'in headers and body',
      { status: 500, headers: { 'retry-after': SECRET, 'x-echo': SECRET }, body: SECRET },
    ],
    ['in a redirect', { status: 302, headers: { location: `/${SECRET}` } }],
  ])('tells no secret that comes back %s', async (_, script) => {
    receiver.answer(script);
    const outcome = await send();
    expect(outcome.result).not.toBe('sent');
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
    expect(JSON.stringify(outcome)).not.toContain('function');
  });

  it('is heard, with its answer, by whoever listens', async () => {
    const lines: string[] = [];
    const conversation = {
      said: (line: string) => lines.push(`> ${line}`),
      heard: (line: string) => lines.push(`< ${line}`),
    };
    receiver.answer(ACCEPTED);
    const parts = { clock, project: NO_PROJECT, externalUrl: undefined, conversation };
    await createChannel(pagerDutySettings(receiver.url('')), parts).send(sampleNotification());
    expect(lines[0]).toBe(`> POST ${receiver.url('/v2/enqueue')}`);
    expect(lines).toContain('< {"status":"success","message":"Event processed"}');
  });
});
