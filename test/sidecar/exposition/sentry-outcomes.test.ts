// What producers tell of Sentry, from their batches through the ledger and a restart to the metrics.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBatch } from '../../../kong-plugin/contract/batch';
import { renderFamilies } from '../../../sidecar/exposition/render-families';
import { ledgerStateFamilies } from '../../../sidecar/exposition/sidecar-families';
import { readBatch } from '../../../sidecar/ingest/read-batch';
import { Ledger } from '../../../sidecar/ledger/ledger';
import { NO_STATISTICS, batchOf } from '../../support/batches';

const NOW_MS = 1_700_000_000_000;

let directory: string;
let ledger: Ledger;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-sentry-outcomes-'));
  ledger = Ledger.open(directory);
});

afterEach(async () => {
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

function exposed(): string[] {
  const text = [...renderFamilies(ledgerStateFamilies(ledger.state, 1_000), 'text')].join('');
  return text.split('\n').filter((line) => line.includes('gatewatch_sentry_') && !line.startsWith('# HELP'));
}

function lines(name: string, values: readonly number[]): string[] {
  const outcomes = ['sent', 'held_back', 'rate_limited', 'failed', 'dropped', 'sampled_out'];
  return [
    `# TYPE ${name} counter`,
    ...outcomes.map((outcome, index) => `${name}{outcome="${outcome}"} ${values[index] ?? 0}`),
  ];
}

describe('the outcomes of what goes to Sentry', () => {
  it('are all there before the first event', () => {
    expect(exposed()).toEqual([
      ...lines('gatewatch_sentry_events_total', []),
      ...lines('gatewatch_sentry_transactions_total', []),
    ]);
  });

  it('add up over batches, and outlive a restart', async () => {
    for (const sequence of [1, 2]) {
      const statistics = {
        ...NO_STATISTICS,
        sentryEventsSent: 5,
        sentryEventsHeldBack: 295_000,
        sentryEventsSampledOut: sequence,
        sentryTransactionsRateLimited: 2,
      };
      const bytes = encodeBatch({ ...batchOf([], sequence), statistics });
      const read = readBatch(bytes);
      if (!read.ok) throw new Error(read.fault.message);
      await ledger.apply(read.batch, bytes, NOW_MS, 1_000);
    }
    const expected = [
      ...lines('gatewatch_sentry_events_total', [10, 590_000, 0, 0, 0, 3]),
      ...lines('gatewatch_sentry_transactions_total', [0, 0, 4]),
    ];
    expect(exposed()).toEqual(expected);
    await ledger.close();
    ledger = Ledger.open(directory);
    expect(exposed()).toEqual(expected);
  });

  it('are refused where one is missing, or is no whole number', () => {
    const sealed = encodeBatch(batchOf([])).toString();
    expect(readBatch(Buffer.from(sealed.replace('"sentryEventsFailed":0,', '')))).toMatchObject({
      ok: false,
      fault: { message: 'statistics: expected the field sentryEventsFailed, found none' },
    });
    const negative = sealed.replace('"sentryEventsFailed":0', '"sentryEventsFailed":-1');
    expect(readBatch(Buffer.from(negative))).toMatchObject({ ok: false });
  });
});
