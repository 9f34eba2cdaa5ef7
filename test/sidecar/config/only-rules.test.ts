import { renderFault } from '../../../sidecar/config/config-fault';
import { readRules, type ReadConfig } from '../../../sidecar/config/read-config';
import { configOf } from '../../support/read-config-text';

function read(text: string, environment: Readonly<Record<string, string>> = {}): ReadConfig {
  return readRules({ text, file: 'gatewatch.yml', environment });
}

function faultsOf(text: string): string[] {
  const result = read(text);
  return result.ok ? [] : result.faults.map(renderFault);
}

const OURS = `
evaluation_interval: 10s
rules:
  - { name: a, error_rate_threshold: 0.1 }
notifications: { group_by: [rule], escalation: [{ after: 0s, channels: [oncall] }] }
`;

describe('only the rules of a configuration', () => {
  it('are those of the whole, without a secret of it', () => {
    const others = `
listen: \${LISTEN}
token_file: nowhere
web_config_file: nowhere
record_dir: \${NOT_SET}
sentry: { dsn: '\${SENTRY_DSN}' }
kong: { status_urls: '\${KONG}' }
links: { dashboard_url: '\${DASHBOARD}' }
channels:
  - { name: oncall, type: slack, webhook_url: '\${SLACK}', timeout: 1y }
  - { name: issues, type: sentry }
`;
    const result = read(OURS + others);
    const whole = configOf(
      `${OURS}channels: [{ name: oncall, type: webhook, url: 'http://a' }, { name: issues, type: webhook, url: 'http://a' }]`,
    );
    if (!result.ok) throw new Error(result.faults.map(renderFault).join('\n'));
    expect(result.config.rules).toEqual(whole.rules);
    expect(result.config.notifications).toEqual(whole.notifications);
    expect(result.config.evaluationIntervalMs).toBe(10_000);
    expect(result.config.channels.map(({ name }) => name)).toEqual(['oncall', 'issues']);
    expect([result.config.token, result.config.recording]).toEqual([undefined, undefined]);
  });

  it('tell by themselves who stands in for whom, and which channel decides for itself', () => {
    const channels = `
channels:
  - { name: oncall, type: slack, webhook_url: '\${SLACK}', fallback: phone }
  - { name: phone, type: pagerduty, routing_key: '\${KEY}' }
  - { name: cluster, type: alertmanager, urls: ['\${AM}'] }
`;
    const result = read(`rules: [{ name: a, error_rate_threshold: 0.1 }]${channels}`);
    if (!result.ok) throw new Error(result.faults.map(renderFault).join('\n'));
    const { notifications, channels: own } = result.config;
    expect(notifications.escalation.map((step) => step.channels)).toEqual([['oncall']]);
    expect(own.map(({ name, type }) => [name, type])).toContainEqual(['cluster', 'alertmanager']);
  });

  it('have their variables filled in', () => {
    const result = read('rules: [{ name: a, error_rate_threshold: 0.1, window: "${WINDOW}" }]', {
      WINDOW: '7m',
    });
    expect(result.ok && result.config.rules[0]?.windowMs).toBe(420_000);
  });

  it('have their faults told by their place in the whole file', () => {
    expect(
      faultsOf(
        "token: ${TOKEN}\nrules:\n  - name: a\n    error_rate_threshold: 2\n    window: '${WINDOW}'\n",
      ),
    ).toEqual([
      expect.stringContaining('gatewatch.yml:4:27: rules[0].error_rate_threshold: expected'),
      expect.stringContaining(
        'gatewatch.yml:5:13: rules[0].window: expected the environment variable WINDOW',
      ),
    ]);
  });

  it('are not taken from a file whose keys are misspelt', () => {
    expect(faultsOf('rulez: []\n')).toEqual([
      expect.stringContaining('gatewatch.yml:1:1: rulez: expected one of'),
    ]);
  });

  it('have an escalation that names a channel which is not there refused', () => {
    expect(faultsOf(`${OURS}channels: [{ name: other, type: slack }]`)).toEqual([
      expect.stringContaining('expected the name of a channel, of other, found "oncall"'),
    ]);
  });
});
