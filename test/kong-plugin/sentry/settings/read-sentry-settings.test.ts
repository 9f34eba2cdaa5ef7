// The `sentry` record as Kong's own rules read it, by the checker of the embedded gateway, and then as the plugin reads it.
import { checkRecord } from '../../../../kong/embedded/check-against-schema';
import { readFieldList } from '../../../../kong/embedded/field-schema';
import { resolveReferences } from '../../../../kong/embedded/resolve-references';
import { PLUGIN_SCHEMA } from '../../../../kong-plugin/plugin-schema';
import { readSettings } from '../../../../kong-plugin/read-settings';
import { readSentrySettings } from '../../../../kong-plugin/sentry/settings/read-sentry-settings';

const DSN = 'https://0123456789abcdef@o1.ingest.sentry.io/42';
const FIELDS = readFieldList(JSON.parse(JSON.stringify(PLUGIN_SCHEMA)), 'gatewatch');

/** What the plugin is handed, and what Kong would refuse. */
function checked(
  sentry: unknown,
  variables: Record<string, string> = {},
): { value: unknown; faults: string[] } {
  const { value, faults } = checkRecord(FIELDS, { sentry }, []);
  return {
    value: resolveReferences(FIELDS, value, variables).config['sentry'],
    faults: faults.map(({ path, message }) => `${path.join('.')}: ${message}`),
  };
}

function read(
  sentry: unknown,
  variables: Record<string, string> = {},
): ReturnType<typeof readSentrySettings> {
  const { value, faults } = checked(sentry, variables);
  expect(faults).toEqual([]);
  return readSentrySettings(value, '1.2.3', variables);
}

const STANDARD = {
  dsn: DSN,
  environment: 'production',
  release: 'gatewatch@1.2.3',
  sendsPersonalData: false,
  sendsBodySize: false,
  sampleRate: 1,
  minimumSeverity: 'warning',
  fingerprint: [{ field: 'service' }, { field: 'operation' }, { field: 'error_type' }],
  beforeSend: [],
  tracing: { sampleRate: 0.1, slowMs: 1_000, followsParent: true },
};

