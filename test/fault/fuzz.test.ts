// Batches and configuration files, spoiled by chance. Whatever comes, there is no exception but a fault that says where it
// is, no hang, and no number in the ledger that the batches it took do not add up to, also after it was read from disk again.
// GATEWATCH_FUZZ_BATCHES, GATEWATCH_FUZZ_CONFIGS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Pool } from 'undici';
import { LineCounter, stringify } from 'yaml';
import { BATCH_PATH, encodeBatch } from '../../kong-plugin/contract/batch';
import { FAULT_CODES } from '../../kong-plugin/contract/fault';
import type { Config } from '../../sidecar/config/config';
import { renderFault } from '../../sidecar/config/config-fault';
import { loadConfig } from '../../sidecar/config/load-config';
import { parseYaml } from '../../sidecar/config/parse-yaml';
import { readConfig, type ReadConfig } from '../../sidecar/config/read-config';
import { readBatch } from '../../sidecar/ingest/read-batch';
import { SLOTS } from '../../sidecar/ledger/ledger-record';
import { Ledger } from '../../sidecar/ledger/ledger';
import { NO_STATISTICS, arbitraryIntervals, batchOf, deltaOf } from '../support/batches';
import { CountingModel } from '../support/counting-model';
import { CountersWatch } from '../support/counters-watch';
import { leastCpuMs, timed } from '../support/cpu-time';
import { ODD_NUMBERS, ODD_TEXTS, spoilBytes, spoilDocument } from '../support/mutations';
import { parseSamples, sumOf } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';

const BATCHES = Number(process.env['GATEWATCH_FUZZ_BATCHES'] ?? 3_000);
const CONFIGS = Number(process.env['GATEWATCH_FUZZ_CONFIGS'] ?? 1_000);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

/** Every so many batches go to a sidecar of their own, by HTTP. */
const HTTP_SHARE = 10;
/** A single one takes a few ms of the processor, the longest that is allowed a few seconds. */
const HANG_MS = 10_000;
/** The same in readings of an ordinary configuration as YAML, some 3 ms each: on a slow machine these take longer too. */
const HANG_READINGS = 3_000;
const ANSWER_TIMEOUT_MS = 60_000;

const ODD_VALUES: readonly unknown[] = [
  ...ODD_TEXTS,
  ...ODD_NUMBERS.filter((text) => /^-?\d/.test(text)).map(Number),
  null,
  true,
  [],
  {},
  [[]],
  [[50, 1]],
  [[1_000_000_000, 3]],
  [
    [2_000, 1],
    [2_010, 2],
  ],
];

