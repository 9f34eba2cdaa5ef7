// `gatewatch notify` as a process, against receivers of every kind of channel: what arrives, what is shown, how it ends. What is shown
// of receivers that say secrets again is looked at in this process, where there is time for many of them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { UsageFault } from '../../../sidecar/cli/command';
import { notifyCommand } from '../../../sidecar/cli/notify-command';
import { Authority } from '../../support/certificates';
import { commandSurroundings } from '../../support/command-surroundings';
import { findFreePorts } from '../../support/free-ports';
import { gatewatch, type ProgramRun } from '../../support/gatewatch-program';
import { PagerDutyServer, ROUTING_KEY } from '../../support/pagerduty-server';
import { API_TOKEN, SentryApiServer } from '../../support/sentry-api-server';
import { SlackApiServer } from '../../support/slack-api-server';
import { SmtpReceiver } from '../../support/smtp-receiver';
import { WebhookReceiver } from '../../support/webhook-receiver';

jest.setTimeout(60_000);

const directory = mkdtempSync(join(tmpdir(), 'gatewatch-notify-'));
const closing: { close: () => Promise<unknown> }[] = [];

afterAll(async () => {
  await Promise.all(closing.map((one) => one.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function started<Receiver extends { close: () => Promise<unknown> }>(
  starting: Promise<Receiver>,
): Promise<Receiver> {
  const receiver = await starting;
  closing.push(receiver);
  return receiver;
}

let files = 0;

/** JSON is YAML too. */
function configFile(channels: readonly object[], others: object = {}): string {
  const file = join(directory, `gatewatch-${++files}.yml`);
  const links = { external_url: 'https://gatewatch.example', runbook_url: 'https://runbooks.example/{rule}' };
  writeFileSync(file, JSON.stringify({ channels, links, ...others }));
  return file;
}

function notify(channels: readonly object[], args: readonly string[], others?: object): Promise<ProgramRun> {
  return gatewatch(['notify', '--config', configFile(channels, others), ...args]);
}

/** In this process: what it says, and how it ends. */
async function call(args: readonly string[]): Promise<{ said: string; end: unknown }> {
  let said = '';
  const surroundings = commandSurroundings((text) => void (said += text));
  const end: unknown = await notifyCommand(args, surroundings).catch((error: unknown) => error);
  return { said: end instanceof Error ? `${said}${end.message}` : said, end };
}

/** Of a document that was shown, what stands behind the name. */
function shownOf(stdout: string, name: string): string[] {
  return [...stdout.matchAll(new RegExp(`^[<>]? *"${name}": "(.*)",?$`, 'gm'))].map(
    ([, value = '']) => value,
  );
}

const hookOf = (url: string, others: object = {}): object => ({
  name: 'hook',
  type: 'webhook',
  url,
  allow_private_addresses: true,
  ...others,
});

describe('a test of a channel', () => {
  it('posts a marked message and its end to a webhook, and shows what was said', async () => {
    const receiver = await started(WebhookReceiver.start());
    receiver.otherwise = {
      status: 200,
      headers: { 'x-answered-by': 'a receiver' },
      body: '{"taken":[true]}',
    };
    const url = receiver.url('/a-secret-path?key=a-secret-key');
    const { code, stdout, stderr } = await notify([hookOf(url)], ['--test', 'hook']);
    expect([code, stderr]).toEqual([0, '']);
    const bodies = receiver.requests.map(
      ({ body }) => JSON.parse(body) as { commonAnnotations: { title: string } },
    );
    expect(bodies).toMatchObject([
      { status: 'firing', commonLabels: { service: 'gatewatch-test', severity: 'info' } },
      { status: 'resolved', commonLabels: { service: 'gatewatch-test', severity: 'info' } },
    ]);
    for (const { commonAnnotations } of bodies) expect(commonAnnotations.title).toMatch(/^TEST: /);
    const { origin } = new URL(url);
    const steady = stdout.replace(/[0-9a-f]{16}|\d{10}$|\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)|GMT/gm, '#');
    expect(steady.split('\n').slice(0, 10)).toEqual([
      'A test message to hook (webhook)',
      '',
      `> POST ${origin}/<secret>`,
      '> user-agent: gatewatch',
      '> content-type: application/json',
      '> webhook-id: #',
      '> webhook-timestamp: #',
      '>',
      '> {',
      '>   "version": "4",',
    ]);
    expect(stdout).toMatch(
      /^> \}\n\n< 200 OK\n< x-answered-by: a receiver\n(< .*\n)*<\n< \{\n< {3}"taken": \[\n< {5}true\n/m,
    );
    expect(stdout).toContain('\nIts end\n\n> POST ');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('Sent: hook has taken the test message and its end.');
    expect(stdout).not.toContain('a-secret');
    expect(stdout).not.toContain('\x1b');
  });

  it('opens an incident of PagerDuty and closes it again, unless it is told not to', async () => {
    const pager = await started(PagerDutyServer.start());
    const channel = { name: 'pager', type: 'pagerduty', routing_key: ROUTING_KEY, api_url: pager.url };
    const run = await notify([channel], ['--test', 'pager']);
    expect([run.code, pager.faults]).toEqual([0, []]);
    expect(pager.incidents.map(({ status, log }) => [status, log.map(({ action }) => action)])).toEqual([
      ['resolved', ['trigger', 'resolve']],
    ]);
    expect(shownOf(run.stdout, 'routing_key')).toEqual(['<secret>', '<secret>']);
    const open = await notify([channel], ['--test', 'pager', '--no-resolve']);
    expect([open.code, pager.incidents.map(({ status }) => status)]).toEqual([0, ['resolved', 'triggered']]);
    expect(open.stdout).toMatch(/\nSent: pager has taken the test message, which stays open there\.\n$/);
    expect(open.stdout).not.toContain('Its end');
  });

  it('is a message of a bot that is changed, and answered in its thread', async () => {
    const slack = await started(SlackApiServer.start('xoxb-a-token-of-a-bot'));
    const channel = {
      ...{ name: 'chat', type: 'slack', bot_token: 'xoxb-a-token-of-a-bot' },
      ...{ channel: slack.channel, api_url: slack.url },
    };
    const { code, stdout } = await notify([channel], ['--test', 'chat']);
    expect([code, slack.faults, slack.roots.length]).toEqual([0, [], 1]);
    expect(slack.roots[0]).toMatchObject({
      edits: 1,
      text: expect.stringMatching(/^TEST: Resolved: /) as string,
    });
    expect(slack.repliesTo(slack.roots[0]?.ts ?? '')).toHaveLength(1);
    expect(stdout.match(/^> authorization: <secret>$/gm)).toHaveLength(3);
    expect(stdout).not.toContain('a-token');
  });

  it('is two mails of one conversation, and shows no goodbye of the first within the second', async () => {
    const servers = new Authority('mail servers');
    const receiver = await started(SmtpReceiver.start({ certificate: servers.issue('mail') }));
    writeFileSync(join(directory, 'mail-ca.pem'), servers.cert);
    const channel = {
      ...{ name: 'mail', type: 'email', host: '127.0.0.1', port: receiver.port, ca_file: 'mail-ca.pem' },
      ...{
        username: 'gatewatch',
        password: 'wonderland',
        from: 'gatewatch@example.com',
        to: ['ops@example.com'],
      },
    };
    const { code, stdout } = await notify([channel], ['--test', 'mail']);
    expect([code, receiver.mails.length]).toEqual([0, 2]);
    expect(receiver.mails.map(({ isSecure, login }) => [isSecure, login])).toEqual([
      [true, 'gatewatch\0wonderland'],
      [true, 'gatewatch\0wonderland'],
    ]);
    expect(stdout).toMatch(/^> STARTTLS\n< 220 .*\n> \(in TLS from here on\)\n/m);
    expect(stdout).toMatch(/^> Subject: TEST: INFO: High p95/m);
    expect(stdout).toMatch(/^> In-Reply-To: </m);
    expect(stdout).toMatch(/\nIts end\n\n> \(connected\)\n/);
    // Of the mail as it is carried, the text, and not all of the HTML.
    expect(stdout).toMatch(/^> \.\.\. \d+ more lines$/m);
    expect(stdout).not.toContain('wonderland');
    expect(stdout).not.toContain(Buffer.from('\0gatewatch\0wonderland').toString('base64'));
  });

  it('is an issue of Sentry, which is resolved where Sentry has it already', async () => {
    const receiver = await started(WebhookReceiver.start());
    const api = await started(SentryApiServer.start());
    const dsn = receiver.url('/7').replace('//', '//0123456789abcdef0123456789abcdef@');
    const channel = {
      ...{ name: 'issues', type: 'sentry', auth_token: API_TOKEN },
      ...{ organization: 'acme', project: 'gateway', api_url: api.url },
    };
    const first = await notify([channel], ['--test', 'issues'], { sentry: { dsn } });
    expect([first.code, receiver.requests.length]).toEqual([0, 1]);
    expect(first.stdout).toMatch(
      / Its issue is still open: Sentry has no unresolved issue of it\. Resolve it there\.\n$/,
    );
    const alert = /"alert": "([0-9a-f]{16})"/.exec(first.stdout)?.[1] ?? '';
    api.issuesOfAlert.set(alert, ['42']);
    const second = await notify([channel], ['--test', 'issues'], { sentry: { dsn } });
    expect([second.code, api.resolved, api.faults]).toEqual([0, ['42'], []]);
    expect(second.stdout).toMatch(/^> PUT http:\/\/.*\/issues\/42\/$/m);
    const stays = await notify([{ name: 'issues', type: 'sentry' }], ['--test', 'issues'], {
      sentry: { dsn },
    });
    expect([stays.code, stays.stdout]).toEqual([0, expect.stringContaining('Its end is never told there')]);
    for (const { stdout } of [first, second, stays]) expect(stdout).not.toMatch(/0123456789abcdef|a-token/);
  });

  it.each<[name: string, answer: WebhookReceiver['otherwise'], sentence: string]>([
    ['refuses', { status: 404 }, 'answered 404. There is nothing at this address any more: check url.'],
    [
      'has trouble',
      { status: 503 },
      'answered 503. The trouble is on its side: try again later. A sidecar would try it again for 1 hour.',
    ],
    [
      'hangs',
      'hang',
      'no answer (timeout). It had 1 second: is there a firewall between? Else raise timeout. ' +
        'A sidecar would try it again for 1 hour.',
    ],
    [
      'speaks something else',
      'garbage',
      'no answer (not HTTP). What listens there does not speak HTTP: check url. ' +
        'A sidecar would try it again for 1 hour.',
    ],
  ])('of a receiver that %s is told of once, with what to do', async (_name, answer, sentence) => {
    const receiver = await started(WebhookReceiver.start());
    receiver.otherwise = answer;
    const timeout = answer === 'hang' ? '1s' : '30s';
    const { code, stdout } = await notify([hookOf(receiver.url('/'), { timeout })], ['--test', 'hook']);
    expect([code, receiver.requests.length]).toEqual([1, 1]);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`Not sent: ${sentence}`);
  });

  it('says where nothing listens, and what stays open where only the end was not taken', async () => {
    const nothing = await notify([hookOf(`http://127.0.0.1:${await findFreePorts(1)}/`)], ['--test', 'hook']);
    expect([nothing.code, nothing.stdout]).toEqual([
      1,
      expect.stringMatching(
        /\n< \(no answer: ECONNREFUSED\)\n\nNot sent: .* Nothing listens there: check url,/,
      ),
    ]);
    const receiver = await started(WebhookReceiver.start());
    receiver.answer({ status: 200 }, { status: 410 });
    const half = await notify([hookOf(receiver.url('/'))], ['--test', 'hook']);
    expect([half.code, half.stdout]).toEqual([
      1,
      expect.stringMatching(
        /\nThe test message was sent, but not its end: answered 410\. .* What it opened, close there\.\n$/,
      ),
    ]);
  });

  it('shows of a long answer the beginning', async () => {
    const receiver = await started(WebhookReceiver.start());
    receiver.otherwise = { status: 200, body: 'line\n'.repeat(700) };
    const { stdout } = await notify([hookOf(receiver.url('/'))], ['--test', 'hook', '--no-resolve']);
    expect(stdout.match(/^< line$/gm)?.length).toBeLessThan(50);
    expect(stdout).toMatch(/^< \.\.\. \d+ more lines$/m);
  });

  it('shows what a receiver answers without what would drive the terminal', async () => {
    const receiver = await started(WebhookReceiver.start());
    receiver.otherwise = { status: 200, body: 'a\x1b]0;owned\x07b\x9b31m\u202ec' };
    const { stdout } = await notify([hookOf(receiver.url('/'))], ['--test', 'hook', '--no-resolve']);
    expect(stdout).toContain('< a ]0;owned b 31m c\n');
  });
});

describe('no secret is shown', () => {
  /** Says again all that it is told, as programs that look for a fault do. */
  function echo(
    request: IncomingMessage,
    body: string,
    status: number,
    write: (text: string) => string,
  ): string {
    const told = [request.url ?? '', ...request.rawHeaders, body];
    const authorization = request.headers.authorization?.split(' ') ?? [];
    const decoded = Buffer.from(authorization[1] ?? '', 'base64').toString('latin1');
    return `${status}: ${write([...told, decodeURIComponent(request.url ?? ''), decoded].join('|'))}`;
  }

  const WRITINGS: Readonly<Record<string, (text: string) => string>> = {
    'as it is': (text) => text,
    'as JSON': (text) => JSON.stringify({ error: text }),
    'as JSON with slashes escaped': (text) => JSON.stringify(text).replaceAll('/', '\\/'),
    'in an address': (text) => encodeURIComponent(text),
    'in Base64': (text) => Buffer.from(text, 'latin1').toString('base64'),
    'in hexadecimal digits': (text) => Buffer.from(text, 'latin1').toString('hex'),
    'in capital letters': (text) => text.toUpperCase(),
    // Of an answer 4,096 bytes are read: up to the ninth character of what stands behind /services/ in the address.
    'cut off': (text) => `${`${'.'.repeat(508)}\n`.repeat(8)}${text}`,
  };

  let server: Server;
  let answer: (request: IncomingMessage, body: string, response: ServerResponse) => void;
  let origin: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => answer(request, Buffer.concat(chunks).toString(), response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const of = (characters: string) =>
    fc.string({ unit: fc.constantFrom(...Array.from(characters)), minLength: 12, maxLength: 40 });
  const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  const key = of(LETTERS);
  const phrase = of(`${LETTERS}-_.~!*'()&"<>\\/+=é`);

  async function expectHidden(
    channels: readonly object[],
    secrets: readonly string[],
    others?: object,
  ): Promise<void> {
    const file = configFile(channels, others);
    for (const [name] of channels.map((one) => [(one as { name: string }).name]))
      for (const action of [
        ['--test', name ?? ''],
        ['--preview', name ?? ''],
      ]) {
        const { said } = await call(['--config', file, ...action]);
        for (const secret of secrets) {
          const start = secret.slice(0, 9);
          const forms = [secret, start, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
          for (const form of forms)
            expect([action, said.toLowerCase().includes(form.toLowerCase())]).toEqual([action, false]);
          for (const coded of [
            Buffer.from(secret).toString('hex'),
            Buffer.from(secret).toString('base64').slice(0, 12),
          ])
            expect([action, said.includes(coded)]).toEqual([action, false]);
        }
        expect(said).toContain('<secret>');
      }
  }

  it.each(Object.entries(WRITINGS))('that a receiver of HTTP says again %s', async (_name, write) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          path: key,
          query: key,
          password: phrase,
          header: phrase,
          routing: of('abcdef0123456789'),
        }),
        fc.constantFrom(200, 202, 400, 401, 404, 500),
        async ({ path, query, password, header, routing }, status) => {
          answer = (request, body, response) => {
            const text = echo(request, body, status, write);
            const inHeader = text.replace(/[^\t -~\u00a0-\u00ff]/g, '').slice(0, 3_000);
            response.writeHead(status, { 'x-echo': inHeader, 'set-cookie': `session=${path}` }).end(text);
          };
          const user = `ada:${encodeURIComponent(password)}`;
          const url = `${origin.replace('//', `//${user}@`)}/services/${path}?token=${query}`;
          const signing = `whsec_${Buffer.from(password.padEnd(24, 'x').slice(0, 24), 'latin1').toString('base64')}`;
          const routingKey = routing.padEnd(32, '0').slice(0, 32);
          await expectHidden(
            [
              hookOf(url, { headers: { 'x-api-key': header }, signing_secrets: [signing] }),
              { name: 'chat', type: 'slack', webhook_url: url },
              {
                name: 'bot',
                type: 'slack',
                bot_token: `xoxb-${path}`,
                channel: 'C0123456789',
                api_url: origin,
              },
              { name: 'pager', type: 'pagerduty', routing_key: routingKey, api_url: origin },
              { name: 'issues', type: 'sentry' },
            ],
            [path, query, password, header, signing, routingKey],
            { sentry: { dsn: `${origin.replace('//', `//${routingKey}@`)}/7` } },
          );
        },
      ),
      { numRuns: 4 },
    );
  });

  it('that a mail server says again of a login', async () => {
    const servers = new Authority('mail servers');
    const receiver = await started(SmtpReceiver.start({ certificate: servers.issue('mail') }));
    writeFileSync(join(directory, 'echo-ca.pem'), servers.cert);
    await fc.assert(
      fc.asyncProperty(phrase, async (password) => {
        const whole = `\0gatewatch\0${password}`;
        const said = [
          password,
          Buffer.from(whole).toString('base64'),
          Buffer.from(password).toString('base64'),
        ];
        receiver.answer('AUTH', {
          say: said
            .map((text) => `535-5.7.8 no: ${text}`)
            .join('\n')
            .replace(/535-(?!.*\n)/, '535 '),
        });
        const channel = {
          ...{ name: 'mail', type: 'email', host: '127.0.0.1', port: receiver.port, ca_file: 'echo-ca.pem' },
          ...{ username: 'gatewatch', password, from: 'gatewatch@example.com', to: ['ops@example.com'] },
        };
        const { said: shown, end } = await call(['--config', configFile([channel]), '--test', 'mail']);
        expect(end).toBe(1);
        expect(shown).toMatch(/^< 535-5\.7\.8 no: <secret>$/m);
        for (const text of said) expect(shown).not.toContain(text);
        expect(shown).toMatch(/Not sent: login refused \(535 5\.7\.8\): check username and password\.\n$/);
      }),
      { numRuns: 12 },
    );
  });
});

describe('a preview of a channel', () => {
  it('shows what would be sent, in full, and nobody hears of it', async () => {
    const receiver = await started(WebhookReceiver.start());
    const channels = [
      hookOf(receiver.url('/a-secret-path'), { format: 'discord' }),
      { name: 'chat', type: 'slack', webhook_url: receiver.url('/a-secret-path') },
      { name: 'pager', type: 'pagerduty', routing_key: ROUTING_KEY, api_url: receiver.url('') },
      { name: 'cluster', type: 'alertmanager', urls: [receiver.url('')] },
    ];
    for (const [name, sample, words] of [
      ['hook', 'fired', 'CRITICAL: High p95 latency: 812 ms on service checkout'],
      ['chat', 'group', 'CRITICAL: 2 alerts fire, 1 resolved (service checkout)'],
      ['chat', 'digest', 'Digest: 1 alert fires, 1 resolved'],
      ['pager', 'resolved', 'Resolved: p95 latency 120 ms on service checkout'],
      ['cluster', 'fired', 'CRITICAL: High p95 latency: 812 ms on service checkout'],
    ] as const) {
      const { code, stdout } = await notify(channels, ['--preview', name, '--sample', sample]);
      expect([code, stdout.split('\n')[0]]).toEqual([
        0,
        expect.stringMatching(/^POST http:\/\/127\.0\.0\.1:\d+\/\S*$/),
      ]);
      expect(stdout).toContain(JSON.stringify(words).slice(1, -1));
      expect(stdout).not.toMatch(/a-secret|TEST/);
      const bodies = stdout.split('\n\n').filter((_part, index) => index % 2 === 1);
      for (const body of bodies) expect(() => JSON.parse(body) as unknown).not.toThrow();
    }
    expect(receiver.requests).toEqual([]);
  });

  it('is the text of a mail, and its HTML in a file', async () => {
    const channel = {
      ...{ name: 'mail', type: 'email', host: 'mail.invalid', from: 'Gatewatch <gatewatch@example.com>' },
      ...{ to: ['ops@example.com'] },
    };
    const html = join(directory, 'mail.html');
    const { code, stdout } = await notify([channel], ['--preview', 'mail', '--html', html]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^From: Gatewatch <gatewatch@example\.com>\nTo: ops@example\.com\nSubject: CRITICAL: High p95 .*\n[^]*\n\nCRITICAL: High p95 .*\n\nThe p95 /,
      ),
    ]);
    expect(readFileSync(html, 'utf8')).toMatch(/^<!doctype html>[^]*812 ms[^]*<\/html>\s*$/);
    const unwritable = await notify([channel], ['--preview', 'mail', '--html', directory]);
    expect([unwritable.code, unwritable.stderr]).toEqual([1, expect.stringContaining('EISDIR')]);
  });

  it('names the line of a template that is at fault', async () => {
    // Well for the samples on which a configuration tries it, but not for each message.
    const template =
      '{\n"a": {{ title | json }}{% if alerts.size == 3 %},\n"b": {{ alerts[0].titel | json }}{% endif %}\n}';
    writeFileSync(join(directory, 'words.liquid'), template);
    const channel = hookOf('https://hooks.example/', { template_file: 'words.liquid' });
    const run = await notify([channel], ['--preview', 'hook', '--sample', 'group']);
    expect([run.code, run.stdout, run.stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/^gatewatch: the template words\.liquid: line 3, column \d+: there is no .*\n$/),
    ]);
    expect((await notify([channel], ['--preview', 'hook'])).code).toBe(0);
  });
});

