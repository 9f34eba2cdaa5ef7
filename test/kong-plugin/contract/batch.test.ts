import { NO_STATISTICS, batchOf } from '../../support/batches';
import { encodeBatch, type BatchDocument } from '../../../kong-plugin/contract/batch';
import type { Delta } from '../../../kong-plugin/contract/delta';
import { mergeDelta, seriesKey } from '../../../kong-plugin/contract/delta';
import { readFinalFault } from '../../../kong-plugin/contract/fault';
import { readReceipt } from '../../../kong-plugin/contract/receipt';

function delta(upstreamMs: number, failedCode: number, address = '10.0.0.1:80'): Delta {
  return {
    series: {
      service: 'up',
      operation: 'GET r-up',
      status: 200,
      source: 'upstream',
      errorType: '',
      severity: 'info',
    },
    requests: 1,
    upstream: { count: 1, sumMs: upstreamMs, cells: new Map([[upstreamMs, 1]]) },
    failedTries: new Map([[failedCode, 1]]),
    failedAddresses: new Map([[address, 1]]),
  };
}

describe('a batch', () => {
  it('adds deltas of one series', () => {
    const target = delta(3, 502);
    mergeDelta(target, delta(3, 504));
    mergeDelta(target, delta(3, 504, '[::1]:80'));
    expect(target.requests).toBe(3);
    expect(target.upstream).toEqual({ count: 3, sumMs: 9, cells: new Map([[3, 3]]) });
    expect(target.failedTries).toEqual(
      new Map([
        [502, 1],
        [504, 2],
      ]),
    );
    expect(target.failedAddresses).toEqual(
      new Map([
        ['10.0.0.1:80', 2],
        ['[::1]:80', 1],
      ]),
    );
  });

  it('is sealed as JSON with every count of its deltas', () => {
    const sealed = encodeBatch({
      ...batchOf([], 7, 'p'),
      intervals: [{ startMs: 1_000, durationMs: 1_000, deltas: [delta(3, 502)] }],
      statistics: { ...NO_STATISTICS, events: 1 },
    });
    const document = JSON.parse(sealed.toString()) as BatchDocument;
    expect(document).toMatchObject({ version: 1, producer: 'p', sequence: 7 });
    expect(document.intervals[0]?.deltas[0]).toMatchObject({
      service: 'up',
      status: 200,
      upstreamSumMs: 3,
      upstreamCells: [[3, 1]],
      failedTries: [[502, 1]],
      failedAddresses: [['10.0.0.1:80', 1]],
    });
  });

  it('has no field for failed addresses where there are none, as before they were told', () => {
    const fine = { ...delta(3, 502), failedAddresses: new Map<string, number>() };
    expect(encodeBatch(batchOf([fine])).toString()).toContain('"failedTries":[[502,1]]}]');
  });

  it('tells series apart whose labels only look alike when joined', () => {
    const series = delta(1, 502).series;
    expect(seriesKey({ ...series, service: 'a","b', operation: '' })).not.toBe(
      seriesKey({ ...series, service: 'a', operation: 'b' }),
    );
  });
});

describe('the answer to a batch', () => {
  it('is a receipt only for the same producer and sequence', () => {
    const body = JSON.stringify({ producer: 'p', sequence: 7, result: 'applied' });
    expect(readReceipt(body, 'p', 7)?.result).toBe('applied');
    expect(readReceipt(body, 'p', 8)).toBeUndefined();
    expect(readReceipt(body, 'q', 7)).toBeUndefined();
    expect(readReceipt('<html>ok</html>', 'p', 7)).toBeUndefined();
    expect(readReceipt('null', 'p', 7)).toBeUndefined();
  });

  it('ends the tries only for 400, 413 and 422 with a fault code of ours', () => {
    const ours = JSON.stringify({
      fault: 'invalid_batch',
      message: 'deltas[0].requests: expected 1 or more',
    });
    expect(readFinalFault(400, ours)?.fault).toBe('invalid_batch');
    expect(readFinalFault(422, ours)?.fault).toBe('invalid_batch');
    expect(readFinalFault(401, ours)).toBeUndefined();
    expect(readFinalFault(400, '<html>Bad Request</html>')).toBeUndefined();
    expect(readFinalFault(400, '{"fault":"another","message":"x"}')).toBeUndefined();
  });
});