/** Gives spoiled batches, and now and then a good one or one that came before. */
class BatchSource {
  readonly #random: () => number;
  readonly #sent: Buffer[] = [];
  #count = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  next(): Buffer {
    const random = this.#random;
    this.#count += 1;
    if (this.#sent.length > 0 && random() < 0.05)
      return this.#sent[Math.floor(random() * 20)] ?? Buffer.alloc(0);
    const [intervals = []] = fc.sample(arbitraryIntervals, {
      numRuns: 1,
      seed: Math.floor(random() * 2 ** 31),
    });
    const producer = `producer-${Math.floor(this.#count / 60)}`;
    const statistics = { ...NO_STATISTICS, events: this.#count % 7 };
    // Now and then the number of the one before.
    const sequence = 1 + (this.#count % 60) - (random() < 0.2 ? 1 : 0);
    const isGoodbye = random() < 0.05;
    const good = encodeBatch({
      ...batchOf([], Math.max(1, sequence), producer),
      intervals: isGoodbye ? [] : intervals,
      statistics: isGoodbye ? NO_STATISTICS : statistics,
      process: random() < 0.5 ? null : { pendingRequests: 1, eventLoopLagMs: 2, residentMemoryBytes: 3 },
      isGoodbye,
    });
    const bytes = this.#spoil(good);
    this.#sent.unshift(bytes);
    this.#sent.length = Math.min(20, this.#sent.length);
    return bytes;
  }

  #spoil(good: Buffer): Buffer {
    const random = this.#random;
    const chance = random();
    if (chance < 0.15) return good;
    if (chance < 0.55) return spoilBytes(good, random);
    // In the encoding of the plugin, so that what is looked at behind it is reached.
    let document: unknown = JSON.parse(good.toString());
    for (let one = 0; one <= random() * 2; one++) document = spoilDocument(document, ODD_VALUES, random);
    return Buffer.from(JSON.stringify(document));
  }
}

/** What took how long of the processor; throws where it was too long. */
function within<Result>(run: () => Result, what: () => string): Result {
  const { result, cpuMs } = timed(run);
  if (cpuMs > HANG_MS && cpuMs > HANG_READINGS * leastCpuMs(readWhole))
    throw new Error(`${cpuMs.toFixed(0)} ms for ${what()}`);
  return result;
}

describe(`${BATCHES} spoiled batches (seed ${SEED})`, () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'gatewatch-fuzz-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it(
    'leave the ledger with what the good ones add up to, also when it is read from disk again',
    async () => {
      const source = new BatchSource(SEED);
      const model = new CountingModel();
      let ledger = Ledger.open(directory);
      const seen = { applied: 0, duplicate: 0, conflict: 0, late: 0, refused: 0 };
      const codes = new Set<string>();
      for (let one = 0; one < BATCHES; one++) {
        const bytes = source.next();
        const read = within(
          () => readBatch(bytes),
          () => bytes.toString('base64').slice(0, 2_000),
        );
        if (!read.ok) {
          seen.refused += 1;
          codes.add(read.fault.fault);
          expect(FAULT_CODES).toContain(read.fault.fault);
          expect(read.fault.message).not.toBe('');
          expect(read.fault.message.length).toBeLessThan(1_000);
          continue;
        }
        const { result } = await ledger.apply(read.batch, bytes, Date.now(), 1_000_000);
        const expected = model.take(read.batch, bytes);
        expect(result).toBe(expected);
        seen[expected] += 1;
        if (one % 500 === 499) expect(model.differences(ledger.state.series)).toEqual([]);
      }
      expect(model.differences(ledger.state.series)).toEqual([]);
      await ledger.close();
      ledger = Ledger.open(directory);
      expect(model.differences(ledger.state.series)).toEqual([]);
      expect(BigInt(ledger.state.requests)).toBe(model.requests);
      expect(BigInt(ledger.state.statistics.events)).toBe(model.events);
      await ledger.close();
      // Each way is taken: of 3,000 about 4 are a conflict, the rarest.
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
      expect([...codes].sort()).toEqual(['invalid_batch', 'not_json', 'wrong_version']);
    },
    180_000 + BATCHES * 100,
  );

  it(
    'are answered by a real sidecar, each with a receipt or a fault, and change no number of it',
    async () => {
      const sidecar = await SidecarProcess.start();
      const watch = new CountersWatch(sidecar.url);
      const pool = new Pool(sidecar.url, { connections: 1, headersTimeout: ANSWER_TIMEOUT_MS });
      const source = new BatchSource(SEED + 1);
      const random = seededRandom(SEED + 2);
      const model = new CountingModel();
      try {
        for (let one = 0; one < BATCHES / HTTP_SHARE; one++) {
          const bytes = source.next();
          const contentType = ODD_CONTENT_TYPES[Math.floor(random() * ODD_CONTENT_TYPES.length)];
          const answer = await pool.request({
            method: 'POST',
            path: BATCH_PATH,
            headers: {
              ...(contentType === undefined ? {} : { 'content-type': contentType }),
              'gatewatch-sent-at': String(ODD_VALUES[Math.floor(random() * 4)]).replace(/[^ -~]/g, ''),
            },
            body: bytes,
          });
          const text = await answer.body.text();
          const body = JSON.parse(text) as { result?: string; fault?: string; message?: string };
          const read = readBatch(bytes);
          if (read.ok) {
            const result = model.take(read.batch, bytes);
            expect([answer.statusCode, body.result ?? body.fault]).toEqual(
              ['conflict', 'late'].includes(result) ? [422, 'sequence_conflict'] : [200, result],
            );
          } else {
            expect(body).toEqual(read.fault);
            expect([400, 422]).toContain(answer.statusCode);
          }
        }
        const check = async (): Promise<void> => {
          const samples = parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
          expect(BigInt(sumOf(samples, 'gatewatch_requests_total'))).toBe(model.requests);
          expect(sumOf(samples, 'gatewatch_series')).toBe(model.seriesCount);
          expect(BigInt(sumOf(samples, 'gatewatch_plugin_events_total'))).toBe(model.events);
        };
        await check();
        await watch.end();
        expect(watch.faults).toEqual([]);
        await sidecar.restart();
        await check();
      } finally {
        await watch.end().catch(() => undefined);
        await pool.destroy();
        await sidecar.remove();
      }
    },
    180_000 + BATCHES * 100,
  );

