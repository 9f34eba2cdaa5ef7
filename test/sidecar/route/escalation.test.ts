import type { Severity } from '../../../kong-plugin/contract/severity';
import { Escalation } from '../../../sidecar/route/escalation';

const MINUTE_MS = 60_000;

const ESCALATION = new Escalation([
  { afterMs: 0, channels: ['slack', 'mail'], severities: ['warning', 'error', 'critical'] },
  { afterMs: 15 * MINUTE_MS, channels: ['phone', 'slack'], severities: ['error', 'critical'] },
  { afterMs: 60 * MINUTE_MS, channels: ['boss'], severities: ['critical'] },
]);

interface Fires {
  readonly severity?: Severity;
  readonly fromMs?: number;
  readonly acknowledgedMs?: number;
}

function due(minute: number, { severity = 'critical', fromMs = 0, acknowledgedMs }: Fires = {}): object {
  const times = { fromMs, leftMs: {} };
  return Object.fromEntries(ESCALATION.dueChannels(severity, times, acknowledgedMs, minute * MINUTE_MS));
}

describe('the steps of an escalation', () => {
  it.each([
    ['tell the first at once', 0, {}, { slack: 'fired', mail: 'fired' }],
    ['leave the second until its time', 14.99, {}, { slack: 'fired', mail: 'fired' }],
    ['tell the second in its time', 15, {}, { slack: 'fired', mail: 'fired', phone: 'escalated' }],
    [
      'tell the third in its time',
      60,
      {},
      { slack: 'fired', mail: 'fired', phone: 'escalated', boss: 'escalated' },
    ],
    [
      'leave out who does not have the severity',
      90,
      { severity: 'warning' },
      { slack: 'fired', mail: 'fired' },
    ],
    ['tell nobody of a severity that no step has', 90, { severity: 'info' }, {}],
    [
      'stop at the acknowledgement',
      90,
      { acknowledgedMs: 20 * MINUTE_MS },
      { slack: 'fired', mail: 'fired', phone: 'escalated' },
    ],
    ['count from when the alert fires', 20, { fromMs: 10 * MINUTE_MS }, { slack: 'fired', mail: 'fired' }],
    [
      'begin now where the clock was set back',
      0,
      { fromMs: 10 * MINUTE_MS },
      { slack: 'fired', mail: 'fired' },
    ],
  ] as const)('%s', (_, minute, changes, channels) => {
    expect(due(minute, changes)).toEqual(channels);
  });

  it('call the first step that has the severity the first notification, however late it comes', () => {
    const late = new Escalation([
      { afterMs: 0, channels: ['slack'], severities: ['critical'] },
      { afterMs: MINUTE_MS, channels: ['mail'], severities: ['info'] },
    ]);
    const times = { fromMs: 0, leftMs: {} };
    expect(Object.fromEntries(late.dueChannels('info', times, undefined, 0))).toEqual({});
    expect(Object.fromEntries(late.dueChannels('info', times, undefined, MINUTE_MS))).toEqual({
      mail: 'fired',
    });
  });

  it('count from when the alert has had one of their severities without a pause', () => {
    const times = { fromMs: 0, leftMs: { warning: 20 * MINUTE_MS, error: 30 * MINUTE_MS } };
    const at = (minute: number): object =>
      Object.fromEntries(ESCALATION.dueChannels('critical', times, undefined, minute * MINUTE_MS));
    const first = { slack: 'fired', mail: 'fired' };
    // The second has error and critical, which it was from minute 20 on, and the third critical alone, from minute 30 on.
    expect(at(34)).toEqual(first);
    expect(at(35)).toEqual({ ...first, phone: 'escalated' });
    expect(at(89)).toEqual({ ...first, phone: 'escalated' });
    expect(at(90)).toEqual({ ...first, phone: 'escalated', boss: 'escalated' });
  });
});
