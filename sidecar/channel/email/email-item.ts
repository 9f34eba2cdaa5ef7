// One alert in a mail: its figures, what is said of it, where it fails, and where to go from here.
import { alertId } from '../../alert/alert-key';
import { valuesOf } from '../../notify/describe-alert';
import { describeDuration } from '../../notify/describe-duration';
import { describeErrors } from '../../notify/describe-evidence';
import type { DescribedItem } from '../../notify/describe-notification';
import { wordsOf } from '../../notify/describe-subject';
import type { LinkName, NotificationItem } from '../../notify/notification';
import { evidenceHtml } from './email-evidence';
import { STYLE } from './email-style';
import { toneOf, type Tone } from './email-tone';
import { htmlHref, htmlText } from './html-text';

const LINK_WORDS: Readonly<Record<LinkName, string>> = {
  runbook: 'Runbook',
  dashboard: 'Dashboard',
  prometheus: 'Prometheus',
  sentry: 'Sentry',
  gatewatch: 'Gatewatch',
};

/** All of it, without its title. */
export function itemHtml(described: DescribedItem): string {
  const { item, sentences, links } = described;
  const evidence = evidenceHtml(item, toneOf(item));
  const inTables = item.evidence === undefined ? [] : describeErrors(item.evidence, item.alert.rule);
  const said = sentences.filter((sentence) => evidence === '' || !inTables.includes(sentence));
  const command = `gatewatch ack ${alertId(item.alertKey)}`;
  // How to say that one knows comes last, below the links.
  const commands = said.filter((sentence) => sentence.includes(command));
  const others = said.filter((sentence) => !commands.includes(sentence));
  return [
    figuresHtml(item),
    ...others.map(paragraph),
    evidence,
    linksHtml(links),
    ...commands.map((sentence) => {
      const [before = '', after = ''] = sentence.split(command);
      return `<p style="${STYLE.text}">${htmlText(before)}<code style="${STYLE.code}">${command}</code>${htmlText(after)}</p>\n`;
    }),
  ].join('');
}

/** What it is, in a line or two. */
export function titleHtml({ item, title }: DescribedItem): string {
  const tone = toneOf(item);
  return (
    `<span style="${STYLE.badge};background-color:${tone.colour}">${tone.mark} ${tone.word}</span>\n` +
    `<h2 style="${STYLE.title}">${htmlText(withoutWord(title, tone))}</h2>\n`
  );
}

/** The title without the word that stands above it already. */
export function withoutWord(title: string, { word }: Tone): string {
  if (!title.toLowerCase().startsWith(`${word.toLowerCase()}: `)) return title;
  const rest = title.slice(word.length + 2);
  return rest.slice(0, 1).toUpperCase() + rest.slice(1);
}

function paragraph(sentence: string): string {
  return `<p style="${STYLE.text}">${htmlText(sentence)}</p>\n`;
}

/** Nothing where the rule has no numbers, or the alert ended without one. */
function figuresHtml({ alert, occasion, endReason, atMs }: NotificationItem): string {
  const { measure } = wordsOf(alert);
  const { verdict, rule } = alert;
  const isResolved = occasion === 'resolved';
  if (measure === undefined || verdict.value === undefined || (isResolved && endReason !== 'recovered'))
    return '';
  const { value, threshold } = valuesOf(alert);
  const lastedMs = Math.max(0, atMs - (alert.sinceMs ?? alert.firedMs ?? atMs));
  const figures = [
    [value, measure],
    [threshold, 'threshold'],
    isResolved
      ? [describeDuration(lastedMs), 'duration']
      : [verdict.samples.toLocaleString('en-US'), `requests in ${describeDuration(rule.windowMs)}`],
  ] as const;
  const cells = figures.map(
    ([number, caption]) =>
      `<td style="${STYLE.figure}"><div style="${STYLE.number}">${htmlText(number)}</div>` +
      `<div style="${STYLE.caption}">${htmlText(caption)}</div></td>`,
  );
  return (
    `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="${STYLE.figures}"><tr>\n` +
    `${cells.join('\n')}\n</tr></table>\n`
  );
}

function linksHtml(links: DescribedItem['links']): string {
  const safe = links.flatMap(({ name, url }) => {
    const href = htmlHref(url);
    return href === undefined ? [] : [{ href, word: LINK_WORDS[name] }];
  });
  if (safe.length === 0) return '';
  const shown = safe.map(
    ({ href, word }, index) =>
      `<a href="${href}" style="${index === 0 ? STYLE.firstLink : STYLE.link}">${word}</a>`,
  );
  return `<div style="${STYLE.links}">${shown.join('\n')}</div>\n`;
}