  it('are refused where numbers would be too large to be exact, and the ledger can still be read', async () => {
    const ledger = Ledger.open(directory);
    const model = new CountingModel();
    const huge = deltaOf({}, [1_000_000_000]);
    huge.requests = 1e12;
    huge.upstream.cells.set(1_000_000_000, 9_000_000);
    huge.upstream.count = 9_000_000;
    huge.upstream.sumMs = 9_000_000 * 1_000_000_000;
    const refused: string[] = [];
    for (let sequence = 1; sequence <= 4; sequence++) {
      const bytes = encodeBatch(batchOf([huge], sequence));
      const read = readBatch(bytes);
      if (!read.ok) continue;
      const { result } = await ledger.apply(read.batch, bytes, Date.now(), 1_000);
      if (result === 'applied') model.take(read.batch, bytes);
      else refused.push(result);
    }
    expect(refused).toEqual(['overflow', 'overflow', 'overflow']);
    // Until every series has been written whole.
    for (let sequence = 5; sequence < 5 + 2 * SLOTS; sequence++) {
      const bytes = encodeBatch(batchOf([deltaOf({}, [1])], sequence));
      const read = readBatch(bytes);
      if (!read.ok) throw new Error(read.fault.message);
      const { result } = await ledger.apply(read.batch, bytes, Date.now(), 1_000);
      if (result === 'applied') model.take(read.batch, bytes);
    }
    await ledger.close();
    const again = Ledger.open(directory);
    expect(model.differences(again.state.series)).toEqual([]);
    await again.close();
  });
});

const ODD_CONTENT_TYPES = ['application/json', 'text/html; charset=utf-16', '*/*', 'nonsense', '', undefined];

const SHIPPED = readFileSync(resolve(__dirname, '../../sidecar/gatewatch.yml'), 'utf8');
const WHOLE = `listen: 127.0.0.1:9765
token: \${GATEWATCH_TOKEN:-}
data_dir: /tmp/data
series_cap: 50000
evaluation_interval: 5s
rules:
  - name: slow
    p95_latency_ms: 500
    window: 5m
    for: 1m
    minimum_requests: 100
    severity: warning
  - {name: errors, error_rate_threshold: 0.01, for: 0s}
  - &apdex
    name: apdex
    apdex_threshold: 0.95
    apdex_target_ms: 250
  - name: budget
    slo_objective: 0.999
    burn_rates: [{severity: critical, long: 1h, short: 5m, factor: 14.4}]
  - name: checkout
    each: operation
    match: {service: checkout}
    latency_ms: {warning: 400, critical: 2000, resolve: 300}
    quantile: 0.99
    confidence: off
    overrides: [{match: {operation: GET slow}, latency_ms: 3000}, {match: {operation: GET x}, disabled: true}]
  - {name: down, kong_unreachable: true, each: gateway, for: 30s}
kong: {status_urls: [http://127.0.0.1:8101], interval: 10s}
notifications:
  group_by: [rule, service]
  escalation: [{after: 0s, channels: [ops]}, {after: 15m, channels: [hook], severities: [critical]}]
  inhibit: [{source: ['kind="error_rate"'], target: ['kind=~"latency|apdex"'], equal: [service]}]
  maintenance: [{name: night, matchers: ['service="x"'], days: [sat], from: '01:00', to: '04:30', until: 2027-03-31, comment: y}]
  quiet_hours: {severities: [info], from: '22:00', to: '07:00', time_zone: Europe/Berlin}
  digest: {severities: [info], every: 1h}
links: {runbook_url: 'https://runbooks.example/{rule}'}
channels:
  - name: ops
    type: slack
    webhook_url: \${SLACK_URL}
    timeout: 10s
  - name: hook
    type: webhook
    url_file: /run/secrets/url
`;

