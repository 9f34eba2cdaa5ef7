// What is worst in a scope: its operations, its error types, and the upstream addresses that failed. For a message to a person, not
// for a rule: it sums up slots each time it is asked.
import { emptyHistogram, nearestRank, quantileMs } from '../../kong-plugin/contract/histogram';
import type { CellFilter, CellRows } from './cell-tier';
import { unpackInto } from './packed-cells';
import type { Scope } from './scope';
import type { ScopeWindows } from './scope-windows';
import type { Tally } from './tally';

export interface OperationEvidence {
  readonly service: string;
  readonly operation: string;
  readonly requests: number;
  /** Of error severity; of an error type: of that type. */
  readonly errors: number;
  /** Of the times that are kept; `undefined` where no request has one that counts as latency. */
  readonly p95Ms: number | undefined;
}

export interface ErrorTypeEvidence {
  readonly errorType: string;
  readonly requests: number;
  /** Of those of error severity. */
  readonly errors: number;
}

export interface AddressEvidence {
  readonly address: string;
  /** Tries that failed there, or were answered with an error by it. */
  readonly failures: number;
}

/** Each list the worst first, at most MOST_EVIDENCE long. */
export interface Evidence {
  readonly operations: readonly OperationEvidence[];
  readonly errorTypes: readonly ErrorTypeEvidence[];
  readonly addresses: readonly AddressEvidence[];
  /** How far back was looked, where the rule judged more than that. */
  readonly lastMs?: number;
}

export const MOST_EVIDENCE = 5;

const QUANTILE = 0.95;

export interface EvidenceOptions {
  /** Whether the operations with the most errors are the worst, or the slowest ones. */
  readonly by: 'errors' | 'latency';
}

interface OperationSums {
  readonly service: string;
  readonly operation: string;
  requests: number;
  errors: number;
  /** With the times that count as latency. */
  readonly timed: Tally[];
}

type ErrorTypeSums = Map<string, { requests: number; errors: number }>;

/** What is kept of (nowMs - windowMs, nowMs]: see evidence-span.ts. */
export function evidenceOf(
  windows: ScopeWindows,
  scope: Scope,
  windowMs: number,
  nowMs: number,
  { by }: EvidenceOptions = { by: 'errors' },
): Evidence {
  windows.advance(nowMs);
  const operations = new Map<string, OperationSums>();
  const errorTypes: ErrorTypeSums = new Map();
  const addresses = new Map<string, number>();
  const rowsIn = (filter: CellFilter): Iterable<CellRows> =>
    windows.tiers.cells.rowsIn(windowMs, nowMs, filter);
  for (const rows of rowsOf(scope, rowsIn)) {
    const requests = requestsOf(rows);
    addErrorType(errorTypes, rows, requests);
    addAddresses(addresses, rows);
    if (scope.level !== 'error_type') addOperation(operations, rows, requests, rows.judged.isError);
  }
  if (scope.level === 'error_type') {
    for (const rows of rowsOfType(scope, by, rowsIn))
      addOperation(operations, rows, requestsOf(rows), rows.labels.errorType === scope.errorType);
  }
  return {
    operations: worstOperations([...operations.values()], by),
    errorTypes: [...errorTypes]
      .map(([errorType, { requests, errors }]) => ({ errorType, requests, errors }))
      .sort((a, b) => b.errors - a.errors || b.requests - a.requests || compare(a.errorType, b.errorType))
      .slice(0, MOST_EVIDENCE),
    addresses: [...addresses]
      .map(([address, failures]) => ({ address, failures }))
      .sort((a, b) => b.failures - a.failures || compare(a.address, b.address))
      .slice(0, MOST_EVIDENCE),
  };
}

type RowsIn = (filter: CellFilter) => Iterable<CellRows>;

function rowsOf(scope: Scope, rowsIn: RowsIn): Iterable<CellRows> {
  switch (scope.level) {
    case 'gateway':
      return rowsIn({});
    case 'service':
    case 'operation':
    case 'error_type':
      return rowsIn(scope);
    case 'instance':
    case 'target':
      return [];
  }
}