describe('gatewatch notify', () => {
  it('names the channels that there are, and the one that was meant', async () => {
    const channels = [
      hookOf('https://hooks.example/'),
      { name: 'oncall', type: 'slack', webhook_url: 'https://a.example/x' },
    ];
    const file = configFile(channels);
    expect(await gatewatch(['notify', '--config', file, '--test', 'on-call'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        `gatewatch: ${file} has no channel "on-call" (did you mean oncall?): it has hook, oncall\n` +
        '`gatewatch notify --help` tells more.\n',
    });
    const none = configFile([]);
    expect((await call(['--config', none, '--test', 'x'])).said).toBe(
      `${none} has no channel "x": it has none`,
    );
  });

  it('tells the faults of a configuration as a check does', async () => {
    const file = configFile([{ name: 'hook', type: 'webhook', url: 'hush' }]);
    const run = await gatewatch(['notify', '--config', file, '--test', 'hook']);
    expect([run.code, run.stdout, run.stderr]).toEqual([
      2,
      '',
      expect.stringMatching(/^\S+gatewatch-\d+\.yml:1:\d+: channels\[0\]\.url: expected .*\n$/),
    ]);
    expect(run.stderr).not.toContain('hush');
    const nowhere = await gatewatch(['notify', '--config', '/nowhere.yml', '--test', 'hook']);
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('ENOENT')]);
  });

  it('tells what is wrong with its command line', async () => {
    const file = configFile([hookOf('https://hooks.example/')]);
    const cases: [args: string[], message: string][] = [
      [[], 'expected --test or --preview, and the name of a channel'],
      [['--test', 'hook', '--preview', 'hook'], 'expected --test or --preview, found both'],
      [['--test', 'hook', 'chat'], 'expected one channel, found "chat" too'],
      [['--test', 'hook', '--sample', 'fired'], '--sample says nothing with --test'],
      [['--test', 'hook', '--html', 'x'], '--html says nothing with --test'],
      [['--preview', 'hook', '--no-resolve'], '--no-resolve says nothing with --preview'],
      [
        ['--preview', 'hook', '--sample', 'x'],
        '--sample: expected fired, resolved, group, digest, found "x"',
      ],
      [
        ['--preview', 'hook', '--html', 'x'],
        '--html says nothing of hook, which is no channel of the type email',
      ],
      [['--tets', 'hook'], "Unknown option '--tets'"],
    ];
    for (const [args, message] of cases) {
      const { said, end } = await call(['--config', file, ...args]);
      expect([args, said, end]).toEqual([args, message, expect.any(UsageFault)]);
    }
  });
});
