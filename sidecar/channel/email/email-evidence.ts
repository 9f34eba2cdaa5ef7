// Where it fails and how, as small tables with a bar in each row: the worst operations, the error types, the upstream addresses.
// The same that describe-evidence.ts says in sentences, which these tables replace.
import { isAboutLatency } from '../../config/about-latency';
import { showName } from '../../notify/describe-subject';
import type { NotificationItem } from '../../notify/notification';
import { formatValue } from '../../rule/format-value';
import { STYLE } from './email-style';
import type { Tone } from './email-tone';
import { htmlText } from './html-text';

interface Row {
  readonly name: string;
  readonly number: string;
  /** Of the longest bar, 0 to 1. */
  readonly share: number;
}

/** Empty where there is nothing to show. */
export function evidenceHtml(item: NotificationItem, tone: Tone): string {
  const { evidence, alert } = item;
  if (evidence === undefined) return '';
  const { operations, errorTypes, addresses } = evidence;
  const slowest = Math.max(...operations.map(({ p95Ms }) => p95Ms ?? 0));
  const byLatency = isAboutLatency(alert.rule);
  const told = errorTypes.filter(({ errors }) => errors > 0 || alert.rule.each === 'error_type');
  const most = Math.max(...told.map(({ requests }) => requests));
  const mostFailures = Math.max(...addresses.map(({ failures }) => failures));
  return [
    tableHtml(
      'Worst operations',
      operations.map(({ operation, requests, errors, p95Ms }) => ({
        name: operation === '' ? 'requests without a route' : showName(operation),
        ...(byLatency
          ? {
              number: p95Ms === undefined ? 'p95 unknown' : `p95 ${formatValue('latency', p95Ms)}`,
              share: part(p95Ms ?? 0, slowest),
            }
          : { number: `${count(errors)} of ${count(requests)} failed`, share: part(errors, requests) }),
      })),
      tone,
    ),
    tableHtml(
      'Errors',
      told.map(({ errorType, requests }) => ({
        name: showName(errorType),
        number: count(requests),
        share: part(requests, most),
      })),
      tone,
    ),
    tableHtml(
      'Failed upstream addresses',
      addresses.map(({ address, failures }) => ({
        name: showName(address),
        number: count(failures),
        share: part(failures, mostFailures),
      })),
      tone,
    ),
  ].join('');
}

function tableHtml(heading: string, rows: readonly Row[], { colour }: Tone): string {
  if (rows.length === 0) return '';
  const lines = rows.map(
    ({ name, number, share }) =>
      `<tr><td style="${STYLE.cell}">${htmlText(name)}</td>` +
      `<td align="right" style="${STYLE.numberCell}">${htmlText(number)}</td></tr>\n` +
      `<tr aria-hidden="true"><td colspan="2" style="${STYLE.barCell}">` +
      `<div style="${STYLE.bars}"><div style="${STYLE.bar};width:${Math.max(1, Math.round(share * 100))}%;` +
      `background-color:${colour}">&nbsp;</div></div></td></tr>\n`,
  );
  return (
    `<h3 style="${STYLE.heading}">${heading}</h3>\n` +
    `<table width="100%" cellpadding="0" cellspacing="0" style="${STYLE.table}">\n${lines.join('')}</table>\n`
  );
}

function part(value: number, whole: number): number {
  return whole > 0 ? Math.min(1, value / whole) : 0;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
