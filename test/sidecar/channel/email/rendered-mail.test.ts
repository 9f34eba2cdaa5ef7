// Mails in a real browser, as narrow as a phone and in both modes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { emailMessage } from '../../../../sidecar/channel/email/email-message';
import type { Notification } from '../../../../sidecar/notify/notification';
import { BrowserPage } from '../../../support/browser-page';
import { emailSettings } from '../../../support/channel-settings';
import { eventually } from '../../../support/eventually';
import { describeWith, findProgram } from '../../../support/program';
import { sampleNotification } from '../../../support/sample-notification';
import { HACKED, writeFrames, type FrameReport, type MailFrame } from './mail-frames';
import { firingMail, groupMail, resolvedMail } from './sample-mails';

jest.setTimeout(60_000);

const SETTINGS = emailSettings(25, { name: 'mail' });

function htmlOf(notification: Notification): string {
  return emailMessage(notification, SETTINGS, undefined, 'https://gatewatch.example.com').html;
}

/** Names that try to be more than names. */
function hostileMail(): Notification {
  const script = `<script>parent.${HACKED} = true</script>`;
  const image = `"'><img src=x onerror="parent.${HACKED} = true">`;
  const long = 'x'.repeat(5_000);
  return sampleNotification({
    service: `${script}${image}</td></table></style>`,
    item: {
      links: [
        { name: 'runbook', url: `javascript:parent.${HACKED}=1` },
        { name: 'dashboard', url: `https://example.com/"><script>parent.${HACKED}=1</script>?a='b'&c="d"` },
        { name: 'sentry', url: `data:text/html,${script}` },
        { name: 'prometheus', url: 'not an address' },
      ],
      evidence: {
        operations: [
          { service: 'x', operation: image, requests: 2, errors: 1, p95Ms: 812 },
          { service: 'x', operation: long, requests: 2, errors: 1, p95Ms: undefined },
        ],
        errorTypes: [
          { errorType: script, requests: 1, errors: 1 },
          { errorType: long, requests: 1, errors: 1 },
        ],
        addresses: [{ address: `${image}${long}`, failures: 1 }],
      },
    },
  });
}

interface Report {
  readonly reports: readonly FrameReport[];
  readonly hacked: boolean;
}

describeWith('chromium', 'a mail in a browser', (chromium) => {
  async function show(
    frames: readonly MailFrame[],
  ): Promise<Report & { readonly requested: readonly string[] }> {
    const { folder, url } = writeFrames(frames);
    const page = await BrowserPage.open(chromium, url);
    try {
      const report = await eventually(async () => {
        const [, json] = /REPORT(\{.*\})/s.exec(await page.text()) ?? [];
        if (json === undefined) throw new Error('the page has not told yet');
        return JSON.parse(json) as Report;
      }, 30_000);
      return { ...report, requested: page.requested };
    } finally {
      await page.close();
      rmSync(folder, { recursive: true });
    }
  }

  it.each([320, 360, 600])('is as wide as the window, in both modes: %i px', async (widthPx) => {
    const mails = [firingMail(), resolvedMail(), groupMail(), hostileMail()].map(htmlOf);
    const frames = (['light', 'dark'] as const).flatMap((scheme) =>
      mails.map((html) => ({ html, widthPx, scheme })),
    );
    const { reports, requested } = await show(frames);
    expect(reports.map(({ innerWidth, scrollWidth }) => [innerWidth, scrollWidth])).toEqual(
      frames.map(() => [widthPx, widthPx]),
    );
    // Black on a light page, white on a dark one.
    expect(reports.map(({ colour }) => colour)).toEqual(
      frames.map(({ scheme }) => (scheme === 'light' ? 'rgb(0, 0, 0)' : 'rgb(255, 255, 255)')),
    );
    expect(requested).toHaveLength(1);
  });

  it('shows what is wrong, how much, where, and where to go from here', async () => {
    const { reports } = await show([{ html: htmlOf(firingMail()), widthPx: 360, scheme: 'light' }]);
    const text = reports[0]?.text.replace(/\s+/g, ' ') ?? '';
    for (const words of [
      'CRITICAL High error rate: 12.3% on service checkout 12.3% error rate 1% threshold 12,480 requests in 5 minutes',
      'WORST OPERATIONS POST pay 1,302 of 2,104 failed',
      'ERRORS upstream_timeout 1,204 upstream_server_error 336',
      'FAILED UPSTREAM ADDRESSES 10.0.3.17:8080 1,188',
      'Runbook Dashboard Prometheus Sentry To acknowledge it: gatewatch ack ',
      'Sent by Gatewatch through its channel mail. Open Gatewatch',
    ])
      expect(text).toContain(words);
    expect(reports[0]?.hrefs).toEqual([
      'https://wiki.example.com/runbooks/checkout-errors',
      'https://grafana.example.com/d/gatewatch?var-service=checkout',
      'https://prometheus.example.com/graph?g0.expr=up',
      'https://sentry.example.com/issues/?query=checkout',
      'https://gatewatch.example.com/',
    ]);
  });

  it('runs no script, opens nothing and asks the network for nothing, whatever names there are', async () => {
    const { reports, hacked, requested } = await show([
      { html: htmlOf(hostileMail()), widthPx: 360, scheme: 'light' },
    ]);
    expect(hacked).toBe(false);
    expect(requested).toHaveLength(1);
    const known = [
      'html',
      'head',
      'meta',
      'title',
      'body',
      'div',
      'table',
      'tbody',
      'tr',
      'td',
      'p',
      'h1',
      'h3',
      'a',
      'code',
    ];
    expect(reports[0]?.tags.filter((tag) => !known.includes(tag))).toEqual([]);
    // Shown as what they are.
    expect(reports[0]?.text).toContain('<script>');
    expect(reports[0]?.text).toContain('<img src=x onerror=');
    expect(reports[0]?.hrefs).toEqual([
      'https://example.com/%22%3E%3Cscript%3Eparent.hacked=1%3C/script%3E?a=%27b%27&c=%22d%22',
      'https://gatewatch.example.com/',
    ]);
  });

  // Not a test of anything: GATEWATCH_PICTURES=1 draws the picture of docs/ anew. The one that is there was drawn with the font
  // Roboto (Debian: fonts-roboto-unhinted), and pngquant made it a third as large.
  if (process.env['GATEWATCH_PICTURES'] === '1') {
    it('is drawn for the documentation', () => {
      const frames: MailFrame[] = [
        { html: htmlOf(firingMail()), widthPx: 380, scheme: 'light' },
        { html: htmlOf(firingMail()), widthPx: 380, scheme: 'dark' },
        { html: htmlOf(resolvedMail()), widthPx: 380, scheme: 'light' },
      ];
      const { folder, url } = writeFrames(frames);
      const pictures = resolve(__dirname, '../../../../docs/pictures');
      const file = join(pictures, 'email.png');
      mkdirSync(pictures, { recursive: true });
      execFileSync(chromium, [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--virtual-time-budget=2000'],
        ...['--force-device-scale-factor=1.5', '--window-size=1204,914'],
        `--screenshot=${file}`,
        url,
      ]);
      const pngquant = findProgram('pngquant');
      if (pngquant !== undefined) execFileSync(pngquant, ['--force', '--output', file, '64', file]);
      rmSync(folder, { recursive: true });
    });
  }
});
