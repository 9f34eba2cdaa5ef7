// The schema as Kong's own rules read it, by the checker of the embedded gateway, which has Kong's messages.
import { checkRecord } from '../../kong/embedded/check-against-schema';
import { readFieldList } from '../../kong/embedded/field-schema';
import { PLUGIN_SCHEMA } from '../../kong-plugin/plugin-schema';
import { readSettings } from '../../kong-plugin/read-settings';

const FIELDS = readFieldList(JSON.parse(JSON.stringify(PLUGIN_SCHEMA)), 'gatewatch');

function check(config: Record<string, unknown>): string[] {
  return checkRecord(FIELDS, config, []).faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe("the plugin's schema", () => {
  it('has defaults for all that is needed, which the plugin takes', () => {
    const { value, faults } = checkRecord(FIELDS, {}, []);
    expect(faults).toEqual([]);
    expect(readSettings(value)).toEqual({
      delivery: {
        address: expect.objectContaining({ text: 'http://127.0.0.1:9765' }) as unknown,
        token: undefined,
        flushIntervalMs: 1_000,
        requestTimeoutMs: 5_000,
        shutdownTimeoutMs: 5_000,
      },
      namedStatuses: [],
    });
  });

  it.each([
    [{ flush_interval_ms: 99 }, 'flush_interval_ms: value should be between 100 and 10000'],
    [{ flush_interval_ms: 1.5 }, 'flush_interval_ms: expected an integer'],
    [{ request_timeout_ms: 60_001 }, 'request_timeout_ms: value should be between 100 and 60000'],
    [{ shutdown_timeout_ms: -1 }, 'shutdown_timeout_ms: value should be between 0 and 60000'],
    ...['ftp://x', 'http://user:password@x', 'https://user@x/below', 'http://x y'].map(
      (url): [object, string] => [
        { sidecar_url: url },
        'sidecar_url: expected http://host:port, https://host:port or unix:/path, without a user or a password',
      ],
    ),
    [{ sidecar_url: 7 }, 'sidecar_url: expected a string'],
    [{ colour: 'blue' }, 'colour: unknown field'],
    [
      { error_types: [{ status: 99, error_type: 'a' }] },
      'error_types.0.status: value should be between 200 and 599',
    ],
    [
      { error_types: [{ status: 500, error_type: 'Not A Name' }] },
      'error_types.0.error_type: invalid value: Not A Name',
    ],
    [{ error_types: [{ status: 500 }] }, 'error_types.0.error_type: required field missing'],
    [
      { error_types: [{ status: 500, error_type: 'a', severity: 'bad' }] },
      'error_types.0.severity: expected one of: info, warning, error, critical',
    ],
  ])("refuses %j in Kong's words", (config, fault) => {
    expect(check({ ...config })).toEqual([fault]);
  });

  it.each([
    'http://sidecar:9765',
    'https://sidecar/below',
    'https://sidecar/b@low',
    'unix:/run/gatewatch/sidecar.sock',
  ])('takes %s, and the plugin can use it', (url) => {
    expect(check({ sidecar_url: url })).toEqual([]);
    expect(readSettings({ sidecar_url: url }).delivery.address.text).toBe(url);
  });

  it('takes the token from a vault', () => {
    expect(check({ sidecar_token: '{vault://env/gatewatch-token}' })).toEqual([]);
    expect(JSON.stringify(PLUGIN_SCHEMA)).toContain(
      '"sidecar_token":{"type":"string","required":false,"referenceable":true}',
    );
  });
});
