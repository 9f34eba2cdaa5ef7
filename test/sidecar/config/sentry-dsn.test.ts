import { envelopeUrlOf } from '../../../sidecar/config/sentry-dsn';
import { checkDsn, isDsn, readDsn } from '../../../kong-plugin/contract/sentry-dsn';

/** What plugin and sidecar read from one variable, SENTRY_DSN. */
it.each([
  'https://0123456789abcdef@o1.ingest.sentry.io/42',
  'http://key:oldsecret@127.0.0.1:9000/7',
  'https://key@sentry.example:8443/below/it/42',
])('takes the DSN that the plugin takes, and leads to the same project: %s', (dsn) => {
  const { origin, path } = readDsn(checkDsn(dsn, 'sentry.dsn'));
  expect(isDsn(dsn)).toBe(true);
  const [address] = envelopeUrlOf(dsn, '1.0.0').split('?', 1);
  expect(address).toBe(`${origin}${path}`.split('?', 1)[0]);
  expect(envelopeUrlOf(dsn, '1.0.0')).not.toContain('oldsecret');
});

it.each(['https://key@host/project', 'https://key@10.0.0.256/1', 'https://host/1', 'https://a-b@host/1'])(
  'takes no DSN that the plugin refuses: %s',
  (dsn) => {
    expect(() => checkDsn(dsn, 'sentry.dsn')).toThrow();
    expect(isDsn(dsn)).toBe(false);
  },
);
