// Between the plugin's recorder and a real sidecar stands a proxy that spoils answers and requests. Whatever it does, every
// observation is counted exactly once, no counter goes down, and the failures are said aloud and counted. Only a batch that
// the sidecar itself refuses with 400, 413 or 422 and its own fault code is given up, and that is said and counted too.
// GATEWATCH_WIRE_RUNS and GATEWATCH_FAULT_SEED make a longer or another run; the seed is printed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PluginLog } from '../../kong-plugin/plugin-log';
import { readSettings } from '../../kong-plugin/read-settings';
import { Recorder } from '../../kong-plugin/recorder';
import { CountersWatch } from '../support/counters-watch';
import { endRecorder } from '../support/end-recorder';
import { FaultyProxy, REFUSED, UNANSWERED, UNNOTICED, type WireFault } from '../support/faulty-proxy';
import { observationOf } from '../support/observations';
import { sumOf, type ScrapedSample } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';

const RUNS = Number(process.env['GATEWATCH_WIRE_RUNS'] ?? 1);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);

/** Far above what a busy machine needs for an answer, so that only the faults are late. */
const REQUEST_TIMEOUT_MS = 8_000;
const LATE_MS = 10_000;
const RETRY_AFTER_MS = 1_000;
/** Of a run of all faults mixed. */
const MIXED_FAULTS = 40;

const FAILED = 'a batch could not be delivered; it is kept and sent again';
const AGAIN = 'batches are delivered again';
const REFUSED_FOR_GOOD = 'the sidecar refused a batch for good; its requests are not counted';

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A recorder behind a proxy of its own, and all that is known about what it was given. */
class ProxiedRecorder {
  given = 0;
  readonly lines: Line[] = [];
  readonly #recorder: Recorder;
  readonly #spoolDirectory = mkdtempSync(join(tmpdir(), 'gatewatch-spool-'));
  #timer: NodeJS.Timeout | undefined;

  static async start(
    sidecarUrl: string,
    service: string,
    random: () => number,
    next: () => WireFault,
  ): Promise<ProxiedRecorder> {
    return new ProxiedRecorder(await FaultyProxy.start(sidecarUrl, LATE_MS, random, next), service);
  }

  private constructor(
    readonly proxy: FaultyProxy,
    readonly service: string,
  ) {
    const log: PluginLog = (_level, message, fields = {}) => void this.lines.push({ message, fields });
    const { delivery } = readSettings({
      sidecar_url: proxy.url,
      flush_interval_ms: 100,
      request_timeout_ms: REQUEST_TIMEOUT_MS,
      shutdown_timeout_ms: 60_000,
      spool_dir: this.#spoolDirectory,
    });
    this.#recorder = new Recorder(delivery, log);
  }

  observe(): void {
    this.given += 1;
    this.#recorder.observe(observationOf({ service: this.service, upstreamMs: this.given % 300 }));
  }

