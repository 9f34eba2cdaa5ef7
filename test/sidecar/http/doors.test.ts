// Who may read and who may write, on a sidecar in this process with its real listener: bearer token, basic auth, TLS, client
// certificates, pages of browsers, and what a reload changes of all that.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { parse, parseAllDocuments } from 'yaml';
import { encodeBatch } from '../../../kong-plugin/contract/batch';
import { systemClock } from '../../../sidecar/clock';
import { renderFault } from '../../../sidecar/config/config-fault';
import { loadConfig } from '../../../sidecar/config/load-config';
import { restartReasons } from '../../../sidecar/config/restart-reasons';
import { NO_SENTRY } from '../../../sidecar/sentry/own-sentry';
import { startSidecar, type Sidecar } from '../../../sidecar/sidecar';
import { batchOf, deltaOf } from '../../support/batches';
import { captureLog } from '../../support/captured-log';
import { Authority } from '../../support/certificates';
import { ask, basic, type HttpAnswer, type HttpQuestion } from '../../support/http-answer';
import { parseSamples, sumOf } from '../../support/samples';

const TOKEN = 'a-token-for-tests-only';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const HASH = hashSync('wonderland', 4);
const ALICE = { authorization: basic('alice', 'wonderland') };

const servers = new Authority('servers');
const clients = new Authority('clients');

let directory: string;
let file: string;
let sidecar: Sidecar | undefined;
let log: ReturnType<typeof captureLog>;
let sequence = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-doors-'));
  file = join(directory, 'gatewatch.yml');
  log = captureLog();
});

afterEach(async () => {
  await sidecar?.stop(0);
  sidecar = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function configure({ token = '', web = '', listen = '127.0.0.1:0' } = {}): void {
  writeFileSync(join(directory, 'web.yml'), web);
  writeFileSync(
    file,
    [
      `listen: ${listen}`,
      `token: "${token}"`,
      `data_dir: ${join(directory, 'data')}`,
      `web_config_file: ${web === '' ? '""' : 'web.yml'}`,
      '',
    ].join('\n'),
  );
}

/** The address, with http or https. */
async function start(options: Parameters<typeof configure>[0] = {}): Promise<string> {
  configure(options);
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new Error(loaded.faults.map(renderFault).join('\n'));
  mkdirSync(loaded.config.dataDirectory, { recursive: true });
  sidecar = await startSidecar({
    sentry: NO_SENTRY,
    config: loaded.config,
    configFile: file,
    readAgain: (current) => {
      const again = loadConfig(file);
      if (!again.ok) return again.faults.map(renderFault);
      const reasons = restartReasons(current, again.config);
      return reasons.length > 0 ? reasons : again.config;
    },
    version: '0.0.0',
    clock: systemClock,
    logger: log.logger,
  });
  return `${loaded.config.web?.tls ? 'https' : 'http'}://${sidecar.address.replace('0.0.0.0', '127.0.0.1').replace('[::]', '127.0.0.1')}`;
}

function post(url: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
  const body = encodeBatch(batchOf([deltaOf({}, [1])], ++sequence));
  return ask(`${url}/v1/batches`, { method: 'POST', body, ...question });
}

function writeTls(name: string, { cert, key }: { cert: string; key: string }): string {
  writeFileSync(join(directory, `${name}.crt`), cert);
  writeFileSync(join(directory, `${name}.key`), key);
  return `tls_server_config:\n  cert_file: ${name}.crt\n  key_file: ${name}.key\n`;
}

const PAGES = ['/', '/metrics', '/-/config', '/metrics/', '/METRICS', '/nowhere'];

describe('basic authentication', () => {
  const web = `basic_auth_users:\n  alice: "${HASH}"\n`;

  it('is asked on every page but the two of health, and not of batches and reloads, which have the token', async () => {
    const url = await start({ token: TOKEN, web });
    for (const path of PAGES) {
      for (const headers of [
        {},
        { authorization: basic('alice', 'wonderlanD') },
        { authorization: basic('mallory', 'wonderland') },
        { authorization: `Basic !` },
        { authorization: `Basic ${Buffer.from('alice').toString('base64')}` },
        BEARER,
      ]) {
        const answer = await ask(`${url}${path}`, { headers });
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers['www-authenticate']).toBe('Basic realm="gatewatch", charset="UTF-8"');
        expect(answer.body).toBe('expected the name and password of a user of the web configuration\n');
      }
      expect((await ask(`${url}${path}`, { headers: ALICE })).status).toBe(path === '/nowhere' ? 404 : 200);
    }
    expect((await ask(`${url}/-/healthy`)).status).toBe(200);
    expect((await ask(`${url}/-/ready`)).status).toBe(200);
    expect((await post(url, { headers: BEARER })).status).toBe(200);
    expect((await post(url, { headers: ALICE })).status).toBe(401);
    expect((await ask(`${url}/-/reload`, { method: 'POST', headers: BEARER })).status).toBe(200);
    const reload = await ask(`${url}/-/reload`, { method: 'POST', headers: ALICE });
    expect([reload.status, reload.body]).toEqual([
      401,
      expect.stringContaining("the sidecar's configuration"),
    ]);
    const samples = parseSamples((await ask(`${url}/metrics`, { headers: ALICE })).body);
    const refused = (reason: string): number =>
      sumOf(samples, 'gatewatch_http_refused_requests_total', { reason });
    expect(refused('basic_auth')).toBe(PAGES.length * 6);
    expect(refused('bearer_token')).toBe(2);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'unauthorized' })).toBe(1);
  });

  it('has the users of the last good file', async () => {
    const url = await start({ web });
    const reload = (): Promise<HttpAnswer> => ask(`${url}/-/reload`, { method: 'POST' });
    expect((await ask(url, { headers: ALICE })).status).toBe(200);

    configure({ web: 'basic_auth_users:\n  alice: wonderland\n' });
    const { status, body } = await reload();
    expect([status, body]).toEqual([
      422,
      expect.stringContaining('web.yml:2:10: basic_auth_users.?: expected a bcrypt hash'),
    ]);
    expect(body).not.toContain('wonderland');
    expect((await ask(url, { headers: ALICE })).status).toBe(200);

    configure({
      web: `basic_auth_users:\n  bob: "${HASH}"\nhttp_server_config: { headers: { X-Frame-Options: deny } }\n`,
    });
    expect((await reload()).body).toBe('reloaded\n');
    const refused = await ask(url, { headers: ALICE });
    expect([refused.status, refused.headers['x-frame-options']]).toEqual([401, 'deny']);
    expect((await ask(url, { headers: { authorization: basic('bob', 'wonderland') } })).status).toBe(200);

    configure();
    expect((await reload()).status).toBe(200);
    expect((await ask(url)).status).toBe(200);
  });
});

