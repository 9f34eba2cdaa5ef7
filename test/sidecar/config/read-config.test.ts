import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { boundsOf, type Config } from '../../../sidecar/config/config';
import {
  DEFAULT_KONG,
  DEFAULT_LINKS,
  DEFAULT_POLICY,
  DEFAULT_RULES,
} from '../../../sidecar/config/default-config';
import { restartReasons } from '../../../sidecar/config/restart-reasons';
import { ruleOf } from '../../../sidecar/config/rule-of';
import { configOf, faultsOf, readConfigText as read } from '../../support/read-config-text';

const SHIPPED = readFileSync(resolve(__dirname, '../../../sidecar/gatewatch.yml'), 'utf8');
const TOKEN = 'a-token-of-some-length';

describe('the shipped gatewatch.yml', () => {
  it('says what holds without it', () => {
    const config = configOf('');
    // Shown switched on, as its line says.
    expect(configOf(SHIPPED)).toEqual({ ...config, sentry: { ...config.sentry, isProfiledFromStart: true } });
    expect(config).toEqual({
      listen: { kind: 'tcp', host: '127.0.0.1', port: 9765 },
      token: undefined,
      web: undefined,
      dataDirectory: resolve('gatewatch-data'),
      seriesCap: 50_000,
      recording: undefined,
      evaluationIntervalMs: 5_000,
      rules: DEFAULT_RULES.map(ruleOf),
      channels: [],
      notifications: {
        ...DEFAULT_POLICY,
        escalation: [{ afterMs: 0, channels: [], severities: ['info', 'warning', 'error', 'critical'] }],
      },
      externalLabels: {},
      links: DEFAULT_LINKS,
      kong: DEFAULT_KONG,
      sentry: {
        dsn: undefined,
        environment: 'production',
        release: undefined,
        tracesSampleRate: 0,
        profileSessionSampleRate: 1,
        isProfiledFromStart: false,
        spotlightUrl: undefined,
        monitor: undefined,
      },
    });
    expect(config.rules.map(({ kind }) => kind)).toEqual([
      'latency',
      'error_rate',
      'apdex',
      'error_rate',
      'kong_unreachable',
      'kong_unreachable',
      'target_unhealthy',
      'observed_ratio',
    ]);
    expect(boundsOf(config.rules)).toEqual([500, 250, 1_000]);
  });

  it('takes address, token and directory from the environment', () => {
    const config = configOf(SHIPPED, {
      GATEWATCH_LISTEN: '0.0.0.0:9765',
      GATEWATCH_TOKEN: TOKEN,
      GATEWATCH_DATA_DIR: '/var/lib/gatewatch',
    });
    expect(config.listen).toEqual({ kind: 'tcp', host: '0.0.0.0', port: 9765 });
    expect(config.token?.reveal()).toBe(TOKEN);
    expect(config.dataDirectory).toBe('/var/lib/gatewatch');
  });

  it.each([
    ['1', 'http://127.0.0.1:8969/stream'],
    ['http://127.0.0.1:1/stream', 'http://127.0.0.1:1/stream'],
    ['0', undefined],
    ['what another program reads', undefined],
  ])('takes Spotlight from the environment, "%s", or passes it over', (variable, url) => {
    expect(configOf(SHIPPED, { SENTRY_SPOTLIGHT: variable }).sentry.spotlightUrl).toBe(url);
  });
});

