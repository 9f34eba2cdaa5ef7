// Tables and alerts in a terminal: width, colours, and names that would drive it.
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describeAge } from '../../../sidecar/cli/describe-age';
import { renderAlert, renderAlerts, renderEvents } from '../../../sidecar/cli/render-alerts';
import { paint, plainLine, renderRows, wrap } from '../../../sidecar/cli/terminal-text';
import type { AlertDocument, EventDocument } from '../../../sidecar/http/api/answer-shapes';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const PLAIN = { columns: undefined, hasColors: false, nowMs: NOW_MS };

const ALERT: AlertDocument = {
  id: '0123456789abcdef',
  title: 'High error rate: 12.3% on service checkout',
  rule: 'error_rate',
  kind: 'error_rate',
  level: 'service',
  labels: { service: 'checkout' },
  state: 'firing',
  severity: 'critical',
  value: 0.123,
  value_text: '12.3%',
  threshold: 0.01,
  threshold_text: '1%',
  samples: 1_204,
  doubt: null,
  since: '2026-03-01T11:48:00.000Z',
  fired_at: '2026-03-01T11:49:00.000Z',
  resolved_at: null,
  acknowledged: null,
  flapping: false,
  muted: null,
  links: [{ name: 'runbook', url: 'https://runbooks.example/error_rate' }],
};

const KNOWN: AlertDocument = {
  ...ALERT,
  id: 'fedcba9876543210',
  title: 'High p95 latency: 812 ms on service search',
  state: 'acknowledged',
  severity: 'warning',
  acknowledged: { by: 'alice', comment: 'the index is being built', at: '2026-03-01T11:50:00.000Z' },
  flapping: true,
  muted: {
    silences: ['00000000000000aa'],
    maintenance: ['nightly'],
    inhibited_by: ALERT.id,
    waits_for_digest: false,
  },
};

