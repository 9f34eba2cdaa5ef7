// gatewatch dead-letters: messages that no channel took. Seen, sent again, discarded.
import { readFileSync } from 'node:fs';
import { deadLetterListShape, oneDeadLetterShape, type DeadLetterDocument } from '../http/api/answer-shapes';
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  CommandFault,
  EXIT,
  UsageFault,
  defaultBy,
  readFlags,
  type Command,
  type Surroundings,
} from './command';
import { readConnection } from './connection';
import { describeAge, describeMoment } from './describe-age';
import { RefusedBySidecar, SidecarClient, inFlags } from './sidecar-client';
import { paint, plainLine, renderRows, type Cell, type TableOptions } from './terminal-text';

export const DEAD_LETTERS_USAGE = `Usage: gatewatch dead-letters [flags]                 messages that no channel took
       gatewatch dead-letters ID [flags]              one of them in full
       gatewatch dead-letters --send ID|all [flags]   sent again, to the same channel
       gatewatch dead-letters --discard ID [flags]    thrown away

They are kept for seven days, the newest 500 of them.

  --send ID           may be given again; all: each but old news (no longer true, or told its channel later);
                      the oldest first
  --discard ID        may be given again
  --by NAME           who discards it (this user at this host)
${CONNECTION_HELP}`;

const FLAGS = {
  ...CONNECTION_FLAGS,
  send: { type: 'string', multiple: true },
  discard: { type: 'string', multiple: true },
  by: { type: 'string' },
} as const;

type Values = ReturnType<typeof readFlags<typeof FLAGS>>['values'];

const PATH = '/api/v1/dead-letters';

export const deadLettersCommand: Command = async (args, surroundings) => {
  const { values, positionals } = readFlags(args, FLAGS);
  if (values.help) {
    surroundings.out(DEAD_LETTERS_USAGE);
    return EXIT.ok;
  }
  checkWords(positionals, values);
  const connection = readConnection(values, surroundings.env, (path) => readFileSync(path, 'utf8'));
  const client = new SidecarClient(connection);
  try {
    if (values.send) return await send(client, values.send, values, surroundings);
    if (values.discard) return await discard(client, values.discard, values, surroundings);
    const [id] = positionals;
    return await (id === undefined
      ? list(client, values, surroundings)
      : show(client, id, values, surroundings));
  } catch (error) {
    throw inFlags(error, { by: '--by' });
  } finally {
    await client.close();
  }
};

/** What does not go together is told without asking the sidecar. */
function checkWords(words: readonly string[], { send: toSend, discard: toDiscard, by }: Values): void {
  if (toSend && toDiscard) throw new UsageFault('expected --send or --discard, found both');
  const action = toSend ? '--send' : toDiscard ? '--discard' : undefined;
  if (action !== undefined && words.length > 0)
    throw new UsageFault(
      `expected every id behind a ${action} of its own, found ${JSON.stringify(words[0])}`,
    );
  if (words.length > 1) throw new UsageFault(`expected one id at most, found ${words.length}`);
  if (by !== undefined && !toDiscard) throw new UsageFault('--by says nothing without --discard');
  if (toDiscard?.includes('all'))
    throw new UsageFault('--discard: expected the id of a dead letter, found all');
  if (toSend?.includes('all') && toSend.length > 1)
    throw new UsageFault('--send: expected all or ids, found both');
}

async function list(client: SidecarClient, { json }: Values, surroundings: Surroundings): Promise<number> {
  const { out, nowMs } = surroundings;
  const { document, raw } = await client.ask(deadLetterListShape, { path: PATH });
  if (json) out(jsonOf(raw));
  else if (document.dead_letters.length === 0) out('No dead letters.\n');
  else out(`${renderDeadLetters(document.dead_letters, surroundings, nowMs()).join('\n')}\n`);
  return EXIT.ok;
}

async function show(
  client: SidecarClient,
  id: string,
  { json }: Values,
  surroundings: Surroundings,
): Promise<number> {
  const { document } = await client.ask(deadLetterListShape, { path: PATH });
  const letter = document.dead_letters.find((one) => one.id === id);
  if (!letter) throw new CommandFault(`there is no dead letter ${JSON.stringify(id)}`);
  surroundings.out(json ? jsonOf(letter) : `${renderDeadLetter(letter, surroundings).join('\n')}\n`);
  return EXIT.ok;
}