describe('TLS', () => {
  it('takes no plain request, keeps to its versions, and shows a new certificate after a reload', async () => {
    const first = servers.issue('first');
    const web = `${writeTls('server', first)}  min_version: TLS13\n`;
    const url = await start({ token: TOKEN, web });
    const names = async (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(
          { host: '127.0.0.1', port: Number(new URL(url).port), ca: servers.cert },
          () => {
            resolve(String(socket.getPeerCertificate().subject.CN));
            socket.destroy();
          },
        );
        socket.once('error', reject);
      });
    expect((await post(url, { headers: BEARER, ca: servers.cert })).status).toBe(200);
    expect((await ask(`${url}/metrics`, { ca: servers.cert })).status).toBe(200);
    await expect(ask(url, { ca: clients.cert })).rejects.toThrow();
    await expect(ask(url.replace('https:', 'http:'))).rejects.toThrow();
    await expect(ask(url, { ca: servers.cert, maxVersion: 'TLSv1.2' })).rejects.toThrow();
    const samples = parseSamples((await ask(`${url}/metrics`, { ca: servers.cert })).body);
    expect(sumOf(samples, 'gatewatch_http_failed_handshakes_total')).toBeGreaterThanOrEqual(2);

    expect(await names()).toBe('first');
    writeTls('server', servers.issue('second'));
    const reload = (): Promise<HttpAnswer> =>
      ask(`${url}/-/reload`, { method: 'POST', headers: BEARER, ca: servers.cert });
    expect((await reload()).body).toBe('reloaded\n');
    expect(await names()).toBe('second');
    // A key that does not fit changes nothing.
    writeFileSync(join(directory, 'server.key'), first.key);
    expect((await reload()).body).toContain(
      'tls_server_config.key_file: expected the path of a file with the',
    );
    expect(await names()).toBe('second');
    configure({ token: TOKEN });
    expect((await reload()).body).toContain('web_config_file: TLS, and whether clients are asked');
  });

  it('asks for a certificate where one is required: of pages, not of batches, which have the token', async () => {
    writeFileSync(join(directory, 'clients.crt'), clients.cert);
    const web = `${writeTls('server', servers.issue('server'))}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n`;
    const url = await start({ token: TOKEN, web });
    const ca = servers.cert;
    for (const path of PAGES) {
      const answer = await ask(`${url}${path}`, { ca });
      expect([answer.status, answer.body]).toEqual([
        403,
        'expected a client certificate that client_ca_file verifies, found none\n',
      ]);
    }
    expect((await ask(`${url}/metrics`, { ca, ...clients.issue('prometheus') })).status).toBe(200);
    // One of another authority is no better than none, and ends the connection.
    await expect(ask(`${url}/metrics`, { ca, ...servers.issue('mallory') })).rejects.toThrow();
    await expect(post(url, { ca, headers: BEARER, ...servers.issue('mallory') })).rejects.toThrow();
    expect((await post(url, { ca, headers: BEARER })).status).toBe(200);
    expect((await post(url, { ca })).status).toBe(401);
    expect((await ask(`${url}/-/healthy`, { ca })).status).toBe(200);

    const page = (await ask(`${url}/metrics`, { ca, ...clients.issue('prometheus') })).body;
    const samples = parseSamples(page);
    expect(sumOf(samples, 'gatewatch_http_failed_handshakes_total')).toBe(2);
    expect(sumOf(samples, 'gatewatch_http_refused_requests_total', { reason: 'client_certificate' })).toBe(
      PAGES.length,
    );

    // Clients of the old authority are out after a reload with a new one.
    const next = new Authority('next');
    writeFileSync(join(directory, 'clients.crt'), next.cert);
    expect((await ask(`${url}/-/reload`, { method: 'POST', ca, headers: BEARER })).status).toBe(200);
    await expect(ask(`${url}/metrics`, { ca, ...clients.issue('prometheus') })).rejects.toThrow();
    expect((await ask(`${url}/metrics`, { ca, ...next.issue('prometheus') })).status).toBe(200);
  });

  it('lets in who shows none where a certificate is only verified if given', async () => {
    writeFileSync(join(directory, 'clients.crt'), clients.cert);
    const web = `${writeTls('server', servers.issue('server'))}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: clients.crt\n`;
    const url = await start({ web });
    const ca = servers.cert;
    expect((await ask(`${url}/metrics`, { ca })).status).toBe(200);
    expect((await ask(`${url}/metrics`, { ca, ...clients.issue('prometheus') })).status).toBe(200);
    await expect(ask(`${url}/metrics`, { ca, ...servers.issue('mallory') })).rejects.toThrow();
  });
});

