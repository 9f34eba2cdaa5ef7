// `gatewatch dead-letters`: the built program against a built sidecar, and, where many letters are wanted, against a server that answers
// as the sidecar does.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { SENT_AT_HEADER, encodeBatch } from '../../../kong-plugin/contract/batch';
import { UsageFault } from '../../../sidecar/cli/command';
import {
  deadLettersCommand,
  renderDeadLetter,
  renderDeadLetters,
} from '../../../sidecar/cli/dead-letters-command';
import type { DeadLetterDocument } from '../../../sidecar/http/api/answer-shapes';
import { batchOf } from '../../support/batches';
import { commandSurroundings } from '../../support/command-surroundings';
import { eventually } from '../../support/eventually';
import { gatewatch, type ProgramRun } from '../../support/gatewatch-program';
import { SidecarProcess } from '../../support/sidecar-process';
import { EAGER_RULES, troubledTraffic } from '../../support/troubled-traffic';
import { WebhookReceiver } from '../../support/webhook-receiver';

jest.setTimeout(60_000);

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');

const LETTER: DeadLetterDocument = {
  id: '00000000000000aa',
  channel: 'oncall',
  kind: 'group',
  how: 'refused',
  reason: 'answered 404',
  failures: 0,
  failed_at: '2026-03-01T11:48:00.000Z',
  told_since: null,
  obsolete: false,
  title: 'CRITICAL: High error rate: 12.3% on service checkout',
  alerts: [{ id: '0123456789abcdef', rule: 'error_rate', occasion: 'fired' }],
  text: 'The error rate of service checkout is 12.3%.\nRule error_rate, severity critical.',
};

const OLD: DeadLetterDocument = {
  ...LETTER,
  id: '00000000000000bb',
  how: 'expired',
  reason: 'no answer (timeout)',
  failures: 7,
  failed_at: '2026-03-01T09:00:00.000Z',
  told_since: '2026-03-01T10:00:00.000Z',
};

const OBSOLETE: DeadLetterDocument = { ...LETTER, id: '00000000000000dd', obsolete: true };

const CHANGE: DeadLetterDocument = {
  ...LETTER,
  id: '00000000000000cc',
  channel: 'pager',
  kind: 'change',
  title: 'The configuration of Kong at kong-1:8101 has changed',
  alerts: [],
  text: 'Its hash has changed.',
};

async function call(
  args: readonly string[],
  url: string,
): Promise<{ readonly said: string; readonly end: unknown }> {
  let said = '';
  const surroundings = commandSurroundings((text) => void (said += text), {
    env: { GATEWATCH_URL: url, USER: 'alice' },
    nowMs: () => NOW_MS,
  });
  const end: unknown = await deadLettersCommand(args, surroundings).catch((error: unknown) => error);
  return { said: end instanceof Error ? `${said}${end.message}` : said, end };
}

