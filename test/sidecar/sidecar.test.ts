// The built sidecar as a process, over its real addresses.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { encodeBatch, MAX_BODY_BYTES } from '../../kong-plugin/contract/batch';
import { batchOf, deltaOf } from '../support/batches';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { SidecarProcess } from '../support/sidecar-process';
import { parseSamples, sumOf } from '../support/samples';
import { slowness } from '../support/slowness';
import { WebhookReceiver } from '../support/webhook-receiver';

const MAIN = resolve(__dirname, '../../dist/sidecar/main.js');
/** What the program gives itself for its end. */
const STOP_TIMEOUT_MS = 4_000;
const TOKEN = 'a-token-for-tests-only';

let directory: string;
let configFile: string;
let running: RunningProgram | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-sidecar-'));
  configFile = join(directory, 'gatewatch.yml');
});

afterEach(async () => {
  await running?.end('SIGKILL');
  running = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function configure(extra = '', listen = '127.0.0.1:0', dataDirectory = join(directory, 'data')): void {
  writeFileSync(configFile, `listen: ${listen}\ntoken: ${TOKEN}\ndata_dir: ${dataDirectory}\n${extra}`);
}

function start(...args: string[]): RunningProgram {
  return (running = new RunningProgram(process.execPath, [MAIN, '--config', configFile, ...args]));
}

async function startListening(extra = ''): Promise<string> {
  configure(extra);
  const [, address = ''] = await start().says(/"address":"([^"]+)".*sidecar listens/);
  return `http://${address}`;
}

function post(
  url: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/v1/batches`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
  });
}

async function scrape(url: string): Promise<ReturnType<typeof parseSamples>> {
  return parseSamples(await (await fetch(`${url}/metrics`)).text());
}

/** The families that batches change. */
async function traffic(url: string): Promise<string> {
  const samples = await scrape(url);
  return JSON.stringify(
    samples.filter(({ name }) =>
      /^(external_|application_|gatewatch_(requests|upstream|plugin|series|rule))/.test(name),
    ),
  );
}

const sealed = encodeBatch(batchOf([deltaOf({}, [120, 130])]));

describe('a batch over HTTP', () => {
  it('gets a receipt, and is counted once however often it is sent', async () => {
    const url = await startListening();
    const first = await post(url, sealed);
    expect([first.status, await first.json()]).toEqual([
      200,
      { producer: 'producer-1', sequence: 1, result: 'applied' },
    ]);
    const second = await post(url, sealed);
    expect(await second.json()).toEqual({ producer: 'producer-1', sequence: 1, result: 'duplicate' });
    const samples = await scrape(url);
    expect(sumOf(samples, 'gatewatch_requests_total')).toBe(2);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'applied' })).toBe(1);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'duplicate' })).toBe(1);
  });

  it('gets no receipt where it comes after later ones and was never counted', async () => {
    const url = await startListening();
    const numbered = (sequence: number): Buffer => encodeBatch(batchOf([deltaOf({}, [120])], sequence));
    for (const sequence of [1, 3]) expect((await post(url, numbered(sequence))).status).toBe(200);
    const late = await post(url, numbered(2));
    expect([late.status, await late.json()]).toEqual([
      422,
      {
        fault: 'sequence_conflict',
        message:
          'batch 2 of producer producer-1 came out of order, after batch 3, and is none of the last 16 that were counted; ' +
          'it was not counted',
      },
    ]);
    expect(await (await post(url, numbered(1))).json()).toMatchObject({ result: 'duplicate' });
    const samples = await scrape(url);
    expect(sumOf(samples, 'gatewatch_requests_total')).toBe(2);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'sequence_conflict' })).toBe(1);
  });

  it('gets a clear 4xx and changes nothing when it is bad', async () => {
    const url = await startListening();
    await post(url, sealed);
    const before = await traffic(url);
    const document = JSON.parse(sealed.toString()) as { intervals: { deltas: object[] }[] };
    const delta = document.intervals[0]?.deltas[0];
    const withDelta = (change: object): string =>
      JSON.stringify({
        ...document,
        sequence: 2,
        intervals: [{ startMs: 0, durationMs: 1_000, deltas: [{ ...delta, ...change }] }],
      });
    const cases: [
      body: string | Uint8Array,
      headers: Record<string, string>,
      status: number,
      fault: string,
    ][] = [
      [sealed.subarray(0, 100), {}, 400, 'not_json'],
      ['', {}, 400, 'not_json'],
      ['<xml/>', {}, 400, 'not_json'],
      ['{"version":99}', {}, 400, 'wrong_version'],
      [withDelta({ requests: -5 }), {}, 422, 'invalid_batch'],
      [withDelta({ requests: null }), {}, 422, 'invalid_batch'],
      // The literal itself, which no encoder of JSON writes.
      [sealed.toString().replace('"requests":2', '"requests":NaN'), {}, 400, 'not_json'],
      [sealed.toString().replace('"requests":2', '"requests":-Infinity'), {}, 400, 'not_json'],
      [withDelta({ upstreamCells: [[2.5, 1]] }), {}, 422, 'invalid_batch'],
      [
        JSON.stringify({
          ...document,
          sequence: 2,
          intervals: [{ startMs: 0, durationMs: 1, deltas: [delta, delta] }],
        }),
        {},
        422,
        'invalid_batch',
      ],
      [sealed.toString().replace('"sequence":1', '"sequence":2,"sequence":2'), {}, 422, 'invalid_batch'],
      [Buffer.from(sealed.toString().replace('"requests":2', '"requests":3')), {}, 422, 'sequence_conflict'],
      [Buffer.alloc(MAX_BODY_BYTES + 1, 0x20), {}, 413, 'too_large'],
      [sealed, { authorization: 'Bearer another-token-altogether' }, 401, 'unauthorized'],
      [sealed, { authorization: TOKEN }, 401, 'unauthorized'],
    ];
    for (const [body, headers, status, fault] of cases) {
      const answer = await post(url, body, headers);
      const { fault: found, message } = (await answer.json()) as { fault: string; message: string };
      expect([answer.status, found]).toEqual([status, fault]);
      expect(message).toMatch(/expected|came before|is not the sidecar's/);
      expect(message).not.toContain(TOKEN);
    }
    const compressed = await post(url, sealed, { 'content-encoding': 'gzip' });
    expect(compressed.status).toBe(415);
    expect(await traffic(url)).toBe(before);
    const samples = await scrape(url);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'unauthorized' })).toBe(2);
    expect(sumOf(samples, 'gatewatch_batches_total', { result: 'invalid_batch' })).toBe(5);
    expect(running?.output).not.toContain(TOKEN);
  });

  it('is still counted after the sidecar was killed and started again', async () => {
    let url = await startListening();
    await post(url, sealed);
    const before = await traffic(url);
    await running?.end('SIGKILL');
    url = await startListening();
    expect(await traffic(url)).toBe(before);
    expect(await (await post(url, sealed)).json()).toMatchObject({ result: 'duplicate' });
    expect(await traffic(url)).toBe(before);
  });

  it('comes in over a unix socket too, which a killed sidecar leaves and the next one takes over', async () => {
    const socketPath = join(directory, 'sidecar.sock');
    const postOverSocket = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(
          { socketPath, path: '/v1/batches', method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } },
          (response) => {
            let text = '';
            response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
          },
        );
        request.once('error', reject).end(sealed);
      });
    configure('', `unix:${socketPath}`);
    await start().says(/sidecar listens/);
    expect(await postOverSocket()).toContain('"applied"');
    // A second one must not take the address of a living one, with another data directory either.
    configure('', `unix:${socketPath}`, join(directory, 'other'));
    const second = new RunningProgram(process.execPath, [MAIN, '--config', configFile]);
    expect((await second.ended).code).toBe(1);
    expect(second.output).toContain('another process answers on this socket');
    await running?.end('SIGKILL');
    configure('', `unix:${socketPath}`);
    await start().says(/sidecar listens/);
    expect(await postOverSocket()).toContain('"duplicate"');
  });
});

describe('the addresses of the sidecar', () => {
  it('tell whether it is well, and what it knows', async () => {
    const url = await startListening();
    const get = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(`${url}${path}`);
      return [answer.status, await answer.text()];
    };
    expect(await get('/-/healthy')).toEqual([200, 'healthy\n']);
    expect(await get('/-/ready')).toEqual([200, 'ready\n']);
    expect((await get('/'))[1]).toMatch(
      /NOTHING HAS EVER REPORTED[^]*plugin is not enabled[^]*socket[^]*3\. The token differs[^]*unauthorized[^]*CHANNELS\n {2}NONE/,
    );
    // Where no token is set there is none that could differ.
    const open = await SidecarProcess.start();
    const openPage = await (await fetch(open.url)).text();
    await open.remove();
    expect(openPage).toMatch(
      /3\. The plugin sends elsewhere: sidecar_url [^]*listens\s+on 127\.0\.0\.1:\d+ and asks for no token\./,
    );
    expect(openPage).not.toMatch(/token differs|unauthorized/);
    await post(url, sealed, { 'gatewatch-sent-at': String(Date.now() + 3_600_000) });
    const [, page] = await get('/');
    expect(page).toMatch(/producer-1 +last batch \d\.\d s ago +number 1/);
    expect(page).toContain('1 of 50,000, with 2 requests');
    expect((await get('/nowhere'))[0]).toBe(404);
    const skew = (await scrape(url)).find(({ name }) => name === 'gatewatch_producer_clock_skew_seconds');
    expect(skew?.value).toBeGreaterThan(3_590);
  });

  it('give metrics as text or as OpenMetrics, as they are asked', async () => {
    const url = await startListening();
    await post(url, sealed);
    const ask = async (accept: string): Promise<[string | null, string]> => {
      const answer = await fetch(`${url}/metrics`, { headers: { accept } });
      return [answer.headers.get('content-type'), await answer.text()];
    };
    const [textType, text] = await ask('*/*');
    expect(textType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).not.toContain('# EOF');
    // What Prometheus 2.53 and 3.5 send.
    for (const accept of [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    ]) {
      const [type, openMetrics] = await ask(accept);
      expect(type).toMatch(/^(application\/openmetrics-text; version=1\.0\.0|text\/plain; version=0\.0\.4)/);
      expect(openMetrics.endsWith('# EOF\n')).toBe(type?.startsWith('application/openmetrics-text'));
    }
    expect((await ask('application/openmetrics-text; version=1.0.0'))[1]).toContain(
      '# TYPE application_errors counter',
    );
    // Having been asked for OpenMetrics changes nothing for the next.
    expect((await ask('text/plain'))[1]).toContain('# TYPE process_cpu_seconds_total counter');
  });
});

describe('a reload', () => {
  it('takes over a good file, keeps the old one for a bad file, and says so', async () => {
    const url = await startListening();
    const reload = async (headers: Record<string, string>): Promise<[number, string]> => {
      const answer = await fetch(`${url}/-/reload`, { method: 'POST', headers });
      return [answer.status, await answer.text()];
    };
    const authorized = { authorization: `Bearer ${TOKEN}` };
    const successful = async (): Promise<number> =>
      sumOf(await scrape(url), 'gatewatch_config_last_reload_successful');
    expect((await reload({}))[0]).toBe(401);

    configure('rules: [{ name: mine, p95_latency_ms: 400 }]\n', '127.0.0.1:0');
    expect(await reload(authorized)).toEqual([200, 'reloaded\n']);
    await post(url, sealed);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('le="0.4"');
    expect(await successful()).toBe(1);

    configure('rules: [{ name: mine, p95_latency_ms: fast }]\nseries_cap: 0\n', '127.0.0.1:0');
    const [status, text] = await reload(authorized);
    expect(status).toBe(422);
    expect(text).toContain('gatewatch.yml:4:39: rules[0].p95_latency_ms: expected a whole number of ms');
    expect(text).toContain('gatewatch.yml:5:13: series_cap: expected a whole number');
    expect(await successful()).toBe(0);
    expect(await (await fetch(url)).text()).toMatch(/CONFIGURATION: the last reload of .* failed[^]*mine/);

    configure('', '127.0.0.1:1');
    expect((await reload(authorized))[1]).toContain('listen: the address cannot change');

    configure('rules: []\n', '127.0.0.1:0');
    process.kill(running?.pid ?? 0, 'SIGHUP');
    await running?.says(/"rules":0.*configuration reloaded/);
    expect(await successful()).toBe(1);
    expect(await (await fetch(url)).text()).toContain('NONE: nothing is watched');
  });
});

describe('the program', () => {
  it('ends with 2 and every fault when its configuration is bad', async () => {
    configure('series_cap: none\ncolour: blue\n');
    const { code } = await start().ended;
    expect(code).toBe(2);
    expect(running?.output.split('\n').filter((line) => line !== '')).toEqual([
      expect.stringMatching(
        /gatewatch\.yml:4:13: series_cap: expected a whole number from 100 to 1000000, found "none"$/,
      ),
      expect.stringMatching(/gatewatch\.yml:5:1: colour: expected one of the keys .*, found colour$/),
    ]);
  });

  it('ends with 2 for a file that is not there, and for an unknown flag', async () => {
    expect((await start().ended).code).toBe(2);
    expect(running?.output).toContain('gatewatch.yml:1:1: expected a readable file in UTF-8, found ENOENT');
    expect((await start('--colour').ended).code).toBe(2);
    expect(running?.output).toContain("Unknown option '--colour'");
  });

  it('checks a file without starting', async () => {
    configure();
    expect((await start('--check').ended).code).toBe(0);
    expect(running?.output).toContain('no faults');
  });

  it('warns where its rounds are to check in and there is no Sentry to tell, when checked and when started', async () => {
    const sentence =
      /sentry\.monitor: no check-in leaves, since neither sentry\.dsn nor Spotlight is set\. Set one/;
    configure('sentry: { dsn: "", monitor: rounds }\n');
    expect((await start('--check').ended).code).toBe(0);
    expect(running?.output).toMatch(sentence);
    expect(running?.output).toContain('no faults');
    await start().says(sentence);
    await running?.end('SIGKILL');
    configure('sentry: { monitor: rounds, spotlight: true }\n');
    await start('--check').ended;
    expect(running?.output).not.toContain('check-in');
  });

  it('ends with 1 and says which address is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    configure('', `127.0.0.1:${port}`);
    expect((await start().ended).code).toBe(1);
    expect(running?.output).toContain(`listen: 127.0.0.1:${port}: the address is taken`);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('ends with 1 and says what to do when its ledger is damaged', async () => {
    const url = await startListening();
    await post(url, sealed);
    await running?.end();
    writeFileSync(join(directory, 'data', 'ledger.mdb'), 'not a ledger');
    expect((await start().ended).code).toBe(1);
    expect(running?.output).toMatch(
      /the ledger at .*ledger\.mdb is damaged: .*move it away to begin with empty series/,
    );
  });

  /** A batch whose last byte is still to come, on a connection that stays open. */
  async function startPosting(url: string): Promise<{ finish: () => void; ended: Promise<string> }> {
    const { hostname, port } = new URL(url);
    const agent = new Agent({ keepAlive: true });
    const request = httpRequest({
      agent,
      hostname,
      port,
      method: 'POST',
      path: '/v1/batches',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-length': sealed.length },
    });
    const ended = new Promise<string>((resolve) => {
      request
        .once('error', () => resolve('broken off'))
        .once('response', (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.once('end', () => resolve(text));
        });
    });
    request.write(sealed.subarray(0, -1));
    await fetch(`${url}/-/healthy`);
    return { finish: () => request.end(sealed.subarray(-1)), ended };
  }

  it('ends with 0 within its time at SIGTERM, also while clients are slow and a webhook does not answer', async () => {
    const webhook = await WebhookReceiver.start();
    webhook.otherwise = 'hang';
    const url = await startListening(
      [
        'evaluation_interval: 1s',
        'rules: [{ name: slow, p95_latency_ms: 100, window: 10s, for: 0s, confidence: off }]',
        `channels: [{ name: hook, type: webhook, url: "${webhook.url()}", timeout: 60s, allow_private_addresses: true }]`,
        '',
      ].join('\n'),
    );
    try {
      // Not idle and not silent: it has not ended its headers, and goes on sending them.
      const { hostname, port } = new URL(url);
      const dripping = connect(Number(port), hostname).on('error', () => undefined);
      dripping.write('GET / HTTP/1.1\r\nx: ');
      const drip = setInterval(() => dripping.write('x'), 100).unref();
      await post(url, sealed, { 'gatewatch-sent-at': '1700000001000' });
      await webhook.received(1);
      const held = await startPosting(url);
      const startMs = performance.now();
      expect(await running?.end()).toEqual({ code: 0, signal: null });
      const tookMs = performance.now() - startMs;
      clearInterval(drip);
      dripping.destroy();
      expect(await held.ended).toBe('broken off');
      expect(tookMs).toBeGreaterThan(STOP_TIMEOUT_MS - 500);
      expect(tookMs).toBeLessThan(STOP_TIMEOUT_MS + 1_000 * slowness());
      expect(running?.output).toContain('to be sent after the next start');

      webhook.otherwise = { status: 200 };
      await start().says(/"msg":"notification sent"/);
      const [hung, sent, ...more] = webhook.requests.map(({ body }) => body);
      expect([sent, more]).toEqual([hung, []]);
    } finally {
      await webhook.close();
    }
  });

  it('answers at SIGTERM the batch that is on its way, and then ends at once', async () => {
    const url = await startListening();
    const held = await startPosting(url);
    const ended = running?.end();
    await running?.says(/"msg":"stopping"/);
    const startMs = performance.now();
    held.finish();
    expect(await held.ended).toContain('"applied"');
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - startMs).toBeLessThan((STOP_TIMEOUT_MS / 2) * slowness());
  });
});

describeWith('promtool', 'the metrics of the sidecar', (promtool) => {
  it('have nothing that promtool complains of', async () => {
    const url = await startListening(
      'channels: [{ name: hook, type: webhook, url: "http://127.0.0.1:1/" }]\n',
    );
    await post(url, sealed);
    const text = await (await fetch(`${url}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });
});
