import { readSidecarAddress } from '../../kong-plugin/sidecar-address';

const SECRET = 'Pl4nt3d';

/** What it says, and that it shows nothing of what it was given. */
function refusalOf(value: unknown): string {
  try {
    readSidecarAddress(value);
  } catch (error) {
    const { message, stack } = error as Error;
    expect(`${message}${stack}`).not.toContain(SECRET);
    return message;
  }
  throw new Error('it was taken');
}

describe("the sidecar's address", () => {
  it.each([
    [
      'https://sidecar:9765/below//',
      { text: 'https://sidecar:9765/below', origin: 'https://sidecar:9765', basePath: '/below' },
    ],
    ['http://[::1]:9765', { text: 'http://[::1]:9765', origin: 'http://[::1]:9765', basePath: '' }],
    ['unix:/run/a.sock', { text: 'unix:/run/a.sock', socketPath: '/run/a.sock' }],
    ['unix:///run/a.sock', { socketPath: '///run/a.sock' }],
  ])('is taken where it is one: %s', (value, expected) => {
    expect(readSidecarAddress(value)).toMatchObject(expected);
  });

  it.each([
    `http://user:${SECRET}@host:99999`,
    `http://user:${SECRET}@ho st`,
    `htps://user:${SECRET}@host`,
    `unix://user:${SECRET}@host/path`,
    `${SECRET}://host`,
    SECRET,
    [`http://user:${SECRET}@host`],
    { url: SECRET },
    7,
  ])('is not shown where it is none: %j', (value) => {
    expect(refusalOf(value)).toBe(
      'gatewatch: sidecar_url: expected http://host:port, https://host:port or unix:/path, found something else',
    );
  });

  it.each([`http://user:${SECRET}@host`, `http://${SECRET}@host:1/below`, `https://:${SECRET}@host`])(
    'is refused with a user or a password in it: %s',
    (value) => {
      expect(refusalOf(value)).toBe(
        'gatewatch: sidecar_url: expected no user and no password in it: the sidecar asks for a token, see sidecar_token',
      );
    },
  );

  it.each([`http://host/?token=${SECRET}`, `http://host/below#${SECRET}`])(
    'is refused with what would not be sent: %s',
    (value) => {
      expect(refusalOf(value)).toBe(
        'gatewatch: sidecar_url: expected nothing after the path, found a ? or a #: batches are sent without it',
      );
    },
  );
});