  load(perSecond: number): void {
    this.#timer = setInterval(() => {
      for (let one = 0; one < perSecond / 50; one++) this.observe();
    }, 20);
  }

  /** Ends the load, lets everything pass and delivers it; how many requests could not be delivered. */
  async finish(): Promise<number> {
    clearInterval(this.#timer);
    await this.proxy.mend();
    // What failed is told with the next batch, so there must be one.
    this.observe();
    return endRecorder(this.#recorder);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await endRecorder(this.#recorder);
    rmSync(this.#spoolDirectory, { recursive: true, force: true });
    await this.proxy.close();
  }

  /** The sum of a number that the lines of one message carry. */
  sumOfLines(message: string, field: string): number {
    return this.lines
      .filter((line) => line.message === message)
      .reduce((sum, { fields }) => sum + Number(fields[field]), 0);
  }
}

jest.setTimeout(300_000);

let sidecar: SidecarProcess;
let watch: CountersWatch;
let recorders: ProxiedRecorder[];

beforeEach(async () => {
  recorders = [];
  sidecar = await SidecarProcess.start();
  watch = new CountersWatch(sidecar.url);
});

afterEach(async () => {
  await Promise.all(recorders.map((recorder) => recorder.close()));
  await watch.end();
  await sidecar.remove();
});

function countedOf(samples: readonly ScrapedSample[], service: string): number[] {
  return [
    sumOf(samples, 'gatewatch_requests_total', { service }),
    sumOf(samples, 'external_request_duration_seconds_count', { service }),
  ];
}

/** No sequence number ever stood for two batches. */
function expectSameBytesAgain({ proxy }: ProxiedRecorder): void {
  const bytesOf = new Map<number, Buffer>();
  for (const { sequence, bytes } of proxy.passed) {
    const first = bytesOf.get(sequence);
    if (first) expect(bytes.equals(first)).toBe(true);
    else bytesOf.set(sequence, bytes);
  }
}

const NO_RECEIPT = /answered \d+ without a receipt: does sidecar_url lead to the sidecar\?/;
const NO_RECEIPT_200 = /an answer of 200 without a receipt: does sidecar_url lead to the sidecar\?/;
const TOO_LATE = new RegExp(`no answer within ${REQUEST_TIMEOUT_MS} ms`);
const BROKEN = /the connection failed: /;
const TOKEN = /sidecar_token must be the same as the sidecar's token/;

/** What the plugin says of each. */
const REASONS: Readonly<Record<keyof typeof UNANSWERED, RegExp>> = {
  'the connection is closed before the request is read': BROKEN,
  'the answer is swallowed after the commit': BROKEN,
  'the answer is late': TOO_LATE,
  'the answer drips': TOO_LATE,
  'the answer is noise': BROKEN,
  'a byte of the receipt is changed': NO_RECEIPT_200,
  'the receipt is cut off, with a length that fits': NO_RECEIPT_200,
  'the receipt is cut off, with a length that does not fit': BROKEN,
  'the connection is reset in the middle of the body': BROKEN,
  'the answer has no end': NO_RECEIPT_200,
  'the request is cut off on its way': BROKEN,
  500: NO_RECEIPT,
  502: NO_RECEIPT,
  503: /the sidecar cannot take it now \(503\)/,
  504: NO_RECEIPT,
  '429 with Retry-After': NO_RECEIPT,
  401: TOKEN,
  403: TOKEN,
  404: NO_RECEIPT,
  301: NO_RECEIPT,
  302: NO_RECEIPT,
  307: NO_RECEIPT,
  308: NO_RECEIPT,
  'a page with 200': NO_RECEIPT_200,
  'an empty 200': NO_RECEIPT_200,
  204: NO_RECEIPT,
  'a receipt of another sequence': NO_RECEIPT_200,
  'a receipt of another producer': NO_RECEIPT_200,
  'a receipt without a result': NO_RECEIPT_200,
  'a page with 400': NO_RECEIPT,
  'a page with 413': NO_RECEIPT,
  '422 with the fault of another program': NO_RECEIPT,
  'the request is held and comes after newer ones': BROKEN,
};

describe('each fault between plugin and sidecar', () => {
  // All at once, each with a recorder and a service of its own: the first batch passes, the next two tries meet the fault.
  it('leaves every observation counted once, the failure said aloud and counted', async () => {
    const faults = [...Object.keys(UNANSWERED), ...Object.keys(UNNOTICED)] as WireFault[];
    const play = async (fault: WireFault, index: number): Promise<void> => {
      let requests = 0;
      const next = (): WireFault => ([2, 3].includes(++requests) ? fault : 'nothing');
      const recorder = await ProxiedRecorder.start(
        sidecar.url,
        String(fault),
        seededRandom(SEED * 1_000 + index),
        next,
      );
      recorders.push(recorder);
      const { proxy } = recorder;
      recorder.load(100);
      // What is held back or replayed comes three requests later.
      await proxy.until(() => proxy.passed.length >= 3 + 4);
      expect([fault, await recorder.finish()]).toEqual([fault, 0]);
    };
    await Promise.all(faults.map(play));
    const samples = await watch.end();

    for (const recorder of recorders) {
      const { service: fault, proxy, given, lines } = recorder;
      expect([fault, ...countedOf(samples, fault)]).toEqual([fault, given, given]);
      expect([fault, proxy.strays]).toEqual([fault, 0]);
      expectSameBytesAgain(recorder);
      const reason = REASONS[fault as keyof typeof UNANSWERED] as RegExp | undefined;
      const said = lines.map(({ message, fields }) => [fault, message, fields['failures']]);
      if (reason === undefined) {
        expect([fault, lines]).toEqual([fault, []]);
      } else {
        expect(said).toEqual([
          [fault, FAILED, 1],
          [fault, AGAIN, 2],
        ]);
        expect(String(lines[0]?.fields['reason'])).toMatch(reason);
      }
      for (const answer of proxy.replayed) expect([fault, answer]).toEqual([fault, '200 duplicate']);
    }
    expect(sumOf(samples, 'gatewatch_plugin_failed_sends_total')).toBe(2 * Object.keys(UNANSWERED).length);
    expect(sumOf(samples, 'gatewatch_plugin_refused_requests_total')).toBe(0);
    expect(sumOf(samples, 'gatewatch_missing_batches_total')).toBe(0);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'sequence_conflict' })).toBe(0);
    expect(watch.faults).toEqual([]);

    const limited = recorders.find(({ service }) => service === '429 with Retry-After');
    const [, second, third, fourth] = limited?.proxy.passed ?? [];
    for (const [before, after] of [
      [second, third],
      [third, fourth],
    ] as const) {
      // Timers may be a millisecond early.
      expect((after?.atMs ?? 0) - (before?.atMs ?? 0)).toBeGreaterThanOrEqual(RETRY_AFTER_MS - 2);
    }
  });
});