describe('alerts in a terminal', () => {
  it('are one line each where nobody reads them', () => {
    expect(renderAlerts([ALERT, KNOWN], PLAIN)).toEqual([
      'ID                STATE   SEVERITY  FOR  ALERT',
      '0123456789abcdef  firing  critical  12m  High error rate: 12.3% on service checkout',
      'fedcba9876543210  acked   warning   12m  High p95 latency: 812 ms on service search ' +
        '(by alice: the index is being built; flapping; silenced by 00000000000000aa; in maintenance nightly; ' +
        'hidden by 0123456789abcdef)',
    ]);
  });

  it('say that they wait for a digest', () => {
    const muted = { silences: [], maintenance: [], inhibited_by: null, waits_for_digest: true };
    expect(renderAlerts([{ ...ALERT, muted }], PLAIN)[1]).toContain(
      'checkout (waits for the digest or the end of the quiet hours)',
    );
  });

  it('fit into 80 columns', () => {
    const lines = renderAlerts([ALERT, KNOWN], { ...PLAIN, columns: 80 });
    expect(lines.slice(0, 3)).toEqual([
      'ID                STATE   SEVERITY  FOR  ALERT',
      '0123456789abcdef  firing  critical  12m  High error rate: 12.3% on service',
      '                                         checkout',
    ]);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    const detail = renderAlert({ alert: KNOWN, evidence: null, events: [] }, { ...PLAIN, columns: 80 });
    expect(Math.max(...detail.map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it('are told in full one by one', () => {
    const fired: EventDocument = {
      kind: 'fired',
      sequence: 1,
      at: '2026-03-01T11:49:00.000Z',
      alert_id: ALERT.id,
      rule: 'error_rate',
      labels: { service: 'checkout' },
      severity: 'critical',
      value: 0.123456,
      threshold: 0.01,
      since: '2026-03-01T11:48:00.000Z',
    };
    const evidence = {
      operations: [{ service: 'checkout', operation: 'POST pay', requests: 1_204, errors: 148, p95_ms: 30 }],
      error_types: [{ error_type: 'upstream_timeout', requests: 148, errors: 148 }],
      addresses: [{ address: '10.0.0.7:8080', failures: 148 }],
    };
    expect(renderAlert({ alert: ALERT, evidence, events: [fired] }, PLAIN)).toEqual([
      'High error rate: 12.3% on service checkout',
      '  id       0123456789abcdef',
      '  state    firing, critical',
      '  rule     error_rate (error_rate)',
      '  of       service="checkout"',
      '  value    12.3%, threshold 1%, of 1,204 requests',
      '  since    2026-03-01 11:48:00 UTC, 12m ago',
      '  fired    2026-03-01 11:49:00 UTC, 11m ago',
      '  runbook  https://runbooks.example/error_rate',
      '',
      'WORST OPERATIONS',
      '  POST pay  148 of 1,204 requests failed, p95 30 ms',
      '',
      'ERRORS',
      '  upstream_timeout  148 requests',
      '',
      'FAILED UPSTREAM ADDRESSES',
      '  10.0.0.7:8080  148 times',
      '',
      'WHAT HAPPENED',
      '  WHEN (UTC)           WHAT   OF',
      '  2026-03-01 11:49:00  fired  error_rate service="checkout": critical, value 0.1235, threshold 0.01',
    ]);
  });

  it('have a line for each kind of event', () => {
    const base = { sequence: 1, at: '2026-03-01T11:49:00.000Z' };
    const of = { ...base, alert_id: ALERT.id, rule: 'r', labels: {}, severity: 'error' as const };
    const measured = { value: null, threshold: 1 };
    const told = { channel: 'slack', occasion: 'fired' as const, message_id: 'm' };
    const silence = {
      ...base,
      silence_id: '00000000000000aa',
      matchers: ['service="a"'],
      starts_at: base.at,
      ends_at: base.at,
      comment: 'why',
    };
    const events: EventDocument[] = [
      { kind: 'worsened', ...of, ...measured },
      { kind: 'flapped', ...of, firings: 3 },
      { kind: 'acknowledged', ...of, by: 'alice', comment: '' },
      { kind: 'resolved', ...of, ...measured, value: 0.5, fired_at: base.at, end_reason: 'rule_removed' },
      { kind: 'notification_sent', ...of, ...told },
      { kind: 'notification_failed', ...of, ...told, reason: 'refused: 404' },
      { kind: 'notification_discarded', ...of, ...told, by: 'bob' },
      { kind: 'silence_created', ...silence, by: 'bob' },
      { kind: 'silence_expired', ...silence, by: null },
    ];
    const lines = renderEvents(events, PLAIN).map((line) => line.replace(/^\S+ \S+ +/, ''));
    expect(lines.slice(1)).toEqual([
      'worsened                r: error, value unknown, threshold 1',
      'flapped                 r: fired 3 times',
      'acknowledged            r by alice',
      'resolved                r: rule removed, value 0.5, threshold 1',
      'notification sent       r to slack (fired)',
      'notification failed     r to slack (fired): refused: 404',
      'notification discarded  r to slack (fired) by bob',
      'silence created         00000000000000aa service="a", by bob: why',
      'silence expired         00000000000000aa service="a", its time is over: why',
    ]);
  });

  it('have colours only where they are wanted', () => {
    const [, line = ''] = renderAlerts([ALERT], { ...PLAIN, hasColors: true });
    expect(line).toContain('\x1b[1;31mcritical\x1b[0m');
    expect(renderAlerts([ALERT], PLAIN).join('')).not.toContain('\x1b');
    expect(paint('text', 'bold', false)).toBe('text');
  });

  it('cannot drive the terminal by a name that somebody chose', () => {
    const hostile = { ...ALERT, title: 'a\x1b]0;owned\x07\x9b31m\nb\u202ec', labels: { service: '\x1b[2J' } };
    for (const lines of [
      renderAlerts([hostile], PLAIN),
      renderAlert({ alert: hostile, evidence: null, events: [] }, PLAIN),
    ])
      expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(plainLine('a\tb')).toBe('a b');
  });
});

describe('a table', () => {
  const cells = fc.array(fc.array(fc.string({ maxLength: 12 }), { minLength: 3, maxLength: 3 }), {
    minLength: 1,
    maxLength: 8,
  });

  it('says the same words whether or not it has room, in colours or without', () => {
    fc.assert(
      fc.property(cells, fc.integer({ min: 1, max: 120 }), fc.boolean(), (rows, columns, hasColors) => {
        const table = rows.map((row) => row.map((text) => ({ text, paint: 'bold' as const })));
        const wide = renderRows(table, { columns: undefined, hasColors: false });
        const narrow = renderRows(table, { columns, hasColors });
        const wordsOf = (lines: readonly string[]): string[] =>
          lines.flatMap((line) => stripVTControlCharacters(line).split(/ +/)).filter((word) => word !== '');
        expect(wordsOf(narrow)).toEqual(wordsOf(wide));
        expect(wide).toHaveLength(rows.length);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves a word whole that is longer than its line, so that it can be copied', () => {
    expect(wrap('see https://runbooks.example/a now', 10)).toEqual([
      'see',
      'https://runbooks.example/a',
      'now',
    ]);
    expect(wrap('', 10)).toEqual(['']);
  });
});

it.each([
  [0, '0s'],
  [59_999, '59s'],
  [60_000, '1m'],
  [3_599_999, '59m'],
  [3_600_000, '1h'],
  [86_400_000, '1d'],
  [-5_000, '0s'],
])('what began %d ms ago began %s ago', (agoMs, text) => {
  expect(describeAge(new Date(NOW_MS - agoMs).toISOString(), NOW_MS)).toBe(text);
});
