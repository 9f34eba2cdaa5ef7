import { configWarnings } from '../../../sidecar/config/config-warnings';
import { configOf } from '../../support/read-config-text';

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
  const warnings = configWarnings(configOf(`${CHANNELS}notifications: { escalation: ${escalation} }\n`));
  return warnings.filter((warning) => warning.includes('escalation'));
}

describe('an escalation', () => {
  it('that covers all severities and channels is as it should be', () => {
    expect(
      warningsOf('[{ channels: [oncall] }, { after: 15m, channels: [phone], severities: [critical] }]'),
    ).toEqual([]);
    expect(configWarnings(configOf(CHANNELS)).join()).not.toContain('escalation');
  });

  it('is warned of where alerts of a severity go to nobody, and where a channel hears of none', () => {
    expect(warningsOf('[{ channels: [phone], severities: [critical] }]')).toEqual([
      'notifications.escalation: no step has the severity warning, which rules have: nobody is told of such alerts',
      'notifications.escalation: no step has the severity error, which rules have: nobody is told of such alerts',
      'notifications.escalation: no step has the channel oncall, so it is never told anything',
    ]);
  });
});