async function send(
  client: SidecarClient,
  given: readonly string[],
  { json }: Values,
  surroundings: Surroundings,
): Promise<number> {
  const { out } = surroundings;
  let ids = [...new Set(given)];
  if (given.includes('all')) {
    const { document } = await client.ask(deadLetterListShape, { path: PATH });
    // The oldest first, as they would have been told.
    const all = [...document.dead_letters].reverse();
    const news = all.filter((letter) => noteOf(letter) === undefined);
    ids = news.map(({ id }) => id);
    const old = all.length - news.length;
    if (!json && all.length === 0) out('No dead letters.\n');
    if (!json && old > 0) out(`${old} left: old news, no longer true or told later\n`);
  }
  return each(ids, surroundings, json, async (id) => {
    const path = `${PATH}/${encodeURIComponent(id)}/send`;
    const { document, raw } = await client.ask(oneDeadLetterShape, { method: 'POST', path });
    const { channel, title } = document.dead_letter;
    return { raw, sentence: `${id} is on its way to ${channel} again: ${title}` };
  });
}

function discard(
  client: SidecarClient,
  given: readonly string[],
  { json, by }: Values,
  surroundings: Surroundings,
): Promise<number> {
  const query = { by: by ?? defaultBy(surroundings.env) };
  return each([...new Set(given)], surroundings, json, async (id) => {
    const path = `${PATH}/${encodeURIComponent(id)}`;
    const { document, raw } = await client.ask(oneDeadLetterShape, { method: 'DELETE', path, query });
    return { raw, sentence: `${id} is discarded: ${document.dead_letter.title}` };
  });
}

/** All ids are told, whatever becomes of those before. */
async function each(
  ids: readonly string[],
  { out, err }: Surroundings,
  json: boolean,
  act: (id: string) => Promise<{ readonly raw: unknown; readonly sentence: string }>,
): Promise<number> {
  const answers: unknown[] = [];
  let failed = false;
  for (const id of ids) {
    try {
      const { raw, sentence } = await act(id);
      answers.push(raw);
      if (!json) out(`${plainLine(sentence)}\n`);
    } catch (error) {
      // What is wrong with one id says nothing of the next; anything else does.
      if (!(error instanceof RefusedBySidecar) || ![404, 409].includes(error.status)) throw error;
      err(`gatewatch: ${plainLine(error.message)}\n`);
      failed = true;
    }
  }
  if (json) out(jsonOf(answers));
  return failed ? EXIT.failed : EXIT.ok;
}

export function renderDeadLetters(
  letters: readonly DeadLetterDocument[],
  looks: TableOptions,
  nowMs: number,
): string[] {
  const heading = ['ID', 'AGE', 'CHANNEL', 'MESSAGE'].map((text): Cell => ({ text, paint: 'dim' }));
  const rows = letters.map((letter): Cell[] => [
    { text: letter.id },
    { text: describeAge(letter.failed_at, nowMs) },
    { text: letter.channel },
    {
      text: `${letter.title} (${[`${letter.how}: ${letter.reason}`, noteOf(letter)].filter((part) => part !== undefined).join('; ')})`,
      ...(noteOf(letter) === undefined ? {} : { paint: 'dim' as const }),
    },
  ]);
  return renderRows([heading, ...rows], looks);
}

/** One of them in full. */
export function renderDeadLetter(letter: DeadLetterDocument, looks: TableOptions): string[] {
  const { id, channel, how, reason, failures, failed_at: failedAt, told_since: toldSince, obsolete } = letter;
  const facts: [string, string][] = [
    ['id', id],
    ['channel', channel],
    ['failed', `${describeMoment(failedAt)} UTC`],
    ['why', `${how}: ${reason}${failures === 0 ? '' : ` (${failures} failed tries)`}`],
    ...(toldSince === null
      ? []
      : [['told since', `${describeMoment(toldSince)} UTC, of the same alerts`] as [string, string]]),
    ...(obsolete ? [['obsolete', 'nothing of it holds any more'] as [string, string]] : []),
    ...letter.alerts.map(({ id: alert, rule, occasion }): [string, string] => [
      'alert',
      `${alert} ${rule}, ${occasion}`,
    ]),
  ];
  const columns = looks.columns === undefined ? undefined : looks.columns - 2;
  const rows = facts.map(([name, text]): Cell[] => [{ text: name, paint: 'dim' }, { text }]);
  return [
    paint(plainLine(letter.title), 'bold', looks.hasColors),
    ...renderRows(rows, { ...looks, columns }).map((line) => `  ${line}`),
    '',
    ...letter.text.split('\n').map(plainLine),
  ];
}

/** Why it is old news; `undefined` where it is not. */
function noteOf({ told_since: toldSince, obsolete }: DeadLetterDocument): string | undefined {
  if (obsolete) return 'old news: no longer true';
  return toldSince === null ? undefined : 'old news: told of the same alerts later';
}

function jsonOf(raw: unknown): string {
  return `${JSON.stringify(raw, undefined, 2)}\n`;
}
