// The built program `gatewatch` against a built sidecar, each a process of its own.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { SENT_AT_HEADER, encodeBatch } from '../../../kong-plugin/contract/batch';
import { ackCommand } from '../../../sidecar/cli/ack-command';
import { alertsCommand } from '../../../sidecar/cli/alerts-command';
import { UsageFault, type Command } from '../../../sidecar/cli/command';
import { silenceCommand } from '../../../sidecar/cli/silence-command';
import type { AlertDetail, AlertDocument, SilenceDocument } from '../../../sidecar/http/api/answer-shapes';
import { batchOf } from '../../support/batches';
import { commandSurroundings } from '../../support/command-surroundings';
import { eventually } from '../../support/eventually';
import { findFreePorts } from '../../support/free-ports';
import { GATEWATCH, gatewatch, type ProgramRun } from '../../support/gatewatch-program';
import { RunningProgram } from '../../support/running-program';
import { SidecarProcess } from '../../support/sidecar-process';
import { EAGER_RULES, troubledTraffic } from '../../support/troubled-traffic';
import { WebhookReceiver } from '../../support/webhook-receiver';

const TOKEN = 'a-token-for-tests-only';

/** To be called in this process, where many are. */
const COMMANDS: Readonly<Record<string, Command>> = {
  alerts: alertsCommand,
  ack: ackCommand,
  silence: silenceCommand,
};

