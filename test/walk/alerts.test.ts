// From a slow or failing upstream, or a gateway that is gone, to what a person is told, through real processes: each alert is
// delivered once when it fires and once when it resolves, whatever becomes of the sidecar meanwhile, and too little traffic is
// never an alert.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import type { AlertmanagerDocument } from '../../sidecar/channel/webhook/alertmanager-document';
import { eventually } from '../support/eventually';
import { sumOf } from '../support/samples';
import { startStack, type Stack } from '../support/stack';
import { WebhookReceiver } from '../support/webhook-receiver';

/** The shortest window there is, so that a recovery is seen soon. */
const WINDOW_MS = 10_000;
/** One a second, or fewer where the machine is busy. */
const ROUNDS_OF_WINDOW = WINDOW_MS / 1_000;
/** For the batch that is on its way to the sidecar, the two rounds of `for`, and the delivery. */
const ROUNDS_OF_REST = 8;

jest.setTimeout(300_000);

let stack: Stack;
let webhook: WebhookReceiver;
let slack: WebhookReceiver;
let upstream: Server;
let answer: { status: number; delayMs: number };

beforeEach(async () => {
  [webhook, slack] = [await WebhookReceiver.start(), await WebhookReceiver.start()];
  answer = { status: 200, delayMs: 0 };
  upstream = createServer((_request, response) => {
    const { status, delayMs } = answer;
    setTimeout(() => response.writeHead(status).end('x'), delayMs);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  stack = await startStack({
    changeKongConfig: (text) =>
      text.replace(
        'services:',
        `services:\n  - name: watched\n    url: http://127.0.0.1:${port}\n    routes: [{ name: watched, paths: [/watched] }]`,
      ),
    sidecarConfig: `
evaluation_interval: 1s
notifications: { group_interval: 0s }
rules:
  - { name: p95_latency, p95_latency_ms: 100, window: ${WINDOW_MS}ms, for: 1s, minimum_requests: 20 }
  - { name: error_rate, error_rate_threshold: 0.1, window: ${WINDOW_MS}ms, for: 0s, minimum_requests: 20, severity: critical }
  - { name: apdex, apdex_threshold: 0.8, apdex_target_ms: 50, window: ${WINDOW_MS}ms, for: 0s, minimum_requests: 20 }
channels:
  - { name: hook, type: webhook, url: '${webhook.url('/alerts')}', allow_private_addresses: true }
  - { name: chat, type: slack, webhook_url: '${slack.url('/services/T/B/secret-part')}' }
`,
  });
});

afterEach(async () => {
  await stack.stop();
  await Promise.all([webhook.close(), slack.close()]);
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

/** Sends requests without a pause until `done` settles. */
async function keepSending(done: Promise<unknown>, path = '/watched'): Promise<void> {
  let isDone = false;
  void done.finally(() => (isDone = true));
  const pool = new Pool(stack.proxyUrl, { connections: 4 });
  const one = async (): Promise<void> => {
    while (!isDone) {
      await (await pool.request({ method: 'GET', path })).body.dump();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  await Promise.all([done, one(), one(), one(), one()]);
  await pool.close();
}

/** `status rule` of every notification that came, in order. */
function told(receiver: WebhookReceiver): string[] {
  return receiver.requests.map(({ body }) => {
    const { status, alerts } = JSON.parse(body) as AlertmanagerDocument;
    return `${status} ${alerts[0]?.labels['alertname'] ?? ''} ${alerts[0]?.labels['service'] ?? ''}`;
  });
}

/** Of the notifications on a rule, in order. */
function documentsOf(rule: string): AlertmanagerDocument[] {
  return webhook.requests
    .map(({ body }) => JSON.parse(body) as AlertmanagerDocument)
    .filter(({ alerts }) => alerts[0]?.labels['alertname'] === rule);
}

function hasTold(what: string): Promise<void> {
  expect(told(webhook)).toContain(what);
  return Promise.resolve();
}

async function roundsSoFar(): Promise<number> {
  return sumOf(await stack.scrape(), 'gatewatch_evaluation_rounds_total', { result: 'ok' });
}

/** Settles after so many more rounds of the rules. */
async function rounds(more: number): Promise<void> {
  const before = await roundsSoFar();
  await eventually(async () => expect(await roundsSoFar()).toBeGreaterThanOrEqual(before + more));
}

/** Settles once a rule has judged the service as it is, which is well. */
async function isJudgedWell(rule: string): Promise<void> {
  const samples = await stack.scrape();
  const labels = { rule, service: 'watched' };
  expect(
    samples.some((sample) => sample.name === 'gatewatch_rule_value' && sample.labels['rule'] === rule),
  ).toBe(true);
  expect(sumOf(samples, 'gatewatch_requests_total', { service: 'watched' })).toBeGreaterThan(100);
  expect(sumOf(samples, 'gatewatch_alert_state', { ...labels, state: 'inactive' })).toBe(1);
}

async function stateOf(rule: string): Promise<string | undefined> {
  const samples = await stack.scrape();
  return samples.find(
    ({ name, labels, value }) =>
      name === 'gatewatch_alert_state' &&
      labels['rule'] === rule &&
      labels['service'] === 'watched' &&
      value === 1,
  )?.labels['state'];
}

describe('an upstream that turns slow', () => {
  it('fires p95 and Apdex once each within their window, and resolves them once each when it recovers', async () => {
    await keepSending(eventually(() => isJudgedWell('p95_latency')));
    expect(told(webhook)).toEqual([]);

    answer = { status: 200, delayMs: 250 };
    const before = await roundsSoFar();
    await keepSending(webhook.received(2));
    expect((await roundsSoFar()) - before).toBeLessThan(ROUNDS_OF_WINDOW + ROUNDS_OF_REST);
    await keepSending(rounds(3));
    expect(told(webhook).sort()).toEqual(['firing apdex watched', 'firing p95_latency watched']);
    expect(await stateOf('p95_latency')).toBe('firing');
    expect(await stateOf('error_rate')).toBe('inactive');

    answer = { status: 200, delayMs: 0 };
    await keepSending(webhook.received(4));
    await keepSending(rounds(3));
    expect(told(webhook).slice(2).sort()).toEqual(['resolved apdex watched', 'resolved p95_latency watched']);
    expect(await stateOf('p95_latency')).toBe('resolved');

    // Once each, on both channels: what was told is all there is.
    await slack.received(4);
    const samples = await stack.scrape();
    const sent = samples.filter(
      ({ name, labels }) => name === 'gatewatch_notifications_total' && labels['outcome'] === 'sent',
    );
    expect(sent.map(({ labels, value }) => [labels['channel'], value])).toEqual([
      ['hook', 4],
      ['chat', 4],
    ]);
    expect(webhook.requests).toHaveLength(4);
    expect(slack.requests).toHaveLength(4);
    const text = slack.requests.map(({ body }) => body).join('\n');
    expect(text).toContain('High p95 latency');
    expect(text).toContain('service watched');
    expect(text).toContain('Resolved: ');
    expect(stack.sidecar.output).not.toContain('secret-part');
  });
});

describe('an upstream that turns to errors', () => {
  it('fires the error rate once, with its value, and resolves it once when it recovers', async () => {
    answer = { status: 500, delayMs: 0 };
    const before = await roundsSoFar();
    await keepSending(eventually(async () => hasTold('firing error_rate watched')));
    expect((await roundsSoFar()) - before).toBeLessThan(ROUNDS_OF_WINDOW + ROUNDS_OF_REST);
    const [document] = documentsOf('error_rate');
    expect(document?.receiver).toBe('hook');
    expect(document?.alerts[0]?.labels).toMatchObject({ severity: 'critical', service: 'watched' });
    expect(document?.alerts[0]?.annotations['summary']).toBe(
      'CRITICAL: High error rate: 100% on service watched',
    );

    answer = { status: 200, delayMs: 0 };
    const resolved = eventually(async () => hasTold('resolved error_rate watched'));
    await keepSending(resolved);
    await keepSending(rounds(3));
    expect(told(webhook).filter((one) => one.endsWith('error_rate watched'))).toEqual([
      'firing error_rate watched',
      'resolved error_rate watched',
    ]);
  });
});

describe('an upstream with too little traffic to tell', () => {
  it('never fires, however bad it is', async () => {
    answer = { status: 500, delayMs: 200 };
    for (let sent = 0; sent < 19; sent++) await (await fetch(`${stack.proxyUrl}/watched`)).text();
    await eventually(async () => {
      const samples = await stack.scrape();
      const rule = { rule: 'error_rate', service: 'watched' };
      expect(sumOf(samples, 'gatewatch_requests_total', { service: 'watched' })).toBe(19);
      expect(sumOf(samples, 'gatewatch_rule_value', rule)).toBe(1);
    });
    // Two more whole rounds that saw all of it.
    await rounds(2);
    expect(await stateOf('error_rate')).toBe('unknown');
    expect(webhook.requests).toHaveLength(0);
    expect(slack.requests).toHaveLength(0);
    const page = await (await fetch(`${stack.sidecarUrl}/`)).text();
    expect(page).toMatch(
      /error_rate +service watched +100% +over 10% +cannot tell +too few requests to be sure/,
    );
  });
});

describe('a sidecar that is killed while an alert fires', () => {
  it('has told that it fires once, and tells that it resolved once', async () => {
    answer = { status: 500, delayMs: 0 };
    await keepSending(eventually(async () => hasTold('firing error_rate watched')));
    // What was delivered is written down a moment later.
    await keepSending(rounds(2));
    await keepSending(stack.restartSidecar('SIGKILL'));
    expect(stack.sidecar.output).not.toMatch(/could not be read|cannot be used/);
    await keepSending(rounds(3));
    expect(await stateOf('error_rate')).toBe('firing');

    await stack.restartSidecar('SIGTERM');
    answer = { status: 200, delayMs: 0 };
    await keepSending(eventually(async () => hasTold('resolved error_rate watched')));
    await keepSending(rounds(2));
    await keepSending(stack.restartSidecar('SIGKILL'));
    await keepSending(rounds(3));
    expect(await stateOf('error_rate')).toBe('resolved');
    expect(told(webhook).filter((one) => one.endsWith('error_rate watched'))).toEqual([
      'firing error_rate watched',
      'resolved error_rate watched',
    ]);
  });
});

describe('a gateway that is gone', () => {
  it('is told of once, and that it is back', async () => {
    // Watched from now on, since it was not there at first.
    const watch =
      "kong: { status_urls: '${KONG_STATUS_URL}', interval: 1s }\nrules:\n" +
      '  - { name: gateway_down, kong_unreachable: true, each: gateway, for: 1s, severity: critical }';
    const file = stack.sidecarConfigFile;
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace('rules:', () => watch),
    );
    process.kill(stack.sidecar.pid, 'SIGHUP');
    await eventually(async () => {
      const page = await (await fetch(`${stack.sidecarUrl}/`)).text();
      expect(page).toMatch(/gateway_down +the gateway +reachable +- +ok/);
      expect(page).toMatch(/KONG, by its status API\n +127\.0\.0\.1:\d+ +answers/);
    });
    await stack.gateway.end();
    await eventually(async () => hasTold('firing gateway_down '));
    const [fired] = documentsOf('gateway_down');
    expect(fired?.alerts[0]?.labels).toMatchObject({ level: 'gateway', severity: 'critical' });
    expect(fired?.alerts[0]?.annotations['summary']).toBe('CRITICAL: No Kong answers');
    expect(await (await fetch(`${stack.sidecarUrl}/`)).text()).toMatch(/gateway_down .*FIRING critical/);

    await stack.startGateway();
    await eventually(async () => hasTold('resolved gateway_down '));
    expect(told(webhook)).toEqual(['firing gateway_down ', 'resolved gateway_down ']);
  });
});

describe('a service whose upstream refuses connections', () => {
  it('is told of with its worst operation, its error type and the address that failed', async () => {
    await keepSending(
      eventually(async () => hasTold('firing error_rate refusing')),
      '/refusing',
    );
    const [fired] = documentsOf('error_rate');
    const description = fired?.alerts[0]?.annotations['description'] ?? '';
    expect(description).toMatch(/Worst operations: GET refusing \([\d,]+ of [\d,]+ failed\)\./);
    expect(description).toMatch(/Errors: [\d,]+ upstream_unreachable\./);
    expect(description).toContain(`Failed upstream addresses: ${stack.refusingAddress} (`);
    const text = slack.requests.map(({ body }) => body).join('\n');
    expect(text).toContain('upstream_unreachable');
  });
});
