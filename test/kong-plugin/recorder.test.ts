import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProducerStatistics } from '../../kong-plugin/contract/batch';
import type { LogLevel, PluginLog } from '../../kong-plugin/plugin-log';
import { Producer } from '../../kong-plugin/producer';
import { readSettings, type DeliverySettings } from '../../kong-plugin/read-settings';
import { Recorder } from '../../kong-plugin/recorder';
import { RecorderRegistry } from '../../kong-plugin/recorder-registry';
import { SpoolFolder } from '../../kong-plugin/spool/spool-folder';
import { endRecorder } from '../support/end-recorder';
import { observationOf } from '../support/observations';
import { ScriptedSidecar, type SidecarScript } from '../support/scripted-sidecar';

const TOKEN = 'a-token-that-must-not-show';

let directory: string;
let sidecar: ScriptedSidecar;
let url: string;
let recorder: Recorder | undefined;
let lines: { level: LogLevel; message: string; fields: Readonly<Record<string, unknown>> }[];

const log: PluginLog = (level, message, fields = {}) => void lines.push({ level, message, fields });

beforeEach(async () => {
  lines = [];
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-recorder-'));
  sidecar = await ScriptedSidecar.start();
  ({ url } = sidecar);
});

afterEach(async () => {
  if (recorder) await endRecorder(recorder);
  recorder = undefined;
  await sidecar.close();
  rmSync(directory, { recursive: true, force: true });
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
});

function start(config: Record<string, unknown> = {}): Recorder {
  const settings = readSettings({
    sidecar_url: url,
    sidecar_token: TOKEN,
    flush_interval_ms: 100,
    // So long that only what never comes is too late.
    request_timeout_ms: 20_000,
    shutdown_timeout_ms: 20_000,
    spool_dir: directory,
    ...config,
  });
  return (recorder = new Recorder(settings.delivery, log));
}

const FAULT = JSON.stringify({ fault: 'invalid_batch', message: 'requests: expected 1, found 2' });