describe('a request that changes something', () => {
  it('is refused from a page of another site, with a token and without', async () => {
    for (const token of [TOKEN, '']) {
      const url = await start({ token });
      const { host } = new URL(url);
      const headers = token === '' ? {} : BEARER;
      for (const foreign of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { origin: 'http://localhost:3000' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
      ]) {
        const answer = await post(url, { headers: { ...headers, ...foreign } });
        expect([foreign, answer.status]).toEqual([foreign, 403]);
        expect(answer.body).toContain('a page of another site may not send this');
        const reload = { method: 'POST', headers: { ...headers, ...foreign } };
        expect((await ask(`${url}/-/reload`, reload)).status).toBe(403);
      }
      for (const own of [{}, { origin: `http://${host}` }, { 'sec-fetch-site': 'same-origin' }]) {
        expect((await post(url, { headers: { ...headers, ...own } })).status).toBe(200);
      }
      const samples = parseSamples((await ask(`${url}/metrics`)).body);
      expect(sumOf(samples, 'gatewatch_http_refused_requests_total', { reason: 'cross_site' })).toBe(10);
      expect(log.lines.join()).not.toContain('configuration reloaded');
      await sidecar?.stop(0);
    }
  });

  it('must name this machine where there is no token, since a name of a page may lead here', async () => {
    const url = await start();
    const port = new URL(url).port;
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.nip.io',
      '10.0.0.1',
      '[::2]',
      '0.0.0.0',
    ]) {
      const answer = await post(url, {
        headers: { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
      });
      expect([host, answer.status]).toEqual([host, 403]);
      expect(answer.body).toMatch(/Host header must name this machine.*Set a token/);
      expect((await ask(`${url}/-/reload`, { method: 'POST', headers: { host } })).status).toBe(403);
    }
    for (const host of [
      'localhost',
      `LOCALHOST:${port}`,
      '127.0.0.1',
      '127.1.2.3:1',
      '[::1]',
      `[::1]:${port}`,
    ]) {
      expect([host, (await post(url, { headers: { host } })).status]).toEqual([host, 200]);
    }
    // What only reads is for Prometheus, which may know this machine by any name.
    expect((await ask(`${url}/metrics`, { headers: { host: 'monitored.example' } })).status).toBe(200);
  });

  it('may name any host where there is a token, or where the address is a socket', async () => {
    const url = await start({ token: TOKEN });
    const host = 'sidecar.example:9765';
    expect((await post(url, { headers: { ...BEARER, host } })).status).toBe(200);
    expect((await post(url, { headers: { host } })).status).toBe(401);
    await sidecar?.stop(0);
    const socketPath = join(directory, 'sidecar.sock');
    await start({ listen: `unix:${socketPath}` });
    expect((await post('http://any.example', { socketPath })).status).toBe(200);
  });
});