describe('a configuration file', () => {
  const cases: [title: string, text: string, fault: string][] = [
    [
      'no YAML',
      'rules: [',
      'gatewatch.yml:1:9: expected YAML, found Flow sequence in block collection must be',
    ],
    [
      'a key twice',
      'listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n',
      'gatewatch.yml:2:1: expected YAML, found Map keys must be unique',
    ],
    [
      'two documents',
      'listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n',
      'expected YAML, found Source contains multiple documents',
    ],
    [
      'a list',
      '- 1\n',
      'gatewatch.yml:1:1: expected keys and values, such as `listen: 127.0.0.1:9765`, found a list',
    ],
    [
      'an unknown key',
      'listen: 127.0.0.1:1\nlissten: x\n',
      'gatewatch.yml:2:1: lissten: expected one of the keys listen, token, token_file, web_config_file, data_dir, series_cap, record_dir, record_for, evaluation_interval, rules, channels, notifications, external_labels, links, kong, sentry, found lissten (did you mean listen?)',
    ],
    [
      'an unknown key of a rule',
      'rules:\n  - name: a\n    p95_latency_ms: 500\n    treshold: 1\n',
      'gatewatch.yml:4:5: rules[0].treshold: expected one of the keys name, each, match, p95_latency_ms,',
    ],
    [
      'an unknown key of a channel',
      'channels:\n  - { name: a, type: slack, webhook_url: https://x.example, url: https://x.example }\n',
      'channels[0].url: expected one of the keys name, type, webhook_url, webhook_url_file, bot_token, bot_token_file, channel, api_url, timeout, deadline, fallback, max_in_flight, max_per_minute, found url',
    ],
    [
      'an address without a port',
      'listen: localhost\n',
      'gatewatch.yml:1:9: listen: expected an address such as 127.0.0.1:9765, or unix: and an absolute path, found "localhost"',
    ],
    [
      'an address of numbers that is none',
      'listen: 999.0.0.1:9765\n',
      'listen: expected an address such as 127.0.0.1:9765, or unix: and an absolute path, found "999.0.0.1:9765"',
    ],
    [
      'a socket path longer than the system takes',
      `listen: unix:/${'a'.repeat(107)}\n`,
      'listen: expected an address such as 127.0.0.1:9765, or unix: and an absolute path, found "unix:/aaa',
    ],
    [
      'a home directory as a shell has it',
      'data_dir: ~/gatewatch\n',
      'data_dir: expected a path (~ is not filled in, ${HOME} is), found "~/gatewatch"',
    ],
    [
      'a merge key, also of YAML 1.1',
      '%YAML 1.1\n---\n<<: { series_cap: 500 }\n',
      'gatewatch.yml:3:1: <<: expected one of the keys listen, token, token_file, web_config_file, data_dir, series_cap, record_dir, record_for, evaluation_interval, rules, channels, notifications, external_labels, links, kong, sentry, found <<, which merges nothing here; repeat the keys',
    ],
    [
      'an alias without its anchor',
      'rules: *gone\n',
      'gatewatch.yml:1:8: expected an alias (*) of an anchor (&) before it, found no such anchor',
    ],
    ['a tag', 'rules: !!set {}\n', 'gatewatch.yml:1:8: expected YAML, found an unknown tag (!)'],
    [
      'a key that is a list',
      '? [a]\n: 1\n',
      'gatewatch.yml:1:3: expected YAML, found a key that is not a text',
    ],
    [
      'nesting that would exhaust the stack',
      '- '.repeat(20_000),
      'gatewatch.yml:1:43: expected at most 20 levels of nesting, found more',
    ],
    [
      'a window shorter than a round',
      'evaluation_interval: 1m\nrules: [{ name: a, p95_latency_ms: 500, window: 30s }]\n',
      'rules[0].window: expected a window as long as the evaluation_interval or longer, found "30s"',
    ],
    [
      'a window that is both shorter than a round and than any may be',
      'rules: [{ name: a, p95_latency_ms: 500, window: 1s }]\n',
      'gatewatch.yml:1:49: rules[0].window: expected a duration from 10s to 7d, such as 30s or 5m, found "1s"',
    ],
    [
      'a variable without quotes inside braces',
      'rules: [{ name: a, p95_latency_ms: ${P} }]\n',
      'gatewatch.yml:1:36: expected a variable inside [...] or {...} in quotes, as in "${NAME}", or, for a number, on a line of its own, found one without quotes',
    ],
    [
      'a variable with a default and text around it, without quotes inside brackets',
      'channels:\n  - { name: a, type: webhook, url: https://${HOST:-x.example, y}/z }\n',
      'gatewatch.yml:2:44: expected a variable inside [...] or {...} in quotes',
    ],
    [
      'an Apdex threshold of 0',
      'rules: [{ name: a, apdex_threshold: 0 }]\n',
      'rules[0].apdex_threshold: expected a number above 0 and at most 1, such as 0.95, found 0',
    ],
    [
      'an address with credentials that cannot be decoded',
      'channels:\n  - { name: a, type: webhook, url: "http://%zz:b@x.example/" }\n',
      'channels[0].url: expected an http or https address, found another text (not shown)',
    ],
    ['a port too high', 'listen: 127.0.0.1:65536\n', 'listen: expected an address'],
    ['a relative socket', 'listen: unix:gatewatch.sock\n', 'listen: expected an address'],
    [
      'an open address without a token',
      'listen: 0.0.0.0:9765\n',
      'gatewatch.yml:1:9: listen: expected a token, since others than this machine can reach the address. Set token (GATEWATCH_TOKEN) or token_file, or listen on 127.0.0.1 or unix:/path, found none',
    ],
    [
      'an open address with an empty token',
      'token: ""\nlisten: "[::]:9765"\n',
      'gatewatch.yml:1:8: token: expected a token',
    ],
    [
      'a short token',
      'token: short\n',
      'token: expected a token of 16 to 512 printable characters without spaces, found another text (not shown)',
    ],
    [
      'a token and its file',
      `token: ${TOKEN}\ntoken_file: /x\n`,
      'token_file: expected token or token_file, found both',
    ],
    [
      'a secret file that is not there',
      'token_file: /nowhere\n',
      'gatewatch.yml:1:13: token_file: expected the path of a readable file, found one that is not (ENOENT)',
    ],
    [
      'a secret file that is empty',
      'token_file: /empty\n',
      'token_file: expected the path of a file with a token of 16 to 512 printable characters without spaces, found an empty file',
    ],
    [
      'a cap that is a text',
      'series_cap: many\n',
      'gatewatch.yml:1:13: series_cap: expected a whole number from 100 to 1000000, found "many"',
    ],
    [
      'a cap with a fraction',
      'series_cap: 1000.5\n',
      'series_cap: expected a whole number from 100 to 1000000, found 1000.5',
    ],
    ['NaN', 'series_cap: .nan\n', 'series_cap: expected a whole number'],
    [
      'a duration that is none',
      'evaluation_interval: fast\n',
      'gatewatch.yml:1:22: evaluation_interval: expected a duration from 1s to 5m, such as 30s or 5m, found "fast"',
    ],
    [
      'a duration that is too long',
      'evaluation_interval: 6m\n',
      'evaluation_interval: expected a duration from 1s to 5m',
    ],
    [
      'a duration without a unit',
      'evaluation_interval: 5\n',
      'evaluation_interval: expected a duration from 1s to 5m, such as 30s or 5m, found 5',
    ],
    [
      'a rule without a threshold',
      'rules:\n  - name: a\n',
      'gatewatch.yml:2:5: rules[0]: expected one of p95_latency_ms, latency_ms, error_rate_threshold, apdex_threshold, traffic_drop_threshold, traffic_absence, slo_objective, kong_unreachable, target_unhealthy, observed_ratio_threshold, found none',
    ],
    [
      'a rule with two thresholds',
      'rules:\n  - { name: a, p95_latency_ms: 1, apdex_threshold: 0.9 }\n',
      'rules[0]: expected one of p95_latency_ms, latency_ms, error_rate_threshold, apdex_threshold, traffic_drop_threshold, traffic_absence, slo_objective, kong_unreachable, target_unhealthy, observed_ratio_threshold, found p95_latency_ms and apdex_threshold',
    ],
    [
      'a rule without a name',
      'rules:\n  - p95_latency_ms: 500\n',
      'gatewatch.yml:2:5: rules[0].name: expected a name of letters, digits, _ and -, at most 64, found nothing',
    ],
    [
      'two rules of one name',
      'rules:\n  - { name: a, p95_latency_ms: 1 }\n  - { name: a, p95_latency_ms: 2 }\n',
      'gatewatch.yml:3:13: rules[1].name: expected a name that no other has, found "a"',
    ],
    [
      'a threshold of 1',
      'rules: [{ name: a, error_rate_threshold: 1 }]\n',
      'rules[0].error_rate_threshold: expected a number from 0 to below 1, such as 0.01 for 1 %, found 1',
    ],
    [
      'a percentage',
      'rules: [{ name: a, error_rate_threshold: 1% }]\n',
      'expected a number from 0 to below 1, such as 0.01 for 1 %, found "1%"',
    ],
    [
      'a negative p95',
      'rules: [{ name: a, p95_latency_ms: -1 }]\n',
      'rules[0].p95_latency_ms: expected a whole number of ms from 1 to 3600000, found -1',
    ],
    [
      'a p95 finer than the histogram',
      'rules: [{ name: a, p95_latency_ms: 2504 }]\n',
      'expected a number of ms with at most three significant digits above 2000, to which times are kept; the nearest is 2500, found 2504',
    ],
    [
      'an Apdex target whose fourfold is finer than the histogram',
      'rules: [{ name: a, apdex_threshold: 0.9, apdex_target_ms: 501 }]\n',
      'rules[0].apdex_target_ms: expected a number of ms that has, and whose fourfold has, at most three significant digits above 2000, to which times are kept; the nearest is 500, found 501',
    ],
    [
      'an Apdex target without Apdex',
      'rules: [{ name: a, p95_latency_ms: 500, apdex_target_ms: 250 }]\n',
      'rules[0].apdex_target_ms: expected apdex_target_ms only beside apdex_threshold, found p95_latency_ms',
    ],
    [
      'an unknown severity',
      'rules: [{ name: a, p95_latency_ms: 500, severity: bad }]\n',
      'rules[0].severity: expected one of info, warning, error, critical, found "bad"',
    ],
    [
      'a channel without a type',
      'channels:\n  - name: a\n',
      'channels[0].type: expected slack, email, pagerduty, webhook, alertmanager or sentry, found nothing',
    ],
    [
      'a channel of an unknown type',
      'channels:\n  - { name: a, type: pigeon }\n',
      'channels[0].type: expected slack, email, pagerduty, webhook, alertmanager or sentry, found "pigeon"',
    ],
    [
      'a channel without an address',
      'channels:\n  - { name: a, type: webhook }\n',
      'channels[0]: expected url or url_file, found none of them',
    ],
    [
      'a channel with a strange address',
      'channels:\n  - { name: a, type: webhook, url: "ftp://secret" }\n',
      'channels[0].url: expected an http or https address, found another text (not shown)',
    ],
    [
      'a channel of Sentry without Sentry',
      'channels:\n  - { name: a, type: sentry }\n',
      'gatewatch.yml:2:5: channels[0]: expected sentry.dsn, sentry.dsn_file or sentry.spotlight, where its issues go, found none of them',
    ],
    [
      'a token for Sentry that has nowhere to go',
      `sentry: { spotlight: true }\nchannels: [{ name: a, type: sentry, auth_token: ${TOKEN}, project: b }]\n`,
      'channels[0]: expected organization and project beside auth_token, found no organization',
    ],
    [
      'a DSN that is none',
      'sentry:\n  dsn: https://key@host.example/project\n',
      'gatewatch.yml:2:8: sentry.dsn: expected a DSN such as https://KEY@HOST/PROJECT, as Sentry shows it under Client Keys (DSN), found another text (not shown)',
    ],
    [
      'a DSN and its file',
      'sentry: { dsn: "https://k@x.example/1", dsn_file: /x }\n',
      'sentry.dsn_file: expected dsn or dsn_file, found both',
    ],
    [
      'an unknown key of Sentry',
      'sentry:\n  enviroment: test\n',
      'sentry.enviroment: expected one of the keys dsn, dsn_file, environment, release, traces_sample_rate, profile_session_sample_rate, continuous_profiling_auto_start, spotlight, monitor, found enviroment (did you mean environment?)',
    ],
    [
      'a rate over 1',
      'sentry: { traces_sample_rate: 50 }\n',
      'sentry.traces_sample_rate: expected a number from 0 to 1, found 50',
    ],
    [
      'a Spotlight that is none',
      'sentry: { spotlight: maybe }\n',
      'sentry.spotlight: expected true, false or the http address of a Spotlight, found another text (not shown)',
    ],
    [
      'two channels of one name',
      'channels:\n  - { name: a, type: webhook, url: "http://x" }\n  - { name: a, type: webhook, url: "http://x" }\n',
      'channels[1].name: expected a name that no other has, found "a"',
    ],
    [
      'a variable that is not set',
      'data_dir: ${NOWHERE}/x\n',
      'gatewatch.yml:1:11: data_dir: expected the environment variable NOWHERE to be set, or a default as in ${NOWHERE:-default}, found neither',
    ],
    [
      'a variable that is only a name of every object',
      'data_dir: ${constructor}\n',
      'data_dir: expected the environment variable constructor to be set',
    ],
    [
      'a variable in a default',
      'data_dir: "${A:-${B}}"\n',
      'data_dir: expected ${NAME} or ${NAME:-default}; write $${ for a plain ${, found something else after a ${',
    ],
    [
      'a variable without an end',
      'data_dir: "a${B"\n',
      'gatewatch.yml:1:11: data_dir: expected ${NAME} or ${NAME:-default}; write $${ for a plain ${, found something else after a ${',
    ],
  ];
  it.each(cases)('is refused for %s, with place, expected and found', (_title, text, fault) => {
    const faults = faultsOf(text, {}, { '/empty': '\n' });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
  });

  it('tells all its faults at once, in the order of the file', () => {
    const faults = faultsOf(
      [
        'listen: 0.0.0.0:9765',
        'series_cap: -5',
        'data_dir: ${NOWHERE}',
        'colour: blue',
        'rules:',
        '  - name: a',
        '    window: fast',
        '  - name: a',
        '    p95_latency_ms: 500',
        '    error_rate_threshold: 7',
        'channels:',
        '  - type: slack',
        '    name: b',
        '',
      ].join('\n'),
    );
    expect(faults.map((fault) => fault.split(': ').slice(0, 2).join(' '))).toEqual([
      'gatewatch.yml:1:9 listen',
      'gatewatch.yml:2:13 series_cap',
      'gatewatch.yml:3:11 data_dir',
      'gatewatch.yml:4:1 colour',
      'gatewatch.yml:6:5 rules[0]',
      'gatewatch.yml:7:13 rules[0].window',
      'gatewatch.yml:8:5 rules[1]',
      'gatewatch.yml:8:11 rules[1].name',
      'gatewatch.yml:10:27 rules[1].error_rate_threshold',
      'gatewatch.yml:12:5 channels[0]',
    ]);
  });

  it('tells every variable without quotes, and what else is no YAML, at once', () => {
    expect(
      faultsOf(
        'rules: [{ name: ${A}, p95_latency_ms: ${B:-5} }]\nlisten: "${L}"\nlisten: b\nx: [ "${C}", ${D}/e ]\n',
      ),
    ).toEqual([
      expect.stringMatching(/^gatewatch\.yml:1:17: expected a variable inside .* in quotes/),
      expect.stringMatching(/^gatewatch\.yml:1:39: expected a variable inside .* in quotes/),
      'gatewatch.yml:3:1: expected YAML, found Map keys must be unique',
      expect.stringMatching(/^gatewatch\.yml:4:14: expected a variable inside .* in quotes/),
    ]);
    expect(configOf('rules: [{ name: "${A}", p95_latency_ms: 5 }]\n', { A: 'a' }).rules).toMatchObject([
      { name: 'a' },
    ]);
  });

  it('tells faults of secret files together with the others', () => {
    expect(faultsOf('token_file: /nowhere\nseries_cap: 1\n')).toEqual([
      'gatewatch.yml:1:13: token_file: expected the path of a readable file, found one that is not (ENOENT)',
      'gatewatch.yml:2:13: series_cap: expected a whole number from 100 to 1000000, found 1',
    ]);
  });

  it('takes the strictest thresholds: no error at all, every request satisfied', () => {
    const { rules } = configOf(
      'rules:\n  - { name: a, error_rate_threshold: 0 }\n  - { name: b, apdex_threshold: 1 }\n',
    );
    expect(rules).toMatchObject([{ thresholds: [{ value: 0 }] }, { thresholds: [{ value: 1 }] }]);
  });

  it.each(['127.8.9.1:1', 'localhost:1', 'LOCALHOST:1', '"[::1]:1"', '"[0:0:0:0:0:0:0:1]:1"', 'unix:/a/b'])(
    'needs no token on %s, which only this machine reaches',
    (listen) => {
      expect(faultsOf(`listen: ${listen}\n`)).toEqual([]);
    },
  );

  it('never throws, whatever its text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        read(text);
      }),
      { numRuns: 2_000, seed: 6 },
    );
    const pieces = SHIPPED.replace(/^#.*$/gm, '').split(/(?<=[\s:])/);
    fc.assert(
      fc.property(fc.shuffledSubarray(pieces), (shuffled) => {
        read(shuffled.join(''));
      }),
      { numRuns: 500, seed: 7 },
    );
    // Aliases that would unfold to 10^9 values.
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map((name, index) => {
        const before = 'abcdefgh'[index] ?? '';
        return `${name}: &${name} [${Array(10).fill(`*${before}`).join(',')}]`;
      }),
    ].join('\n');
    expect(faultsOf(bomb)).toEqual([expect.stringContaining('expected fewer aliases')]);
  });
});