describe('the settings of the Sentry part', () => {
  it("have the same defaults from Kong's schema and from the plugin alone", () => {
    const settings = {
      standard: STANDARD,
      services: new Map(),
      governor: {
        issue: { burst: 5, perMinute: 6 },
        total: { burst: 50, perMinute: 300 },
        transactions: { burst: 50, perMinute: 600 },
      },
      spotlightUrl: undefined,
      profileSessionSampleRate: 0,
      shutdownTimeoutMs: 2_000,
    };
    expect(read({ dsn: DSN })).toEqual(settings);
    expect(readSentrySettings({ dsn: DSN, before_send: {}, services: null }, '1.2.3', {})).toEqual(settings);
  });

  it.each([
    undefined,
    null,
    {},
    { dsn: '{vault://env/sentry-dsn}' },
    { dsn: '{vault://env/x}', services: [] },
  ])('are none for %j without a DSN and without Spotlight', (sentry) => expect(read(sentry)).toBeUndefined());

  it('take the DSN of a reference, in a record and in a list of records, without the secret of old ones', () => {
    const settings = read(
      { dsn: '{vault://env/sentry-dsn}', services: [{ service: 'orders', dsn: '{vault://env/orders-dsn}' }] },
      { SENTRY_DSN: DSN.replace('@', ':old@'), ORDERS_DSN: 'http://abc@localhost:9000/below/7' },
    );
    expect(settings?.standard.dsn).toBe(DSN);
    expect(settings?.services.get('orders')?.dsn).toBe('http://abc@localhost:9000/below/7');
  });

  it('send a service whose reference is empty nowhere, and not to the project of the others', () => {
    const settings = read({ dsn: DSN, services: [{ service: 'orders', dsn: '{vault://env/orders-dsn}' }] });
    expect(settings?.services.get('orders')?.dsn).toBeUndefined();
  });

  it('are overridden by service, with the trace rate of its environment unless it names one', () => {
    const settings = read({
      dsn: DSN,
      services: [
        { service: 'orders', environment: 'staging', send_personal_data: true, minimum_severity: 'error' },
        { service: 'users', traces_sample_rate: 0.25, traces_slow_ms: 50, sample_rate: 0.5 },
      ],
    });
    expect([...(settings?.services ?? [])]).toEqual([
      [
        'orders',
        {
          ...STANDARD,
          environment: 'staging',
          sendsPersonalData: true,
          sendsBodySize: true,
          minimumSeverity: 'error',
          tracing: { ...STANDARD.tracing, sampleRate: 0.5 },
        },
      ],
      [
        'users',
        { ...STANDARD, sampleRate: 0.5, tracing: { ...STANDARD.tracing, sampleRate: 0.25, slowMs: 50 } },
      ],
    ]);
  });

  it.each([
    ['production', 0.1],
    ['staging', 0.5],
    ['development', 1],
    ['qa-7', 0.2],
  ])('trace in %s at its rate', (environment, rate) => {
    const settings = read({ dsn: DSN, environment, traces_sample_rates: { other: 0.2 } });
    expect(settings?.standard.tracing?.sampleRate).toBe(rate);
  });

  it('trace and profile nothing unless told so, and send no body size without personal data', () => {
    const settings = read({ dsn: DSN, traces_enabled: false, profile_session_sample_rate: 0.5 });
    expect(settings?.standard.tracing).toBeUndefined();
    expect(settings?.profileSessionSampleRate).toBe(0);
    const profiled = read({
      dsn: DSN,
      continuous_profiling_auto_start: true,
      profile_session_sample_rate: 0.5,
      send_personal_data: true,
      request_bodies: 'never',
    });
    expect(profiled?.profileSessionSampleRate).toBe(0.5);
    expect(profiled?.standard.sendsBodySize).toBe(false);
  });

  const url = 'http://127.0.0.1:8969/stream';
  it.each([
    [undefined, '', undefined],
    [undefined, 'On', url],
    [undefined, '0', undefined],
    [undefined, 'http://desk:1/stream', 'http://desk:1/stream'],
    [true, '', url],
    [true, 'off', url],
    [true, 'http://desk:1/stream', 'http://desk:1/stream'],
    [false, '1', undefined],
  ])('with spotlight %p and SENTRY_SPOTLIGHT "%s" send to %s', (spotlight, variable, expected) => {
    expect(read({ spotlight }, { SENTRY_SPOTLIGHT: variable })?.spotlightUrl).toBe(expected);
  });

  it('read rules of before_send', () => {
    const settings = read({
      dsn: DSN,
      before_send: [
        { service: 'orders', status: 404, drop: true },
        { source: 'client', level: 'info', fingerprint: ['c', '{status}'], tags: { team: 'edge' } },
      ],
    });
    expect(settings?.standard.beforeSend).toMatchObject([
      { when: { service: 'orders', status: 404, severity: undefined }, isDropped: true },
      { isDropped: false, level: 'info', fingerprint: ['c', { field: 'status' }], tags: { team: 'edge' } },
    ]);
  });
});

describe("what Kong's rules refuse", () => {
  it.each([
    [{ dsn: 'https://sentry.io/1' }, 'dsn: expected https://KEY@HOST/PROJECT, as Sentry shows it'],
    [{ environment: 'None' }, 'environment: value must not be None'],
    [{ environment: 'a/b' }, 'environment: invalid value: a/b'],
    [{ release: '..' }, 'release: must not be one of: ., ..,'],
    [{ release: 'a\\b' }, 'release: invalid value: a\\b'],
    [{ sample_rate: 1.1 }, 'sample_rate: value should be between 0 and 1'],
    [{ governor: { issue_burst: 0 } }, 'governor.issue_burst: value should be between 1 and 1000'],
    [{ services: [{}] }, 'services.0.service: required field missing'],
    [{ before_send: [{ status: 404 }] }, 'before_send.0: at least one of these fields must be non-empty: '],
    [
      { before_send: [{ drop: true, level: 'info' }] },
      "before_send.0: these sets are mutually exclusive: ('drop'), ('level')",
    ],
    [{ before_send: [{ drop: false }] }, 'before_send.0.drop: value must be true'],
    [{ before_send: [{ tags: { 'a b': 'c' } }] }, 'before_send.0.tags.a b: invalid value: a b'],
  ])('is %j', (sentry, fault) => {
    const [first = '', ...others] = checked(sentry).faults;
    expect(first).toContain(`sentry.${fault}`);
    expect(others).toEqual([]);
  });
});

