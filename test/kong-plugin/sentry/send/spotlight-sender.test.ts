import type { LogLevel } from '../../../../kong-plugin/plugin-log';
import {
  MAX_WAITING_FOR_SPOTLIGHT,
  SpotlightSender,
} from '../../../../kong-plugin/sentry/send/spotlight-sender';
import { eventEnvelope } from '../../../support/envelopes';
import { WebhookReceiver } from '../../../support/webhook-receiver';

let receiver: WebhookReceiver;
let spotlight: SpotlightSender;
let outcomes: string[];
let lines: { level: LogLevel; message: string }[];

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
  outcomes = [];
  lines = [];
  spotlight = new SpotlightSender({
    url: receiver.url('/stream'),
    log: (level, message) => void lines.push({ level, message }),
    onEnded: (category, outcome) => void outcomes.push(`${category} ${outcome}`),
  });
});

afterEach(async () => {
  await spotlight.close(0);
  await receiver.close();
});

describe('Spotlight', () => {
  it('gets envelopes by a plain POST', async () => {
    spotlight.send(eventEnvelope(1, 'shown'));
    await spotlight.close(5_000);
    expect(receiver.requests).toMatchObject([
      { method: 'POST', path: '/stream', headers: { 'content-type': 'application/x-sentry-envelope' } },
    ]);
    expect(receiver.requests[0]?.body).toContain('"message":"shown"');
    expect(outcomes).toEqual(['error sent']);
  });

  it('misses what it does not take, said once until it takes something again', async () => {
    receiver.answer({ status: 500 }, 'reset', { status: 200 }, { status: 500 });
    for (let number = 0; number < 4; number++) spotlight.send(eventEnvelope(number));
    await spotlight.close(5_000);
    expect(receiver.requests.length).toBe(4);
    expect(outcomes).toEqual(['error failed', 'error failed', 'error sent', 'error failed']);
    expect(lines.length).toBe(2);
  });

  it('lets little wait, and ends in time where it hangs', async () => {
    receiver.otherwise = 'hang';
    for (let number = 0; number < MAX_WAITING_FOR_SPOTLIGHT + 11; number++) {
      spotlight.send(eventEnvelope(number));
    }
    expect(outcomes).toEqual(Array.from({ length: 10 }, () => 'error held_back'));
    await spotlight.close(200);
    expect(outcomes.filter((outcome) => outcome === 'error failed').length).toBe(
      MAX_WAITING_FOR_SPOTLIGHT + 1,
    );
  });
});
