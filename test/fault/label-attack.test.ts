// Names that nobody would give: routes, services, hosts, methods and statuses that are all distinct, of 64 KB, with control
// characters, with bytes that are no UTF-8. Whatever comes, every request is counted once and under its own status, memory
// stays within a stated bound, batches within theirs, and what is exposed can be read.
// GATEWATCH_LABEL_NAMES and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BATCH_PATH, MAX_BODY_BYTES, MAX_SEALED_BYTES, encodeBatch } from '../../kong-plugin/contract/batch';
import type { Delta } from '../../kong-plugin/contract/delta';
import { labelText } from '../../kong-plugin/contract/label-text';
import { SEVERITIES } from '../../kong-plugin/contract/severity';
import { SOURCES } from '../../kong-plugin/contract/source';
import { serviceCapOf } from '../../sidecar/ledger/service-cap';
import { batchOf, deltaOf } from '../support/batches';
import { checkExposition, type CheckedExposition } from '../support/check-exposition';
import { PROCESS_COUNTERS } from '../support/counters-watch';
import { eventually } from '../support/eventually';
import { MeasuringProxy } from '../support/measuring-proxy';
import { memoryPeakMb } from '../support/process-memory';
import {
  HOST_SERVER,
  STOCK_SERVER,
  startPluginServer,
  type PluginServerProgram,
} from '../support/plugin-servers';
import { findProgram } from '../support/program';
import { RpcClient } from '../support/rpc-client';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';

const NAMES = Number(process.env['GATEWATCH_LABEL_NAMES'] ?? 3_000);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
/** The cap of the configuration that is shipped, and for fewer names one that they pass as well. */
const SERIES_CAP = NAMES > 60_000 ? 50_000 : 1_000;
const CONNECTIONS = 16;

/** A process of Node with nothing to do has 80 MB. */
const PLUGIN_SERVER_BOUND_MB = 600;
const SIDECAR_BOUND_MB = 1_000;

jest.setTimeout(180_000 + NAMES * 25);

const LOG = JSON.parse(
  readFileSync(resolve(__dirname, '../fixtures/kong/logs/200.json'), 'utf8'),
) as KongDocument;

interface KongDocument {
  request: { method?: unknown };
  response: { status?: unknown };
  service: { name?: unknown; host?: unknown; id?: unknown };
  route: { name?: unknown; id?: unknown };
}

/** Stands in a text for bytes that are no UTF-8; as long as they are. */
const MARKER = '@#@#@#';
const NO_UTF8 = Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0]);

const ODD_STATUSES: readonly unknown[] = [null, -1, 0, 99, 1_000, 1e300, 200.5, '200', [200], {}];

/** Logs of hostile names, each name once; every tenth is of a service like any other. */
class AttackSource {
  /** By the status that they must be counted under. */
  readonly given = new Map<string, number>();
  ordinary = 0;
  readonly #random: () => number;
  readonly #longNameLength: number;
  #count = 0;

  constructor(seed: number, longNameLength: number) {
    this.#random = seededRandom(seed);
    this.#longNameLength = longNameLength;
  }

  next(): string {
    const number = this.#count++;
    const log = structuredClone(LOG);
    if (number % 10 === 0) {
      log.service.name = 'ordinary';
      log.route.name = 'list';
      log.response.status = 200;
      this.ordinary += 1;
    } else {
      this.#spoil(log, number);
    }
    const { status } = log.response;
    const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 999;
    const key = isStatus ? String(status) : '0';
    this.given.set(key, (this.given.get(key) ?? 0) + 1);
    return JSON.stringify(log);
  }

