import { Escalation, type Escalating } from '../../../sidecar/route/escalation';

const MINUTE_MS = 60_000;

const ESCALATION = new Escalation([
  { afterMs: 0, channels: ['slack', 'mail'], severities: ['warning', 'error', 'critical'] },
  { afterMs: 15 * MINUTE_MS, channels: ['phone', 'slack'], severities: ['error', 'critical'] },
  { afterMs: 60 * MINUTE_MS, channels: ['boss'], severities: ['critical'] },
]);

function due(minute: number, changes: Partial<Escalating> = {}): object {
  const alert: Escalating = { severity: 'critical', fromMs: 0, acknowledgedMs: undefined, ...changes };
  return Object.fromEntries(ESCALATION.dueChannels(alert, minute * MINUTE_MS));
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
    const alert = { severity: 'info', fromMs: 0, acknowledgedMs: undefined } as const;
    expect(Object.fromEntries(late.dueChannels(alert, 0))).toEqual({});
    expect(Object.fromEntries(late.dueChannels(alert, MINUTE_MS))).toEqual({ mail: 'fired' });
  });
});