describe('a recorder', () => {
  it('shows up at once, before its first request', async () => {
    start();
    await sidecar.until(() => sidecar.taken.length === 1);
    expect(sidecar.taken[0]).toMatchObject({ version: 1, sequence: 1, intervals: [] });
  });

  it('brings every observation, one batch after the other over one connection, with its token and clock', async () => {
    const own = start();
    for (let sent = 0; sent < 5; sent++) {
      for (let one = 0; one < 10; one++) own.observe(observationOf());
      const expected = (sent + 1) * 10;
      // The current second is sent when it has ended.
      if (sent === 2) await sidecar.until(() => sidecar.requests >= expected);
    }
    await sidecar.until(() => sidecar.requests === 50);
    expect(sidecar.taken.map(({ sequence }) => sequence)).toEqual(sidecar.taken.map((_, index) => index + 1));
    expect(new Set(sidecar.taken.map(({ producer }) => producer)).size).toBe(1);
    expect(sidecar.connections).toBe(1);
    expect(sidecar.mostInFlight).toBe(1);
    const [first] = sidecar.received;
    expect(first?.path).toBe('/v1/batches');
    expect(first?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(Math.abs(Number(first?.headers['gatewatch-sent-at']) - Date.now())).toBeLessThan(20_000);
  });

  const failures: [title: string, script: SidecarScript, reason: RegExp][] = [
    ['the answer is lost', 'drop', /the connection failed/],
    ['the answer never comes', 'hang', /no answer within 1500 ms/],
    ['the sidecar fails', { status: 500 }, /answered 500 without a receipt/],
    [
      'the sidecar cannot write',
      { status: 503, body: '{"fault":"not_durable"}' },
      /cannot take it now \(503\).*not_durable/,
    ],
    ['it is told to wait', { status: 429, headers: { 'retry-after': '0' } }, /answered 429/],
    ['the token is refused', { status: 401 }, /sidecar_token must be the same as the sidecar's token/],
    ['another program answers', { status: 404, body: '<html>' }, /does sidecar_url lead to the sidecar\?/],
    ['it is sent elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, /answered 302/],
    [
      'a page comes with 200',
      { status: 200, body: '<html>welcome</html>' },
      /an answer of 200 without a receipt/,
    ],
    ['the receipt is of another batch', 'receipt of another batch', /an answer of 200 without a receipt/],
    ['a proxy says 400', { status: 400, body: '<html>Bad Request</html>' }, /answered 400 without a receipt/],
    [
      'the answer has no end',
      { status: 200, body: 'x'.repeat(1_000_000) },
      /an answer of 200 without a receipt/,
    ],
  ];
  it.each(failures)(
    'sends the same bytes again when %s, and says so once',
    async (_title, script, reason) => {
      const own = start(script === 'hang' ? { request_timeout_ms: 1_500 } : {});
      await sidecar.until(() => sidecar.taken.length === 1);
      sidecar.answer(script, script);
      own.observe(observationOf());
      await sidecar.until(() => sidecar.requests === 1);
      const tries = sidecar.received.slice(1, 4);
      expect(tries).toHaveLength(3);
      expect(new Set(tries.map(({ bytes }) => bytes.toString())).size).toBe(1);
      // What failed is told with the next batch.
      own.observe(observationOf());
      await sidecar.until(() => sidecar.requests === 2);
      expect(sidecar.taken.at(-1)?.statistics.failedSends).toBe(2);
      expect(lines.map(({ message }) => message)).toEqual([
        'a batch could not be delivered; it is kept and sent again',
        'batches are delivered again',
      ]);
      expect(String(lines[0]?.fields['reason'])).toMatch(reason);
    },
  );

  it.each([400, 413, 422])(
    'sets a batch aside that the sidecar refuses for good (%i), and goes on',
    async (status) => {
      const own = start();
      await sidecar.until(() => sidecar.taken.length === 1);
      sidecar.answer({ status, body: FAULT });
      own.observe(observationOf());
      own.observe(observationOf());
      await sidecar.until(() => sidecar.received.length === 2);
      own.observe(observationOf());
      await sidecar.until(() => sidecar.requests === 1);
      expect(sidecar.taken.at(-1)).toMatchObject({
        sequence: 3,
        statistics: { events: 1, refusedRequests: 2 },
      });
      expect(lines).toEqual([
        {
          level: 'error',
          message: 'the sidecar refused a batch for good; its requests are not counted',
          fields: expect.objectContaining({ fault: 'invalid_batch', sequence: 2, requests: 2 }) as unknown,
        },
      ]);
      const refused = sidecar.received[1]?.bytes;
      expect(readFileSync(String(lines[0]?.fields['keptAs']))).toEqual(refused);
    },
  );

  it('keeps what comes while the sidecar is away, and brings all of it', async () => {
    const port = Number(new URL(sidecar.url).port);
    await sidecar.close();
    const own = start();
    for (let one = 0; one < 1_000; one++) own.observe(observationOf());
    sidecar = await ScriptedSidecar.start(port);
    await sidecar.until(() => sidecar.requests === 1_000);
    const statistics = sidecar.taken.map((document) => document.statistics.events);
    expect(statistics.reduce((sum, events) => sum + events, 0)).toBe(1_000);
  });

  it('tells with each batch how its process is', async () => {
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.answer({ status: 503 });
    for (let one = 0; one < 7; one++) own.observe(observationOf());
    await sidecar.until(() => sidecar.received.length === 2);
    // Its event loop stands still.
    const endMs = performance.now() + 300;
    while (performance.now() < endMs) continue;
    own.observe(observationOf());
    await sidecar.until(() => sidecar.requests === 8);
    const [, first, second] = sidecar.taken.map(({ process: figures }) => figures);
    expect(first?.pendingRequests).toBe(7);
    expect(second?.pendingRequests).toBe(1);
    expect(second?.eventLoopLagMs).toBeGreaterThanOrEqual(280);
    expect(second?.eventLoopLagMs).toBeLessThan(10_000);
    expect(second?.residentMemoryBytes).toBeGreaterThan(20e6);
  });

  it('goes over a unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-recorder-'));
    const path = join(directory, 'sidecar.sock');
    await sidecar.close();
    sidecar = await ScriptedSidecar.start(path);
    start({ sidecar_url: `unix:${path}` }).observe(observationOf());
    await sidecar.until(() => sidecar.requests === 1);
    rmSync(directory, { recursive: true, force: true });
  });

  it('takes over a new token from its next try on', async () => {
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.otherwise = { status: 401 };
    own.observe(observationOf());
    await sidecar.until(() => sidecar.received.length === 2);
    own.configure(readSettings({ sidecar_url: sidecar.url, sidecar_token: 'the-new-one' }).delivery);
    sidecar.otherwise = 'receipt';
    await sidecar.until(() => sidecar.requests === 1);
    expect(sidecar.received.at(-1)?.headers.authorization).toBe('Bearer the-new-one');
  });
});

