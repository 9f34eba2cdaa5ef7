import { emptyState } from '../../../sidecar/ledger/ledger-state';
import { zeroCounts } from '../../../sidecar/sentry/own-sentry';
import { renderStatusPage, type StatusFacts } from '../../../sidecar/ui/status-page';

function page(changes: Partial<StatusFacts> = {}): string {
  return renderStatusPage({
    version: '1.0.0',
    address: '127.0.0.1:9542',
    configFile: 'gatewatch.yml',
    nowMs: 60_000,
    startedMs: 0,
    whyNotReady: undefined,
    reloadFaults: [],
    ledger: emptyState(),
    seriesCap: 1_000,
    rules: [],
    evaluationIntervalMs: 15_000,
    alerts: [],
    channels: [],
    hasToken: true,
    ownSentry: zeroCounts(),
    ...changes,
  });
}

describe('the status page', () => {
  it('names every kind of channel where there is none', () => {
    expect(page()).toContain(
      'Add a channel of type slack, webhook or sentry under `channels` in gatewatch.yml',
    );
  });

  it('says nothing of Sentry where nothing was counted', () => {
    expect(page()).not.toContain('SENTRY');
  });

  it("tells what became of the plugin's events and transactions, and of what the sidecar tells of itself", () => {
    const ledger = emptyState();
    const statistics = {
      ...ledger.statistics,
      sentryEventsSent: 12,
      sentryEventsHeldBack: 295_000,
      sentryEventsDropped: 4,
      sentryTransactionsRateLimited: 7,
      sentryTransactionsFailed: 1,
    };
    const ownSentry = zeroCounts();
    ownSentry.check_in.sent = 3;
    ownSentry.check_in.failed = 2;
    const shown = page({ ledger: { ...ledger, statistics }, ownSentry }).split('\n\n');
    const [heading, ...rows] = shown.find((section) => section.startsWith('SENTRY'))?.split('\n') ?? [];
    expect(heading).toBe(
      'SENTRY, what was for it: of the plugin since the ledger began, of the sidecar itself since its start',
    );
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
      [
        ...["the plugin's events", '12 sent', '295,000 held back', '0 rate limited'],
        ...['0 failed', '4 dropped by a rule', '0 sampled out'],
      ],
      [
        ...["the plugin's transactions", '0 sent', '0 held back', '7 rate limited'],
        ...['1 failed', '0 dropped by a rule', '0 sampled out'],
      ],
      ["the sidecar's own check-ins", '3 sent', '0 held back', '0 rate limited', '2 failed'],
    ]);
  });
});
