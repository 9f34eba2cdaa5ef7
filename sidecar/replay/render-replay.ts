// A replay's report for people, as lines of a terminal, and for machines, as a JSON document. Times are told in UTC.
import { SEVERITIES, type Severity } from '../../kong-plugin/contract/severity';
import { describeDuration } from '../notify/describe-duration';
import { describeScope } from '../notify/describe-subject';
import { describeTime } from '../notify/describe-time';
import { formatDuration } from '../config/duration';
import { renderTable } from '../ui/render-table';
import { labelsOf } from '../window/scope';
import {
  sumOf,
  worstOf,
  type AlertmanagerCount,
  type AlertRun,
  type BySeverity,
  type RuleCount,
  type Suppression,
} from './replay-tally';
import type { ReplayReport } from './run-replay';

const WORST = 10;
/** The worst first. */
const COLUMNS: readonly Severity[] = [...SEVERITIES].reverse();

const SUPPRESSION_WORDS: Readonly<Record<Suppression, string>> = {
  inhibition: 'another alert hid it',
  maintenance: 'maintenance',
  quiet_hours: 'quiet hours',
  digest: 'it waited for the digest',
  grouping: 'its group or its step waited',
  no_channel: 'no step has its severity',
};

export function renderReplay(report: ReplayReport): string {
  const { fromMs, toMs, intervalMs, rounds, requests, unseen, runs } = report;
  const sections = [
    [
      `Replay from ${describeTime(fromMs)} to ${describeTime(toMs)} (${describeDuration(toMs - fromMs)})`,
      `${count(requests, 'request')}, judged every ${formatDuration(intervalMs)}: ${count(rounds, 'round')}`,
    ],
    ['Pages by rule', ...renderTable(ruleRows(report))],
    [
      'Pages by channel',
      ...renderTable(channelRows(report)),
      ...report.alertmanagers.map(describeAlertmanager),
    ],
    runs.length === 0
      ? ['No alert fired.']
      : [
          runs.length > WORST ? `The ${WORST} worst of ${runs.length} alerts` : 'Alerts, the worst first',
          ...renderTable(worstOf(runs, toMs, WORST).map((run) => alertRow(run, toMs))),
        ],
    ['What could not be seen', ...unseen.map((sentence) => `- ${sentence}`)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Times are Unix ms, durations ms. */
export function replayDocument(report: ReplayReport): object {
  const { rules, channels, runs, ...rest } = report;
  return {
    ...rest,
    rules: rules.map((rule) => ({
      ...rule,
      pages: rule.pages.map(({ channel, bySeverity }) => ({ channel, ...pagesDocument(bySeverity) })),
    })),
    channels: channels.map(({ channel, pages, otherMessages }) => ({
      channel,
      ...pagesDocument(pages),
      otherMessages,
    })),
    alerts: runs.map(({ scope, resolvedMs, endReason, ...run }) => ({
      ...run,
      level: scope.level,
      labels: labelsOf(scope),
      resolvedMs: resolvedMs ?? null,
      endReason: endReason ?? null,
    })),
  };
}

function pagesDocument(bySeverity: BySeverity): object {
  return { pages: sumOf(bySeverity), bySeverity };
}

function ruleRows({ rules }: ReplayReport): string[][] {
  const head = [
    'rule',
    'channel',
    'pages',
    ...COLUMNS,
    'alerts',
    'untold',
    'worse',
    'flapped',
    'firing',
    'longest',
  ];
  return [head, ...rules.flatMap(rowsOfRule)];
}

/** A row for each channel that was told; what is of the rule itself stands in the first. */
function rowsOfRule(rule: RuleCount): string[][] {
  if (!rule.isJudged) return [[rule.rule, 'not judged']];
  const { fired, untold, worsened, flapped, firingMs, longestMs } = rule;
  const own = [
    ...[fired, untold, worsened, flapped].map(String),
    ...(fired === 0 ? ['-', '-'] : [describeDuration(firingMs), describeDuration(longestMs)]),
  ];
  const told = rule.pages.length === 0 ? [{ channel: '-', bySeverity: {} }] : rule.pages;
  return told.map(({ channel, bySeverity }, index) => [
    index === 0 ? rule.rule : '',
    channel,
    ...pageCells(bySeverity),
    ...(index === 0 ? own : []),
  ]);
}

function channelRows({ channels }: ReplayReport): string[][] {
  const rows = channels.map(({ channel, pages, otherMessages }) => [
    channel,
    ...pageCells(pages),
    String(otherMessages),
  ]);
  return [['channel', 'pages', ...COLUMNS, 'other messages'], ...rows];
}

function describeAlertmanager({ channel, alerts }: AlertmanagerCount): string {
  return `${channel} is an Alertmanager: it would have been told of ${count(alerts, 'alert')}, and decides itself who hears of them.`;
}

function pageCells(bySeverity: BySeverity): string[] {
  return [sumOf(bySeverity), ...COLUMNS.map((severity) => bySeverity[severity] ?? 0)].map(String);
}

function alertRow(run: AlertRun, endMs: number): string[] {
  const { rule, scope, severity, firedMs, resolvedMs, endReason, pages, suppressedBy } = run;
  const length = describeDuration((resolvedMs ?? endMs) - firedMs);
  const lasted =
    resolvedMs === undefined
      ? `still fires after ${length}`
      : `${length}${endReason === 'recovered' ? '' : ', not seen to recover'}`;
  const told =
    pages > 0 || suppressedBy.length === 0
      ? count(pages, 'page')
      : `nobody was told: ${suppressedBy.map((reason) => SUPPRESSION_WORDS[reason]).join(', ')}`;
  return [describeTime(firedMs), severity, rule, describeScope(scope), lasted, told];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
