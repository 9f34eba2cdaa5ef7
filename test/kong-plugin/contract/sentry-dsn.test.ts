import { getEnvelopeEndpointWithUrlEncodedAuth, makeDsn, SDK_VERSION } from '@sentry/core';
import { checkDsn, readDsn } from '../../../kong-plugin/contract/sentry-dsn';

const KEY = 'Pl4nt3dKey';

describe('a DSN', () => {
  it.each([
    `https://${KEY}@o1.ingest.sentry.io/42`,
    `http://${KEY}:secret@127.0.0.1:9000/7`,
    `https://${KEY}@sentry.example:8443/below/it/42`,
    `http://${KEY}@[::1]:9000/1`,
  ])('leads to where the SDK sends: %s', (text) => {
    const checked = checkDsn(text, 'sentry.dsn');
    expect(checked).toBe(text.replace(':secret', ''));
    const { origin, path } = readDsn(checked);
    const components = makeDsn(checked);
    if (!components) throw new Error('the SDK does not take it');
    const sdk = { name: 'sentry.javascript.node', version: SDK_VERSION };
    expect(`${origin}${path}`).toBe(getEnvelopeEndpointWithUrlEncodedAuth(components, undefined, sdk));
    expect(readDsn(checked).text).not.toContain(KEY);
  });

  it.each([
    [KEY, 'one that does not begin with https:// or http://'],
    [`//${KEY}@host/1`, 'one that does not begin with https:// or http://'],
    [`ftp://${KEY}@host/1`, 'one that does not begin with https:// or http://'],
    [` https://${KEY}@host/1`, 'one that does not begin with https:// or http://'],
    [`https://host.${KEY}/1`, 'one without a key before the host'],
    [`https://a-${KEY}@host/1`, 'one without a key before the host'],
    [`https://${KEY}:a-b@host/1`, 'one without a key before the host'],
    [`https://${KEY}@host`, 'one that does not end in a project number'],
    [`https://${KEY}@host/1/`, 'one that does not end in a project number'],
    [`https://${KEY}@host/${KEY}`, 'one that does not end in a project number'],
    [`https://${KEY}@host/1?a=${KEY}`, 'one that does not end in a project number'],
    [`https://${KEY}@host/1#`, 'one that does not end in a project number'],
    [`https://${KEY}@host:99999/1`, 'one whose host, port or path cannot be'],
    [`https://${KEY}@10.0.0.256/1`, 'one whose host, port or path cannot be'],
    [`https://${KEY}@[:::]/1`, 'one whose host, port or path cannot be'],
    [`https://${KEY}@host/../1`, 'one whose host, port or path cannot be'],
  ])('is refused by name, without showing it: %s', (text, found) => {
    let message = '';
    try {
      checkDsn(text, 'sentry.dsn');
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toBe(
      `gatewatch: sentry.dsn: expected https://KEY@HOST/PROJECT, as Sentry shows it under Client Keys (DSN), found ${found}`,
    );
  });
});
