import { spawnSync } from 'node:child_process';
import { getGlobalScope, getIsolationScope, type ErrorEvent } from '@sentry/core';
import { createClient, type SentryClient } from '../../../../kong-plugin/sentry/send/create-client';
import { SentrySender } from '../../../../kong-plugin/sentry/send/sentry-sender';
import { SpotlightSender } from '../../../../kong-plugin/sentry/send/spotlight-sender';
import { EnvelopeServer } from '../../../support/envelope-server';
import { idOf } from '../../../support/envelopes';

let sentry: EnvelopeServer;
let ended: string[];
let senders: { close(timeoutMs: number): Promise<void> }[];

const log = (): undefined => undefined;

function start(environment = 'production', reportIntervalMs = 60_000): SentryClient {
  const dsn = sentry.dsn();
  const sender = new SentrySender({
    dsn,
    log,
    onEnded: (category, outcome) => void ended.push(`${category} ${outcome}`),
  });
  senders.push(sender);
  return createClient({
    environment,
    release: 'gatewatch@0.1.0',
    sentry: { dsn, sender },
    spotlight: undefined,
    reportIntervalMs,
  });
}

const EVENT: ErrorEvent = {
  type: undefined,
  event_id: idOf(1),
  timestamp: 1_772_359_200.25,
  level: 'error',
  message: 'upstream_timeout',
  fingerprint: ['a', 'b'],
  tags: { service: 'shop' },
  contexts: { trace: { trace_id: idOf(7), span_id: '00000000000000a1' }, kong: { route: 'r' } },
};

beforeEach(async () => {
  sentry = await EnvelopeServer.start();
  ended = [];
  senders = [];
});

afterEach(async () => {
  for (const sender of senders) await sender.close(0);
  await sentry.close();
  expect(sentry.faults).toEqual([]);
});

describe('an event', () => {
  it('leaves as it was built, with environment, release and the name of the SDK, and nothing of the process', async () => {
    getGlobalScope().setTag('planted', 'global').setUser({ id: 'planted' });
    getIsolationScope().setTag('planted', 'isolation').addBreadcrumb({ message: 'planted' });
    const client = start();
    expect(client.captureEvent(EVENT)).toBe(EVENT.event_id);
    await client.close();
    for (const sender of senders) await sender.close(60_000);
    getGlobalScope().setTag('planted', undefined).setUser(null);
    getIsolationScope().setTag('planted', undefined).clearBreadcrumbs();
    const { type, ...built } = EVENT;
    expect(type).toBeUndefined();
    expect(sentry.payloads('event')).toEqual([
      {
        ...built,
        platform: 'node',
        environment: 'production',
        release: 'gatewatch@0.1.0',
        sdk: expect.objectContaining({ name: 'sentry.javascript.node', version: '11.1.0' }) as unknown,
      },
    ]);
    expect(sentry.received[0]?.items[0]?.envelopeHeader).toMatchObject({
      event_id: EVENT.event_id,
      trace: { trace_id: idOf(7), environment: 'production', public_key: 'examplepublickey' },
    });
    expect(sentry.received[0]?.text).not.toContain('planted');
    expect(sentry.received[0]?.text).not.toContain('server_name');
    expect(ended).toEqual(['error sent']);
  });

  it('keeps the sampling context that it came with', async () => {
    const client = start();
    const dynamicSamplingContext = { trace_id: idOf(7), public_key: 'abc', sample_rate: '0.5' };
    client.captureEvent({ ...EVENT, sdkProcessingMetadata: { dynamicSamplingContext } });
    for (const sender of senders) await sender.close(60_000);
    expect(sentry.received[0]?.items[0]?.envelopeHeader['trace']).toEqual(dynamicSamplingContext);
    expect(sentry.payloads('event')[0]).not.toHaveProperty('sdkProcessingMetadata');
    await client.close();
  });

  it('goes where its own client leads, of several side by side, and repeats are not dropped', async () => {
    const clients = [start('production'), start('staging')];
    clients.forEach((client, index) => {
      for (let number = 0; number < 20; number++) {
        client.captureEvent({ ...EVENT, event_id: idOf(100 * index + number) });
      }
    });
    for (const sender of senders) await sender.close(60_000);
    const environments = sentry.payloads('event').map(({ environment }) => environment);
    expect(environments.filter((environment) => environment === 'production').length).toBe(20);
    expect(environments.filter((environment) => environment === 'staging').length).toBe(20);
    for (const client of clients) await client.close();
  });

  it('goes to Spotlight too, and to it alone where there is no DSN', async () => {
    const spotlight = new SpotlightSender({
      url: `http://127.0.0.1:${sentry.port}/api/1/envelope/?sentry_version=7&sentry_client=a/1.0.0&sentry_key=examplepublickey`,
      log,
      onEnded: (category, outcome) => void ended.push(`${category} ${outcome}`),
    });
    senders.push(spotlight);
    const settings = { environment: 'development', release: 'r', sentry: undefined, spotlight };
    const client = createClient(settings);
    client.captureEvent(EVENT);
    await client.close();
    await spotlight.close(60_000);
    expect(sentry.payloads('event')).toMatchObject([{ message: 'upstream_timeout' }]);
    expect(ended).toEqual(['error sent']);
  });
});

describe('a client', () => {
  it('reports what was dropped in intervals, and at its end; a report is no event', async () => {
    const client = start('production', 20);
    client.recordDropped('before_send', 'error', 3);
    await sentry.until(() => sentry.payloads('client_report').length === 1);
    client.recordDropped('sample_rate', 'error', 4);
    await client.close();
    for (const sender of senders) await sender.close(60_000);
    expect(sentry.payloads('client_report').flatMap((report) => report['discarded_events'])).toEqual([
      { reason: 'before_send', category: 'error', quantity: 3 },
      { reason: 'sample_rate', category: 'error', quantity: 4 },
    ]);
    expect(ended).toEqual([]);
  });

  it('leaves no listener of the process, however many are made', async () => {
    const count = (): number =>
      process.eventNames().reduce((sum, name) => sum + process.listenerCount(name as string), 0);
    const before = count();
    const clients = Array.from({ length: 30 }, () => start());
    expect(count()).toBe(before);
    for (const client of clients) await client.close();
    expect(count()).toBe(before);
  });

  it('does not keep the process, nor does its sender', () => {
    const program = `
      const folder = ${JSON.stringify(`${process.cwd()}/dist/kong-plugin/sentry/send`)};
      const { createClient } = require(folder + '/create-client.js');
      const { SentrySender } = require(folder + '/sentry-sender.js');
      const dsn = ${JSON.stringify(sentry.dsn())};
      const sender = new SentrySender({ dsn, log() {}, onEnded() {} });
      createClient({ environment: 'e', release: 'r', sentry: { dsn, sender }, spotlight: undefined });
    `;
    const { stdout, stderr, signal } = spawnSync(process.execPath, ['-e', program], {
      timeout: 20_000,
      encoding: 'utf8',
    });
    expect({ stdout, stderr, signal }).toEqual({ stdout: '', stderr: '', signal: null });
  });
});
