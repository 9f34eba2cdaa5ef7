// `npm start -- --spotlight` with the Spotlight from npm: it takes and decodes everything that the demo reports, and shows it in a
// browser; nobody else is told.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startTraffic } from '../../kong/demo/traffic';
import { BrowserPage } from '../support/browser-page';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf, type ScrapedSample } from '../support/samples';
import { SpotlightReader } from '../support/spotlight-reader';

const PROJECT = resolve(__dirname, '..', '..');
const MAIN = join('dist', 'kong', 'demo', 'main.js');

/** Of the demo's routes. */
const ERROR_TYPES = [
  'request_rejected',
  'route_not_found',
  'upstream_server_error',
  'upstream_timeout',
  'upstream_unreachable',
  'validation_failed',
];
/** So that each of the six, which come in a fixed order, is there a few times. */
const REQUESTS = 60;

let program: RunningProgram;
let basePort: number;
let spotlight: string;

async function start(project: string, ...flags: string[]): Promise<void> {
  basePort = await findFreePorts(11);
  spotlight = `http://localhost:${basePort + 10}`;
  const ports = [
    ['--upstream-base-port', basePort],
    ['--proxy-port', basePort + 6],
    ['--status-port', basePort + 7],
    ['--sidecar-port', basePort + 8],
    ['--prometheus-port', basePort + 9],
    ['--spotlight-port', basePort + 10],
  ].flat();
  program = new RunningProgram(process.execPath, [join(project, MAIN), ...ports.map(String), ...flags]);
}

async function scrape(): Promise<ScrapedSample[]> {
  return parseSamples(await (await fetch(`http://127.0.0.1:${basePort + 8}/metrics`)).text());
}

