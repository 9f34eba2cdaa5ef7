// Mails side by side in one page, each in a frame as wide as a mail program's window, so that a browser shows them and says what
// it made of them. In: mails. Out: the file of a page, whose text then is a JSON of FrameReport[].
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface MailFrame {
  readonly html: string;
  readonly widthPx: number;
  readonly scheme: 'light' | 'dark';
}

export interface FrameReport {
  /** How wide the mail is, and how much of it the window shows, px. */
  readonly scrollWidth: number;
  readonly innerWidth: number;
  /** What one reads. */
  readonly text: string;
  /** Of all elements, in order. */
  readonly tags: readonly string[];
  readonly hrefs: readonly string[];
  /** Of the text, as the browser computed it. */
  readonly colour: string;
}

/** Set by any script of a mail that ran, in the page around it. */
export const HACKED = 'hacked';

export function writeFrames(frames: readonly MailFrame[]): { folder: string; url: string } {
  const folder = mkdtempSync(join(tmpdir(), 'gatewatch-mails-'));
  const file = join(folder, 'mails.html');
  writeFileSync(file, pageOf(frames));
  return { folder, url: pathToFileURL(file).href };
}

function pageOf(frames: readonly MailFrame[]): string {
  const shown = frames.map(
    ({ html, widthPx, scheme }) =>
      `<iframe style="width:${widthPx}px;color-scheme:${scheme};background:${scheme === 'dark' ? '#121212' : '#fff'}" ` +
      `srcdoc="${html.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>`,
  );
  return `<!doctype html><meta charset="utf-8">
<style>
body { margin: 16px; background: #e4e7eb; display: flex; gap: 16px; align-items: flex-start }
iframe { border: 0; border-radius: 12px; flex: none }
pre { position: absolute; width: 1px; height: 1px; overflow: hidden; margin: 0 }
</style>
${shown.join('\n')}
<pre id="report"></pre>
<script>
addEventListener('load', () => {
  const reports = [...document.querySelectorAll('iframe')].map((frame) => {
    const mail = frame.contentDocument;
    frame.style.height = mail.documentElement.scrollHeight + 'px';
    return {
      scrollWidth: mail.scrollingElement.scrollWidth,
      innerWidth: frame.contentWindow.innerWidth,
      text: mail.body.innerText,
      tags: [...mail.querySelectorAll('*')].map((element) => element.tagName.toLowerCase()),
      hrefs: [...mail.querySelectorAll('[href]')].map((link) => link.href),
      colour: frame.contentWindow.getComputedStyle(mail.querySelector('td > p:not([style*="#"]), h2')).color,
    };
  });
  document.title = 'read';
  document.body.append(document.getElementById('report'));
  document.getElementById('report').textContent = 'REPORT' + JSON.stringify({ reports, ${HACKED}: window.${HACKED} ?? false });
});
</script>
`;
}