const readWhole = (): ReturnType<typeof parseYaml> => parseYaml(WHOLE, new LineCounter());
const WHOLE_DOCUMENT = readWhole().document.toJS() as unknown;

/** Pieces of YAML that mean something, to be put anywhere. */
const YAML_PIECES = [
  '\n- ',
  '\n? ',
  ': ',
  '&a ',
  '*a ',
  '*apdex',
  '<<: *apdex',
  '!!binary ',
  '!!js/function ',
  '!<tag:x> ',
  '%YAML 1.1\n---\n',
  '\n---\n',
  '\n...\n',
  '|\n',
  '>-\n',
  '# ',
  '\t',
  '{a: {a: {a: ',
  '[[[[[[[[[[[[[[[[[[[[[[[[[',
  ']',
  '"\\x00"',
  "'",
  '${',
  '$${',
  '${X:-${Y}}',
  '1e400',
  '.nan',
  '.inf',
  '0o17',
  '~',
  'yes',
  '2026-01-01',
  'a: &b [*b, *b]\n',
  'l0: &l0 [x,x,x,x,x,x,x,x,x]\nl1: &l1 [*l0,*l0,*l0,*l0,*l0,*l0,*l0]\nl2: [*l1,*l1,*l1,*l1,*l1,*l1,*l1]\n',
];

/** Where yaml or a check of ours could need the square of a length, or the stack. As long as a file may be. */
const LONG = 40_000;
const LONG_CONFIGS: readonly string[] = [
  '['.repeat(LONG),
  '{a: '.repeat(LONG),
  '- '.repeat(LONG),
  '? '.repeat(LONG),
  `data_dir: ${'${A'.repeat(LONG)}`,
  `data_dir: ${'${A:-'.repeat(LONG)}}`,
  `x: &x 1\nlist:\n${'- *x\n'.repeat(LONG)}`,
  Array.from({ length: LONG / 4 }, (_, index) => `k${index}: 1`).join('\n'),
  `rules:\n${'- ${A}\n'.repeat(LONG / 2)}`,
  `channels:\n${'- {type: webhook, url: x}\n'.repeat(LONG / 10)}`,
  `series_cap: ${'9'.repeat(LONG)}`,
  `evaluation_interval: ${'1h'.repeat(LONG)}`,
  `listen: "[${':'.repeat(LONG)}"`,
  `a: ${' '.repeat(LONG)}b`,
  '\0'.repeat(LONG),
  '\r'.repeat(LONG),
  '"'.repeat(LONG + 1),
  `[${','.repeat(LONG)}`,
  '&'.repeat(LONG),
  '!a '.repeat(LONG),
  '---\n'.repeat(LONG),
  'x'.repeat(10_000_000),
];

/** What a person or a broken disk may leave of a configuration. */
function spoilConfig(random: () => number): Buffer {
  const chance = random();
  if (chance < 0.35) return spoilBytes(Buffer.from(random() < 0.2 ? SHIPPED : WHOLE), random);
  if (chance < 0.6) {
    let text = WHOLE;
    for (let one = 0; one <= random() * 3; one++) {
      const at = Math.floor(random() * text.length);
      const piece = YAML_PIECES[Math.floor(random() * YAML_PIECES.length)] ?? '';
      text = text.slice(0, at) + piece + text.slice(random() < 0.5 ? at : at + piece.length);
    }
    return Buffer.from(text);
  }
  let document = WHOLE_DOCUMENT;
  const [any] = fc.sample(fc.anything({ maxDepth: 3 }), {
    numRuns: 1,
    seed: Math.floor(random() * 2 ** 31),
  });
  for (let one = 0; one <= random() * 3; one++) {
    document = spoilDocument(document, random() < 0.3 ? [plain(any)] : ODD_VALUES, random);
  }
  return Buffer.from(stringify(document));
}