/** The command in this process: what it says, and how it fails. */
async function call(
  [name = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly out: string; readonly fault: unknown }> {
  const command = COMMANDS[name];
  if (!command) throw new Error(`there is no command ${name}`);
  let out = '';
  const surroundings = commandSurroundings((text) => void (out += text), { env });
  const fault: unknown = await command(args, surroundings).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { out, fault };
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : '';
}

const sidecars: SidecarProcess[] = [];

afterAll(async () => {
  await Promise.all(sidecars.map((sidecar) => sidecar.remove()));
});

async function startSidecar(settings: string): Promise<SidecarProcess> {
  const sidecar = await SidecarProcess.start(settings);
  sidecars.push(sidecar);
  return sidecar;
}

describe('gatewatch alerts, ack and silence', () => {
  let url: string;
  let run: (...args: string[]) => Promise<ProgramRun>;
  let checkout: AlertDocument;
  let search: AlertDocument;

  async function listed(...flags: string[]): Promise<AlertDocument[]> {
    const { out } = await call(['alerts', '--json', ...flags], { GATEWATCH_URL: url });
    return (JSON.parse(out) as { alerts: AlertDocument[] }).alerts;
  }

  beforeAll(async () => {
    ({ url } = await startSidecar(EAGER_RULES));
    run = (...args) => gatewatch(args, { GATEWATCH_URL: url, USER: 'alice' });
    const batch = encodeBatch(batchOf(troubledTraffic()));
    const headers = { [SENT_AT_HEADER]: '1700000001000' };
    await fetch(`${url}/v1/batches`, { method: 'POST', body: batch, headers });
    const alerts = await eventually(async () => {
      const found = await listed('--state', 'active');
      expect(found).toHaveLength(2);
      return found;
    });
    [checkout, search] = alerts as [AlertDocument, AlertDocument];
  });

  it('show what fires as a table, and nothing but text', async () => {
    const { code, stdout, stderr } = await run('alerts');
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ \d+s /, ' 1s '))).toEqual([
      expect.stringMatching(/^ID +STATE +SEVERITY +FOR +ALERT$/) as string,
      expect.stringMatching(
        `^${checkout.id} +firing +critical +1s +High error rate: 50% on service checkout$`,
      ) as string,
      expect.stringMatching(
        `^${search.id} +firing +warning +1s +High p95 latency: 900 ms on service search$`,
      ) as string,
      expect.stringMatching(/ pending +info +1s +High p95 latency: 900 ms on service search$/) as string,
    ]);
    expect(stdout).not.toContain('\x1b');
  });

  it('show only what is asked for', async () => {
    const rules = async (...flags: string[]): Promise<string[]> =>
      (await listed(...flags)).map(({ rule, labels }) => `${rule} ${labels.service ?? ''}`);
    expect(await rules('--severity', 'critical,info')).toEqual([
      'error_rate checkout',
      'slow_for_long search',
    ]);
    expect(await rules('--service', 'search', '--rule', 'latency')).toEqual(['latency search']);
    expect(await rules('--state', 'pending', '--state', 'firing', '--limit', '1')).toEqual([
      'error_rate checkout',
    ]);
    expect(await rules('--state', 'inactive', '--service', 'orders')).toHaveLength(3);
    expect((await run('alerts', '--service', 'nobody')).stdout).toBe('No such alert.\n');
    expect((await run('alerts', '--state', 'firing', '--limit', '1')).stdout).toContain(
      '\nand 1 more; see --limit\n',
    );
  });

  it('show one alert in full', async () => {
    const { code, stdout } = await run('alerts', checkout.id);
    expect(code).toBe(0);
    for (const part of [
      /^High error rate: 50% on service checkout$/m,
      /^ {2}value +50%, threshold 1%, of 100 requests$/m,
      /^WORST OPERATIONS\n {2}POST pay +50 of 100 requests failed, p95 30 ms$/m,
      /^ERRORS\n {2}upstream_unreachable +50 requests$/m,
      /^FAILED UPSTREAM ADDRESSES\n {2}10\.0\.0\.7:8080 +50 times$/m,
      /^WHAT HAPPENED\n/m,
    ])
      expect(stdout).toMatch(part);
    const json = JSON.parse((await run('alerts', checkout.id, '--json')).stdout) as AlertDetail;
    expect(json.alert.id).toBe(checkout.id);
    expect(await run('alerts', '0123456789abcdef')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'gatewatch: there is no alert "0123456789abcdef"\n',
    });
  });

  it('say who knows of alerts, of each that can be known of', async () => {
    const pending = (await listed('--state', 'pending'))[0]?.id ?? '';
    const answer = await run(
      'ack',
      checkout.id,
      pending,
      '0123456789abcdef',
      search.id,
      '--comment',
      'on it',
    );
    expect(answer).toEqual({
      code: 1,
      stdout: `acknowledged ${checkout.id}: ${checkout.title}\nacknowledged ${search.id}: ${search.title}\n`,
      stderr:
        `gatewatch: the alert ${pending} does not fire: it is pending\n` +
        'gatewatch: there is no alert "0123456789abcdef"\n',
    });
    const [first] = await listed('--state', 'acknowledged');
    expect(first?.acknowledged).toMatchObject({ by: `alice@${hostname()}`, comment: 'on it' });
    const again = await run('ack', checkout.id, '--by', 'bob', '--json');
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([
      0,
      [{ alert: { id: checkout.id, acknowledged: { by: 'bob' } } }],
    ]);
    expect((await run('alerts', '--history', checkout.id)).stdout).toMatch(
      /acknowledged +error_rate service="checkout" by bob\n.*acknowledged +error_rate service="checkout" by alice@.*: on it\n.*fired /,
    );
  });

  it('make, list and end silences', async () => {
    const made = await run(
      'silence',
      'create',
      'service=checkout',
      'severity=~critical|error',
      '--for',
      '2h',
      '--comment',
      'a deployment',
    );
    expect([made.code, made.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^silence [0-9a-f]{16}: service="checkout" severity=~"critical\|error", until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n$/,
      ),
    ]);
    const id = /[0-9a-f]{16}/.exec(made.stdout)?.[0] ?? '';
    expect((await run('silence', 'list')).stdout).toMatch(
      new RegExp(
        `^ID +STATE .*\n${id} +active +\\S+ \\S+ +service="checkout" .* \\(by alice@.*: a deployment\\)\n$`,
      ),
    );
    expect((await run('alerts', '--service', 'checkout')).stdout).toContain(`silenced by ${id}`);
    const start = new Date(Date.now() + 3_600_000).toISOString();
    const later = await run(
      'silence',
      'create',
      'rule=latency',
      '--for',
      '30m',
      '--comment',
      'x',
      '--start',
      start,
      '--by',
      'bob',
      '--json',
    );
    const { silence } = JSON.parse(later.stdout) as { silence: SilenceDocument };
    expect(silence).toMatchObject({ state: 'pending', starts_at: start, created_by: 'bob' });

    const ended = await run('silence', 'expire', id, '0123456789abcdef', silence.id);
    expect([ended.code, ended.stderr]).toEqual([1, 'gatewatch: there is no silence "0123456789abcdef"\n']);
    expect(ended.stdout).toMatch(
      new RegExp(`^silence ${id} ended at .* UTC\nsilence ${silence.id} ended at `),
    );
    expect((await run('silence', 'list')).stdout).toBe('No silences.\n');
    expect((await run('silence', 'list', '--all')).stdout).toMatch(/ expired .*\n.* expired /);
  });

  it('tell what is wrong in the words of the command line, and that exits with 2', async () => {
    const matcher = 'service=checkout';
    const cases: [args: string[], message: string | RegExp][] = [
      [['alerts', '--state', 'burning'], /^--state: expected one of active, .*, found "burning"$/],
      [['alerts', '--limit', '0'], /^--limit: expected a whole number from 1 to 10000, found 0$/],
      [['alerts', '--stat', 'firing'], "Unknown option '--stat'"],
      [['alerts', 'a', 'b'], 'expected one id at most, found 2'],
      [['alerts', 'a', '--state', 'firing'], '--state says nothing of one alert'],
      [['alerts', '--since', '2h'], '--since says nothing without --history'],
      [['alerts', '--history', '--state', 'firing'], '--state says nothing with --history'],
      [['alerts', '--history', '--since', 'yesterday'], /^--since: expected a moment such as/],
      [['alerts', '--history', 'checkout'], /^the id: expected an id of 16 hexadecimal digits/],
      [['ack'], 'expected the id of an alert'],
      [['ack', checkout.id, '--by', ' '], '--by: expected who it is, in at most 200 characters, found " "'],
      [['silence'], 'expected create, list or expire, found ""'],
      [['silence', 'make'], 'expected create, list or expire, found "make"'],
      [['silence', 'create', '--for', '2h', '--comment', 'x'], 'expected a matcher such as service=checkout'],
      [['silence', 'create', matcher, '--comment', 'x'], 'expected --for and how long, such as --for 2h'],
      [['silence', 'create', matcher, '--for', '2h'], 'expected --comment and why'],
      [
        ['silence', 'create', 'service', '--for', 'long', '--comment', ''],
        /^the matcher: expected a matcher such as .*\n--for: expected a duration .*\n--comment: expected why/,
      ],
      [['silence', 'create', 'service=~.*', '--for', '2h', '--comment', 'x'], /does not match everything/],
      [['silence', 'list', '--by', 'x'], '--by says nothing with list'],
      [['silence', 'expire'], 'expected the id of a silence'],
      [['alerts', '--url', 'http://alice:wonderland@127.0.0.1'], /^--url: .* without a password/],
    ];
    for (const [args, message] of cases) {
      const { out, fault } = await call(args, { GATEWATCH_URL: url });
      expect([args, out, fault]).toEqual([args, '', expect.any(UsageFault)]);
      if (typeof message === 'string') expect(messageOf(fault)).toBe(message);
      else expect(messageOf(fault)).toMatch(message);
      expect(messageOf(fault)).not.toContain('wonderland');
    }
    expect(await run('alerts', '--state', 'burning,firing')).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'gatewatch: --state: expected one of active, inactive, unknown, pending, firing, acknowledged, resolved, found "burning"\n' +
        '`gatewatch alerts --help` tells more.\n',
    });
  });

  it('show what happened of late', async () => {
    const { stdout } = await run('alerts', '--history', '--rule', 'latency', '--since', '1h');
    expect(stdout).toMatch(/fired +latency service="search": warning, value 900, threshold 500\n$/);
    expect((await run('alerts', '--history', '--until', '1h')).stdout).toBe('Nothing happened.\n');
    const page = await run('alerts', '--history', '--limit', '1');
    expect(page.stdout.trimEnd().split('\n')).toHaveLength(3);
  });
});

