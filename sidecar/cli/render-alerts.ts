// Alerts and what happened to them as a person reads them in a terminal.
import type { AlertDetail, AlertDocument, EventDocument } from '../http/api/answer-shapes';
import { describeAge, describeMoment } from './describe-age';
import { paint, plainLine, renderRows, type Cell, type Paint, type TableOptions } from './terminal-text';

export interface Looks extends TableOptions {
  readonly nowMs: number;
}

export function renderAlerts(alerts: readonly AlertDocument[], looks: Looks): string[] {
  const heading = ['ID', 'STATE', 'SEVERITY', 'FOR', 'ALERT'].map((text): Cell => ({ text, paint: 'dim' }));
  return renderRows([heading, ...alerts.map((alert) => rowOf(alert, looks.nowMs))], looks);
}

function rowOf(alert: AlertDocument, nowMs: number): Cell[] {
  const notes = notesOf(alert);
  return [
    { text: alert.id },
    stateCell(alert.state),
    severityCell(alert),
    { text: describeAge(alert.since, nowMs) },
    { text: `${alert.title}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}` },
  ];
}

const STATES: Readonly<Record<AlertDocument['state'], { readonly text: string; readonly paint?: Paint }>> = {
  firing: { text: 'firing', paint: 'bold' },
  acknowledged: { text: 'acked' },
  pending: { text: 'pending' },
  resolved: { text: 'resolved', paint: 'good' },
  unknown: { text: 'unknown', paint: 'dim' },
  inactive: { text: 'ok', paint: 'good' },
};

function stateCell(state: AlertDocument['state']): Cell {
  return STATES[state];
}

/** Of what does not fire the severity is only what it could have. */
function severityCell({ state, severity }: Pick<AlertDocument, 'state' | 'severity'>): Cell {
  const isActive = state === 'firing' || state === 'acknowledged';
  return isActive ? { text: severity, paint: severity } : { text: severity, paint: 'dim' };
}

const DOUBTS: Readonly<Record<NonNullable<AlertDocument['doubt']>, string>> = {
  no_requests: 'no requests',
  too_few_requests: 'too few requests to be sure',
  gap: 'a part of the time is not known',
  kong_unreachable: 'Kong has not said',
};

function notesOf({ acknowledged, flapping, muted, doubt }: AlertDocument): string[] {
  return [
    ...(acknowledged ? [saidBy(acknowledged.by, acknowledged.comment)] : []),
    ...(flapping ? ['flapping'] : []),
    ...mutedBy(muted),
    ...(doubt ? [DOUBTS[doubt]] : []),
  ];
}

function saidBy(by: string, comment: string): string {
  return `by ${by}${comment === '' ? '' : `: ${comment}`}`;
}

function mutedBy(muted: AlertDocument['muted']): string[] {
  if (muted === null) return [];
  return [
    ...muted.silences.map((id) => `silenced by ${id}`),
    ...muted.maintenance.map((name) => `in maintenance ${name}`),
    ...(muted.inhibited_by === null ? [] : [`hidden by ${muted.inhibited_by}`]),
    ...(muted.waits_for_digest ? ['waits for the digest or the end of the quiet hours'] : []),
  ];
}

/** One alert in full. */
export function renderAlert({ alert, evidence, events }: AlertDetail, looks: Looks): string[] {
  const { nowMs } = looks;
  const when = (time: string | null): string | undefined =>
    time === null ? undefined : `${describeMoment(time)} UTC, ${describeAge(time, nowMs)} ago`;
  const { acknowledged } = alert;
  const isActive = alert.state === 'firing' || alert.state === 'acknowledged';
  const facts: [string, string | undefined][] = [
    ['id', alert.id],
    ['state', `${alert.state}${isActive ? `, ${alert.severity}` : ''}${alert.flapping ? ', flapping' : ''}`],
    ['rule', `${alert.rule} (${alert.kind})`],
    ['of', labelsOf(alert.labels) || alert.level],
    ['value', measurementOf(alert)],
    ['not told', alert.doubt === null ? undefined : `whether it is breached: ${DOUBTS[alert.doubt]}`],
    ['since', when(alert.since)],
    ['fired', when(alert.fired_at)],
    ['resolved', when(alert.resolved_at)],
    [
      'acknowledged',
      acknowledged
        ? `${when(acknowledged.at) ?? ''} ${saidBy(acknowledged.by, acknowledged.comment)}`
        : undefined,
    ],
    ['nobody told', mutedBy(alert.muted).join('; ') || undefined],
    ...alert.links.map(({ name, url }): [string, string] => [name, url]),
  ];
  const sections: [string, string[]][] = [
    [
      paint(plainLine(alert.title), isActive ? alert.severity : 'bold', looks.hasColors),
      rowsOf(facts, looks),
    ],
    ['WORST OPERATIONS', rowsOf(evidence?.operations.map(operationRow) ?? [], looks)],
    [
      'ERRORS',
      rowsOf(evidence?.error_types.map((row) => [row.error_type, requests(row.requests)]) ?? [], looks),
    ],
    [
      'FAILED UPSTREAM ADDRESSES',
      rowsOf(evidence?.addresses.map((row) => [row.address, `${count(row.failures)} times`]) ?? [], looks),
    ],
    ['WHAT HAPPENED', renderEvents(events, looks).map((line) => `  ${line}`)],
  ];
  return sections
    .filter(([, lines]) => lines.length > 0)
    .flatMap(([heading, lines], index) => [...(index > 0 ? [''] : []), heading, ...lines]);
}

