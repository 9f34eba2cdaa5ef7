// A distinct secret wherever one can be given: token, addresses of channels, passwords, hashes, private keys, what clients send
// through the gateway, and what is wrong in a file. The real sidecar and the real plugin server then go through success and
// failure, a crash too, and everything that they say to anybody is gathered: stdout, stderr, every page, every answer.
// No planted value may be in it, whole, encoded or in its telling part.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hashSync } from 'bcryptjs';
import { Authority } from '../support/certificates';
import { eventually } from '../support/eventually';
import { ask, basic, type HttpAnswer, type HttpQuestion } from '../support/http-answer';
import { PLUGIN_SERVERS, startPluginServer } from '../support/plugin-servers';
import { RpcClient } from '../support/rpc-client';
import { RunningProgram } from '../support/running-program';
import { startStack, TOKEN, type Stack } from '../support/stack';
import { WebhookReceiver } from '../support/webhook-receiver';

const PROJECT = resolve(__dirname, '../..');
const SIDECAR = join(PROJECT, 'dist', 'sidecar', 'main.js');

jest.setTimeout(600_000);

class Sweep {
  readonly #planted = new Map<string, string>();
  readonly #outputs: { from: string; text: () => string }[] = [];
  #next = 0;

  /** A secret that is found nowhere else. */
  plant(what: string): string {
    const text = `Pl4nt3d${this.#next++}${what.replace(/\W/g, '')}xyzzy`;
    return this.plantText(what, text);
  }

  plantText(what: string, text: string): string {
    this.#planted.set(what, text);
    return text;
  }

  gather(from: string, text: string): void {
    this.#outputs.push({ from, text: () => text });
  }

  gatherProgram(from: string, program: RunningProgram): RunningProgram {
    this.#outputs.push({ from, text: () => program.output });
    return program;
  }

  /** The answer's head and body, and its error if there was none. */
  async ask(from: string, url: string, question?: HttpQuestion): Promise<HttpAnswer> {
    const answer = await ask(url, question);
    this.gather(from, `${JSON.stringify(answer.headers)}\n${answer.body}`);
    return answer;
  }

  /** Where which secret was found. */
  leaks(): string[] {
    return this.#outputs.flatMap(({ from, text }) => this.#leaksIn(from, text()));
  }

  get size(): number {
    return this.#outputs.reduce((size, { text }) => size + text().length, 0);
  }

  #leaksIn(from: string, text: string): string[] {
    return [...this.#planted].flatMap(([what, secret]) => {
      const forms = [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret).slice(1, -1),
        ...[0, 1, 2].map((shift) => base64Middle(secret, shift)),
        Buffer.from(secret).toString('hex'),
      ];
      const form = forms.find((one) => text.includes(one));
      if (form === undefined) return [];
      const at = text.indexOf(form);
      return [`${what} in ${from}: ${text.slice(Math.max(0, at - 200), at + 200)}`];
    });
  }
}

/** What base64 makes of a text that stands anywhere in another: without the letters that its neighbours change. */
function base64Middle(text: string, shift: number): string {
  const encoded = Buffer.from(`${'x'.repeat(shift)}${text}`).toString('base64');
  return encoded.slice(4, -4);
}