describe('the demo with Spotlight', () => {
  let reader: SpotlightReader;
  let requests: number;

  beforeAll(async () => {
    await start(PROJECT, '--spotlight', '--verbose', '--no-traffic');
    await program.says(/Ready after/);
    reader = await SpotlightReader.open(spotlight);
    // The traffic that the demo sends by itself, so that it can be brought to an end before the rest is.
    const traffic = startTraffic(`http://127.0.0.1:${basePort + 6}`, 15);
    await eventually(() => {
      expect(traffic.counts.sent).toBeGreaterThanOrEqual(REQUESTS);
      return Promise.resolve();
    });
    await traffic.stop();
    requests = traffic.counts.sent;
    // Counted, and traced. What was reported of a request may be counted a batch before or after the request itself.
    await eventually(async () => {
      const samples = await scrape();
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(requests);
      expect(sumOf(samples, 'gatewatch_sentry_transactions_total')).toBe(requests);
    });
  });

  afterAll(async () => {
    await program.end();
    await reader.close();
  });

  it('says where it is', () => {
    expect(program.output).toContain(`${spotlight}/`);
  });

  it('shows every error event and every trace that was counted as sent, decoded, once', async () => {
    const samples = await scrape();
    const sent = (what: string): number =>
      sumOf(samples, `gatewatch_sentry_${what}_total`, { outcome: 'sent' });
    await eventually(() => {
      expect([reader.events.length, reader.transactions.length]).toEqual([
        sent('events'),
        sent('transactions'),
      ]);
      return Promise.resolve();
    });
    expect(sent('transactions')).toBe(requests);
    const errors = sumOf(samples, 'application_errors_total');
    expect(sumOf(samples, 'gatewatch_sentry_events_total')).toBe(errors);
    expect(sent('events') + sumOf(samples, 'gatewatch_sentry_events_total', { outcome: 'held_back' })).toBe(
      errors,
    );
    const ids = [...reader.events, ...reader.transactions].map(({ event_id }) => event_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(reader.items.filter(([{ type }]) => type !== 'event' && type !== 'transaction')).toEqual([]);
    expect(reader.strange).toEqual([]);
    expect(program.output).not.toMatch(/malformed|skipping|is not shown/i);
  });

  it('has an issue for each kind of error, with the try of each upstream', () => {
    const typeOf = (event: (typeof reader.events)[number]): unknown => event.exception?.values?.[0]?.type;
    expect([...new Set(reader.events.map(typeOf))].sort()).toEqual(ERROR_TYPES);
    for (const event of reader.events) {
      expect(event).toMatchObject({ environment: 'development', tags: { error_type: typeOf(event) } });
    }
    const refused = reader.events.find((event) => typeOf(event) === 'upstream_unreachable');
    expect(refused).toMatchObject({
      transaction: 'GET refusing',
      contexts: { upstream_tries: { count: 3, try_03_address: `127.0.0.1:${basePort + 3}` } },
    });
  });

  it('has the trace of each request with a span for each try, and each issue in the trace of its request', () => {
    const triesOf = (name: string): number[] =>
      reader.transactions
        .filter(({ transaction }) => transaction === name)
        .map(({ spans = [] }) => spans.filter(({ op }) => op === 'http.client').length);
    const kinds = ['GET fast', 'POST fast', 'GET slow', 'GET refusing', 'GET timing-out', 'GET teapot'];
    expect(kinds.map((name) => [name, [...new Set(triesOf(name))]])).toEqual([
      ['GET fast', [1]],
      ['POST fast', [1]],
      ['GET slow', [1]],
      ['GET refusing', [3]],
      ['GET timing-out', [2]],
      ['GET teapot', [0]],
    ]);
    // One pooled request in four meets the target that refuses, and is tried again.
    expect(new Set(triesOf('GET pooled'))).toEqual(new Set([1, 2]));

    for (const { contexts, spans = [], ...root } of reader.transactions) {
      const { trace_id, span_id } = contexts?.trace ?? {};
      for (const span of spans) {
        expect(span).toMatchObject({ trace_id, parent_span_id: span_id });
        expect(span.start_timestamp).toBeGreaterThanOrEqual(root.start_timestamp ?? Infinity);
        expect(span.timestamp ?? Infinity).toBeLessThanOrEqual(root.timestamp ?? 0);
      }
    }
    const roots = new Set(reader.transactions.map(({ contexts }) => placeOf(contexts)));
    expect(reader.events.filter(({ contexts }) => !roots.has(placeOf(contexts)))).toEqual([]);
  });

  function placeOf(contexts: (typeof reader.events)[number]['contexts']): string {
    return `${contexts?.trace?.trace_id} ${contexts?.trace?.span_id}`;
  }

  it('listens on this machine only', () => {
    const port = (basePort + 10).toString(16).toUpperCase().padStart(4, '0');
    const listeners = ['tcp', 'tcp6'].flatMap((table) =>
      readFileSync(`/proc/net/${table}`, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local = '', , state]) => local.endsWith(`:${port}`) && state === '0A')
        .map(([, local]) => local),
    );
    // 127.0.0.1, as the kernel writes it.
    expect(listeners).toEqual([`0100007F:${port}`]);
  });

  it.each([
    [403, { host: 'attacker.example' }],
    [403, { host: 'localhost', origin: 'https://attacker.example' }],
    [403, { host: 'localhost', origin: 'null' }],
    [200, { host: 'localhost' }],
    [200, { host: 'localhost', origin: 'http://localhost:3000' }],
  ])('answers with %i to a request with %j', async (status, headers) => {
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      request(`http://127.0.0.1:${basePort + 10}/health`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(answered).toBe(status);
  });

  describeWith('chromium', 'in a browser', (chromium) => {
    it('shows the title of an issue, its sentence, and the traces; and asks nobody but Spotlight', async () => {
      const page = await BrowserPage.open(chromium, `${spotlight}/telemetry/errors`);
      try {
        const [issue] = reader.events.slice(-1);
        const { type = 'no type', value = 'no value' } = issue?.exception?.values?.[0] ?? {};
        const shown = await eventually(async () => {
          const text = await page.text();
          expect(text).toContain(type);
          return text;
        });
        expect(shown).toContain(value);
        await page.go(`${spotlight}/telemetry/traces`);
        await eventually(async () => {
          const text = await page.text();
          for (const name of ['GET slow', 'GET timing-out', 'deadline_exceeded'])
            expect(text).toContain(name);
        });
        expect([...new Set(page.requested.map((url) => new URL(url).origin))]).toEqual([spotlight]);
      } finally {
        await page.close();
      }
    });
  });

  it('ends with Ctrl-C, after it has got what the gateway and the plugin server report at their own end', async () => {
    const slow = `http://127.0.0.1:${basePort + 1}/__served`;
    const servedSlow = async (): Promise<number> =>
      ((await (await fetch(slow)).json()) as { slow: number }).slow;
    const before = await servedSlow();
    const known = reader.transactions.length;
    const last = fetch(`http://127.0.0.1:${basePort + 6}/slow`);
    await eventually(async () => expect(await servedSlow()).toBe(before + 1));
    // It is answered, and reported, while the demo stops.
    expect(await program.end('SIGINT')).toEqual({ code: 0, signal: null });
    expect((await last).status).toBe(200);
    await reader.ended;
    expect(reader.transactions.slice(known)).toMatchObject([{ transaction: 'GET slow' }]);
    expect(program.output).toContain('Stopped: no process, socket or file of this run is left.');
    await expect(fetch(`${spotlight}/health`)).rejects.toThrow('fetch failed');
  });
});

describe('the demo without Spotlight', () => {
  it('says nothing of it, nor of Sentry, also when there are errors', async () => {
    await start(PROJECT, '--no-traffic', '--verbose');
    await program.says(/Ready after/);
    expect((await fetch(`http://127.0.0.1:${basePort + 6}/refusing`)).status).toBe(502);
    await program.says(/external_request_duration_seconds_count/);
    await program.end('SIGINT');
    expect(program.output).not.toMatch(/sentry|spotlight/i);
  });

  it('says what to install where --spotlight is asked for and the package is not there', async () => {
    const project = mkdtempSync(join(tmpdir(), 'gatewatch-bare-'));
    try {
      cpSync(join(PROJECT, 'dist', 'kong'), join(project, 'dist', 'kong'), { recursive: true });
      mkdirSync(join(project, 'node_modules'));
      for (const name of ['undici', 'yaml']) {
        symlinkSync(join(PROJECT, 'node_modules', name), join(project, 'node_modules', name));
      }
      await start(project, '--spotlight');
      expect(await program.ended).toEqual({ code: 1, signal: null });
      expect(program.output).toMatch(
        /--spotlight: the package @spotlightjs\/spotlight is not installed\..*npm ci/,
      );
    } finally {
      rmSync(project, { recursive: true, force: true });
    }
  });
});