describe('a variable in the configuration', () => {
  it('may be a number where it stands unquoted, and stays a text where it is quoted', () => {
    expect(configOf('series_cap: ${CAP}', { CAP: '1234' }).seriesCap).toBe(1_234);
    expect(faultsOf('series_cap: "${CAP}"', { CAP: '1234' })[0]).toContain('found "1234"');
    expect(configOf('series_cap: ${CAP:-777}').seriesCap).toBe(777);
  });

  it('can stand anywhere in a value, and $${ is a plain ${', () => {
    expect(configOf('data_dir: /a/${B}/${C:-c}/$${D}', { B: 'b' }).dataDirectory).toBe('/a/b/c/${D}');
  });

  it('never adds keys', () => {
    const faults = faultsOf('series_cap: ${CAP}', { CAP: '1000\ntoken: injected-injected-injected' });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('series_cap: expected a whole number');
  });

  it('stays a text where a text is wanted, even if YAML would see a number or nothing in it', () => {
    expect(configOf('token: ${T}', { T: '12345678901234567890' }).token?.reveal()).toBe(
      '12345678901234567890',
    );
    expect(configOf('token: 12345678901234567890').token?.reveal()).toBe('12345678901234567890');
    expect(
      configOf('rules:\n  - name: ${N}\n    p95_latency_ms: 500\n    for: ${F}', { N: '7', F: '0' }).rules,
    ).toMatchObject([{ name: '7', forMs: 0 }]);
    expect(faultsOf('token: ${T}', { T: 'null' })).toHaveLength(1);
  });

  it('is the default where it is empty', () => {
    expect(configOf('data_dir: ${DIR:-/x}', { DIR: '' }).dataDirectory).toBe('/x');
  });
});