type Fact = readonly [string, string | undefined];

function rowsOf(facts: readonly Fact[], looks: Looks): string[] {
  const rows = facts.flatMap(([name, text]): Cell[][] =>
    text === undefined ? [] : [[{ text: name, paint: 'dim' }, { text }]],
  );
  const columns = looks.columns === undefined ? undefined : looks.columns - 2;
  return renderRows(rows, { ...looks, columns }).map((line) => `  ${line}`);
}

function measurementOf({ value_text: value, threshold_text: threshold, samples }: AlertDocument): string {
  const limit = threshold === null ? '' : `, threshold ${threshold}`;
  return `${value ?? 'unknown'}${limit}${samples === 0 ? '' : `, of ${requests(samples)}`}`;
}

function operationRow({
  operation,
  requests: all,
  errors,
  p95_ms: p95,
}: NonNullable<AlertDetail['evidence']>['operations'][number]): Fact {
  const latency = p95 === null ? '' : `, p95 ${count(p95)} ms`;
  return [
    operation === '' ? 'requests without a route' : operation,
    `${count(errors)} of ${requests(all)} failed${latency}`,
  ];
}

export function renderEvents(events: readonly EventDocument[], looks: Looks): string[] {
  if (events.length === 0) return [];
  const heading = ['WHEN (UTC)', 'WHAT', 'OF'].map((text): Cell => ({ text, paint: 'dim' }));
  const rows = events.map((event): Cell[] => [
    { text: describeMoment(event.at) },
    {
      text: event.kind.replaceAll('_', ' '),
      ...('severity' in event && event.kind !== 'resolved' ? { paint: event.severity } : {}),
    },
    { text: describeEvent(event) },
  ]);
  return renderRows([heading, ...rows], looks);
}

function describeEvent(event: EventDocument): string {
  if ('silence_id' in event) {
    const who = event.by === null ? ', its time is over' : `, by ${event.by}`;
    return `${event.silence_id} ${event.matchers.join(' ')}${who}: ${event.comment}`;
  }
  const subject = `${event.rule}${Object.keys(event.labels).length === 0 ? '' : ` ${labelsOf(event.labels)}`}`;
  return `${subject}${detailOf(event)}`;
}

function detailOf(event: Exclude<EventDocument, { silence_id: string }>): string {
  switch (event.kind) {
    case 'fired':
    case 'worsened':
      return `: ${event.severity}, ${valueOf(event)}`;
    case 'flapped':
      return `: fired ${count(event.firings)} times`;
    case 'acknowledged':
      return ` ${saidBy(event.by, event.comment)}`;
    case 'resolved':
      return `: ${event.end_reason.replaceAll('_', ' ')}, ${valueOf(event)}`;
    case 'notification_sent':
      return ` to ${event.channel} (${event.occasion})`;
    case 'notification_failed':
      return ` to ${event.channel} (${event.occasion}): ${event.reason}`;
    case 'notification_discarded':
      return ` to ${event.channel} (${event.occasion}) by ${event.by}`;
  }
}

function valueOf({ value, threshold }: { value: number | null; threshold: number }): string {
  const shown = value === null ? 'unknown' : Number(value.toPrecision(4)).toString();
  return `value ${shown}, threshold ${threshold}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
}

function requests(number: number): string {
  return `${count(number)} request${number === 1 ? '' : 's'}`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
