// The spool against the memory that it stands for: whenever the process dies, what is read is what was answered for.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { Accumulator } from '../../../kong-plugin/accumulator';
import type { Interval } from '../../../kong-plugin/contract/batch';
import { seriesKey } from '../../../kong-plugin/contract/delta';
import type { LogLevel, PluginLog } from '../../../kong-plugin/plugin-log';
import { Producer } from '../../../kong-plugin/producer';
import { readSidecarAddress } from '../../../kong-plugin/sidecar-address';
import { readSpool } from '../../../kong-plugin/spool/read-spool';
import { sealRecord } from '../../../kong-plugin/spool/spool-record';
import { SpoolFolder, type FoundSpool } from '../../../kong-plugin/spool/spool-folder';
import { timed } from '../../support/cpu-time';
import { arbitraryObservation, observationOf } from '../../support/observations';

const ADDRESS = readSidecarAddress('http://127.0.0.1:9765');
const NOW_MS = 1_800_000_000_000;

let directory: string;
let folders: SpoolFolder[];
let lines: { level: LogLevel; message: string; fields: Readonly<Record<string, unknown>> }[];
const log: PluginLog = (level, message, fields = {}) => void lines.push({ level, message, fields });

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-spool-'));
  folders = [];
  lines = [];
});

afterEach(() => {
  for (const folder of folders) folder.release();
  rmSync(directory, { recursive: true, force: true });
});

function open(): SpoolFolder {
  const folder = new SpoolFolder(directory, ADDRESS);
  folders.push(folder);
  return folder;
}

const spools = (folder: SpoolFolder): string[] =>
  readdirSync(folder.path).filter((name) => name.endsWith('.spool'));

const bytesOf = (folder: SpoolFolder, producer: Producer): Buffer =>
  readFileSync(folder.spoolPath(producer.id));

/** Intervals as plain data, in an order of their own. */
function plain(intervals: readonly Interval[]): unknown {
  return intervals
    .map(({ startMs, durationMs, deltas }) => [
      startMs,
      durationMs,
      deltas
        .map(({ series, requests, upstream, failedTries, failedAddresses }) =>
          JSON.stringify([
            seriesKey(series),
            requests,
            upstream.count,
            upstream.sumMs,
            [...upstream.cells].sort(([a], [b]) => a - b),
            [...failedTries].sort(([a], [b]) => a - b),
            [...failedAddresses].sort(([a], [b]) => a.localeCompare(b)),
          ]),
        )
        .sort(),
    ])
    .sort();
}