describe('gatewatch, of a sidecar that asks who comes', () => {
  it('comes in with the token of the environment or of a file, and reads with a password', async () => {
    const sidecar = await SidecarProcess.prepare({
      settings: `token: ${TOKEN}\nweb_config_file: web.yml`,
    });
    sidecars.push(sidecar);
    writeFileSync(
      join(sidecar.directory, 'web.yml'),
      `basic_auth_users:\n  alice: "${hashSync('wonderland', 4)}"\n`,
    );
    const tokenFile = join(sidecar.directory, 'token');
    writeFileSync(tokenFile, `${TOKEN}\n`);
    await sidecar.start();
    const withPassword = sidecar.url.replace('//', '//alice:wonderland@');
    const silence = ['silence', 'create', 'service=a', '--for', '1h', '--comment', 'x'];
    const cases: [args: string[], env: Record<string, string>, fault: RegExp | undefined][] = [
      [['alerts'], { GATEWATCH_TOKEN: TOKEN }, undefined],
      [['alerts', '--token-file', tokenFile], {}, undefined],
      [['alerts'], { GATEWATCH_URL: withPassword }, undefined],
      [silence, { GATEWATCH_TOKEN: TOKEN }, undefined],
      [['alerts'], {}, /asks who you are: expected the name and password .* Set GATEWATCH_TOKEN/],
      [['alerts'], { GATEWATCH_TOKEN: `${TOKEN}x` }, /does not take this token$/],
      [['alerts'], { GATEWATCH_URL: withPassword.replace('land', 'wall') }, /does not take this password: /],
      [silence, { GATEWATCH_URL: withPassword }, /does not take this password: expected the header/],
      [['alerts', '--token-file', '/nowhere'], {}, /^--token-file: .*ENOENT/],
    ];
    for (const [args, env, expected] of cases) {
      const { out, fault } = await call(args, { GATEWATCH_URL: sidecar.url, ...env });
      if (expected === undefined) expect([args, fault]).toEqual([args, undefined]);
      else expect(messageOf(fault)).toMatch(expected);
      expect(out + messageOf(fault)).not.toMatch(/wonder|a-token/);
    }
    const refused = await gatewatch(['alerts'], { GATEWATCH_URL: sidecar.url, GATEWATCH_TOKEN: `${TOKEN}x` });
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: `gatewatch: the sidecar at ${sidecar.url} does not take this token\n`,
    });
  });

  it('comes in over a unix socket', async () => {
    const sidecar = await SidecarProcess.prepare();
    sidecars.push(sidecar);
    const socket = join(sidecar.directory, 'gatewatch.sock');
    writeFileSync(
      join(sidecar.directory, 'gatewatch.yml'),
      `listen: unix:${socket}\ndata_dir: ${sidecar.dataDirectory}\n`,
    );
    await sidecar.start();
    expect(await gatewatch(['alerts', '--url', `unix:${socket}`])).toEqual({
      code: 0,
      stdout: 'Nothing fires, is pending or was resolved lately.\n',
      stderr: '',
    });
    const gone = await gatewatch(['alerts', '--url', `unix:${socket}.gone`]);
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('there is no such socket')]);
  });
});

