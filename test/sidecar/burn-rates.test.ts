// Burn rates as people meet them, over hours and days: with gaps in what is known, and with who is blamed for the burning.
import type { Delta } from '../../kong-plugin/contract/delta';
import { SRE_BURN_RATE_WINDOWS } from '../../sidecar/config/burn-rate-windows';
import { describeAlert } from '../../sidecar/notify/describe-alert';
import { EngineRun, many, type Traffic } from '../support/engine-run';
import { sampleDelta, sampleErrors } from '../support/sample-delta';
import { burnRateRule, errorRateRule } from '../support/sample-rules';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const RULE = burnRateRule({ windows: SRE_BURN_RATE_WINDOWS, confidence: 0.999 });

const fine: Traffic = () => [many(sampleDelta({}, [20]), 100)];
const bad: Traffic = () => [many(sampleErrors('shop', [20]), 100)];

function runOf(): EngineRun {
  return new EngineRun({ rules: [RULE], intervalMs: MINUTE_MS });
}

/** Nobody saw that time, and nobody is left to tell of it. */
function loseTime(run: EngineRun, lostMs: number): void {
  const fromMs = run.nowMs;
  run.nowMs += lostMs;
  run.engine.windows.advance(run.nowMs);
  run.engine.windows.known.openGap(fromMs, run.nowMs, []);
}

/** What was told, by the hours since then. */
function toldSince(run: EngineRun, sinceMs: number): string[] {
  return run.told.map(({ atMs, text }) => `${((atMs - sinceMs) / HOUR_MS).toFixed(1)} h ${text}`);
}

function of(operation: string, delta: Delta, times = 1): Delta {
  const { series } = delta;
  return many({ ...delta, series: { ...series, operation } }, times);
}

describe('a page of a burn rate', () => {
  it.each([
    ['with a history that is whole', fine],
    ['with a gap of nine hours that is seven hours old', undefined],
  ])('ends once the short windows are quiet, %s', (_, between) => {
    const run = runOf();
    run.run(12 * HOUR_MS, fine);
    if (between) run.run(9 * HOUR_MS, between);
    else loseTime(run, 9 * HOUR_MS);
    run.run(7 * HOUR_MS, fine);
    const incidentMs = run.sinceStartMs;
    run.run(6 * MINUTE_MS, bad);
    run.run(80 * HOUR_MS, fine);
    expect(toldSince(run, incidentMs)).toEqual([
      expect.stringMatching(/^0.\d h slack: fired burn shop critical$/),
      expect.stringMatching(/^6.\d h slack: resolved burn shop warning$/),
    ]);
    expect(run.messages.at(-1)?.items[0]?.endReason).toBe('recovered');
  });

  it('eases though a milder row cannot tell, and nobody is told anything meanwhile', () => {
    const run = runOf();
    run.run(6 * HOUR_MS, fine);
    loseTime(run, 56 * HOUR_MS);
    run.run(10 * HOUR_MS, fine);
    // As much as is 14.4 times the budget in an hour, and less than once in three days.
    run.run(2 * MINUTE_MS, bad);
    run.run(HOUR_MS, fine);
    expect(run.told.map(({ text }) => text)).toEqual(['slack: fired burn shop critical']);
    expect(run.alert('burn', 'shop')).toMatchObject({
      state: 'firing',
      severity: 'warning',
      verdict: { state: 'cannot_tell', doubt: 'gap', worstPossible: 'warning' },
    });
    expect(run.run(6 * HOUR_MS, fine)).toEqual(['slack: resolved burn shop warning']);
  });

  it('is not sent for what only a gap leaves possible', () => {
    const run = runOf();
    run.run(80 * HOUR_MS, fine);
    loseTime(run, 2 * HOUR_MS);
    expect(run.run(80 * HOUR_MS, fine)).toEqual([]);
  });
});

describe('what a message blames', () => {
  it('for a slow burn is the operation that burned in the last hour, and not the last one that failed', () => {
    const run = runOf();
    run.run(40 * HOUR_MS, fine);
    // One request of one operation fails in four minutes, which is 2.5 times the budget.
    run.run(40 * HOUR_MS, (ms) => [
      many(sampleDelta({}, [20]), 100),
      ...(ms % (4 * MINUTE_MS) === 0 ? [of('GET pay', sampleErrors('shop', [20]))] : []),
    ]);
    run.run(6 * MINUTE_MS, fine);
    run.run(MINUTE_MS, () => [
      many(sampleDelta({}, [20]), 100),
      of('GET innocent', sampleErrors('shop', [20])),
    ]);
    const alert = run.alert('burn', 'shop');
    if (!alert) throw new Error('there is no alert');
    expect(alert).toMatchObject({ state: 'firing', verdict: { windows: { shortMs: 6 * HOUR_MS } } });
    const evidence = run.engine.evidenceOf(alert, run.nowMs);
    expect(evidence?.operations[0]?.operation).toBe('GET pay');
    expect(evidence?.lastMs).toBe(HOUR_MS);
  });

  it('for a window of six hours is what failed in the last hour of it, and says so', () => {
    const rule = errorRateRule({ windowMs: 6 * HOUR_MS });
    const run = new EngineRun({ rules: [rule], intervalMs: MINUTE_MS });
    run.run(HOUR_MS, bad);
    run.run(10 * MINUTE_MS, fine);
    const alert = run.alert('errors', 'shop');
    if (!alert) throw new Error('there is no alert');
    const evidence = run.engine.evidenceOf(alert, run.nowMs);
    const { sentences } = describeAlert({
      alert,
      occasion: 'fired',
      atMs: run.nowMs,
      endReason: undefined,
      alertKey: 'key',
      evidence,
      links: [],
      externalLabels: {},
    });
    expect(sentences.join(' ')).toMatch(
      /in the last 6 hours .* Worst operations in the last hour: .* failed\)\. Errors in the last hour: /,
    );
  });

  it('for a short window is what failed in all of it, without a word about that', () => {
    const run = new EngineRun({ rules: [errorRateRule({ windowMs: HOUR_MS })], intervalMs: MINUTE_MS });
    run.run(30 * MINUTE_MS, bad);
    run.run(20 * MINUTE_MS, fine);
    const alert = run.alert('errors', 'shop');
    const evidence = alert && run.engine.evidenceOf(alert, run.nowMs);
    expect(evidence?.operations).toHaveLength(1);
    expect(evidence).not.toHaveProperty('lastMs');
  });
});
