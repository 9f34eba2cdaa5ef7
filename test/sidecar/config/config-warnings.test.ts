import { configWarnings } from '../../../sidecar/config/config-warnings';
import { configOf } from '../../support/read-config-text';

const NOW = Date.parse('2026-03-02T10:00:00Z');

const CHANNELS = [
  'channels:',
  '  - { name: oncall, type: webhook, url: "https://a.example" }',
  '  - { name: phone, type: webhook, url: "https://b.example" }',
  'rules:',
  '  - { name: a, error_rate_threshold: { warning: 0.01, critical: 0.1 } }',
  '  - { name: b, kong_unreachable: true, severity: error }',
  '',
].join('\n');

function warningsOf(escalation: string): string[] {
  const warnings = configWarnings(configOf(`${CHANNELS}notifications: { escalation: ${escalation} }\n`), NOW);
  return warnings.filter((warning) => warning.includes('escalation'));
}

describe('an escalation', () => {
  it('that covers all severities and channels is as it should be', () => {
    expect(
      warningsOf('[{ channels: [oncall] }, { after: 15m, channels: [phone], severities: [critical] }]'),
    ).toEqual([]);
    expect(configWarnings(configOf(CHANNELS), NOW).join()).not.toContain('escalation');
  });

  it('is warned of where alerts of a severity go to nobody, and where a channel hears of none', () => {
    expect(warningsOf('[{ channels: [phone], severities: [critical] }]')).toEqual([
      'notifications.escalation: no step has the severity warning, which rules have: nobody is told of such alerts',
      'notifications.escalation: no step has the severity error, which rules have: nobody is told of such alerts',
      'notifications.escalation: no step has the channel oncall, so it is never told anything',
    ]);
  });
});

describe('an override', () => {
  const warningsOfOverrides = (overrides: string): string[] =>
    configWarnings(
      configOf(
        `rules: [{ name: a, error_rate_threshold: 0.1, match: { service: shop }, overrides: [${overrides}] }]\n`,
      ),
      NOW,
    ).filter((warning) => warning.includes('overrides'));

  it('that can never hold is warned of', () => {
    expect(warningsOfOverrides('{ match: { service: cart }, error_rate_threshold: 0.2 }')).toEqual([
      'rules.a.overrides[0]: the rule itself matches nothing of this',
    ]);
    const twice =
      '{ match: { service: shop }, window: 10m }, { match: { service: shop }, error_rate_threshold: 0.2 }';
    expect(warningsOfOverrides(twice)).toEqual([
      'rules.a.overrides[1]: overrides[0] matches the same, and the first holds',
    ]);
  });

  it('that holds is not', () => {
    expect(warningsOfOverrides('{ match: { service: shop }, disabled: true }')).toEqual([]);
  });
});

describe('a maintenance window', () => {
  const warningsAt = (until: string, times: string): string[] =>
    configWarnings(
      configOf(
        `${CHANNELS}notifications: { maintenance: [{ name: reports, matchers: ["service=x"], ${times}, ` +
          `until: ${until}, comment: c }] }\n`,
      ),
      NOW,
    ).filter((warning) => warning.includes('maintenance'));

  it.each([
    ['today is its last day', '2026-03-02', 'from: "01:00", to: "02:00"'],
    ['it may have been open this morning', '2026-03-01', 'from: "23:00", to: "11:00"'],
    [
      'it is that day still in its time zone',
      '2026-02-28',
      'from: "23:00", to: "23:00", time_zone: Pacific/Pago_Pago',
    ],
  ])('is as it should be where %s', (_, until, times) => {
    expect(warningsAt(until, times)).toEqual([]);
  });

  it('that is over for good is warned of', () => {
    expect(warningsAt('2026-02-28', 'from: "01:00", to: "02:00"')).toEqual([
      'notifications.maintenance: the window reports was last open on 2026-02-28, and silences nothing any more. ' +
        'Leave it out, or set a later until',
    ]);
  });
});