describe('gatewatch dead-letters, of a sidecar', () => {
  let sidecar: SidecarProcess;
  let receiver: WebhookReceiver;
  let run: (...args: string[]) => Promise<ProgramRun>;

  async function letters(): Promise<DeadLetterDocument[]> {
    const { said } = await call(['--json'], sidecar.url);
    return (JSON.parse(said) as { dead_letters: DeadLetterDocument[] }).dead_letters;
  }

  async function onlyId(): Promise<string> {
    const [letter] = await letters();
    if (!letter) throw new Error('there is no dead letter');
    return letter.id;
  }

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
    receiver.otherwise = { status: 404 };
    const channel = `{ name: hook, type: webhook, url: "${receiver.url('/a-secret-path')}", allow_private_addresses: true }`;
    sidecar = await SidecarProcess.start(`${EAGER_RULES}\nchannels: [${channel}]`);
    run = (...args) => gatewatch(['dead-letters', ...args], { GATEWATCH_URL: sidecar.url, USER: 'alice' });
    expect(await run()).toEqual({ code: 0, stdout: 'No dead letters.\n', stderr: '' });
    const batch = encodeBatch(batchOf(troubledTraffic()));
    const headers = { [SENT_AT_HEADER]: '1700000001000' };
    await fetch(`${sidecar.url}/v1/batches`, { method: 'POST', body: batch, headers });
    await eventually(async () => expect(await letters()).toHaveLength(1));
  });

  afterAll(async () => {
    await sidecar.remove();
    await receiver.close();
  });

  it('shows them as a table, and one in full', async () => {
    const id = await onlyId();
    const listed = await run();
    expect([listed.code, listed.stderr]).toEqual([0, '']);
    expect(listed.stdout.replace(/ \d+s /, ' 1s ').split('\n')).toEqual([
      expect.stringMatching(/^ID +AGE +CHANNEL +MESSAGE$/) as string,
      expect.stringMatching(
        new RegExp(`^${id} +1s +hook +CRITICAL: 2 alerts fire \\(refused: answered 404\\)$`),
      ) as string,
      '',
    ]);
    const shown = await run(id);
    expect([shown.code, shown.stdout]).toEqual([
      0,
      expect.stringMatching(
        /^CRITICAL: 2 alerts fire\n {2}id +[0-9a-f]{16}\n[^]*\n {2}why +refused: answered 404\n[^]*\n\nCRITICAL: High error rate: 50% on service checkout\n/,
      ) as string,
    ]);
    expect(JSON.parse((await run(id, '--json')).stdout)).toMatchObject({ id, channel: 'hook' });
    expect(await run('0123456789abcdef')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'gatewatch: there is no dead letter "0123456789abcdef"\n',
    });
  });

  it('sends one again, which is one again where it is refused again', async () => {
    const id = await onlyId();
    const tries = receiver.requests.length;
    const sent = await run('--send', id);
    expect([sent.code, sent.stdout, sent.stderr]).toEqual([
      0,
      `${id} is on its way to hook again: CRITICAL: 2 alerts fire\n`,
      '',
    ]);
    await receiver.received(tries + 1);
    await eventually(async () => expect(await letters()).toMatchObject([{ id }]));
  });

  it('discards one, whoever does it is in the history, and tells of each id', async () => {
    const id = await onlyId();
    const discarded = await run('--discard', '0123456789abcdef', '--discard', id);
    expect(discarded).toEqual({
      code: 1,
      stdout: `${id} is discarded: CRITICAL: 2 alerts fire\n`,
      stderr: 'gatewatch: there is no dead letter "0123456789abcdef"\n',
    });
    expect((await run()).stdout).toBe('No dead letters.\n');
    expect((await run('--send', 'all')).stdout).toBe('No dead letters.\n');
    const history = await gatewatch(['alerts', '--history'], { GATEWATCH_URL: sidecar.url });
    expect(history.stdout).toMatch(
      new RegExp(
        `notification discarded +error_rate service="checkout" to hook \\(fired\\) by alice@${hostname()}\n`,
      ),
    );
    expect((await run('--discard', id, '--by', ' ')).stderr).toContain('--by: expected who it is');
  });
});