/** What JSON can say of it. */
function plain(value: unknown): unknown {
  return (JSON.parse(JSON.stringify([value])) as unknown[])[0];
}

function expectFaults(read: Extract<ReadConfig, { ok: false }>, text: string): void {
  const lines = text.split(/\r\n|\n/).length;
  expect(read.faults.length).toBeGreaterThan(0);
  for (const fault of read.faults) {
    const { line, column, expected, found } = fault;
    // One expectation for all: there may be thousands of faults.
    const isPlaced =
      Number.isInteger(line) && line >= 1 && line <= lines && Number.isInteger(column) && column >= 1;
    const isSaid = expected !== '' && found !== '' && !/[\n\r\0]/.test(renderFault(fault));
    if (!isPlaced || !isSaid) throw new Error(`${JSON.stringify(fault)} for ${JSON.stringify(text)}`);
  }
}

function expectSane(config: Config): void {
  expect(Object.isFrozen(config)).toBe(true);
  expect(config.seriesCap).toBeGreaterThanOrEqual(100);
  expect(config.seriesCap).toBeLessThanOrEqual(1_000_000);
  expect(config.evaluationIntervalMs).toBeGreaterThanOrEqual(1_000);
  for (const rule of config.rules) {
    expect(rule.name).toMatch(/^[\w-]{1,64}$/);
    expect(rule.windowMs).toBeGreaterThanOrEqual(10_000);
    expect(rule.forMs).toBeGreaterThanOrEqual(0);
    if ('minimumRequests' in rule) expect(rule.minimumRequests).toBeGreaterThanOrEqual(1);
    if ('thresholds' in rule) expect(rule.thresholds.length).toBeGreaterThan(0);
  }
}

describe(`${CONFIGS} spoiled configuration files (seed ${SEED})`, () => {
  const read = (text: string, random: () => number): ReadConfig =>
    readConfig({
      text,
      file: 'gatewatch.yml',
      environment: {
        GATEWATCH_TOKEN: 'a-token-of-the-environment',
        SLACK_URL: 'https://hooks.example/x',
        EMPTY: '',
      },
      readFile: () => {
        if (random() < 0.5) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        return ODD_TEXTS[Math.floor(random() * ODD_TEXTS.length)] ?? '';
      },
      readWebConfig: () => {
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      },
    });

  it(
    'are each a configuration or faults with line and column',
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'gatewatch-fuzz-'));
      const file = join(directory, 'gatewatch.yml');
      const random = seededRandom(SEED);
      let good = 0;
      for (let one = 0; one < CONFIGS; one++) {
        const bytes = spoilConfig(random);
        const text = bytes.toString();
        const what = (): string => JSON.stringify(text.slice(0, 5_000));
        let result = within(() => read(text, random), what);
        if (one % 20 === 0) {
          writeFileSync(file, bytes);
          result = within(() => loadConfig(file), what);
        }
        if (result.ok) {
          good += 1;
          expectSane(result.config);
        } else expectFaults(result, text);
      }
      rmSync(directory, { recursive: true, force: true });
      expect(good).toBeGreaterThan(CONFIGS / 50);
      expect(good).toBeLessThan(CONFIGS / 2);
    },
    180_000 + CONFIGS * 250,
  );

  it.each(LONG_CONFIGS.map((text) => [`${JSON.stringify(text.slice(0, 30))}, ${text.length} long`, text]))(
    'are read in good time: %s',
    (_title, text) => {
      const result = within(
        () => read(text, () => 0),
        () => text.slice(0, 100),
      );
      if (result.ok) expectSane(result.config);
      else expectFaults(result, text);
    },
  );
});