/** A port of 127.0.0.1 on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe('secrets', () => {
  let sweep: Sweep;
  let directory: string;
  let receiver: WebhookReceiver;
  let stack: Stack | undefined;
  const started: RunningProgram[] = [];

  beforeEach(async () => {
    sweep = new Sweep();
    directory = mkdtempSync(join(tmpdir(), 'gatewatch-sweep-'));
    receiver = await WebhookReceiver.start();
  });

  afterEach(async () => {
    for (const program of started.splice(0)) await program.end('SIGKILL');
    await stack?.stop();
    stack = undefined;
    await receiver.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function write(name: string, text: string): string {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  }

  function run(
    from: string,
    program: string,
    args: string[],
    environment: Record<string, string> = {},
  ): RunningProgram {
    const running = new RunningProgram(process.execPath, [program, ...args], environment);
    started.push(running);
    return sweep.gatherProgram(from, running);
  }

  it('are found by the sweep where they are', () => {
    const secret = sweep.plant('control');
    sweep.gather('text', `a ${secret} b`);
    sweep.gather('base64', Buffer.from(`name:${secret}!`).toString('base64'));
    sweep.gather('nothing', 'a b');
    expect(sweep.leaks()).toEqual([
      expect.stringMatching(/^control in text: /),
      expect.stringMatching(/^control in base64: /),
    ]);
  });

  it('are in nothing that the sidecar and the plugin server say while they work, fail and are reconfigured', async () => {
    const authority = new Authority('authority');
    const password = sweep.plant('basic auth password');
    const hash = sweep.plantText('bcrypt hash', hashSync(password, 4));
    sweep.plantText('token', TOKEN);
    const secondToken = sweep.plant('second token');
    const slackKey = sweep.plant('slack key');
    const hookPassword = sweep.plant('webhook password');
    const hookKey = sweep.plant('webhook query');
    const deadKey = sweep.plant('unreachable key');
    const hostKey = sweep.plant('unknown host').toLowerCase();
    sweep.plantText('unknown host', hostKey);

    const hookUrl = receiver
      .url(`/hook?key=${hookKey}`)
      .replace('http://', `http://someone:${hookPassword}@`);
    const config = (token: string): string =>
      [
        'listen: ${GATEWATCH_LISTEN}',
        `token: ${token}`,
        'data_dir: ${GATEWATCH_DATA_DIR}',
        `web_config_file: ${join(directory, 'web.yml')}`,
        'evaluation_interval: 1s',
        'rules: [{ name: errors, error_rate_threshold: 0, window: 10s, for: 0s, confidence: off }]',
        // Nothing listens there.
        'sentry: { dsn: "${SENTRY_DSN}" }',
        'channels:',
        `  - { name: slack, type: slack, webhook_url_file: ${join(directory, 'slack-url')}, timeout: 1s }`,
        '  - { name: hook, type: webhook, url: "${HOOK_URL}", timeout: 1s, allow_private_addresses: true }',
        '  - { name: dead, type: webhook, url: "${DEAD_URL}", timeout: 1s, allow_private_addresses: true }',
        `  - { name: nowhere, type: webhook, url: "http://${hostKey}.invalid/", timeout: 1s, allow_private_addresses: true }`,
        '',
      ].join('\n');
    write('slack-url', receiver.url(`/services/T0/B0/${slackKey}\n`));
    write('web.yml', `basic_auth_users:\n  alice: "${hash}"\n`);
    // Receivers that answer with what they were sent.
    receiver.answer(
      { status: 403, body: `invalid_token ${slackKey}` },
      { status: 500, body: slackKey },
      { status: 302, headers: { location: `http://elsewhere.example/${hookKey}` } },
      'reset',
      'garbage',
      'hang',
      { status: 200, body: 'ok', flow: 'breaks' },
    );
    stack = await startStack({
      sidecarConfig: config('${GATEWATCH_TOKEN}').split('\n').slice(3).join('\n'),
      sidecarEnvironment: {
        HOOK_URL: hookUrl,
        SENTRY_DSN: `http://${sweep.plant('key of the DSN')}@127.0.0.1:${await closedPort()}/1`,
        DEAD_URL: `http://127.0.0.1:${await closedPort()}/${deadKey}`,
      },
    });
    const { sidecarUrl, proxyUrl, sidecarConfigFile } = stack;
    const { sidecar } = stack;
    sweep.gatherProgram('sidecar', sidecar);
    sweep.gatherProgram('gateway and plugin server', stack.gateway);

    // Through the gateway, in every place that Kong's log has.
    const client = {
      authorization: `Bearer ${sweep.plant('client authorization')}`,
      cookie: `session=${sweep.plant('client cookie')}`,
      'x-api-key': sweep.plant('client header'),
    };
    const query = `?access_token=${sweep.plant('client query')}`;
    const step = sweep.plant('client path');
    for (const path of ['/fast', '/refusing', '/flaky', '/timing-out', '/teapot', '/nowhere']) {
      await ask(`${proxyUrl}${path}/${step}${query}`, { headers: client });
    }
    await ask(`${proxyUrl}/fast`, { method: 'POST', headers: client, body: sweep.plant('client body') });

    // Every page, to those who may and to those who may not.
    const alice = { authorization: basic('alice', password) };
    const wrong = [
      { authorization: basic('alice', sweep.plant('wrong password')) },
      { authorization: basic(sweep.plant('wrong name'), 'x') },
      { authorization: `Bearer ${sweep.plant('wrong bearer')}` },
      { authorization: sweep.plant('wrong scheme') },
    ];
    const pages = async (when: string): Promise<void> => {
      for (const path of ['/', '/metrics', '/-/config', '/-/healthy', '/-/ready', '/nowhere']) {
        for (const headers of [alice, {}, ...wrong]) {
          await sweep.ask(`${path} ${when}`, `${sidecarUrl}${path}?${sweep.plant('query')}`, { headers });
        }
      }
    };
    const post = (path: string, headers: Record<string, string>, body = ''): Promise<HttpAnswer> =>
      sweep.ask(`POST ${path}`, `${sidecarUrl}${path}`, { method: 'POST', headers, body });
    const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
    await pages('at first');
    for (const headers of wrong) {
      expect((await post('/v1/batches', headers)).status).toBe(401);
      expect((await post('/-/reload', headers)).status).toBe(401);
    }
    expect((await post('/v1/batches', bearer(TOKEN), sweep.plant('no batch'))).status).toBe(400);
    expect(
      (await post('/v1/batches', { ...bearer(TOKEN), origin: `http://${sweep.plant('origin')}.example` }))
        .status,
    ).toBe(403);

    // The alerts went out, were refused, were tried again.
    await sidecar.says(/alert fired|alert firing|"alert/);
    await receiver.received(4);
    await eventually(async () => {
      const page = (await sweep.ask('/ with problems', sidecarUrl, { headers: alice })).body;
      expect(page).toMatch(/dead .*last problem/);
      expect(page).toMatch(/nowhere .*last problem/);
    });
    expect(receiver.requests.some(({ path }) => path.includes(slackKey))).toBe(true);
    expect(
      receiver.requests.some(
        ({ path, headers }) =>
          path.includes(hookKey) && headers.authorization === basic('someone', hookPassword),
      ),
    ).toBe(true);

    // The plugin's token is refused, then taken again.
    writeFileSync(sidecarConfigFile, config(secondToken));
    expect((await post('/-/reload', bearer(TOKEN))).status).toBe(200);
    await ask(`${proxyUrl}/fast`, { headers: client });
    await stack.gateway.says(/could not be delivered.*401/);
    await pages('with another token');

    // Files with faults, each around a secret, by both ways of a reload.
    const bad = badConfigs();
    for (const text of bad) {
      writeFileSync(
        sidecarConfigFile,
        `listen: \${GATEWATCH_LISTEN}\ndata_dir: \${GATEWATCH_DATA_DIR}\n${text}`,
      );
      expect((await post('/-/reload', bearer(secondToken))).status).toBe(422);
      await sweep.ask('/ with faults', sidecarUrl, { headers: alice });
    }
    process.kill(sidecar.pid, 'SIGHUP');
    await eventually(() => {
      const faults = sidecar.output.split('the configuration has faults').length - 1;
      expect(faults).toBe(bad.length + 1);
      return Promise.resolve();
    });
    await pages('with faults');
    writeFileSync(sidecarConfigFile, config('${GATEWATCH_TOKEN}'));
    expect((await post('/-/reload', bearer(secondToken))).status).toBe(200);
    await stack.gateway.says(/batches are delivered again/);
    await pages('at last');
    await stack.stop();
    stack = undefined;

    // TLS: the key, while it works and while it does not fit.
    const server = authority.issue('server');
    server.key
      .split('\n')
      .filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line))
      .forEach((line, index) => sweep.plantText(`private key, line ${index}`, line));
    write('server.crt', server.cert);
    write('server.key', server.key);
    write('web.yml', 'tls_server_config: { cert_file: server.crt, key_file: server.key }\n');
    const tlsFile = write(
      'tls.yml',
      `listen: 127.0.0.1:0\ndata_dir: ${join(directory, 'tls-data')}\nweb_config_file: web.yml\n`,
    );
    const tls = run('sidecar with TLS', SIDECAR, ['--config', tlsFile]);
    const [, address = ''] = await tls.says(/"address":"([^"]+)".*sidecar listens/);
    const ca = authority.cert;
    for (const path of ['/', '/metrics', '/-/config']) {
      expect((await sweep.ask(`${path} over TLS`, `https://${address}${path}`, { ca })).status).toBe(200);
    }
    await ask(`http://${address}/`).catch((error: unknown) => sweep.gather('plain to TLS', String(error)));
    write('server.key', server.key.replace(/^MI/m, 'MM'));
    expect(
      (await sweep.ask('reload over TLS', `https://${address}/-/reload`, { ca, method: 'POST' })).status,
    ).toBe(422);
    await sweep.ask('/ over TLS with faults', `https://${address}/`, { ca });

    expect(sweep.leaks()).toEqual([]);
    expect(sweep.size).toBeGreaterThan(100_000);
  });

  /** Texts with faults and secrets. */
  function badConfigs(): string[] {
    const plain = sweep.plant('password that is not hashed');
    const bad = (text: string): string => `token: ${TOKEN}\n${text}`;
    return [
      `token: "${sweep.plant('token with a space')} x"\n`,
      `token: [${sweep.plant('token in a list')}]\n`,
      `token: [${sweep.plant('token in broken YAML')}\n`,
      `token: ${sweep.plant('token beside its file')}\ntoken_file: ${write('token', sweep.plant('token in its file'))}\n`,
      `token_file: ${write('bad-token', `${sweep.plant('bad token in a file')} x`)}\n`,
      `token_file: ${sweep.plant('token for a path')}\n`,
      bad(`${sweep.plant('token for a key')}: 1\n`),
      bad(`sentry: { dsn: "https://${sweep.plant('key of a DSN without a project')}@sentry.example/" }\n`),
      bad(`channels: [{ name: a, type: sentry, auth_token: [${sweep.plant('auth token in a list')}] }]\n`),
      bad(`channels: [{ name: a, type: slack, webhook_url: ${sweep.plant('no address')} }]\n`),
      bad(`channels: [{ name: a, type: webhook, url: "gopher://${sweep.plant('another scheme')}" }]\n`),
      bad(`channels: [{ name: a, type: webhook, url: "http://x:%zz${sweep.plant('bad escape')}@y" }]\n`),
      bad(
        `channels: [{ name: a, type: webhook, url_file: ${write('url', sweep.plant('no address in a file'))} }]\n`,
      ),
      bad(
        `channels: [{ name: a, type: webhook, url: "http://x/${sweep.plant('good address beside a fault')}" }]\nseries_cap: 1\n`,
      ),
      bad(
        `web_config_file: ${write('plain.yml', `basic_auth_users:\n  alice: ${plain}\n  ${sweep.plant('password for a name')}: bob\n`)}\n`,
      ),
      bad(
        `web_config_file: ${write('inline.yml', `tls_server_config: { cert: "${sweep.plant('inline cert')}", key: "${sweep.plant('inline key')}" }\n`)}\n`,
      ),
      bad(
        `web_config_file: ${write('broken.yml', `basic_auth_users: {alice: ${sweep.plant('hash in broken YAML')}\n`)}\n`,
      ),
      bad(`web_config_file: ${sweep.plant('password for a file')}\n`),
    ];
  }

  it('are in nothing that the sidecar says when it does not start', async () => {
    sweep.plantText('token', TOKEN);
    for (const text of badConfigs()) {
      const file = write('gatewatch.yml', `data_dir: ${join(directory, 'data')}\n${text}`);
      expect((await run('start', SIDECAR, ['--config', file]).ended).code).toBe(2);
      expect((await run('check', SIDECAR, ['--config', file, '--check']).ended).code).toBe(2);
    }
    const file = write(
      'gatewatch.yml',
      `token: ${TOKEN}\nlisten: 192.0.2.1:1\ndata_dir: ${join(directory, 'data')}\n`,
    );
    expect((await run('no such address', SIDECAR, ['--config', file]).ended).code).toBe(1);
    expect((await run('flag', SIDECAR, ['--config', file, '--colour']).ended).code).toBe(2);
    expect(sweep.leaks()).toEqual([]);
  });

  it('are in nothing that the gateway says of a kong.yml with faults', async () => {
    const settings = [
      `sidecar_url: "htps://someone:${sweep.plant('password in sidecar_url')}@127.0.0.1"`,
      `sidecar_url: "http://${sweep.plant('user in sidecar_url')}:${sweep.plant('password beside a user')}@127.0.0.1:1"`,
      `sidecar_token: [${sweep.plant('sidecar_token in a list')}]`,
      `sidecar_token: { a: ${sweep.plant('sidecar_token in a map')} }`,
      `{ sidecar_token: ${sweep.plant('sidecar_token beside a fault')}, flush_interval_ms: 1 }`,
      `sentry: { dsn: "https://${sweep.plant('key of a DSN without a project')}@sentry.example/" }`,
      `sentry: { dsn: "https://${sweep.plant('key of a DSN beside a fault')}@sentry.example/1", sample_rate: 2 }`,
      `sentry: { services: [{ service: a, dsn: ["${sweep.plant('DSN in a list')}"] }] }`,
    ];
    const dump = `${process.execPath} ${join(PROJECT, 'node_modules/kong-pdk/bin/kong-js-pluginserver')} --plugins-directory ${join(PROJECT, 'dist/kong-plugin/plugins')} --dump-all-plugins`;
    for (const setting of settings) {
      const file = write(
        'kong.yml',
        `_format_version: '3.0'\nplugins:\n  - name: gatewatch\n    config: ${setting.startsWith('{') ? setting : `\n      ${setting}`}\n`,
      );
      const gateway = run('gateway', join(PROJECT, 'dist', 'kong', 'embedded', 'main.js'), [], {
        KONG_DECLARATIVE_CONFIG: file,
        KONG_PREFIX: join(directory, 'kong'),
        KONG_PROXY_LISTEN: '127.0.0.1:0',
        KONG_PLUGINS: 'bundled,gatewatch',
        KONG_PLUGINSERVER_NAMES: 'js',
        KONG_PLUGINSERVER_JS_SOCKET: join(directory, 'js.sock'),
        KONG_PLUGINSERVER_JS_QUERY_CMD: dump,
      });
      expect((await gateway.ended).code).not.toBe(0);
      expect(gateway.output).toContain('kong.yml:');
    }
    expect(sweep.leaks()).toEqual([]);
  });

  it.each(PLUGIN_SERVERS)(
    'are in nothing that $title says of a sidecar_url and a DSN that it refuses',
    async (program) => {
      const socket = join(directory, 'js.sock');
      const server = await startPluginServer(program, socket);
      started.push(sweep.gatherProgram(program.title, server));
      const kong = await RpcClient.connect(socket);
      const token = sweep.plant('token beside a fault');
      // Kong's schema lets those through that have no user; a plugin server managed by hand may be given anything.
      const urls = [
        `http://user:${sweep.plant('password beside a port that is none')}@host:99999`,
        `http://${sweep.plant('user')}:${sweep.plant('password')}@127.0.0.1:1`,
        `http://${sweep.plant('user alone')}@127.0.0.1:1/below`,
        `htps://user:${sweep.plant('password beside a scheme that is none')}@host`,
        `unix://user:${sweep.plant('password beside a socket')}@host`,
        `http://127.0.0.1:1/?token=${sweep.plant('query')}`,
        `http://127.0.0.1:1/#${sweep.plant('fragment')}`,
        sweep.plant('no address'),
        [sweep.plant('address in a list')],
        { url: sweep.plant('address in a map') },
      ];
      for (const sidecar_url of urls) {
        const config = { sidecar_url, sidecar_token: token, spool_dir: join(directory, 'spool') };
        const refusal = await kong
          .call('StartInstance', { Name: 'gatewatch', Config: JSON.stringify(config) })
          .then(String, String);
        expect(refusal).toContain('gatewatch: sidecar_url: expected ');
        sweep.gather(`the answer of ${program.title}`, refusal);
      }
      const dsns = [
        `https://${sweep.plant('key')}@host`,
        `https://${sweep.plant('key beside a port that is none')}@host:99999/1`,
        `htps://${sweep.plant('key beside a scheme that is none')}@host/1`,
        sweep.plant('no DSN'),
        [sweep.plant('DSN in a list')],
      ];
      for (const dsn of dsns) {
        const config = { spool_dir: join(directory, 'spool'), shutdown_timeout_ms: 0, sentry: { dsn } };
        await kong.call('StartInstance', { Name: 'gatewatch', Config: JSON.stringify(config) });
      }
      await eventually(() => {
        expect(server.output.match(/gatewatch: sentry\.dsn: expected /g)).toHaveLength(dsns.length);
        return Promise.resolve();
      });
      kong.close();
      await server.end();
      expect(sweep.leaks()).toEqual([]);
    },
  );

  it('are in nothing that the sidecar says when it crashes', async () => {
    const key = sweep.plant('webhook key');
    const url = `https://hooks.example/services/${key}`;
    sweep.plantText('token', TOKEN);
    const file = write(
      'gatewatch.yml',
      `listen: 127.0.0.1:0\ntoken: ${TOKEN}\ndata_dir: ${join(directory, 'data')}\nchannels: [{ name: a, type: webhook, url: "\${URL}" }]\n`,
    );
    // Errors as Node and its libraries make them: the address in the message, beside it, in a cause.
    const preload = write(
      'crash.cjs',
      `const { URL: address, TOKEN: token } = process.env;
      const crashes = {
        message: () => setImmediate(() => { throw new Error('connect ECONNREFUSED ' + address); }),
        property: () => setImmediate(() => new URL(address.replace('https', 'ht tps'))),
        rejection: () => void Promise.reject(Object.assign(new Error(token), { cause: new Error(address), address })),
        text: () => setImmediate(() => { throw 'token ' + token; }),
        object: () => setImmediate(() => { throw { token, address }; }),
      };
      process.on('SIGUSR2', crashes[process.env.CRASH]);`,
    );
    for (const crash of ['message', 'property', 'rejection', 'text', 'object']) {
      const sidecar = run(`crash by ${crash}`, SIDECAR, ['--config', file], {
        NODE_OPTIONS: `--require ${preload}`,
        URL: url,
        TOKEN,
        CRASH: crash,
      });
      await sidecar.says(/sidecar listens/);
      expect(await sidecar.end('SIGUSR2')).toEqual({ code: 1, signal: null });
      expect(sidecar.output).toMatch(/<secret>|Invalid URL|object/);
    }
    expect(sweep.leaks()).toEqual([]);
  });
});
