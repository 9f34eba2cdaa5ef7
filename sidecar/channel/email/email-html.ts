// The HTML of a mail: a card in one column that is as wide as the window up to 600 px, made of tables, which every mail program
// lays out alike, with nothing from the network. Gmail cuts what is longer than 102 kB
// (https://help.blueshift.com/hc/en-us/articles/42292160006675-Understanding-Gmail-email-clipping): where many alerts would make
// more, the last of them have their titles only.
import type { DescribedItem, DescribedNotification } from '../../notify/describe-notification';
import { itemHtml, titleHtml, withoutWord } from './email-item';
import { STYLE } from './email-style';
import { toneOfAll } from './email-tone';
import { htmlHref, htmlText } from './html-text';

export const MAX_HTML_BYTES = 96_000;

/** Head, band, notes and foot. */
const OTHER_BYTES = 8_000;

export interface EmailFrame {
  /** What a list of mails shows behind the subject. */
  readonly preview: string;
  /** Who sends it and why, and where there is more. */
  readonly foot: string;
  readonly externalUrl: string | undefined;
}

export function emailHtml(described: DescribedNotification, frame: EmailFrame): string {
  const { title, items, notes } = described;
  const tone = toneOfAll(items.map(({ item }) => item));
  const isOne = items.length === 1 && items[0]?.title === title;
  const rows = fitting(items, isOne).map(
    (content, index) =>
      `<tr><td style="${index === 0 ? STYLE.body : STYLE.nextBody}">\n${content}</td></tr>\n`,
  );
  const noted = notes.map((note) => `<p style="${STYLE.text}">${htmlText(note)}</p>\n`).join('');
  return `<!doctype html>
<html lang="en" style="color-scheme:light dark">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no">
<title>${htmlText(title)}</title>
</head>
<body style="${STYLE.page}">
<div style="${STYLE.preheader}">${htmlText(frame.preview)}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:12px 8px">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" style="${STYLE.card}">
<tr><td bgcolor="${tone.colour}" style="${STYLE.band};background-color:${tone.colour}">
<p style="${STYLE.bandWord}">${tone.mark} ${tone.word}</p>
<h1 style="${STYLE.bandTitle}">${htmlText(withoutWord(title, tone))}</h1>
</td></tr>
${rows.join('')}${noted === '' ? '' : `<tr><td style="${STYLE.nextBody}">\n${noted}</td></tr>\n`}<tr><td style="${STYLE.foot}">${footHtml(frame)}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;
}

/** Each alert whole, as long as there is room for the titles of those behind it. */
function fitting(items: readonly DescribedItem[], isOne: boolean): string[] {
  const titles = items.map((item) => (isOne ? '' : titleHtml(item)));
  let behind = titles.reduce((sum, title) => sum + Buffer.byteLength(title) + ROW_BYTES, 0);
  let used = OTHER_BYTES;
  return items.map((item, index) => {
    const title = titles[index] ?? '';
    const whole = `${title}${itemHtml(item)}`;
    behind -= Buffer.byteLength(title) + ROW_BYTES;
    const shown = used + Buffer.byteLength(whole) + ROW_BYTES + behind <= MAX_HTML_BYTES ? whole : title;
    used += Buffer.byteLength(shown) + ROW_BYTES;
    return shown === ''
      ? `<p style="${STYLE.text}">There is more in the plain text of this mail.</p>\n`
      : shown;
  });
}

/** The row around an alert. */
const ROW_BYTES = 100;

function footHtml({ foot, externalUrl }: EmailFrame): string {
  const href = externalUrl === undefined ? undefined : htmlHref(externalUrl);
  const link = href === undefined ? '' : ` <a href="${href}" style="${STYLE.footLink}">Open Gatewatch</a>`;
  return `${htmlText(foot)}${link}`;
}