describe('the end of a recorder', () => {
  it('brings the current second too', async () => {
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    own.observe(observationOf());
    expect(await endRecorder(own)).toBe(0);
    expect(sidecar.requests).toBe(1);
    recorder = undefined;
  });

  it('brings what comes while it is at it, and is one end however often it is asked for', async () => {
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.answer({ status: 503 }, { status: 503 });
    own.observe(observationOf());
    const delivered = own.deliverRest();
    expect(own.deliverRest()).toBe(delivered);
    await sidecar.until(() => sidecar.received.length === 2);
    for (let one = 0; one < 7; one++) own.observe(observationOf());
    await delivered;
    expect(sidecar.requests).toBe(8);
    expect(sidecar.taken.map(({ sequence, isGoodbye }) => [sequence, isGoodbye])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    // Later still: left in the spool.
    own.observe(observationOf());
    expect(own.leave()).toEqual([{ requests: 1, isKept: true }]);
    recorder = undefined;
  });

  it('tells what the sidecar refused at the end, and then says goodbye', async () => {
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.answer({ status: 422, body: FAULT });
    for (let one = 0; one < 7; one++) own.observe(observationOf());
    expect(await endRecorder(own)).toBe(0);
    expect(sidecar.taken.slice(1)).toMatchObject([
      { intervals: [], statistics: { refusedRequests: 7 }, isGoodbye: false },
      { isGoodbye: true },
    ]);
    recorder = undefined;
  });

  it('ends a wait between two tries', async () => {
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    sidecar.answer({ status: 503, headers: { 'retry-after': '30' } });
    own.observe(observationOf());
    await sidecar.until(() => sidecar.received.length === 2);
    expect(await endRecorder(own)).toBe(0);
    expect(sidecar.requests).toBe(1);
    recorder = undefined;
  });

  it.each<SidecarScript>(['hang', { status: 500 }])(
    'gives up after its time, and says how many requests it could not bring',
    async (script) => {
      const own = start({ shutdown_timeout_ms: 400 });
      await sidecar.until(() => sidecar.taken.length === 1);
      sidecar.otherwise = script;
      for (let one = 0; one < 5; one++) own.observe(observationOf());
      expect(await endRecorder(own)).toBe(5);
      recorder = undefined;
    },
  );
});

describe('a recorder that finds the spool of a dead one', () => {
  /** As a process leaves it that was killed. */
  function leaveSpool(events: number): { folder: SpoolFolder; path: string } {
    const { delivery } = readSettings({ sidecar_url: url, spool_dir: directory });
    const folder = new SpoolFolder(delivery.spoolDirectory, delivery.address);
    const producer = Producer.begin(folder, log);
    for (let event = 0; event < events; event++) producer.observe(observationOf(), 1_700_000_000_000);
    const path = folder.spoolPath(producer.id);
    folder.release();
    return { folder, path };
  }

  function statistic(name: keyof ProducerStatistics): number {
    return sidecar.taken.reduce((sum, { statistics }) => sum + statistics[name], 0);
  }

  // What is counted of itself alone goes with the next heartbeat.
  it('brings what is whole, keeps the rest for a person, and tells both', async () => {
    const { folder, path } = leaveSpool(100);
    const bytes = readFileSync(path);
    const at = bytes.length - 1_000;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    start();
    await sidecar.until(() => statistic('damagedSpools') === 1);
    expect(sidecar.requests).toBeGreaterThan(50);
    expect(sidecar.requests).toBeLessThan(100);
    expect(statistic('deaths')).toBe(1);
    const said = lines.find(
      ({ message }) => message === 'an adopted spool ends in bytes that cannot be read',
    );
    expect(said?.level).toBe('warn');
    expect(readFileSync(String(said?.fields['keptAs']))).toEqual(bytes);
    expect(String(said?.fields['keptAs'])).toContain(folder.path);
  });

  it('says of what cannot be read at all where it is, and brings the others', async () => {
    const { path } = leaveSpool(3);
    truncateSync(path, 5);
    leaveSpool(4);
    start();
    await sidecar.until(() => statistic('damagedSpools') === 1 && sidecar.requests === 4);
    const said = lines.find(({ level }) => level === 'error');
    expect(said?.message).toContain('cannot be read; its requests are not counted');
    expect(statSync(String(said?.fields['keptAs'])).size).toBe(5);
  });

  it('takes one that its owner could only empty for delivered', async () => {
    const { path } = leaveSpool(3);
    truncateSync(path, 0);
    const own = start();
    await sidecar.until(() => sidecar.taken.length === 1);
    own.observe(observationOf());
    await sidecar.until(() => sidecar.requests === 1);
    expect(statistic('damagedSpools') + statistic('deaths')).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});

describe('the registry', () => {
  it('ends a recorder that nothing uses since another one was made, and makes it again when it is needed', async () => {
    const other = await ScriptedSidecar.start();
    const registry = new RecorderRegistry(log, 0, 500);
    const settings = (to: string): DeliverySettings =>
      readSettings({ sidecar_url: to, spool_dir: directory, flush_interval_ms: 100 }).delivery;
    const first = registry.recorderFor(settings(url));
    first.observe(observationOf());
    const second = registry.recorderFor(settings(other.url));
    await sidecar.until(() => sidecar.taken.at(-1)?.isGoodbye === true);
    expect(sidecar.requests).toBe(1);
    // The last one that is left stays, used or not.
    expect(registry.recorderFor(settings(other.url))).toBe(second);
    const again = registry.recorderFor(settings(url));
    expect(again).not.toBe(first);
    again.observe(observationOf());
    await registry.close();
    expect(sidecar.requests).toBe(2);
    await other.close();
  });

  it('has one recorder for one address, with the newest settings', async () => {
    const registry = new RecorderRegistry(log);
    const settings = (token: string): ReturnType<typeof readSettings> =>
      readSettings({ sidecar_url: sidecar.url, sidecar_token: token, spool_dir: directory });
    const first = registry.recorderFor(settings('first').delivery);
    expect(registry.recorderFor(settings('second').delivery)).toBe(first);
    first.observe(observationOf());
    await registry.close();
    expect(sidecar.requests).toBe(1);
    expect(sidecar.received.at(-1)?.headers.authorization).toBe('Bearer second');
    expect(lines.at(-1)?.message).toBe('the sidecar has everything; the plugin ends');
  });
});