describe('a secret', () => {
  it('comes from a file without its last line break', () => {
    const config = configOf('token_file: /t\nlisten: 0.0.0.0:1\n', {}, { '/t': `${TOKEN}\n` });
    expect(config.token?.reveal()).toBe(TOKEN);
  });

  it('is not given where its text is empty, so that its file may be', () => {
    const text = 'token: ${TOKEN:-}\ntoken_file: ${TOKEN_FILE:-}\n';
    expect(configOf(text).token).toBeUndefined();
    expect(configOf(text, { TOKEN: TOKEN }).token?.reveal()).toBe(TOKEN);
    expect(configOf(text, { TOKEN_FILE: '/t' }, { '/t': TOKEN }).token?.reveal()).toBe(TOKEN);
    const channel = 'channels:\n  - { name: a, type: slack, webhook_url: "", webhook_url_file: /u }\n';
    const [slack] = configOf(channel, {}, { '/u': 'https://x.example/y\n' }).channels;
    expect(
      slack?.type === 'slack' && slack.through.kind === 'webhook' && slack.through.webhookUrl.reveal(),
    ).toBe('https://x.example/y');
  });

  it('is never shown: not in faults, not when printed, not when serialised', () => {
    const planted = fc.stringMatching(/^[a-z]{20,40}$/);
    fc.assert(
      fc.property(planted, fc.constantFrom('token', 'url', 'webhook_url'), (secret, key) => {
        const good = `https://x.example/${secret}`;
        const texts = [
          key === 'token' ? `token: ${secret}\n` : '',
          key === 'token' ? `token: "${secret} x"\n` : '',
          `token: [${secret}]\n`,
          `channels:\n  - { name: a, type: webhook, url: ${good} }\n`,
          `channels:\n  - { name: a, type: webhook, url: "gopher://${secret}" }\n`,
          `channels:\n  - { name: a, type: slack, webhook_url: "${secret}" }\n`,
          `channels:\n  - { name: a, type: slack, webhook_url: { x: ${secret} } }\n`,
          `sentry: { dsn: "https://${secret}@x.example/1" }\n`,
          `sentry: { dsn: "https://${secret}@x.example/" }\n`,
          `sentry: { dsn: ${secret}, monitor: ${secret} }\n`,
          `sentry: { spotlight: true }\nchannels: [{ name: a, type: sentry, auth_token: ${secret} }]\n`,
          // In the wrong place.
          secret,
          `rules: ${secret}\n`,
          `channels: [${secret}]\n`,
          `${key}_file: ${secret}\n`,
          `token_file: ${secret}\n`,
          `channels:\n  - { name: a, type: webhook, url_file: ${good} }\n`,
          `channels:\n  - { name: &a "${good} ", type: webhook, url: *a }\n`,
          // Not YAML, or not the YAML that was meant.
          `{${key}:${secret}}\n`,
          `token: |x ${secret}\n`,
          `token: !${secret} a\n`,
          `token: *${secret}\n`,
          `token: "\\${secret}"\n`,
          `%${secret} a\n---\n`,
          `token: @${secret}\n`,
          `token: a ${secret}: b\n`,
        ];
        for (const text of texts) {
          const result = read(text);
          const shown = [inspect(result, { depth: 9 }), JSON.stringify(result)].join();
          expect(shown).not.toContain(secret);
        }
      }),
      { numRuns: 50, seed: 8 },
    );
  });

  it('is not shown by a key that takes the same variable', () => {
    const faults = faultsOf(
      'channels:\n  - name: ${KEY} !\n    type: webhook\n    url: https://x.example/${KEY}\n',
      { KEY: 'abcdefgh' },
    );
    expect(faults).toEqual([
      'gatewatch.yml:2:11: channels[0].name: expected a name of letters, digits, _ and -, at most 64, found another text (not shown)',
    ]);
  });

  it('is not shown wherever a character of the file is lost or added', () => {
    const secret = 'kwxqzjvhkwxqzjvhkwxqzjvh';
    const text = `listen: 127.0.0.1:1\ntoken: ${secret}\nchannels:\n  - name: a\n    type: webhook\n    url: https://x.example/${secret}\n`;
    // Keys that are as long as ours are shown, so a line break alone would make a key of it; nothing here does.
    const edit = fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(2),
      put: fc.constantFrom(
        '',
        ' ',
        '\n',
        ':',
        '"',
        "'",
        '{',
        '[',
        ']',
        '}',
        '&',
        '*',
        '!',
        '|',
        '>',
        '%',
        '@',
        '#',
        ',',
        '- ',
        '\t',
      ),
    });
    fc.assert(
      fc.property(edit, ({ at, cut, put }) => {
        const edited = text.slice(0, at) + put + text.slice(at + cut);
        expect(faultsOf(edited).join('\n')).not.toContain('kwxqzjvhkwxqz');
      }),
      { numRuns: 3_000, seed: 9 },
    );
  });
});