describe('gatewatch, of what is no sidecar', () => {
  it('says that nothing listens there', async () => {
    const port = await findFreePorts(1);
    const { code, stderr } = await gatewatch(['alerts', '--url', `http://127.0.0.1:${port}`]);
    expect([code, stderr]).toEqual([
      1,
      `gatewatch: cannot ask the sidecar at http://127.0.0.1:${port}: nothing listens there. ` +
        'Start it, or name another with --url or GATEWATCH_URL\n',
    ]);
  });

  it('says that something else answers, whatever it answers', async () => {
    const receiver = await WebhookReceiver.start();
    const json = { 'content-type': 'application/json' };
    for (const answer of [
      { status: 200, body: '<html>' },
      { status: 404, body: 'not found' },
      { status: 200, headers: json, body: '{"alerts":3}' },
      { status: 500, headers: json, body: '{"message":"no"}' },
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    ]) {
      receiver.otherwise = answer;
      const { fault } = await call(['alerts', '--url', receiver.url('')], { GATEWATCH_TOKEN: TOKEN });
      expect([answer, messageOf(fault)]).toEqual([
        answer,
        expect.stringMatching(/^what answers at http:\/\/127\.0\.0\.1:\d+ is no Gatewatch sidecar/),
      ]);
    }
    receiver.otherwise = 'reset';
    const reset = await call(['alerts', '--url', receiver.url('')], {});
    expect(messageOf(reset.fault)).toMatch(/^cannot ask the sidecar at /);
    await receiver.close();
  });

  it('shows what a server answers without what would drive the terminal', async () => {
    const server = createServer((_request, response) => {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":"a\\u001b]0;owned\\u0007b"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { stderr } = await gatewatch(['alerts', 'x', '--url', `http://127.0.0.1:${port}`]);
    server.close();
    expect(stderr).toBe('gatewatch: a ]0;owned b\n');
  });
});

describe('gatewatch', () => {
  it('tells its commands, and those of each', async () => {
    const help = await gatewatch(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const command of [
      ...['alerts', 'ack', 'silence', 'dead-letters', 'notify'],
      ...['replay', 'sidecar', 'plugin-server'],
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
      const own = await gatewatch([command, '--help']);
      expect([command, own.code, own.stderr]).toEqual([command, 0, '']);
      expect(own.stdout).toMatch(/^(Usage: )?(gatewatch|node)/);
    }
    const none = await gatewatch([]);
    expect([none.code, none.stdout, none.stderr]).toEqual([2, '', help.stdout]);
    const unknown = await gatewatch(['alert']);
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      `gatewatch: there is no command "alert" (did you mean alerts?)\n\n${help.stdout}`,
    ]);
    expect((await gatewatch(['constructor'])).code).toBe(2);
    expect((await gatewatch(['--version'])).stdout).toMatch(/^gatewatch \d+\.\d+\.\d+\n$/);
  });

  it('hands over to the plugin server and to the sidecar, with their arguments and exit codes', async () => {
    const dump = await gatewatch(['plugin-server', '--dump']);
    expect([dump.code, JSON.parse(dump.stdout)]).toMatchObject([0, [{ Name: 'gatewatch' }]]);
    expect((await gatewatch(['plugin-server', '--nothing'])).code).toBe(2);
    const checked = await gatewatch(['sidecar', '--config', 'sidecar/gatewatch.yml', '--check']);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('gatewatch.yml: no faults')]);
    expect((await gatewatch(['sidecar', '--nothing'])).code).toBe(2);
  });

  it('runs the sidecar until it is told to stop', async () => {
    const sidecar = await SidecarProcess.prepare();
    sidecars.push(sidecar);
    const config = join(sidecar.directory, 'gatewatch.yml');
    const program = new RunningProgram(process.execPath, [GATEWATCH, 'sidecar', '--config', config]);
    await program.says(/sidecar listens/);
    expect((await gatewatch(['alerts', '--url', sidecar.url])).code).toBe(0);
    expect(await program.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