describe('what the plugin refuses itself, with its place', () => {
  it.each([
    [
      { fingerprint: ['{servce}'] },
      /sentry\.fingerprint\[0\]: .*\{service\}, \{operation\}.* found "\{servce\}"/,
    ],
    [{ fingerprint: ['a}'] }, /sentry\.fingerprint\[0\]: expected a text without braces/],
    [
      { services: [{ service: 'a' }, { service: 'a' }] },
      /sentry\.services\[1\]\.service: expected each service once/,
    ],
    [{ before_send: [{}] }, /sentry\.before_send\[0\]: expected either drop.*found neither/],
    [{ before_send: [{ drop: true, level: 'info' }] }, /sentry\.before_send\[0\]: .*found both/],
    [
      { before_send: [{ error_type: 'upstream_timeot', drop: true }] },
      /sentry\.before_send\[0\]\.error_type: expected one of client_closed_request, upstream_timeout.*found "upstream_timeot"/,
    ],
    [{ before_send: [{ level: 'loud' }] }, /sentry\.before_send\[0\]\.level: expected one of fatal, error/],
    [
      { traces_sample_rates: { staging: 2 } },
      /sentry\.traces_sample_rates\.staging: expected a number from 0 to 1/,
    ],
    [
      { governor: { total_burst: 1.5 } },
      /sentry\.governor\.total_burst: expected a whole number from 1 to 10000/,
    ],
    [{ environment: 'a b' }, /sentry\.environment: expected/],
    [{ release: 'a/b' }, /sentry\.release: expected/],
    [{ spotlight_url: 'ftp://x' }, /sentry\.spotlight_url: expected/],
  ])('is %j', (sentry, fault) => {
    expect(() => readSentrySettings({ dsn: DSN, ...sentry }, '1', {})).toThrow(fault);
  });

  it('is a rule for an error type that nothing has, and none for one that a service has named', () => {
    const config = (errorType: string): object => ({
      error_types: [{ status: 422, error_type: 'validation_failed' }],
      sentry: { dsn: DSN, before_send: [{ error_type: errorType, drop: true }] },
    });
    expect(readSettings(config('validation_failed')).sentry?.standard.beforeSend).toMatchObject([
      { when: { errorType: 'validation_failed' } },
    ]);
    expect(readSettings(config('validation_faled'))).toMatchObject({
      sentry: undefined,
      sentryFault: expect.stringMatching(/, validation_failed, found/) as unknown,
    });
  });

  it.each([
    'secretkey',
    'ftp://secretkey@host/1',
    'https://host/secretkey',
    'https://secretkey@host/project',
    'https://secretkey@host/1?x=1',
    'https://secretkey@host:99999/1',
    'https://secret%key@host/1',
  ])('is the DSN %s, which is not shown', (dsn) => {
    for (const value of [{ dsn }, { services: [{ service: 'a', dsn }] }]) {
      let message = '';
      try {
        readSentrySettings(value, '1', {});
      } catch (error) {
        message = String(error);
      }
      expect(message).toMatch(
        /gatewatch: sentry\.(services\[0\]\.)?dsn: expected https:\/\/KEY@HOST\/PROJECT/,
      );
      expect(message).not.toContain('secret');
    }
  });
});
