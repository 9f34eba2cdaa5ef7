import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { eventually } from '../../support/eventually';
import { startTestGateway, type TestGateway } from '../../support/embedded-gateway';
import { ScriptedUpstream } from '../../support/scripted-upstream';

let upstream: ScriptedUpstream;
let gateway: TestGateway | undefined;

beforeAll(async () => {
  // Says what it was asked for.
  upstream = await ScriptedUpstream.start((request, response) => {
    response.end(JSON.stringify({ url: request.url, headers: request.headers }));
  });
});

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

afterAll(() => upstream.close());

async function ask(path: string, init: RequestInit & { host?: string } = {}): Promise<string> {
  const headers = new Headers(init.headers);
  if (init.host !== undefined) headers.set('x-host', init.host);
  const answer = await fetch(`${gateway?.proxyUrl ?? ''}${path}`, { ...init, headers });
  const { url, message } = (await answer.json()) as { url?: string; message?: string };
  return url ?? `${answer.status} ${message ?? ''}`;
}

function services(...entries: string[]): string {
  return `services:\n${entries.map((entry) => `  - ${entry}`).join('\n')}\n`;
}

/** A service whose upstream path tells which one was chosen. */
function service(name: string, route: string): string {
  return `{ name: ${name}, url: 'http://127.0.0.1:${upstream.port}/${name}', routes: [${route}] }`;
}

describe('a route', () => {
  it('is found by the longest prefix of the path, and the prefix is stripped unless told otherwise', async () => {
    gateway = await startTestGateway(() =>
      services(
        service('short', '{ paths: [/a] }'),
        service('long', '{ paths: [/a/b] }'),
        service('kept', '{ paths: [/keep], strip_path: false }'),
      ),
    );
    expect(await ask('/a/x?q=1')).toBe('/short/x?q=1');
    expect(await ask('/a/b/x')).toBe('/long/x');
    expect(await ask('/keep/x')).toBe('/kept/keep/x');
    expect(await ask('/other')).toBe('404 no Route matched with those values');
  });

  it('is found by a regular expression, a method, and a host with a wildcard', async () => {
    gateway = await startTestGateway(() =>
      services(
        service('regex', "{ paths: ['~/v[0-9]+/'] }"),
        service('posts', '{ paths: [/m], methods: [POST] }'),
        service('gets', '{ paths: [/m], methods: [GET] }'),
        service('wild', "{ paths: [/h], hosts: ['*.example.com'] }"),
      ),
    );
    expect(await ask('/v12/x')).toMatch(/^\/regex/);
    expect(await ask('/vx/x')).toBe('404 no Route matched with those values');
    expect(await ask('/m')).toMatch(/^\/gets/);
    expect(await ask('/m', { method: 'POST' })).toMatch(/^\/posts/);
    expect(await ask('/m', { method: 'DELETE' })).toMatch(/^404/);
    const send = httpRequest(`${gateway.proxyUrl}/h`, { headers: { host: 'api.example.com' } }).end();
    const [answer] = (await once(send, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    answer.resume();
    expect(await ask('/h')).toMatch(/^404/);
  });

  it('gives the upstream the headers that Kong gives it', async () => {
    gateway = await startTestGateway(() =>
      services(
        service('plain', '{ paths: [/plain] }'),
        service('preserving', '{ paths: [/preserving], preserve_host: true }'),
      ),
    );
    const headersOf = async (path: string): Promise<Record<string, string>> => {
      const answer = await fetch(`${gateway?.proxyUrl ?? ''}${path}`, {
        headers: { connection: 'keep-alive', 'x-forwarded-for': '10.0.0.1', 'x-own': 'kept' },
      });
      return ((await answer.json()) as { headers: Record<string, string> }).headers;
    };
    const plain = await headersOf('/plain');
    expect(plain['host']).toBe(`127.0.0.1:${upstream.port}`);
    expect(plain['x-forwarded-for']).toBe('10.0.0.1, 127.0.0.1');
    expect(plain['x-forwarded-host']).toBe('127.0.0.1');
    expect(plain['x-forwarded-port']).toBe(String(gateway.proxyPort));
    expect(plain['x-real-ip']).toBe('127.0.0.1');
    expect(plain['x-own']).toBe('kept');
    expect((await headersOf('/preserving'))['host']).toBe(`127.0.0.1:${gateway.proxyPort}`);
  });
});

describe('an upstream with weighted targets', () => {
  it('gets requests by their weights', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map((name) =>
        ScriptedUpstream.start(
          (_request, response) => void response.end(JSON.stringify({ url: String(name) })),
        ),
      ),
    );
    gateway = await startTestGateway(
      () => `${services('{ name: s, host: pool, routes: [{ paths: [/] }] }')}
upstreams:
  - { name: pool, targets: [{ target: '127.0.0.1:${first?.port}', weight: 30 }, { target: '127.0.0.1:${second?.port}', weight: 10 }] }
`,
    );
    for (let sent = 0; sent < 80; sent++) await ask('/');
    expect([first?.requests.length, second?.requests.length]).toEqual([60, 20]);
    await Promise.all([first?.close(), second?.close()]);
  });
});

