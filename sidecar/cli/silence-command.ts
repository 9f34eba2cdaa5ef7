// gatewatch silence: alerts that match are not told of for a while. Made, listed, ended early.
import { readFileSync } from 'node:fs';
import { oneSilenceShape, silenceListShape, type SilenceDocument } from '../http/api/answer-shapes';
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  EXIT,
  UsageFault,
  defaultBy,
  readFlags,
  type Command,
  type Surroundings,
} from './command';
import { readConnection } from './connection';
import { describeMoment } from './describe-age';
import { RefusedBySidecar, SidecarClient, inFlags } from './sidecar-client';
import { plainLine, renderRows, type Cell, type TableOptions } from './terminal-text';

export const SILENCE_USAGE = `Usage: gatewatch silence create MATCHER... --for 2h --comment TEXT [flags]
       gatewatch silence list [--all] [flags]
       gatewatch silence expire ID... [flags]

A matcher is such as service=checkout, severity=~'info|warning', or beside another one rule!=apdex, which alone
would hold for nearly everything. Labels are rule, kind, level, severity, service, operation, error_type, instance,
upstream and target. All must match.

  --for DURATION      how long: 30m, 2h, 1d, at most a year
  --comment TEXT      why
  --start MOMENT      from when on, such as 2026-03-01T22:00:00Z (now)
  --by NAME           who it is (this user at this host)
  --all               list: those that have ended in the last five days too
${CONNECTION_HELP}`;

const FLAGS = {
  ...CONNECTION_FLAGS,
  for: { type: 'string' },
  comment: { type: 'string' },
  start: { type: 'string' },
  by: { type: 'string' },
  all: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof readFlags<typeof FLAGS>>['values'];

const FLAG_OF = {
  matchers: 'the matcher',
  duration: '--for',
  ends_at: '--for',
  starts_at: '--start',
  created_by: '--by',
  comment: '--comment',
  by: '--by',
};

/** The flags that each takes besides those of the connection. */
const ACTIONS: Readonly<Record<string, { readonly flags: readonly (keyof Values)[]; readonly run: Action }>> =
  {
    create: { flags: ['for', 'comment', 'start', 'by'], run: create },
    list: { flags: ['all'], run: list },
    expire: { flags: ['by'], run: expire },
  };

type Action = (
  client: SidecarClient,
  words: readonly string[],
  values: Values,
  surroundings: Surroundings,
) => Promise<number>;

export const silenceCommand: Command = async (args, surroundings) => {
  const { values, positionals } = readFlags(args, FLAGS);
  if (values.help) {
    surroundings.out(SILENCE_USAGE);
    return EXIT.ok;
  }
  const [name = '', ...words] = positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action) throw new UsageFault(`expected create, list or expire, found ${JSON.stringify(name)}`);
  const ownFlags = ['for', 'comment', 'start', 'by', 'all'] as const;
  const foreign = ownFlags.find((flag) => values[flag] !== undefined && !action.flags.includes(flag));
  if (foreign !== undefined) throw new UsageFault(`--${foreign} says nothing with ${name}`);
  checkWords(name, words, values);
  const connection = readConnection(values, surroundings.env, (path) => readFileSync(path, 'utf8'));
  const client = new SidecarClient(connection);
  try {
    return await action.run(client, words, values, surroundings);
  } catch (error) {
    throw inFlags(error, FLAG_OF);
  } finally {
    await client.close();
  }
};

/** What is missing is told without asking the sidecar. */
function checkWords(name: string, words: readonly string[], { for: duration, comment }: Values): void {
  if (name === 'list' && words.length > 0) throw new UsageFault('list takes no further words');
  if (name === 'expire' && words.length === 0) throw new UsageFault('expected the id of a silence');
  if (name !== 'create') return;
  if (words.length === 0) throw new UsageFault('expected a matcher such as service=checkout');
  if (duration === undefined) throw new UsageFault('expected --for and how long, such as --for 2h');
  if (comment === undefined) throw new UsageFault('expected --comment and why');
}

async function create(...[client, matchers, values, { env, out }]: Parameters<Action>): Promise<number> {
  const { for: duration, comment, start, by = defaultBy(env), json } = values;
  const { document, raw } = await client.ask(oneSilenceShape, {
    method: 'POST',
    path: '/api/v1/silences',
    body: {
      matchers,
      duration,
      created_by: by,
      comment,
      ...(start === undefined ? {} : { starts_at: start }),
    },
  });
  const { silence } = document;
  out(
    json
      ? jsonOf(raw)
      : `silence ${silence.id}: ${plainLine(silence.matchers.join(' '))}, until ${describeMoment(silence.ends_at)} UTC\n`,
  );
  return EXIT.ok;
}

async function list(...[client, , values, surroundings]: Parameters<Action>): Promise<number> {
  const { out } = surroundings;
  const state = values.all ? ['active', 'pending', 'expired'] : ['active', 'pending'];
  const { document, raw } = await client.ask(silenceListShape, {
    path: '/api/v1/silences',
    query: { state },
  });
  if (values.json) out(jsonOf(raw));
  else if (document.silences.length === 0) out('No silences.\n');
  else out(`${renderSilences(document.silences, surroundings).join('\n')}\n`);
  return EXIT.ok;
}

async function expire(...[client, ids, values, { env, out, err }]: Parameters<Action>): Promise<number> {
  const { by = defaultBy(env), json } = values;
  const answers: unknown[] = [];
  let failed = false;
  for (const id of new Set(ids)) {
    try {
      const path = `/api/v1/silences/${encodeURIComponent(id)}`;
      const { document, raw } = await client.ask(oneSilenceShape, { method: 'DELETE', path, query: { by } });
      answers.push(raw);
      if (!json) out(`silence ${id} ended at ${describeMoment(document.silence.ends_at)} UTC\n`);
    } catch (error) {
      if (!(error instanceof RefusedBySidecar) || error.status !== 404) throw error;
      err(`gatewatch: ${plainLine(error.message)}\n`);
      failed = true;
    }
  }
  if (json) out(jsonOf(answers));
  return failed ? EXIT.failed : EXIT.ok;
}

function renderSilences(silences: readonly SilenceDocument[], looks: TableOptions): string[] {
  const heading = ['ID', 'STATE', 'UNTIL (UTC)', 'ALERTS'].map((text): Cell => ({ text, paint: 'dim' }));
  const rows = silences.map((silence): Cell[] => [
    { text: silence.id },
    { text: silence.state, ...(silence.state === 'active' ? {} : { paint: 'dim' }) },
    { text: describeMoment(silence.ends_at) },
    { text: `${silence.matchers.join(' ')} (by ${silence.created_by}: ${silence.comment})` },
  ]);
  return renderRows([heading, ...rows], looks);
}

function jsonOf(raw: unknown): string {
  return `${JSON.stringify(raw, undefined, 2)}\n`;
}