describe('the bearer token', () => {
  it('is compared whole, whatever is sent in its place', async () => {
    const url = await start({ token: TOKEN });
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN} x`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Basic ${TOKEN}`,
      TOKEN,
      basic('', TOKEN),
    ]) {
      const answer = await post(url, { headers: { authorization } });
      expect([authorization, answer.status]).toEqual([authorization, 401]);
      expect(answer.body).not.toContain(TOKEN);
    }
    expect((await post(url, { headers: { authorization: `bearer ${TOKEN}` } })).status).toBe(200);
  });

  it.each([
    '0.0.0.0:1',
    '"[::]:1"',
    'gatewatch.example:1',
    '192.0.2.1:1',
    '"[2001:db8::1]:1"',
    'localhost.example:1',
  ])('must be there on %s, which others can reach, and the start says what to do', (listen) => {
    configure({ listen });
    const loaded = loadConfig(file);
    expect(loaded.ok ? [] : loaded.faults.map(renderFault)).toEqual([
      expect.stringMatching(
        /gatewatch\.yml:2:8: token: expected a token, since others than this machine can reach the address\. Set token \(GATEWATCH_TOKEN\) or token_file, or listen on 127\.0\.0\.1 or unix:\/path, found none$/,
      ),
    ]);
  });
});

describe('what crosses the network unencrypted', () => {
  const warnings = (): string[] => log.lines.filter((line) => line.includes('unencrypted'));

  it('is told at the start and at a reload', async () => {
    const url = await start({ listen: '0.0.0.0:0', token: TOKEN });
    expect(warnings()).toEqual([
      expect.stringMatching(
        /0\.0\.0\.0:0 can be reached.*without TLS the token cross.*Set tls_server_config in web_config_file/,
      ),
    ]);
    configure({ listen: '0.0.0.0:0', token: TOKEN, web: `basic_auth_users:\n  alice: "${HASH}"\n` });
    await ask(`${url}/-/reload`, { method: 'POST', headers: BEARER });
    expect(warnings()[1]).toContain('the token and the passwords of basic_auth_users');
  });

  it('is nothing on loopback, and nothing with TLS', async () => {
    await start({ token: TOKEN, web: `basic_auth_users:\n  alice: "${HASH}"\n` });
    await sidecar?.stop(0);
    await start({ listen: '0.0.0.0:0', token: TOKEN, web: writeTls('server', servers.issue('server')) });
    expect(warnings()).toEqual([]);
  });

  it('cannot be TLS on a unix socket', () => {
    configure({ listen: `unix:${join(directory, 's')}`, web: writeTls('server', servers.issue('server')) });
    const loaded = loadConfig(file);
    expect(loaded.ok ? [] : loaded.faults.map(renderFault)).toEqual([
      expect.stringContaining(
        'gatewatch.yml:4:18: web_config_file: expected a file without tls_server_config, since nobody',
      ),
    ]);
  });
});