describe('a plugin', () => {
  it('of a route comes before that of its service, and that before a global one', async () => {
    const terminate = (status: number): string =>
      `{ name: request-termination, config: { status_code: ${status}, message: 'as ${status}' } }`;
    gateway = await startTestGateway(
      () => `services:
  - name: a
    url: http://127.0.0.1:${upstream.port}
    plugins: [${terminate(410)}]
    routes:
      - { paths: [/route], plugins: [${terminate(411)}] }
      - { paths: [/service] }
  - { name: b, url: 'http://127.0.0.1:${upstream.port}', routes: [{ paths: [/global] }] }
plugins: [${terminate(412)}]
`,
    );
    expect(await ask('/route')).toBe('411 as 411');
    expect(await ask('/service')).toBe('410 as 410');
    expect(await ask('/global')).toBe('412 as 412');
  });

  it('that nobody runs is named in a warning and ignored', async () => {
    gateway = await startTestGateway(
      () =>
        `${services(service('a', '{ paths: [/] }'))}plugins: [{ name: rate-limiting, config: { minute: 5 } }]\n`,
    );
    expect(gateway.lines.join('\n')).toMatch(
      /warning: ignored, since neither this stand-in .* runs them: rate-limiting/,
    );
    expect(await ask('/x')).toMatch(/^\/a/);
  });
});

describe('a declarative configuration', () => {
  async function faultsOf(kongYml: string, environment: Record<string, string> = {}): Promise<string> {
    try {
      gateway = await startTestGateway(() => kongYml, { recording: true, environment });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    throw new Error('it was taken');
  }

  it('is refused with every fault at its place', async () => {
    const message = await faultsOf(`
services:
  - { name: a, host: 127.0.0.1, port: 99999, retries: many }
  - { name: a, host: 127.0.0.1, colour: blue }
`);
    for (const part of [
      'port',
      'value should be between 0 and 65535',
      'retries',
      'expected an integer',
      'colour',
      'unknown field',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).toMatch(/kong\.yml:4:\d+/);
    expect(message).toMatch(/kong\.yml:5:\d+/);
    // How entities refer to each other is looked at once each is right by itself.
    const links = await faultsOf('routes:\n  - { paths: [no-slash], service: nowhere }\n');
    expect(links).toContain('should start with: /');
    expect(links).toContain("invalid reference 'service: nowhere' (no such entry in 'services')");
    expect(links).toMatch(/kong\.yml:3:\d+/);
  });

  it("has a plugin's values refused with Kong's own words", async () => {
    const message = await faultsOf(`
plugins:
  - { name: recorder, config: { interval_s: 99, level: loud, rules: [{ status: 7 }, {}], colour: blue } }
`);
    for (const part of [
      'value should be between 1 and 60',
      'expected one of: low, high',
      'value should be between 200 and 599',
      'required field missing',
      'unknown field',
    ]) {
      expect(message).toContain(part);
    }
  });

  it('needs a plugin of a plugin server to be named in KONG_PLUGINS', async () => {
    const message = await faultsOf('plugins: [{ name: recorder }]', { KONG_PLUGINS: 'bundled' });
    expect(message).toContain(
      "plugin 'recorder' not enabled; add it to the 'plugins' configuration property",
    );
  });

  it('that names a plugin in KONG_PLUGINS which nobody announces is refused', async () => {
    expect(await faultsOf('services: []', { KONG_PLUGINS: 'bundled,nowhere' })).toContain(
      'nowhere plugin is enabled but not installed',
    );
  });

  it('resolves a vault reference of a referenceable field', async () => {
    const sent: unknown[] = [];
    gateway = await startTestGateway(
      () =>
        `${services(service('a', '{ paths: [/] }'))}plugins: [{ name: recorder, config: { secret: '{vault://env/my-secret}' } }]\n`,
      {
        recording: true,
        environment: { MY_SECRET: 'revealed' },
        onFrame: (direction, frame) => {
          if (direction === 'sent') sent.push(frame);
        },
      },
    );
    await ask('/');
    const started = await eventually(() => {
      const frame = sent.find((one) => JSON.stringify(one).includes('StartInstance'));
      if (frame === undefined) throw new Error('not started yet');
      return Promise.resolve(frame as [number, number, string, [{ Name: string; Config: string }]]);
    });
    const config = JSON.parse(started[3][0].Config) as Record<string, unknown>;
    expect(config['secret']).toBe('revealed');
    expect(config['$refs']).toEqual({ secret: '{vault://env/my-secret}' });
  });
});
