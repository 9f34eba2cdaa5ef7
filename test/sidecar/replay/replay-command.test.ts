import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { deltaOf } from '../../support/batches';
import { record, storyBatch, temporaryFolder } from '../../support/recorded-story';
import { replayCommand } from '../../support/replay-command';

const NOON = Date.parse('2026-11-28T12:00:00Z');

/** As it stands in a repository: secrets come from an environment that is not here. */
const RULES = `
token: \${GATEWATCH_TOKEN}
listen: 0.0.0.0:9765
web_config_file: not-here.yml
sentry: { dsn_file: not-here }
rules:
  - { name: errors, error_rate_threshold: 0.05, severity: critical, window: 1m, for: 30s }
  - { name: down, kong_unreachable: true }
channels:
  - { name: oncall, type: slack, webhook_url: '\${SLACK_WEBHOOK_URL}' }
  - { name: issues, type: sentry, auth_token_file: not-here }
`;

const EMPTY_MATRIX = '{"status":"success","data":{"resultType":"matrix","result":[]}}';

describe('gatewatch replay', () => {
  let folder: string;
  let rules: string;
  beforeEach(() => {
    folder = temporaryFolder();
    rules = join(folder, 'gatewatch.yml');
    writeFileSync(rules, RULES);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function recordIncident(): Promise<string> {
    const directory = join(folder, 'recorded');
    const failed = { status: 502, errorType: 'upstream_unreachable', severity: 'error' } as const;
    const batches = Array.from({ length: 900 }, (_, at) => {
      const bad = at >= 300 && at < 600 ? 4 : 0;
      const deltas = [
        deltaOf(
          {},
          Array.from({ length: 20 - bad }, () => 20),
        ),
      ];
      if (bad > 0)
        deltas.push(
          deltaOf(
            failed,
            Array.from({ length: bad }, () => 20),
          ),
        );
      return storyBatch(NOON + at * 1_000, at + 1, deltas);
    });
    await record(directory, batches);
    return directory;
  }

  it('says in a table who would have been told, of a file whose secrets are not here', async () => {
    const { code, stdout, stderr } = await replayCommand([
      '--from',
      await recordIncident(),
      '--rules',
      rules,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(
      'Replay from 2026-11-28 12:00:00 UTC to 2026-11-28 12:14:59 UTC (14 minutes 59 seconds)',
    );
    expect(stdout).toMatch(/^errors +oncall +1 +1 +0 +0 +0 +1 +0 +0 +0 +\d+ minutes/m);
    expect(stdout).toMatch(/^ +issues +1 +1 /m);
    expect(stdout).toMatch(/^2026-11-28 12:05:\d\d UTC +critical +errors +service orders .* +2 pages$/m);
    expect(stdout).toMatch(/^down +not judged$/m);
    expect(stdout).toContain('What could not be seen\n- Rules about Kong were not judged');
  });

  it('says the same as JSON, of the time that is asked for', async () => {
    const from = await recordIncident();
    const args = ['--from', from, '--rules', rules, '--json', '--start', '2026-11-28T12:00Z', '--end'];
    const { code, stdout } = await replayCommand([...args, String(NOON / 1000 + 450)]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      fromMs: NOON,
      toMs: NOON + 450_000,
      rounds: 90,
      rules: [
        {
          rule: 'errors',
          fired: 1,
          resolved: 0,
          pages: [{ channel: 'oncall', pages: 1 }, { channel: 'issues' }],
        },
        { rule: 'down', isJudged: false, fired: 0, pages: [] },
      ],
      channels: [
        { channel: 'oncall', pages: 1, bySeverity: { critical: 1 }, otherMessages: 0 },
        { channel: 'issues', pages: 1 },
      ],
      alerts: [
        { rule: 'errors', level: 'service', labels: { service: 'orders' }, resolvedMs: null, pages: 2 },
      ],
    });
  });

  it('shows a bar on a terminal, and takes it away in the end', async () => {
    const args = ['--from', await recordIncident(), '--rules', rules];
    const { stdout, stderr } = await replayCommand(args, { isTTY: true });
    expect(stderr).toContain('replay [');
    expect(stdout).toContain('errors');
  });

  it.each([
    [['--from', 'x'], '--rules: expected the path of a gatewatch.yml'],
    [['--rules', 'x'], '--from: expected the address of a Prometheus or the path of a recording'],
    [['--from', 'http://', '--rules', 'x'], '--from: expected an http or https address'],
    [
      ['--from', 'x', '--rules', 'x', '--step', '1ms'],
      '--step: expected a duration from 1s to 1h, found 1ms',
    ],
    [['--from', 'x', '--rules', 'x', '--start', 'soon'], '--start: expected a time such as'],
    [
      ['--from', 'x', '--rules', 'x', '--start', '1h', '--end', '2h'],
      '--start: expected a time before --end',
    ],
    [['--fromm', 'x'], "Unknown option '--fromm'"],
    [['--from', 'x', '--rules', 'x', 'y'], 'expected flags, found y'],
    [
      ['--from', 'http://127.0.0.1:1', '--rules', '', '--token-file', '/not-here'],
      '--rules: expected the path of a gatewatch.yml',
    ],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await replayCommand(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('shows its page where help is asked for', async () => {
    const { code, stdout, stderr } = await replayCommand(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: gatewatch replay --from SOURCE --rules FILE');
  });

  it('refuses rules with faults, by their place, and keys that are none', async () => {
    writeFileSync(
      rules,
      "token: ${NOT_SET}\nrulez: []\nrules:\n  - name: a\n    window: '${WINDOW}'\n    error_rate_threshold: 0.1\n",
    );
    const { code, stderr } = await replayCommand(['--from', folder, '--rules', rules]);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringContaining(`${rules}:2:1: rulez: expected one of the keys`),
      expect.stringContaining(
        `${rules}:5:13: rules[0].window: expected the environment variable WINDOW to be set`,
      ),
    ]);
  });

  it('says that there is no recording', async () => {
    expect(await replayCommand(['--from', join(folder, 'no'), '--rules', rules])).toEqual({
      code: 1,
      stdout: '',
      stderr: `${folder}/no cannot be read: ENOENT\n`,
    });
  });

  describe('of a Prometheus', () => {
    const servers: Server[] = [];
    const asked: IncomingMessage[] = [];
    afterEach(async () => {
      asked.length = 0;
      for (const server of servers.splice(0)) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    });

    async function serve(answer: RequestListener): Promise<string> {
      const server = createServer((request, response) => {
        asked.push(request);
        answer(request, response);
      });
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    const json =
      (status: number, text: string): RequestListener =>
      (_request, response) =>
        void response.writeHead(status, { 'content-type': 'application/json' }).end(text);

    it.each([
      [
        json(401, 'Unauthorized'),
        ' answers 401: it wants to know who asks. Set GATEWATCH_PROMETHEUS_TOKEN or --token-file, or ' +
          'GATEWATCH_PROMETHEUS_USER and GATEWATCH_PROMETHEUS_PASSWORD',
      ],
      [
        json(
          422,
          '{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}',
        ),
        ' answers 422 (execution): query processing would load too many samples into memory',
      ],
      [
        json(400, '{"status":"error","errorType":"bad_data","error":"parse\\nerror"}'),
        ' answers 400 (bad_data): parse error',
      ],
      [json(404, '<html>'), ' answers 404: is it the address of a Prometheus, without /api/v1?'],
      [json(302, ''), ' answers 302: it sends on to another address, which is not followed'],
      [json(502, ''), ' answers 502'],
      [json(200, '<html>'), ' answers, but not as Prometheus does'],
      [
        json(200, '{"status":"success","data":{"resultType":"vector","result":[]}}'),
        ' answers, but not as Prometheus does',
      ],
      [(request: IncomingMessage) => void request.socket.destroy(), ' cannot be asked: UND_ERR_SOCKET'],
    ] as [RequestListener, string][])(
      'tells what is wrong with an answer (case %#)',
      async (answer, message) => {
        const url = await serve(answer);
        expect(await replayCommand(['--from', url, '--rules', rules])).toEqual({
          code: 1,
          stdout: '',
          stderr: `Prometheus at ${url}${message}\n`,
        });
      },
    );

    it('says where nothing listens, without the password in the address', async () => {
      const { code, stderr } = await replayCommand([
        '--from',
        'http://me:hidden@127.0.0.1:1/x/',
        '--rules',
        rules,
      ]);
      expect([code, stderr]).toEqual([
        1,
        'Prometheus at http://127.0.0.1:1/x cannot be asked: ECONNREFUSED\n',
      ]);
    });

    it('says that it has nothing of the time', async () => {
      const url = await serve(json(200, EMPTY_MATRIX));
      expect(await replayCommand(['--from', url, '--rules', rules], { nowMs: NOON })).toMatchObject({
        code: 1,
        stderr:
          'Prometheus has no gatewatch_requests_total from 2026-11-27 12:00:00 UTC to 2026-11-28 12:00:00 UTC\n',
      });
    });

    it('asks for at most a few hundred points of a series at once, of all of the time', async () => {
      const url = await serve(json(200, EMPTY_MATRIX));
      await replayCommand(['--from', `${url}/prom`, '--rules', rules, '--matcher', 'job="g"'], {
        nowMs: NOON,
      });
      const ranges = asked.map(({ url: path = '' }) => new URL(path, url).searchParams);
      expect(asked[0]?.url).toMatch(/^\/prom\/api\/v1\/query_range\?/);
      expect(
        ranges
          .map((range) => range.get('query'))
          .slice(0, 2)
          .sort(),
      ).toEqual(['external_request_duration_seconds_bucket{job="g"}', 'gatewatch_requests_total{job="g"}']);
      const requests = ranges.filter((range) => range.get('query')?.startsWith('gatewatch'));
      const numbers = (name: string): number[] => requests.map((range) => Number(range.get(name)));
      const [starts, ends] = [numbers('start'), numbers('end')];
      expect([starts[0], ends.at(-1)]).toEqual([NOON / 1000 - 86_400, NOON / 1000]);
      starts.forEach((start, index) => {
        const end = ends[index] ?? Infinity;
        expect((end - start) / 15 + 1).toBeLessThanOrEqual(11_000);
        if (index > 0) expect(start - (ends[index - 1] ?? 0)).toBe(15);
      });
    });

    it.each([
      [{ GATEWATCH_PROMETHEUS_TOKEN: 'a-token' }, '', 'Bearer a-token'],
      [{ GATEWATCH_PROMETHEUS_USER: 'me', GATEWATCH_PROMETHEUS_PASSWORD: 'pass' }, '', 'Basic bWU6cGFzcw=='],
      [
        { GATEWATCH_PROMETHEUS_TOKEN: 'a-token' },
        'me:p%40ss@',
        `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
      ],
      [{}, '', undefined],
    ])('says who asks: %j', async (environment, userinfo, expected) => {
      const url = (await serve(json(200, EMPTY_MATRIX))).replace('http://', `http://${userinfo}`);
      await replayCommand(['--from', url, '--rules', rules, '--start', '1m'], {
        environment: environment,
      });
      expect(asked[0]?.headers.authorization).toBe(expected);
    });

    it('takes the token from a file', async () => {
      const url = await serve(json(200, EMPTY_MATRIX));
      const file = join(folder, 'token');
      writeFileSync(file, 'from-a-file\n');
      await replayCommand(['--from', url, '--rules', rules, '--start', '1m', '--token-file', file]);
      expect(asked[0]?.headers.authorization).toBe('Bearer from-a-file');
      const missing = await replayCommand([
        '--from',
        url,
        '--rules',
        rules,
        '--token-file',
        join(folder, 'no'),
      ]);
      expect(missing).toMatchObject({ code: 2 });
      expect(missing.stderr).toContain('--token-file: expected the path of a readable file, found ENOENT');
    });
  });
});
