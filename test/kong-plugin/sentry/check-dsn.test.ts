import { getEnvelopeEndpointWithUrlEncodedAuth, makeDsn, SDK_VERSION } from '@sentry/core';
import { checkDsn, readDsn } from '../../../kong-plugin/sentry/check-dsn';

const KEY = 'Pl4nt3dKey';

describe('a DSN', () => {
  it.each([
    `https://${KEY}@o1.ingest.sentry.io/42`,
    `http://${KEY}:secret@127.0.0.1:9000/7`,
    `https://${KEY}@sentry.example:8443/below/it/42`,
    `http://${KEY}@[::1]:9000/1`,
  ])('leads to where the SDK sends: %s', (text) => {
    expect(checkDsn(text)).toBe(text);
    const { origin, path } = readDsn(text);
    const components = makeDsn(text);
    if (!components) throw new Error('the SDK does not take it');
    const sdk = { name: 'sentry.javascript.node', version: SDK_VERSION };
    expect(`${origin}${path}`).toBe(getEnvelopeEndpointWithUrlEncodedAuth(components, undefined, sdk));
    expect(readDsn(text).text).not.toContain(KEY);
  });

  it.each([
    [KEY, 'something that is no URL'],
    [`//${KEY}@host/1`, 'something that is no URL'],
    [`ftp://${KEY}@host/1`, 'another protocol than http and https'],
    [`https://host.${KEY}/1`, 'no public key before the host'],
    [`https://a-${KEY}@host/1`, 'a public key that is not of letters and digits'],
    [`https://${KEY}@host`, 'no project id behind the last slash'],
    [`https://${KEY}@host/1/`, 'no project id behind the last slash'],
    [`https://${KEY}@host/${KEY}`, 'a project id that is not a number'],
    [`https://${KEY}@host/1?a=${KEY}`, 'a ? or a # behind the project id'],
    [`https://${KEY}@host/1#`, 'a ? or a # behind the project id'],
    [`https://${KEY}:a-b@host/1`, 'something that the SDK does not read'],
    [` https://${KEY}@host/1`, 'something that the SDK does not read'],
  ])('is refused by name, without showing it: %s', (text, found) => {
    let message = '';
    try {
      checkDsn(text);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toBe(`expected a DSN such as https://<public key>@<host>/<project id>, found ${found}`);
  });
});