  #spoil(log: KongDocument, number: number): void {
    const random = this.#random;
    const pick = <Value>(values: readonly Value[]): Value =>
      values[Math.floor(random() * values.length)] as Value;
    const name = pick<() => string>([
      () => `route-${number}`,
      () => `${number}-${'x'.repeat(random() * 300)}`,
      () => `${'é€🙂'.repeat(random() * 60)}${number}`,
      () => `\u0000\u0007\u001b[2J\r\n\t\u007f\u0085\u2028\u202e${number}`,
      () => `${MARKER}${number}${MARKER}`,
      () => `\ud800${number}\udc00`,
      () => `"\\n{}=,#\\"\\\\${number}`,
      () => `${number}"} 1\ngatewatch_requests_total{service="forged"} 1000000`,
    ]);
    // Every hundredth, so that the whole is not only these.
    const long = (text: string): string =>
      number % 100 === 7 ? text.padEnd(this.#longNameLength, 'ü') : text;
    log.route = random() < 0.8 ? { name: long(name()) } : { id: name() };
    log.service = random() < 0.5 ? { name: long(name()) } : { host: long(`${number}.example.${name()}`) };
    log.request.method = random() < 0.3 ? long(`M${name()}`) : pick(['GET', 'get', 'BREW', 7, null, '']);
    log.response.status = random() < 0.1 ? pick(ODD_STATUSES) : 100 + Math.floor(random() * 900);
  }
}

/** What a log says, over one connection, as Kong does it. */
async function tell(kong: RpcClient, instance: number, text: string): Promise<void> {
  const { EventId } = (await kong.call('HandleEvent', { InstanceId: instance, EventName: 'log' })) as {
    EventId: number;
  };
  const answer = await kong.call('Step', { EventId, Data: text }, (frame) => {
    for (let at = frame.indexOf(MARKER); at >= 0; at = frame.indexOf(MARKER, at)) NO_UTF8.copy(frame, at);
  });
  expect(answer).toEqual({ Data: 'ret', EventId });
}

/** The counters of the scrape before in a test, and how many scrapes were compared with one. */
let before: ReadonlyMap<string, number> | undefined;
let compared = 0;

/** @throws where a counter went down */
async function scrape(url: string): Promise<CheckedExposition> {
  const { body } = await fetch(`${url}/metrics`);
  if (!body) throw new Error('no answer');
  const exposed = await checkExposition(body, [
    ['gatewatch_requests_total', 'status'],
    ['gatewatch_requests_total', 'service'],
  ]);
  const fallen: string[] = [];
  for (const [name, value] of before ?? []) if ((exposed.counters.get(name) ?? 0) < value) fallen.push(name);
  expect(fallen).toEqual([]);
  if (before) compared += 1;
  before = exposed.counters;
  return exposed;
}

/** What the sidecar's next process counts of itself begins at 0. */
function expectAnotherProcess(): void {
  before = new Map(
    [...(before ?? [])].filter(([name]) => !PROCESS_COUNTERS.includes(name.split(' ')[0] ?? '')),
  );
}

/** What promtool says of the metrics; nothing, if they can be read. */
async function promtoolComplaints(promtool: string, url: string): Promise<string> {
  const { body } = await fetch(`${url}/metrics`);
  if (!body) throw new Error('no answer');
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((done) => child.once('close', done));
  await pipeline(Readable.from(body), child.stdin);
  await ended;
  return output;
}

let sidecar: SidecarProcess;

beforeEach(async () => {
  before = undefined;
  compared = 0;
  sidecar = await SidecarProcess.start(`series_cap: ${SERIES_CAP}`);
});

afterEach(() => sidecar.remove());

/** At most these series are left, whatever comes: those of the folds, told apart by status, source and severity alone. */
const MOST_SERIES = SERIES_CAP * 1.2 + 1_000 * SOURCES.length * SEVERITIES.length * 2;