describe('gatewatch dead-letters, of many', () => {
  let server: Server;
  let url: string;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { method = '', url: path = '' } = request;
      asked.push(`${method} ${path}`);
      const id = /dead-letters\/(\w+)/.exec(path)?.[1];
      const one = [LETTER, OLD, CHANGE].find((letter) => letter.id === id);
      const status = id === CHANGE.id ? 409 : 200;
      const answer =
        id === undefined
          ? { total: 4, dead_letters: [LETTER, CHANGE, OLD, OBSOLETE] }
          : status === 200
            ? { dead_letter: one }
            : { error: 'the channel "pager" is not configured any more' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  beforeEach(() => void asked.splice(0));

  it('sends all again but old news, the oldest first, and goes on after one that cannot be sent', async () => {
    const { said, end } = await call(['--send', 'all'], url);
    expect([end, said.split('\n')]).toEqual([
      1,
      [
        '2 left: old news, no longer true or told later',
        'gatewatch: the channel "pager" is not configured any more',
        `${LETTER.id} is on its way to oncall again: ${LETTER.title}`,
        '',
      ],
    ]);
    expect(asked).toEqual([
      'GET /api/v1/dead-letters',
      `POST /api/v1/dead-letters/${CHANGE.id}/send`,
      `POST /api/v1/dead-letters/${LETTER.id}/send`,
    ]);
  });

  it('sends old news too where its id is given, once however often that is', async () => {
    const { said, end } = await call(['--send', OLD.id, '--send', OLD.id, '--json'], url);
    expect([end, JSON.parse(said)]).toEqual([0, [{ dead_letter: OLD }]]);
    expect(asked).toEqual([`POST /api/v1/dead-letters/${OLD.id}/send`]);
  });

  it('tells what is wrong with its command line without asking', async () => {
    const cases: [args: string[], message: string][] = [
      [['--send', 'a', '--discard', 'b'], 'expected --send or --discard, found both'],
      [['--send', 'a', 'b'], 'expected every id behind a --send of its own, found "b"'],
      [['--discard', 'a', 'b'], 'expected every id behind a --discard of its own, found "b"'],
      [['a', 'b'], 'expected one id at most, found 2'],
      [['--by', 'x'], '--by says nothing without --discard'],
      [['--send', 'a', '--by', 'x'], '--by says nothing without --discard'],
      [['--discard', 'all'], '--discard: expected the id of a dead letter, found all'],
      [['--send', 'all', '--send', 'a'], '--send: expected all or ids, found both'],
    ];
    for (const [args, message] of cases) {
      const { said, end } = await call(args, url);
      expect([args, said, end]).toEqual([args, message, expect.any(UsageFault)]);
    }
    expect(asked).toEqual([]);
  });
});

describe('dead letters in a terminal', () => {
  const PLAIN = { columns: undefined, hasColors: false };

  it('are one line each', () => {
    expect(renderDeadLetters([LETTER, OLD, CHANGE, OBSOLETE], PLAIN, NOW_MS)).toEqual([
      'ID                AGE  CHANNEL  MESSAGE',
      '00000000000000aa  12m  oncall   CRITICAL: High error rate: 12.3% on service checkout (refused: answered 404)',
      '00000000000000bb  3h   oncall   CRITICAL: High error rate: 12.3% on service checkout ' +
        '(expired: no answer (timeout); old news: told of the same alerts later)',
      '00000000000000cc  12m  pager    The configuration of Kong at kong-1:8101 has changed (refused: answered 404)',
      '00000000000000dd  12m  oncall   CRITICAL: High error rate: 12.3% on service checkout ' +
        '(refused: answered 404; old news: no longer true)',
    ]);
    const narrow = renderDeadLetters([LETTER, OLD], { ...PLAIN, columns: 80 }, NOW_MS);
    expect(Math.max(...narrow.map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it('are told in full one by one', () => {
    expect(renderDeadLetter(OLD, PLAIN)).toEqual([
      'CRITICAL: High error rate: 12.3% on service checkout',
      '  id          00000000000000bb',
      '  channel     oncall',
      '  failed      2026-03-01 09:00:00 UTC',
      '  why         expired: no answer (timeout) (7 failed tries)',
      '  told since  2026-03-01 10:00:00 UTC, of the same alerts',
      '  alert       0123456789abcdef error_rate, fired',
      '',
      'The error rate of service checkout is 12.3%.',
      'Rule error_rate, severity critical.',
    ]);
  });

  it('say in full that what they tell is over', () => {
    expect(renderDeadLetter(OBSOLETE, PLAIN)).toContain('  obsolete  nothing of it holds any more');
  });

  it('cannot drive it', () => {
    const hostile = { ...LETTER, title: 'a\x1b]0;owned\x07', text: 'a\x9b31m\r\nb', channel: '\x1b[2J' };
    for (const lines of [renderDeadLetters([hostile], PLAIN, NOW_MS), renderDeadLetter(hostile, PLAIN)])
      expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
