import fc from 'fast-check';
import { encodeBatch, type BatchDocument } from '../../../kong-plugin/contract/batch';
import { readBatch } from '../../../sidecar/ingest/read-batch';
import { NO_STATISTICS, arbitraryIntervals, batchOf, deltaOf } from '../../support/batches';

const GOOD = batchOf([
  deltaOf({}, [120, 2_504, undefined]),
  deltaOf({ status: 500, errorType: 'x', severity: 'error' }, [7]),
]);

type Loose = Record<string, unknown>;

/** The good batch with one place changed. */
function changed(change: (document: Loose, delta: Loose, interval: Loose) => void): Buffer {
  const document = JSON.parse(encodeBatch(GOOD).toString()) as BatchDocument & Loose;
  const interval = document.intervals[0] as unknown as Loose & { deltas: Loose[] };
  change(document, interval.deltas[0] as Loose, interval);
  return Buffer.from(JSON.stringify(document));
}

function faultOf(bytes: Uint8Array): string {
  const read = readBatch(bytes);
  return read.ok ? 'no fault' : `${read.fault.fault}: ${read.fault.message}`;
}

const PROCESS = { pendingRequests: 1, eventLoopLagMs: 20, residentMemoryBytes: 50_000_000 };

describe('a batch that arrives', () => {
  it.each([GOOD, { ...GOOD, process: PROCESS }, { ...batchOf([]), intervals: [], isGoodbye: true }])(
    'is read back as it was sealed',
    (batch) => {
      expect(readBatch(encodeBatch(batch))).toEqual({ ok: true, batch });
    },
  );

  it('is read back whatever the plugin put into it', () => {
    fc.assert(
      fc.property(arbitraryIntervals, fc.integer({ min: 1 }), (intervals, sequence) => {
        const batch = { ...batchOf([], sequence, 'p'), intervals, statistics: NO_STATISTICS };
        expect(readBatch(encodeBatch(batch))).toEqual({ ok: true, batch });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('is read back with as many failed addresses as a delta may have, and the others together', () => {
    const delta = deltaOf({ status: 500, errorType: 'x', severity: 'error' }, [1, 2]);
    delta.failedTries.set(502, 64);
    for (const number of Array(64).keys()) delta.failedAddresses.set(`10.0.0.${number}:80`, 1);
    delta.failedAddresses.set('__other__', 2);
    const batch = batchOf([delta]);
    expect(readBatch(encodeBatch(batch))).toEqual({ ok: true, batch });
  });

  it('is read from a plugin that did not know failed addresses yet', () => {
    const interval =
      '{"startMs":1700000000000,"durationMs":1000,"deltas":[{"service":"orders","operation":"GET list","status":502,' +
      '"source":"upstream","errorType":"upstream_unreachable","severity":"error","requests":1,"upstreamSumMs":5,' +
      '"upstreamCells":[[5,1]],"failedTries":[[502,3]]}]}';
    const statistics = JSON.stringify({ ...NO_STATISTICS, events: 1 });
    const bytes = Buffer.from(
      `{"version":1,"producer":"p","sequence":1,"intervals":[${interval}],"statistics":${statistics},` +
        '"process":null,"isGoodbye":false}',
    );
    const read = readBatch(bytes);
    expect(read.ok ? read.batch.intervals[0]?.deltas[0] : read.fault).toMatchObject({
      failedTries: new Map([[502, 3]]),
      failedAddresses: new Map(),
    });
  });

  const sealed = encodeBatch(GOOD).toString();
  const cases: [title: string, bytes: Buffer, fault: string][] = [
    ['nothing at all', Buffer.alloc(0), 'not_json: expected a JSON document in UTF-8'],
    ['cut off', Buffer.from(sealed.slice(0, -20)), 'not_json: expected a JSON document in UTF-8'],
    ['not JSON', Buffer.from('hello'), 'not_json'],
    ['not UTF-8', Buffer.concat([Buffer.from('"'), Buffer.from([0xff, 0xfe]), Buffer.from('"')]), 'not_json'],
    ['nested deeper than the stack', Buffer.from('['.repeat(500_000)), 'not_json'],
    ['a list', Buffer.from('[]'), 'invalid_batch: the batch: expected an object, found a list'],
    ['null', Buffer.from('null'), 'invalid_batch: the batch: expected an object, found null'],
    [
      'of another version',
      changed((document) => (document.version = 2)),
      'wrong_version: version: expected 1, found 2. Run the same release of plugin and sidecar',
    ],
    ['without a version', Buffer.from('{}'), 'wrong_version: version: expected 1, found nothing'],
    [
      'with an unknown field',
      changed((document) => (document['extra'] = 1)),
      'invalid_batch: the batch: expected only known fields, found the field extra',
    ],
    [
      'with a field of a long name',
      changed((document) => Object.assign(document, { ['x'.repeat(10_000)]: 1 })),
      `only known fields, found the field ${'x'.repeat(77)}...`,
    ],
    [
      'with the field __proto__',
      Buffer.from(sealed.replace('{"version"', '{"__proto__":{},"version"')),
      'invalid_batch: the batch: expected only known fields, found the field __proto__',
    ],
    [
      'without a field',
      changed((_, delta) => delete delta['requests']),
      'invalid_batch: intervals[0].deltas[0]: expected the field requests, found none',
    ],
    [
      'with a negative count',
      changed((_, delta) => (delta['requests'] = -1)),
      'invalid_batch: intervals[0].deltas[0].requests: expected a whole number from 1 to 1000000000000, found -1',
    ],
    [
      'of a process with a part of a byte',
      changed((document) => (document['process'] = { ...PROCESS, residentMemoryBytes: 0.5 })),
      'invalid_batch: process.residentMemoryBytes: expected a whole number from 0 to 9007199254740991, found 0.5',
    ],
    [
      'of a process that is nothing',
      changed((document) => delete document['process']),
      'invalid_batch: the batch: expected the field process, found none',
    ],
    [
      'a goodbye in words',
      changed((document) => (document['isGoodbye'] = 'yes')),
      'invalid_batch: isGoodbye: expected true or false, found "yes"',
    ],
    [
      'a goodbye that counts something',
      changed((document) => (document['isGoodbye'] = true)),
      'invalid_batch: isGoodbye: expected false in a batch that counts, found true',
    ],
    [
      'with NaN, which is not JSON',
      Buffer.from(sealed.replace('"requests":3', '"requests":NaN')),
      'not_json',
    ],
    [
      'with null where a count belongs, as NaN is written',
      changed((_, delta) => (delta['requests'] = null)),
      'invalid_batch: intervals[0].deltas[0].requests: expected a whole number from 1 to 1000000000000, found null',
    ],
    [
      'with a count beyond every sum',
      changed((_, delta) => (delta['requests'] = 1e300)),
      'invalid_batch: intervals[0].deltas[0].requests: expected a whole number',
    ],
    [
      'with half a millisecond',
      changed((_, delta) => (delta['upstreamCells'] = [[0.5, 1]])),
      'invalid_batch: intervals[0].deltas[0].upstreamCells[0][0]: expected a histogram cell in whole ms, found 0.5',
    ],
    [
      'with a time that is no cell',
      changed((_, delta) => (delta['upstreamCells'] = [[2_504, 1]])),
      'expected a histogram cell in whole ms, found 2504',
    ],
    [
      'with a cell twice',
      changed(
        (_, delta) =>
          (delta['upstreamCells'] = [
            [5, 1],
            [5, 1],
          ]),
      ),
      'upstreamCells[1]: expected a number once, found 5 again',
    ],
    [
      'with more times than requests',
      changed((_, delta) => (delta['upstreamCells'] = [[5, 4]])),
      'upstreamCells: expected at most 3 observations, found 4',
    ],
    [
      'with a sum of no times',
      changed((_, delta) => (delta['upstreamCells'] = [])),
      'upstreamSumMs: expected from 0 to 0, as its cells say',
    ],
    [
      'with failed addresses that are no pairs',
      changed((_, delta) => (delta['failedAddresses'] = { '10.0.0.1:80': 1 })),
      'intervals[0].deltas[0].failedAddresses: expected a list, found an object',
    ],
    [
      'with a failed address without its count',
      changed((_, delta) => (delta['failedAddresses'] = ['10.0.0.1:80'])),
      'failedAddresses[0]: expected a pair, found "10.0.0.1:80"',
    ],
    [
      'with a list of no failed address',
      changed((_, delta) => (delta['failedAddresses'] = [])),
      'intervals[0].deltas[0].failedAddresses: expected an address, or no such field, found none',
    ],
    [
      'with null for a list of failed addresses',
      changed((_, delta) => (delta['failedAddresses'] = null)),
      'failedAddresses: expected a list, found null',
    ],
    [
      'with a failed address that is too long',
      changed((_, delta) => (delta['failedAddresses'] = [['x'.repeat(65), 1]])),
      'failedAddresses[0][0]: expected an address of at most 64 printable ASCII characters, found "xxx',
    ],
    [
      'with a failed address of nothing',
      changed((_, delta) => (delta['failedAddresses'] = [['', 1]])),
      'failedAddresses[0][0]: expected an address of at most 64 printable ASCII characters, found ""',
    ],
    [
      'with a control character in a failed address',
      changed((_, delta) => (delta['failedAddresses'] = [['10.0.0.1:80\n', 1]])),
      'failedAddresses[0][0]: expected an address of at most 64 printable ASCII characters, found "10.0.0.1:80\\n"',
    ],
    [
      'with a failed address that is a number',
      changed((_, delta) => (delta['failedAddresses'] = [[502, 1]])),
      'failedAddresses[0][0]: expected an address of at most 64 printable ASCII characters, found 502',
    ],
    [
      'with a failed address twice',
      changed(
        (_, delta) =>
          (delta['failedAddresses'] = [
            ['10.0.0.1:80', 1],
            ['10.0.0.1:80', 1],
          ]),
      ),
      'failedAddresses[1]: expected an address once, found 10.0.0.1:80 again',
    ],
    [
      'with a failed address that never failed',
      changed((_, delta) => (delta['failedAddresses'] = [['10.0.0.1:80', 0]])),
      'failedAddresses[0][1]: expected a whole number from 1 to 1000000000000, found 0',
    ],
    [
      'with 65 failed addresses besides those counted together',
      changed((_, delta) => {
        delta['requests'] = 100;
        delta['failedAddresses'] = ['__other__', ...Array(65).keys()].map((address) => [`${address}`, 1]);
      }),
      'failedAddresses: expected at most 64 addresses, found 65',
    ],
    [
      'with more failures at addresses than tries and answers',
      changed((_, delta) => {
        delta['failedTries'] = [[502, 2]];
        delta['failedAddresses'] = [['10.0.0.1:80', 6]];
      }),
      'failedAddresses: expected at most 5 failures, found 6',
    ],
    [
      'with a series twice in an interval',
      changed((_, delta, interval) => (interval['deltas'] = [delta, delta])),
      'intervals[0].deltas[1]: expected a series once in an interval, found',
    ],
    [
      'with a label twice',
      Buffer.from(sealed.replace('"service":"orders"', '"service":"other","service":"orders"')),
      'invalid_batch: expected the encoding of the plugin, found another one: a repeated key',
    ],
    [
      'with a label that is no text',
      changed((_, delta) => (delta['service'] = 7)),
      'intervals[0].deltas[0].service: expected a text of whole, printable characters, at most 256 bytes long, found 7',
    ],
    [
      'with half a character in a label',
      changed((_, delta) => (delta['service'] = '\ud800')),
      'service: expected a text of whole, printable characters',
    ],
    [
      'with a control character in a label',
      changed((_, delta) => (delta['operation'] = 'GET a\u001b[2J')),
      'operation: expected a text of whole, printable characters',
    ],
    [
      'with a label that is too long',
      changed((_, delta) => (delta['errorType'] = 'é'.repeat(129))),
      'errorType: expected a text of whole, printable characters, at most 256 bytes long, found "ééé',
    ],
    [
      'with an unknown source',
      changed((_, delta) => (delta['source'] = 'moon')),
      'source: expected one of client, gateway, upstream, found "moon"',
    ],
    [
      'of a producer with a strange name',
      changed((document) => (document.producer = 'a b')),
      'producer: expected a text like',
    ],
    [
      'with sequence 0',
      changed((document) => (document.sequence = 0)),
      'sequence: expected a whole number from 1',
    ],
    [
      'with an interval of a year',
      changed((_, __, interval) => (interval['durationMs'] = 365 * 86_400_000)),
      'intervals[0].durationMs: expected a whole number from 1 to 86400000, found 31536000000',
    ],
    [
      'with statistics that are no numbers',
      changed((document) => (document['statistics'] = { ...NO_STATISTICS, events: '1' })),
      'statistics.events: expected a whole number from 0 to 1000000000000, found "1"',
    ],
  ];
  it.each(cases)('is refused when it is %s, with the place and what was found', (_title, bytes, fault) => {
    expect(faultOf(bytes)).toContain(fault);
  });

  it('is refused and never throws, whatever byte of it was changed', () => {
    fc.assert(
      fc.property(fc.nat({ max: sealed.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const bytes = Buffer.from(sealed);
        fc.pre(bytes[at] !== byte);
        bytes[at] = byte;
        const read = readBatch(bytes);
        // A changed letter in a name or a digit may still be a batch, but only the one that those bytes say.
        if (read.ok) expect(encodeBatch(read.batch).equals(bytes)).toBe(true);
      }),
      { numRuns: 2_000, seed: 2 },
    );
  });

  it('is refused and never throws, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (json) => {
        expect(readBatch(Buffer.from(json)).ok).toBe(false);
      }),
      { numRuns: 2_000, seed: 3 },
    );
  });
});