async function expectExposed(given: ReadonlyMap<string, number>): Promise<CheckedExposition> {
  const exposed = await scrape(sidecar.url);
  expect(exposed.faults).toEqual([]);
  const byStatus = (counts: ReadonlyMap<string, number>): unknown =>
    [...counts].sort(([a], [b]) => Number(a) - Number(b));
  expect(byStatus(exposed.sumsBy('gatewatch_requests_total', 'status'))).toEqual(byStatus(given));
  expect(exposed.sumsBy('gatewatch_requests_total', 'service').size).toBeLessThanOrEqual(
    serviceCapOf(SERIES_CAP) + 1,
  );
  expect(exposed.sumOf('gatewatch_series')).toBeLessThanOrEqual(MOST_SERIES);
  const promtool = findProgram('promtool');
  // Of names that prom-client chose it may have an opinion.
  if (promtool !== undefined) expect(await promtoolComplaints(promtool, sidecar.url)).not.toMatch(/error/i);
  return exposed;
}

interface Attacked {
  readonly program: PluginServerProgram;
  /** The stock server throws where a frame comes in more than one read: its names must be shorter. */
  readonly longNameLength: number;
}

const ATTACKED: Attacked[] = [
  { program: HOST_SERVER, longNameLength: 32 * 1024 },
  { program: STOCK_SERVER, longNameLength: 4 * 1024 },
];

describe(`${NAMES} distinct names in Kong's logs (seed ${SEED})`, () => {
  it.each(ATTACKED.map((one) => [one.program.title, one] as const))(
    'are counted by %s and the sidecar, also what comes while the sidecar is away',
    async (_title, { program, longNameLength }) => {
      const directory = mkdtempSync(join(tmpdir(), 'gatewatch-labels-'));
      const proxy = await MeasuringProxy.start(sidecar.url);
      const socket = join(directory, 'js.sock');
      const server = await startPluginServer(program, socket);
      const holder = program.holderOf(server.pid);
      const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => RpcClient.connect(socket)));
      try {
        const source = new AttackSource(SEED, longNameLength);
        const config = JSON.stringify({
          sidecar_url: proxy.url,
          flush_interval_ms: 1_000,
          request_timeout_ms: 5_000,
          spool_dir: join(directory, 'spool'),
        });
        const [first] = clients;
        const { Id: instance } = (await first?.call('StartInstance', {
          Name: 'gatewatch',
          Config: config,
        })) as {
          Id: number;
        };
        let left = NAMES;
        const attack = async (until: number): Promise<void> => {
          await Promise.all(
            clients.map(async (kong) => {
              while (left > until) {
                left -= 1;
                await tell(kong, instance, source.next());
              }
            }),
          );
        };
        // The first is of the ordinary service, whose series is there before the others.
        await attack(NAMES - 1);
        await eventually(async () =>
          expect((await scrape(sidecar.url)).sumOf('gatewatch_requests_total')).toBe(1),
        );
        process.kill(sidecar.pid, 'SIGSTOP');
        await attack(NAMES / 2);
        process.kill(sidecar.pid, 'SIGCONT');
        await attack(0);
        await eventually(
          async () => expect((await scrape(sidecar.url)).sumOf('gatewatch_requests_total')).toBe(NAMES),
          300_000,
        );
        const exposed = await expectExposed(source.given);
        expect(exposed.sumOf('gatewatch_plugin_events_total')).toBe(NAMES);
        expect(exposed.sumsBy('gatewatch_requests_total', 'service').get('ordinary')).toBe(source.ordinary);
        expect(exposed.sumOf('gatewatch_series_folded_requests_total')).toBeGreaterThan(0);
        expect(proxy.largestBytes).toBeLessThanOrEqual(MAX_SEALED_BYTES);
        expect(proxy.batches).toBeGreaterThan(2);
        expect(compared).toBeGreaterThanOrEqual(2);
        const peaks = [memoryPeakMb(holder), memoryPeakMb(sidecar.pid)];
        process.stderr.write(
          `${program.title}: ${peaks.join(' MB, sidecar ')} MB, ${exposed.bytes} bytes of metrics\n`,
        );
        expect(peaks[0]).toBeLessThan(PLUGIN_SERVER_BOUND_MB);
        expect(peaks[1]).toBeLessThan(SIDECAR_BOUND_MB);
      } finally {
        for (const kong of clients) kong.close();
        process.kill(sidecar.pid, 'SIGCONT');
        await server.end();
        await proxy.close();
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
});

/** Deltas that are all of different series: as a client that has the token may send them. */
class SeriesSource {
  readonly given = new Map<string, number>();
  readonly #random: () => number;
  #count = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  next(): Delta {
    const random = this.#random;
    const number = this.#count++;
    const name = (): string => labelText(`${number}-${'xé€🙂'.charAt(random() * 3).repeat(random() * 300)}`);
    const status = Math.floor(random() * 1_000);
    const requests = 1 + Math.floor(random() * 5);
    this.given.set(String(status), (this.given.get(String(status)) ?? 0) + requests);
    return deltaOf(
      {
        service: name(),
        operation: name(),
        errorType: random() < 0.2 ? '' : name(),
        status,
        source: SOURCES[Math.floor(random() * SOURCES.length)] ?? 'client',
        severity: SEVERITIES[Math.floor(random() * SEVERITIES.length)] ?? 'info',
      },
      Array.from({ length: requests }, () => Math.floor(random() * 30_000)),
    );
  }
}

