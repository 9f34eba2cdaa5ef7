// gatewatch alerts: what fires, one alert in full, or what happened.
import { readFileSync } from 'node:fs';
import { parseDuration } from '../config/duration';
import { alertDetailShape, alertListShape, eventListShape } from '../http/api/answer-shapes';
import {
  CONNECTION_FLAGS,
  CONNECTION_HELP,
  EXIT,
  UsageFault,
  readFlags,
  type Command,
  type Surroundings,
} from './command';
import { readConnection } from './connection';
import { renderAlert, renderAlerts, renderEvents, type Looks } from './render-alerts';
import { SidecarClient, inFlags } from './sidecar-client';

export const ALERTS_USAGE = `Usage: gatewatch alerts [flags]            the alerts that fire, are pending or were resolved lately
       gatewatch alerts ID [flags]         one of them in full
       gatewatch alerts --history [ID]     what happened, the newest first

  --state STATE       firing, acknowledged, active (both), pending, resolved, unknown, inactive; several
                      with commas
  --severity SEVERITY info, warning, error, critical; several with commas
  --service SERVICE   of this service; may be given again
  --rule RULE         of this rule; several with commas
  --limit N           at most so many
  --history           what happened to alerts and silences, in place of what is now
  --since, --until    with --history: a moment such as 2026-03-01T10:00:00Z, or how long ago: 2h
${CONNECTION_HELP}`;

const FLAGS = {
  ...CONNECTION_FLAGS,
  state: { type: 'string', multiple: true },
  severity: { type: 'string', multiple: true },
  service: { type: 'string', multiple: true },
  rule: { type: 'string', multiple: true },
  limit: { type: 'string' },
  history: { type: 'boolean', default: false },
  since: { type: 'string' },
  until: { type: 'string' },
} as const;

type Values = ReturnType<typeof readFlags<typeof FLAGS>>['values'];

/** Where nobody says: what is, or was just now, a matter for somebody. */
const USUAL_STATES = ['active', 'pending', 'resolved'];

const FLAG_OF = {
  state: '--state',
  severity: '--severity',
  service: '--service',
  rule: '--rule',
  limit: '--limit',
  since: '--since',
  until: '--until',
  alert: 'the id',
};

export const alertsCommand: Command = async (args, surroundings) => {
  const { values, positionals } = readFlags(args, FLAGS);
  if (values.help) {
    surroundings.out(ALERTS_USAGE);
    return EXIT.ok;
  }
  const [id, ...more] = positionals;
  if (more.length > 0) throw new UsageFault(`expected one id at most, found ${positionals.length}`);
  refuseForeignFlags(values, id);
  const client = new SidecarClient(readConnection(values, surroundings.env, readText));
  try {
    const { raw, lines } = await answerOf(client, id, values, surroundings);
    surroundings.out(values.json ? `${JSON.stringify(raw, undefined, 2)}\n` : `${lines.join('\n')}\n`);
    return EXIT.ok;
  } catch (error) {
    throw inFlags(error, FLAG_OF);
  } finally {
    await client.close();
  }
};

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

/** A flag that would change nothing was meant to change something. */
function refuseForeignFlags(values: Values, id: string | undefined): void {
  const ofLists = ['state', 'severity', 'service'] as const;
  const ofHistory = ['since', 'until'] as const;
  const foreign: readonly (keyof Values)[] = values.history
    ? ofLists
    : id === undefined
      ? ofHistory
      : [...ofLists, ...ofHistory, 'rule', 'limit'];
  const given = foreign.find((name) => values[name] !== undefined);
  if (given === undefined) return;
  const where = values.history ? 'with --history' : id === undefined ? 'without --history' : 'of one alert';
  throw new UsageFault(`--${given} says nothing ${where}`);
}

interface Shown {
  readonly raw: unknown;
  readonly lines: readonly string[];
}

async function answerOf(
  client: SidecarClient,
  id: string | undefined,
  values: Values,
  { columns, hasColors, nowMs }: Surroundings,
): Promise<Shown> {
  const looks: Looks = { columns, hasColors, nowMs: nowMs() };
  if (values.history) return history(client, id, values, looks);
  if (id !== undefined) {
    const path = `/api/v1/alerts/${encodeURIComponent(id)}`;
    const { document, raw } = await client.ask(alertDetailShape, { path });
    return { raw, lines: renderAlert(document, looks) };
  }
  const { severity, service, rule, limit } = values;
  const state = values.state ?? USUAL_STATES;
  const query = { state, severity, service, rule, limit };
  const { document, raw } = await client.ask(alertListShape, { path: '/api/v1/alerts', query });
  if (document.alerts.length === 0) {
    const isFiltered = [values.state, severity, service, rule].some((flag) => flag !== undefined);
    return {
      raw,
      lines: [isFiltered ? 'No such alert.' : 'Nothing fires, is pending or was resolved lately.'],
    };
  }
  const rest = document.total - document.alerts.length;
  const lines = renderAlerts(document.alerts, looks);
  return {
    raw,
    lines: rest > 0 ? [...lines, `and ${rest.toLocaleString('en-US')} more; see --limit`] : lines,
  };
}

async function history(
  client: SidecarClient,
  id: string | undefined,
  { rule, since, until, limit }: Values,
  looks: Looks,
): Promise<Shown> {
  if (rule !== undefined && rule.length > 1) throw new UsageFault('--rule: expected one with --history');
  const query = {
    alert: id,
    rule,
    since: momentOf(since, looks.nowMs),
    until: momentOf(until, looks.nowMs),
    limit,
  };
  const { document, raw } = await client.ask(eventListShape, { path: '/api/v1/alerts/history', query });
  const lines = document.events.length === 0 ? ['Nothing happened.'] : renderEvents(document.events, looks);
  return { raw, lines: document.next === null ? lines : [...lines, 'and more; see --limit and --until'] };
}

/** `2h`: that long ago. Whatever else is for the sidecar to read. */
function momentOf(given: string | undefined, nowMs: number): string | undefined {
  const agoMs = given === undefined ? undefined : parseDuration(given);
  return agoMs === undefined ? given : new Date(nowMs - agoMs).toISOString();
}
