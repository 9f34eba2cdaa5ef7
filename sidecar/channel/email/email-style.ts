// The few inline styles of a mail, since some mail programs drop a <style> element. Text has no colour of its own and the page no
// background, so that both follow the reader's light or dark mode, whether the mail program asks what a mail is made for
// (https://www.parcel.io/guides/color-scheme-in-email) or not; greys that must do in both come from opacity and from a line colour
// in the middle.

export const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/** For those who know no transparency the first. */
const line = (side: string): string =>
  `border${side}:1px solid #8C959F;border${side}-color:rgba(127,127,127,.4)`;

/** Long names without a space break where they must. */
const BREAK = 'overflow-wrap:anywhere;word-break:break-word';

export const STYLE = {
  page: `margin:0;padding:0;-webkit-text-size-adjust:100%`,
  preheader:
    'display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all',
  card:
    `width:100%;max-width:600px;table-layout:fixed;${line('')};border-radius:10px;border-collapse:separate;` +
    `overflow:hidden;font-family:${FONT};font-size:15px;line-height:1.5;text-align:left;${BREAK}`,
  band: 'padding:14px 18px 16px;color:#FFFFFF',
  bandWord:
    'margin:0;font-size:12px;font-weight:700;letter-spacing:1px;text-transform:uppercase;color:#FFFFFF',
  bandTitle: 'margin:4px 0 0;font-size:20px;font-weight:700;line-height:1.3;color:#FFFFFF',
  body: 'padding:18px',
  nextBody: `padding:18px;${line('-top')}`,
  foot: `padding:12px 18px 14px;${line('-top')};font-size:12px;opacity:.75`,
  badge:
    'display:inline-block;padding:1px 8px;border-radius:4px;font-size:12px;font-weight:700;letter-spacing:.5px;' +
    'text-transform:uppercase;color:#FFFFFF',
  title: 'margin:8px 0 10px;font-size:17px;font-weight:700;line-height:1.35',
  text: 'margin:0 0 8px',
  figures: 'width:100%;table-layout:fixed;border-collapse:collapse;margin:0 0 12px',
  figure: 'padding:0 8px 0 0;vertical-align:top;line-height:1.3',
  number: 'font-size:20px;font-weight:700',
  caption: 'font-size:12px;opacity:.75',
  heading:
    'margin:14px 0 2px;font-size:12px;font-weight:700;letter-spacing:.5px;text-transform:uppercase;opacity:.75',
  table: 'width:100%;border-collapse:collapse;font-size:14px;line-height:1.4',
  cell: 'padding:5px 12px 0 0;vertical-align:top',
  numberCell: 'padding:5px 0 0;vertical-align:top;text-align:right;white-space:nowrap',
  barCell: 'padding:3px 0 4px;font-size:0;line-height:0',
  bars: 'height:4px;border-radius:2px;background-color:rgba(127,127,127,.2);font-size:0;line-height:0',
  bar: 'height:4px;border-radius:2px;font-size:0;line-height:0',
  links: 'margin:16px 0 6px',
  firstLink:
    'display:inline-block;margin:0 6px 8px 0;padding:7px 14px;border:1px solid #0969DA;border-radius:6px;' +
    'background-color:#0969DA;color:#FFFFFF;font-size:14px;font-weight:600;text-decoration:none',
  link:
    `display:inline-block;margin:0 6px 8px 0;padding:7px 14px;${line('')};border-radius:6px;color:inherit;` +
    'font-size:14px;font-weight:600;text-decoration:none',
  footLink: 'color:inherit',
  code:
    `display:block;margin:4px 0 0;padding:7px 10px;${line('')};border-radius:6px;` +
    'font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px',
} as const;