async function post(bytes: Uint8Array): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${sidecar.url}${BATCH_PATH}`, { method: 'POST', body: bytes });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe(`${NAMES} distinct series in batches (seed ${SEED})`, () => {
  it('are counted by the sidecar, which answers others meanwhile, and are the same after a restart', async () => {
    const source = new SeriesSource(SEED);
    let left = NAMES;
    for (let sequence = 1; left > 0; sequence++) {
      const deltas: Delta[] = [];
      // As much as a body may hold: a delta here has at most 1,200 bytes.
      while (left > 0 && deltas.length * 1_200 < MAX_BODY_BYTES - 2_000) {
        deltas.push(source.next());
        left -= 1;
      }
      const posted = post(encodeBatch(batchOf(deltas, sequence)));
      if (sequence === 1) await scrape(sidecar.url);
      const healthy = await fetch(`${sidecar.url}/-/healthy`, { signal: AbortSignal.timeout(60_000) });
      expect(healthy.status).toBe(200);
      expect(await posted).toMatchObject({ status: 200, body: { result: 'applied' } });
    }
    const exposed = await expectExposed(source.given);
    expect(exposed.sumOf('gatewatch_series_folded_requests_total')).toBeGreaterThan(0);
    expect((await fetch(`${sidecar.url}/`)).status).toBe(200);
    const peak = memoryPeakMb(sidecar.pid);
    process.stderr.write(`the sidecar alone: ${peak} MB, ${exposed.bytes} bytes of metrics\n`);
    expect(peak).toBeLessThan(SIDECAR_BOUND_MB);
    await sidecar.restart();
    expectAnotherProcess();
    const again = await expectExposed(source.given);
    expect(again.sumOf('gatewatch_series')).toBe(exposed.sumOf('gatewatch_series'));
    expect(compared).toBe(2);
  });

  const hostile: [title: string, name: Buffer, status: number][] = [
    ['of 64 KB', Buffer.from('x'.repeat(64 * 1024)), 422],
    ['with a control character', Buffer.from('a\\u001b[2J'), 422],
    ['with half a character', Buffer.from('a\\ud800'), 422],
    ['with bytes that are no UTF-8', NO_UTF8, 400],
  ];
  it.each(hostile)('with a name %s are refused, and change nothing', async (_title, name, status) => {
    const good = encodeBatch(batchOf([deltaOf({ service: MARKER }, [1])]));
    const at = good.indexOf(MARKER);
    const bytes = Buffer.concat([good.subarray(0, at), name, good.subarray(at + MARKER.length)]);
    const answer = await post(bytes);
    expect([answer.status, answer.body['fault']]).toEqual([
      status,
      status === 400 ? 'not_json' : 'invalid_batch',
    ]);
    expect((await scrape(sidecar.url)).sumOf('gatewatch_series')).toBe(0);
  });
});