describe('a spool', () => {
  type Step =
    | { kind: 'observe'; observation: ReturnType<typeof observationOf>; ms: number }
    | { kind: 'seal' | 'settle' | 'coarsen' };
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('observe' as const),
        observation: arbitraryObservation,
        ms: fc.nat(3_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('seal' as const, 'settle' as const, 'coarsen' as const) }),
    },
  );

  it('holds what memory holds after any steps, and goes on from there', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const folder = open();
        const producer = Producer.begin(folder, log);
        const model = new Accumulator();
        let nowMs = NOW_MS;
        let [sealed, settled] = [0, 0];
        for (const one of steps) {
          if (one.kind === 'observe') {
            nowMs += one.ms;
            producer.observe(one.observation, nowMs);
            model.add(one.observation, nowMs);
          } else if (one.kind === 'seal') {
            producer.seal(nowMs, true, null);
            model.take(nowMs, true);
            sealed += 1;
          } else if (one.kind === 'settle') {
            if (producer.head) settled += 1;
            producer.settle();
          } else {
            producer.care(nowMs);
            model.coarsen(nowMs);
          }
        }
        const { checkpoint, unreadBytes } = readSpool(bytesOf(folder, producer));
        expect(unreadBytes).toBe(0);
        expect(checkpoint.sealed.map(({ sequence }) => sequence)).toEqual(
          Array.from({ length: sealed - settled }, (_, index) => settled + 1 + index),
        );
        expect(checkpoint.nextSequence).toBe(sealed + 1);
        const read = Accumulator.holding(checkpoint.pending);
        for (const both of [read, model]) both.coarsen(nowMs + 3_600_000);
        expect(plain(read.held().intervals)).toEqual(plain(model.held().intervals));
        expect(read.held().statistics).toEqual(model.held().statistics);
        folder.release();
      }),
      { numRuns: 60 },
    );
  });

  it('that is cut off at any byte gives every event before it, and tells how many bytes it could not read', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    const checkpointBytes = bytesOf(folder, producer).length;
    const ends = [checkpointBytes];
    for (let one = 0; one < 8; one++) {
      const [status, failedAddresses] = [200 + (one % 3), ['10.0.0.1:80', '10.0.0.2:80']];
      producer.observe(observationOf({ status, failedTryCodes: [502, 504], failedAddresses }), NOW_MS);
      ends.push(bytesOf(folder, producer).length);
    }
    const whole = bytesOf(folder, producer);
    for (let length = checkpointBytes; length <= whole.length; length++) {
      const { checkpoint, unreadBytes } = readSpool(whole.subarray(0, length));
      const events = ends.filter((end) => end <= length).length - 1;
      expect(checkpoint.pending.statistics.events).toBe(events);
      // A series that is new stands before its first event, in a record of its own.
      expect(unreadBytes).toBeLessThanOrEqual(length - (ends[events] ?? 0));
    }
    for (let length = 0; length < checkpointBytes; length++) {
      expect(() => readSpool(whole.subarray(0, length))).toThrow('its beginning is not what was written');
    }
  });

  it('tells every address as it was, though it be as long as any', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    const failedAddresses = ['10.0.0.1:80', '[::1]:8080', 'x'.repeat(64), '10.0.0.1:80'];
    producer.observe(observationOf({ failedTryCodes: [502, 504], failedAddresses }), NOW_MS);
    const expected = new Map([
      ['10.0.0.1:80', 2],
      ['[::1]:8080', 1],
      ['x'.repeat(64), 1],
    ]);
    const addressesOf = (bytes: Buffer): unknown =>
      readSpool(bytes).checkpoint.pending.intervals[0]?.deltas[0]?.failedAddresses;
    expect(addressesOf(bytesOf(folder, producer))).toEqual(expected);
    // In a checkpoint too.
    producer.leave();
    expect(addressesOf(bytesOf(folder, producer))).toEqual(expected);
  });

  it('of a release that did not know addresses is read, a checkpoint and its tail', () => {
    const series = ['orders', 'GET list', 502, 'upstream', 'upstream_unreachable', 'error'];
    const row = [1, 'p', 2, 'owned', [], [series], [[NOW_MS, 1_000, [[0, 1, 7, [7, 1], [502, 3]]]]], {}];
    const observation = Buffer.alloc(30);
    observation[0] = 0x6f;
    observation[1] = 4;
    observation.writeUInt32BE(2, 6);
    observation.writeDoubleBE(NOW_MS, 10);
    observation.writeDoubleBE(9, 18);
    observation.writeUInt16BE(502, 26);
    observation.writeUInt16BE(504, 28);
    const payloads = [encode(row), Buffer.concat([Buffer.of(0x73), encode(series)]), observation];
    const { checkpoint, unreadBytes } = readSpool(Buffer.concat(payloads.map(sealRecord)));
    expect(unreadBytes).toBe(0);
    expect(checkpoint.pending.intervals.flatMap(({ deltas }) => deltas)).toEqual([
      {
        series: {
          service: 'orders',
          operation: 'GET list',
          status: 502,
          source: 'upstream',
          errorType: 'upstream_unreachable',
          severity: 'error',
        },
        requests: 2,
        upstream: {
          count: 2,
          sumMs: 16,
          cells: new Map([
            [7, 1],
            [9, 1],
          ]),
        },
        failedTries: new Map([
          [502, 4],
          [504, 1],
        ]),
        failedAddresses: new Map(),
      },
    ]);
  });

  it('with a flipped bit gives nothing that was not written', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    for (let one = 0; one < 5; one++) producer.observe(observationOf({ upstreamMs: 7 }), NOW_MS);
    const whole = bytesOf(folder, producer);
    for (let bit = 0; bit < whole.length * 8; bit += 3) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let events: number;
      try {
        const { checkpoint } = readSpool(damaged);
        ({ events } = checkpoint.pending.statistics);
        expect(checkpoint.producer).toBe(producer.id);
        expect(checkpoint.pending.intervals.flatMap(({ deltas }) => deltas)[0]?.upstream.sumMs ?? 0).toBe(
          7 * events,
        );
      } catch (error) {
        events = 0;
        expect(String(error)).toMatch(/its beginning is not what was written/);
      }
      expect(events).toBeLessThan(5);
    }
  });

  it('stays within its bound while nothing can be sent', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    let most = 0;
    for (let event = 0; event < 400_000; event++) {
      producer.observe(observationOf({ status: 200 + (event % 5) }), NOW_MS + event / 10);
      if (event % 1_000 !== 0) continue;
      producer.care(NOW_MS + event / 10);
      most = Math.max(most, statSync(folder.spoolPath(producer.id)).size);
    }
    expect(most).toBeGreaterThan(7.9 * 1024 * 1024);
    expect(most).toBeLessThan(8.2 * 1024 * 1024);
    expect(readSpool(bytesOf(folder, producer)).checkpoint.pending.statistics.events).toBe(400_000);
  });

  it('of a day is read before anybody waits for it', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    const events = 20_000;
    const writing = timed(() => {
      for (let event = 0; event < events; event++)
        producer.observe(
          observationOf({ service: `service-${event % 200}` }),
          NOW_MS + (event * 86_400_000) / events,
        );
    });
    const reading = timed(() => readSpool(bytesOf(folder, producer)));
    expect(reading.result.checkpoint.pending.statistics.events).toBe(events);
    // A fifth of it. Where all of memory is weighed for each second of that day, it is four times as long.
    expect(reading.cpuMs).toBeLessThan(writing.cpuMs / 2);
  });

  it('is left until its goodbye is delivered, so that somebody says it', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    producer.seal(NOW_MS, true, null);
    producer.settle();
    expect(producer.leave()).toEqual({ requests: 0, isKept: true });
    expect(readSpool(bytesOf(folder, producer)).checkpoint).toMatchObject({ state: 'left', sealed: [] });
  });

  it('is gone when all is delivered, and left where it is not', () => {
    const folder = open();
    const [delivered, kept] = [Producer.begin(folder, log), Producer.begin(folder, log)];
    delivered.observe(observationOf(), NOW_MS);
    delivered.seal(NOW_MS, true, null);
    delivered.settle();
    delivered.sealGoodbye();
    delivered.settle();
    expect(delivered.leave()).toEqual({ requests: 0, isKept: true });
    kept.observe(observationOf(), NOW_MS);
    expect(kept.leave()).toEqual({ requests: 1, isKept: true });
    expect(spools(folder)).toHaveLength(1);
    expect(readSpool(bytesOf(folder, kept)).checkpoint.state).toBe('left');
  });
});

