// A gap is closed once, and only once, all that happened before its end has come: with the plugin's own producer, that seals in its
// own order and sends as its recorder does, on a clock of the test's.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, ProcessFigures } from '../../../kong-plugin/contract/batch';
import { HEARTBEAT_MS } from '../../../kong-plugin/contract/heartbeat';
import { Producer } from '../../../kong-plugin/producer';
import { readSettings } from '../../../kong-plugin/read-settings';
import { readSpool } from '../../../kong-plugin/spool/read-spool';
import { SpoolFolder } from '../../../kong-plugin/spool/spool-folder';
import { readBatch } from '../../../sidecar/ingest/read-batch';
import { deliveryOf, KnownTime } from '../../../sidecar/window/coverage';
import { observationOf } from '../../support/observations';

const SECOND = 1_000;
/** By the plugin's clock; not the first ms of a second. */
const START = Date.parse('2026-03-02T10:00:00.300Z');
/** The sidecar's clock is so far ahead. */
const SKEW = 7_300;
const FIGURES: ProcessFigures = { pendingRequests: 1_000_000, eventLoopLagMs: 0, residentMemoryBytes: 0 };

/** A producer, the way to a sidecar, and what the sidecar knows. Everything is told by the plugin's clock. */
class Way {
  readonly directory = mkdtempSync(join(tmpdir(), 'gatewatch-deliveries-'));
  readonly known = new KnownTime(START + SKEW - 600 * SECOND);
  readonly folder: SpoolFolder;
  producer: Producer;
  readonly batches: Batch[] = [];
  #sentMs = START;
  #gapEndMs = Infinity;
  /** Requests from before the gap's end, and how many of them have come. */
  #before = 0;
  #came = 0;

  constructor() {
    const { delivery } = readSettings({ sidecar_url: 'http://127.0.0.1:1', spool_dir: this.directory });
    this.folder = new SpoolFolder(delivery.spoolDirectory, delivery.address);
    this.producer = Producer.begin(this.folder, () => undefined);
  }

  /** What is on disk of it. */
  get spooled(): Buffer {
    return readFileSync(this.folder.spoolPath(this.producer.id));
  }

  observe(atMs: number, operation = 'GET list'): void {
    this.producer.observe(observationOf({ operation }), atMs);
    if (atMs < this.#gapEndMs) this.#before += 1;
  }

  openGap(fromMs: number, toMs: number): void {
    this.#gapEndMs = toMs;
    this.known.openGap(fromMs + SKEW, toMs + SKEW, [this.producer.id]);
  }

  get isOpen(): boolean {
    return this.known.toRecord().gaps.length > 0;
  }

  get hasAllCome(): boolean {
    return this.#came === this.#before;
  }

  /** As a recorder does at each flush: nothing is sealed while something sealed waits. */
  flush(nowMs: number, isUp: boolean): void {
    for (;;) {
      if (!this.producer.head && !this.#seal(nowMs)) return;
      while (this.producer.head) {
        this.#sentMs = nowMs;
        if (!isUp) return;
        this.deliverHead(nowMs);
      }
    }
  }

  deliverHead(nowMs: number): void {
    const { head } = this.producer;
    const read = readBatch(head?.bytes ?? Buffer.alloc(0));
    if (!read.ok) throw new Error(read.fault.message);
    const { batch } = read;
    this.batches.push(batch);
    for (const { startMs, deltas } of batch.intervals)
      if (startMs < this.#gapEndMs) for (const { requests } of deltas) this.#came += requests;
    this.producer.settle();
    this.known.received(deliveryOf(batch, nowMs, nowMs + SKEW), nowMs + SKEW);
    if (!this.isOpen && this.#gapEndMs < Infinity) expect(this.hasAllCome).toBe(true);
  }

  #seal(nowMs: number): boolean {
    if (!this.producer.hasIntervals(nowMs) && nowMs - this.#sentMs < HEARTBEAT_MS) return false;
    this.producer.seal(nowMs, false, FIGURES);
    return true;
  }

  end(): void {
    this.producer.leave();
    this.folder.release();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

let way: Way;
beforeEach(() => (way = new Way()));
afterEach(() => way.end());

/** Whole seconds after the start, so that a gap ends on the border of two intervals. */
const at = (seconds: number): number => Math.floor(START / SECOND) * SECOND + seconds * SECOND;

describe('a gap of a restart', () => {
  it.each([5, 100, 1_000])('closes within seconds under %d requests a second', (perSecond) => {
    const stepMs = SECOND / perSecond;
    way.openGap(at(10), at(20));
    let closedMs: number | undefined;
    let flushMs = at(1);
    for (let ms = at(1); ms < at(30) && closedMs === undefined; ms += stepMs) {
      if (ms >= flushMs) {
        way.flush(ms, ms < at(10) || ms >= at(20));
        flushMs += SECOND;
        if (ms >= at(20) && !way.isOpen) closedMs = ms;
      }
      way.observe(ms);
    }
    expect(closedMs).toBeLessThanOrEqual(at(23));
  });

  it('stays open while a backlog of several batches comes, and closes with what came after it', () => {
    way.openGap(at(10), at(20));
    for (let second = 10; second < 20; second += 1)
      for (let one = 0; one < 1_500; one += 1) way.observe(at(second) + 500, `GET ${one}`);
    way.observe(at(20) + 200);
    way.flush(at(20) + 300, true);
    expect(way.batches.length).toBeGreaterThan(3);
    expect(way.hasAllCome).toBe(true);
    expect(way.isOpen).toBe(true);
    way.flush(at(21), true);
    expect(way.isOpen).toBe(false);
  });

  it('closes with minutes that were merged once a second from after it comes', () => {
    way.openGap(at(10), at(190));
    for (let second = 10; second < 190; second += 1) {
      way.observe(at(second));
      way.producer.care(at(second));
    }
    way.flush(at(190), true);
    expect(way.isOpen).toBe(true);
    way.observe(at(190) + 1);
    way.flush(at(191), true);
    expect(way.isOpen).toBe(false);
  });

  it('is not closed by a heartbeat that was sealed in it, for requests came after that', () => {
    way.openGap(at(10), at(40));
    way.flush(at(12), false);
    way.observe(at(30));
    way.deliverHead(at(40));
    expect(way.batches[0]?.intervals).toEqual([]);
    expect(way.isOpen).toBe(true);
    way.flush(at(41), true);
    expect(way.hasAllCome).toBe(true);
    way.flush(at(52), true);
    expect(way.isOpen).toBe(false);
  });

  it('waits for the goodbye of a producer that died, whose spool another one delivers', () => {
    way.openGap(at(10), at(40));
    // An interval that begins after the gap proves nothing: it is told by the dead one's clock.
    for (const second of [11, 12, 45]) way.observe(at(second));
    const spool = readSpool(way.spooled);
    way.producer = Producer.resume(spool, way.folder, () => undefined, at(60));
    way.deliverHead(at(60));
    expect(way.hasAllCome).toBe(true);
    expect(way.isOpen).toBe(true);
    way.producer.sealGoodbye();
    way.deliverHead(at(61));
    expect(way.isOpen).toBe(false);
  });
});