describe('GET /-/config', () => {
  it('is the configuration in force, in its own form, with <secret> for every secret', async () => {
    const web = `${writeTls('server', servers.issue('server'))}basic_auth_users:\n  alice: "${HASH}"\nhttp_server_config: { headers: { X-Frame-Options: deny } }\n`;
    configure({ token: TOKEN, web });
    const extra = [
      'rules:',
      '  - { name: slow, p95_latency_ms: 700, window: 90s, for: 0s, minimum_requests: 5, severity: error }',
      '  - { name: score, apdex_threshold: 0.9, apdex_target_ms: 300 }',
      '  - { name: errors, error_rate_threshold: 0.02 }',
      'channels:',
      '  - { name: oncall, type: slack, webhook_url: "https://hooks.example/a-secret-path", timeout: 5s }',
      '  - { name: tickets, type: webhook, url: "https://user:password@tickets.example/x?key=a-secret-key" }',
    ].join('\n');
    const url = await start({ token: TOKEN, web });
    const ca = servers.cert;
    const config = async (): Promise<string> => (await ask(`${url}/-/config`, { ca, headers: ALICE })).body;
    const before = await config();
    expect(before).toContain('channels: []');
    const answer = await ask(`${url}/-/config`, { ca, headers: ALICE });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');

    writeFileSync(file, extra, { flag: 'a' });
    expect(await config()).toBe(before);
    await ask(`${url}/-/reload`, { method: 'POST', ca, headers: BEARER });
    const [own, ofWeb] = parseAllDocuments(await config()).map((document) => document.toJS() as unknown);
    const judged = { each: 'service', keep_firing_for: '1m', confidence: 0.999, minimum_requests: 1 };
    expect(own).toEqual({
      listen: '127.0.0.1:0',
      token: '<secret>',
      web_config_file: join(directory, 'web.yml'),
      data_dir: join(directory, 'data'),
      series_cap: 50_000,
      evaluation_interval: '5s',
      rules: [
        {
          ...judged,
          name: 'slow',
          latency_ms: { error: 700, resolve: 700 },
          quantile: 0.95,
          window: '1m30s',
          for: '0s',
          keep_firing_for: '0s',
          minimum_requests: 5,
        },
        {
          ...judged,
          name: 'score',
          apdex_threshold: { warning: 0.9, resolve: 0.9 },
          apdex_target_ms: 300,
          window: '5m',
          for: '1m',
        },
        {
          ...judged,
          name: 'errors',
          error_rate_threshold: { warning: 0.02, resolve: 0.02 },
          window: '5m',
          for: '1m',
        },
      ],
      kong: { status_urls: [], interval: '10s', timeout: '5s' },
      notifications: {
        group_by: ['rule', 'service'],
        group_wait: '0s',
        group_interval: '1m',
        repeat_interval: '4h',
        repeat_factor: 2,
        max_repeats_per_day: 4,
        escalation: [
          {
            after: '0s',
            channels: ['oncall', 'tickets'],
            severities: ['info', 'warning', 'error', 'critical'],
          },
        ],
        inhibit: [
          {
            source: ['kind="kong_unreachable"', 'level="gateway"'],
            target: ['level=~"service|operation|error_type|instance|target"'],
            equal: [],
          },
          {
            source: ['kind="error_rate"', 'level="gateway"', 'severity="critical"'],
            target: ['kind=~"error_rate|latency|apdex"', 'level=~"service|operation|error_type"'],
            equal: [],
          },
          {
            source: ['kind="error_rate"', 'level="service"', 'severity="critical"'],
            target: ['kind=~"latency|apdex"', 'level=~"service|operation"'],
            equal: ['service'],
          },
          {
            source: ['kind="traffic_absence"', 'level="service"'],
            target: ['kind=~"latency|apdex|traffic_drop"', 'level=~"service|operation"'],
            equal: ['service'],
          },
        ],
        maintenance: [],
      },
      links: {
        external_url: '',
        dashboard_url: '',
        prometheus_url: '',
        sentry_url: '',
        runbook_url: '',
      },
      channels: [
        {
          name: 'oncall',
          type: 'slack',
          webhook_url: '<secret>',
          timeout: '5s',
          deadline: '1h',
          max_in_flight: 4,
          max_per_minute: 60,
        },
        {
          name: 'tickets',
          type: 'webhook',
          url: '<secret>',
          method: 'POST',
          format: 'alertmanager',
          allow_private_addresses: false,
          timeout: '10s',
          deadline: '1h',
          max_in_flight: 4,
          max_per_minute: 600,
        },
      ],
      sentry: {
        environment: 'production',
        traces_sample_rate: 0,
        profile_session_sample_rate: 1,
        continuous_profiling_auto_start: false,
        spotlight: false,
      },
    });
    expect(ofWeb).toEqual({
      tls_server_config: {
        cert_file: join(directory, 'server.crt'),
        key_file: join(directory, 'server.key'),
        client_auth_type: 'NoClientCert',
        min_version: 'TLS12',
        max_version: 'TLS13',
      },
      basic_auth_users: { alice: '<secret>' },
      http_server_config: { headers: { 'X-Frame-Options': 'deny' } },
    });
  });

  it('means the same when it is read again with the secrets filled in', async () => {
    const url = await start();
    const text = (await ask(`${url}/-/config`)).body;
    expect(parse(text)).toMatchObject({ listen: '127.0.0.1:0' });
    const before = loadConfig(file);
    writeFileSync(file, text);
    const after = loadConfig(file);
    expect(after).toEqual(before);
  });
});