describe(`all faults mixed under load, ${RUNS} runs (seed ${SEED})`, () => {
  it.each(Array.from({ length: RUNS }, (_, run) => SEED + run))(
    'leave every observation counted exactly once with seed %i',
    async (seed) => {
      const faults = [...Object.keys(UNANSWERED), ...Object.keys(UNNOTICED)] as WireFault[];
      const random = seededRandom(seed);
      const next = (): WireFault =>
        random() < 0.4 ? 'nothing' : (faults[Math.floor(random() * faults.length)] ?? 'nothing');
      for (let one = 0; one < 12; one++) {
        const recorder = await ProxiedRecorder.start(sidecar.url, `service-${one}`, random, next);
        recorders.push(recorder);
        recorder.load(500);
      }
      // Enough has met a fault, and enough scrapes have seen it.
      const isEnough = (): boolean =>
        recorders.reduce((sum, { proxy }) => sum + proxy.unanswered, 0) >= MIXED_FAULTS && watch.scrapes > 10;
      await Promise.race(recorders.map(({ proxy }) => proxy.until(isEnough)));
      const undelivered = await Promise.all(recorders.map((recorder) => recorder.finish()));
      expect(undelivered).toEqual(recorders.map(() => 0));
      const samples = await watch.end();

      for (const recorder of recorders) {
        const { service, given, proxy } = recorder;
        expect([service, ...countedOf(samples, service)]).toEqual([service, given, given]);
        expectSameBytesAgain(recorder);
        expect(proxy.strays).toBe(0);
        expect(recorder.sumOfLines(AGAIN, 'failures')).toBe(proxy.unanswered);
        for (const answer of proxy.replayed) expect(answer).toMatch(/^200 (applied|duplicate)$/);
      }
      const unanswered = recorders.reduce((sum, { proxy }) => sum + proxy.unanswered, 0);
      const given = recorders.reduce((sum, recorder) => sum + recorder.given, 0);
      expect(unanswered).toBeGreaterThanOrEqual(MIXED_FAULTS);
      expect(sumOf(samples, 'gatewatch_plugin_failed_sends_total')).toBe(unanswered);
      expect(sumOf(samples, 'gatewatch_plugin_events_total')).toBe(given);
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(given);
      expect(sumOf(samples, 'gatewatch_missing_batches_total')).toBe(0);
      expect(watch.faults).toEqual([]);
      expect(watch.scrapes).toBeGreaterThan(5);
    },
  );
});

describe('a batch that the sidecar refuses for good', () => {
  it.each(Object.keys(REFUSED) as (keyof typeof REFUSED)[])(
    'is set aside, said aloud and counted: %s',
    async (fault) => {
      let requests = 0;
      const next = (): WireFault => (++requests === 2 ? fault : 'nothing');
      const recorder = await ProxiedRecorder.start(sidecar.url, 'orders', seededRandom(SEED), next);
      recorders.push(recorder);
      const { proxy } = recorder;
      recorder.load(100);
      await proxy.until(() => proxy.passed.length >= 4);
      expect(await recorder.finish()).toBe(0);
      const samples = await watch.end();

      const [code] = fault.split(' ');
      const refused = proxy.passed[1];
      expect(recorder.lines.map(({ message }) => message)).toEqual([REFUSED_FOR_GOOD]);
      expect(recorder.lines[0]?.fields).toMatchObject({ fault: code, sequence: refused?.sequence });
      const lost = recorder.sumOfLines(REFUSED_FOR_GOOD, 'requests');
      expect(lost).toBeGreaterThan(0);
      expect(proxy.passed.filter(({ sequence }) => sequence === refused?.sequence)).toHaveLength(1);
      expect(countedOf(samples, 'orders')).toEqual([recorder.given - lost, recorder.given - lost]);
      expect(sumOf(samples, 'gatewatch_plugin_refused_requests_total')).toBe(lost);
      expect(sumOf(samples, 'gatewatch_batches_total', { result: code ?? '' })).toBe(1);
      expect(sumOf(samples, 'gatewatch_missing_batches_total')).toBe(1);
      expect(watch.faults).toEqual([]);
    },
  );
});