describe('a reload', () => {
  it('refuses what needs a restart, and takes everything else', () => {
    const before = configOf('');
    expect(restartReasons(before, configOf('rules: []\nseries_cap: 100\n'))).toEqual([]);
    const dsnOf = (key: string): Config => configOf(`sentry: { dsn: "https://${key}@x.example/1" }`);
    expect(restartReasons(dsnOf('a'), dsnOf('a'))).toEqual([]);
    expect(restartReasons(dsnOf('a'), dsnOf('b'))).toEqual([
      'sentry: what Sentry is told of the sidecar itself cannot change while it runs; restart it, or set it back',
    ]);
    expect(restartReasons(before, configOf('listen: 127.0.0.1:1\ndata_dir: /x\n'))).toEqual([
      'listen: the address cannot change while the sidecar runs; restart it, or set the address back',
      'data_dir: the directory cannot change while the sidecar runs; restart it, or set it back',
    ]);
  });
});

describe('Spotlight', () => {
  const cases: [key: string, variable: string, url: string | undefined][] = [
    ['', '', undefined],
    ['', '1', 'http://127.0.0.1:8969/stream'],
    ['', 'http://127.0.0.1:9/stream', 'http://127.0.0.1:9/stream'],
    ['', 'nonsense', undefined],
    ['true', '', 'http://127.0.0.1:8969/stream'],
    ['true', 'http://127.0.0.1:9/stream', 'http://127.0.0.1:9/stream'],
    ['false', '1', undefined],
    ['http://127.0.0.1:7/stream', '1', 'http://127.0.0.1:7/stream'],
  ];
  it.each(cases)('with the key "%s" and SENTRY_SPOTLIGHT "%s" is at %s', (key, variable, url) => {
    const text = `sentry:\n  spotlight: ${key === '' ? '""' : key}\n`;
    expect(configOf(text, { SENTRY_SPOTLIGHT: variable }).sentry.spotlightUrl).toBe(url);
  });
});

describe('a configuration', () => {
  it('cannot be changed after it was read', () => {
    const config = configOf('rules: [{ name: a, p95_latency_ms: 1 }]');
    expect(Object.isFrozen(config) && Object.isFrozen(config.rules) && Object.isFrozen(config.rules[0])).toBe(
      true,
    );
  });
});