/** @throws why it cannot be read */
function bytesIn(found: FoundSpool | undefined): Buffer {
  if (!found) throw new Error('no spool was found');
  if (!Buffer.isBuffer(found.bytes)) throw found.bytes;
  return found.bytes;
}

describe('a spool whose owner is dead', () => {
  function leaveOne(count: number): { owner: SpoolFolder; producer: Producer } {
    const owner = open();
    const producer = Producer.begin(owner, log);
    for (let one = 0; one < count; one++) producer.observe(observationOf(), NOW_MS);
    return { owner, producer };
  }

  it('is adopted by exactly one of many, and not while its owner lives', async () => {
    const { owner, producer } = leaveOne(3);
    const others = Array.from({ length: 20 }, () => open());
    for (const other of others) other.hold();
    expect((await Promise.all(others.map((other) => other.adopt()))).flat()).toEqual([]);
    owner.release();
    const found = (await Promise.all(others.map((other) => other.adopt()))).flat();
    expect(found.map((spool) => spool.producer)).toEqual([producer.id]);
    expect((await Promise.all(others.map((other) => other.adopt()))).flat()).toEqual([]);
  });

  it('is sent under its own name: what was sealed as it was, then the rest, which counts one death', async () => {
    const { owner, producer } = leaveOne(3);
    producer.seal(NOW_MS, true, null);
    producer.observe(observationOf(), NOW_MS);
    const sealed = producer.head;
    owner.release();
    const folder = open();
    folder.hold();
    const [found] = await folder.adopt();
    const resumed = Producer.resume(readSpool(bytesIn(found)), folder, log, NOW_MS);
    expect(resumed.id).toBe(producer.id);
    expect(resumed.head).toEqual(sealed);
    resumed.settle();
    expect(JSON.parse(String(resumed.head?.bytes))).toMatchObject({
      sequence: 2,
      statistics: { events: 1, deaths: 1 },
    });
    // Its new owner dies as well: the same bytes again, and no second death of the first.
    const bytes = resumed.head?.bytes;
    folder.release();
    const third = open();
    third.hold();
    const [again] = await third.adopt();
    const last = Producer.resume(readSpool(bytesIn(again)), third, log, NOW_MS);
    expect(last.head?.bytes).toEqual(bytes);
    last.settle();
    expect(JSON.parse(String(last.head?.bytes))).toMatchObject({
      sequence: 3,
      statistics: { events: 0, deaths: 0 },
    });
  });

  it('does not hold up the others where it cannot be read', async () => {
    const { owner, producer } = leaveOne(1);
    const unreadable = join(owner.path, `00000000-0000-0000-0000-000000000000.0123456789abcdef.spool`);
    mkdirSync(unreadable);
    owner.release();
    const folder = open();
    folder.hold();
    const found = await folder.adopt();
    expect(found.map((spool) => [spool.producer, Buffer.isBuffer(spool.bytes)]).sort()).toEqual(
      [
        ['00000000-0000-0000-0000-000000000000', false],
        [producer.id, true],
      ].sort(),
    );
  });

  it('leaves no file behind that was not finished', async () => {
    const { owner } = leaveOne(1);
    const name = readdirSync(owner.path).find((file) => file.endsWith('.spool')) ?? '';
    writeFileSync(join(owner.path, name.replace('.spool', '.unfinished')), 'half');
    owner.release();
    const folder = open();
    folder.hold();
    await folder.adopt();
    expect(readdirSync(folder.path).filter((file) => !file.endsWith('.sock'))).toHaveLength(1);
    expect(readdirSync(folder.path)).toHaveLength(2);
  });

  it('and which cannot be read is kept for a person, up to ten of them', async () => {
    const folder = open();
    folder.hold();
    for (let one = 0; one < 14; one++) {
      const { owner, producer } = leaveOne(1);
      truncateSync(owner.spoolPath(producer.id), 5);
      owner.release();
      for (const found of await folder.adopt()) {
        expect(() => readSpool(bytesIn(found))).toThrow();
        expect(statSync(folder.setAside(found)).size).toBe(5);
      }
    }
    expect(readdirSync(folder.path).filter((file) => file.endsWith('.damaged'))).toHaveLength(10);
  });
});

