// Where the sidecar is and what is shown to it: which of flags and environment holds, and that no secret is in a fault.
import { UsageFault } from '../../../sidecar/cli/command';
import { readConnection, type ConnectionFlags } from '../../../sidecar/cli/connection';

const TOKEN = 'a-token-for-tests-only';

function connect(
  flags: ConnectionFlags,
  env: Record<string, string> = {},
): ReturnType<typeof readConnection> {
  return readConnection(flags, env, (path) => {
    if (path === '/token') return `${TOKEN}\n`;
    throw Object.assign(new Error(path), { code: 'ENOENT' });
  });
}

describe('the connection', () => {
  it('is to this machine where nothing is said, and shows nothing', () => {
    for (const env of [{}, { GATEWATCH_URL: '', GATEWATCH_TOKEN: '' }])
      expect(connect({}, env)).toEqual({
        name: 'http://127.0.0.1:9765',
        base: 'http://127.0.0.1:9765',
        socketPath: undefined,
        authorization: undefined,
        shows: 'nothing',
      });
  });

  it('is to where the flag says, else where the environment says, below a path too', () => {
    const env = { GATEWATCH_URL: 'https://gatewatch.example/behind/a/proxy/' };
    expect(connect({}, env).base).toBe('https://gatewatch.example/behind/a/proxy');
    expect(connect({ url: 'http://[::1]:9765' }, env).base).toBe('http://[::1]:9765');
    expect(connect({ url: 'unix:/run/gatewatch.sock' }, env)).toMatchObject({
      name: 'unix:/run/gatewatch.sock',
      socketPath: '/run/gatewatch.sock',
    });
  });

  it('shows the token of the file, else of the environment, else the password of the address', () => {
    const url = 'https://alice:wonder%20land@gatewatch.example';
    const basic = `Basic ${Buffer.from('alice:wonder land').toString('base64')}`;
    const bearer = `Bearer ${TOKEN}`;
    expect(connect({ 'token-file': '/token' }, { GATEWATCH_TOKEN: 'another' }).authorization).toBe(bearer);
    expect(connect({}, { GATEWATCH_TOKEN: TOKEN, GATEWATCH_URL: url }).authorization).toBe(bearer);
    expect(connect({}, { GATEWATCH_URL: url })).toMatchObject({ authorization: basic, shows: 'password' });
    expect(connect({ url: 'http://127.0.0.1:1' }, { GATEWATCH_URL: url }).authorization).toBeUndefined();
  });

  it('never names a password', () => {
    const { name, base } = connect({}, { GATEWATCH_URL: 'https://alice:wonderland@gatewatch.example' });
    expect([name, base]).toEqual(['https://gatewatch.example', 'https://gatewatch.example']);
  });

  it.each<[string, ConnectionFlags, Record<string, string>, RegExp]>([
    ['a password in the flag', { url: 'http://alice:s3cret@host' }, {}, /^--url: .* without a password/],
    ['no address', { url: 's3cret' }, {}, /^--url: expected an http or https address/],
    [
      'another protocol',
      {},
      { GATEWATCH_URL: 'ftp://alice:s3cret@host' },
      /^GATEWATCH_URL: expected an http/,
    ],
    ['a space', {}, { GATEWATCH_URL: 'http://host/ s3cret' }, /^GATEWATCH_URL: expected an http/],
    ['a relative socket', { url: 'unix:s3cret.sock' }, {}, /^--url: expected unix: and an absolute path/],
    ['half a percent', {}, { GATEWATCH_URL: 'http://alice:s3cret%@host' }, /^GATEWATCH_URL: .*%25/],
    ['a file that is not there', { 'token-file': '/s3cret' }, {}, /^--token-file: .*ENOENT/],
    [
      'a token of two lines',
      {},
      { GATEWATCH_TOKEN: 's3cret\r\nX-Other: 1' },
      /^GATEWATCH_TOKEN: expected a token/,
    ],
  ])('is refused for %s, which is not shown', (_name, flags, env, message) => {
    expect.assertions(3);
    try {
      connect(flags, env);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageFault);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).not.toContain('s3cret');
    }
  });
});