/** All requests of the operations in which an error type was; the slowest may be others of its service. */
function* rowsOfType(
  { service, errorType }: Scope & { readonly level: 'error_type' },
  by: EvidenceOptions['by'],
  rowsIn: RowsIn,
): Generator<CellRows> {
  if (by === 'latency') {
    yield* rowsIn({ service });
    return;
  }
  const operations = new Set<string>();
  for (const { labels } of rowsIn({ service, errorType })) operations.add(labels.operation);
  for (const operation of operations) yield* rowsIn({ service, operation });
}

function addOperation(
  operations: Map<string, OperationSums>,
  { labels, judged, tallies }: CellRows,
  requests: number,
  areErrors: boolean,
): void {
  const { service, operation } = labels;
  const key = `${service}\0${operation}`;
  let sums = operations.get(key);
  if (!sums) operations.set(key, (sums = { service, operation, requests: 0, errors: 0, timed: [] }));
  sums.requests += requests;
  if (areErrors) sums.errors += requests;
  if (judged.inLatency) sums.timed.push(...tallies);
}

function addErrorType(errorTypes: ErrorTypeSums, { labels, judged }: CellRows, requests: number): void {
  if (labels.errorType === '') return;
  const sums = errorTypes.get(labels.errorType) ?? { requests: 0, errors: 0 };
  sums.requests += requests;
  if (judged.isError) sums.errors += requests;
  errorTypes.set(labels.errorType, sums);
}

function addAddresses(target: Map<string, number>, { tallies }: CellRows): void {
  for (const { addresses } of tallies)
    for (const [address, failures] of addresses ?? [])
      target.set(address, (target.get(address) ?? 0) + failures);
}

function requestsOf({ tallies }: CellRows): number {
  let sum = 0;
  for (const { requests } of tallies) sum += requests;
  return sum;
}

/**
 * Those with the most errors, or any with a time; then the slowest; then those with the most requests. They are looked at in that
 * order but for their times, so that one is left out as soon as it is not slower than the last that is told: a quantile is dear.
 */
function worstOperations(all: readonly OperationSums[], by: EvidenceOptions['by']): OperationEvidence[] {
  const rankOf = ({ errors }: { readonly errors: number }): number => (by === 'errors' ? errors : 0);
  const inOrder = all
    .filter(({ errors, timed }) =>
      by === 'errors' ? errors > 0 : timed.some(({ cells }) => cells.length > 0),
    )
    .map((sums) => ({ sums, name: `${sums.service} ${sums.operation}` }))
    .sort(
      (a, b) =>
        rankOf(b.sums) - rankOf(a.sums) || b.sums.requests - a.sums.requests || compare(a.name, b.name),
    );
  const worst: OperationEvidence[] = [];
  for (const { sums } of inOrder) {
    const last = worst[MOST_EVIDENCE - 1];
    if (last && rankOf(last) > rankOf(sums)) break;
    if (last && !isP95Over(sums.timed, last.p95Ms ?? -1)) continue;
    const { service, operation, requests, errors, timed } = sums;
    const p95Ms = p95Of(timed);
    const isBetter = (other: OperationEvidence): boolean =>
      rankOf(other) === rankOf(sums) && (other.p95Ms ?? -1) < (p95Ms ?? -1);
    const place = worst.findIndex(isBetter);
    worst.splice(place < 0 ? worst.length : place, 0, { service, operation, requests, errors, p95Ms });
    worst.length = Math.min(worst.length, MOST_EVIDENCE);
  }
  return worst;
}

function p95Of(timed: readonly Tally[]): number | undefined {
  const latency = emptyHistogram();
  for (const { cells } of timed) latency.count += unpackInto(latency.cells, cells);
  return quantileMs(latency, QUANTILE);
}

/** Whether `p95Of` would give more than `ms`, found without putting the times in order. */
function isP95Over(timed: readonly Tally[], ms: number): boolean {
  let [all, over] = [0, 0];
  for (const { cells } of timed) {
    for (let index = 0; index < cells.length; index += 2) {
      const count = cells[index + 1] ?? 0;
      all += count;
      if ((cells[index] ?? 0) > ms) over += count;
    }
  }
  return over > 0 && all - over < nearestRank(QUANTILE, all);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