describe('a spool that cannot be written', () => {
  it('is said aloud once, its events are counted, and it is written again when that is possible', () => {
    writeFileSync(join(directory, 'in-the-way'), '');
    const folder = new SpoolFolder(join(directory, 'in-the-way'), ADDRESS);
    folders.push(folder);
    const producer = Producer.begin(folder, log);
    producer.observe(observationOf(), NOW_MS);
    producer.seal(NOW_MS, true, null);
    producer.observe(observationOf(), NOW_MS);
    expect(lines).toEqual([
      {
        level: 'error',
        message: expect.stringMatching(
          /^the spool cannot be written; what is not delivered yet is in memory only/,
        ) as unknown,
        fields: { folder: folder.path, reason: expect.stringMatching(/ENOTDIR|EEXIST/) as unknown },
      },
    ]);
    expect(JSON.parse(String(producer.head?.bytes))).toMatchObject({
      statistics: { events: 1, unspooledEvents: 1 },
    });
    rmSync(join(directory, 'in-the-way'));
    producer.spoolAgain();
    expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'the spool is written again' });
    expect(readSpool(bytesOf(folder, producer)).checkpoint).toMatchObject({
      sealed: [{ sequence: 1 }],
      pending: { statistics: { events: 1 } },
    });
  });

  it('is not written where others could write too', () => {
    const folder = open();
    mkdirSync(folder.path, { mode: 0o777 });
    const umask = process.umask(0);
    rmSync(folder.path, { recursive: true });
    mkdirSync(folder.path, { mode: 0o777 });
    process.umask(umask);
    Producer.begin(folder, log);
    expect(lines[0]?.fields['reason']).toMatch(/may be written to by others: chmod 700 it/);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('is begun anew when its folder was removed', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    rmSync(folder.path, { recursive: true });
    producer.observe(observationOf(), NOW_MS);
    producer.seal(NOW_MS, true, null);
    expect(readSpool(bytesOf(folder, producer)).checkpoint.sealed).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  it('leaves no old file that lacks what is sent from now on', () => {
    const folder = open();
    const producer = Producer.begin(folder, log);
    producer.observe(observationOf(), NOW_MS);
    mkdirSync(folder.unfinishedPath(producer.id));
    producer.seal(NOW_MS, true, null);
    expect(spools(folder)).toEqual([]);
    expect(lines.map(({ level }) => level)).toEqual(['error']);
    rmdirSync(folder.unfinishedPath(producer.id));
    producer.spoolAgain();
    expect(readSpool(bytesOf(folder, producer)).checkpoint.sealed).toHaveLength(1);
  });
});
