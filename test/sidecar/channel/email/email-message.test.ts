import fc from 'fast-check';
import { MAX_HTML_BYTES } from '../../../../sidecar/channel/email/email-html';
import {
  emailMessage,
  MAX_SUBJECT_LENGTH,
  type EmailMessage,
} from '../../../../sidecar/channel/email/email-message';
import { emailMime } from '../../../../sidecar/channel/email/email-mime';
import type { EmailThread } from '../../../../sidecar/channel/email/email-thread';
import { TONES } from '../../../../sidecar/channel/email/email-tone';
import { htmlHref, htmlText } from '../../../../sidecar/channel/email/html-text';
import type { Notification } from '../../../../sidecar/notify/notification';
import { emailSettings } from '../../../support/channel-settings';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
} from '../../../support/sample-notification';
import { parseMail, type ParsedMail } from '../../../support/smtp-mail';
import { firingMail } from './sample-mails';

const SETTINGS = emailSettings(25);
const THREAD: EmailThread = {
  rootId: '<root@example.com>',
  lastId: '<last@example.com>',
  subject: 'CRITICAL: High p95 latency: 812 ms on service slow',
  unfinished: undefined,
};

function messageOf(
  notification: Notification,
  thread?: EmailThread,
  changes: Partial<typeof SETTINGS> = {},
): EmailMessage {
  return emailMessage(notification, { ...SETTINGS, ...changes }, thread, 'https://gatewatch.example.com');
}

async function parsed(message: EmailMessage): Promise<ParsedMail> {
  return parseMail(await emailMime(message));
}

describe('a mail', () => {
  it('can be read as plain text alone', () => {
    expect(messageOf(firingMail()).text).toBe(
      [
        'CRITICAL: High error rate: 12.3% on service checkout',
        '',
        'The error rate of service checkout is 12.3% in the last 5 minutes (12,480 requests), over the threshold of 1%. It has been so since 2026-03-01 10:00:00 UTC.',
        'Worst operations: POST pay (1,302 of 2,104 failed), GET basket (214 of 8,211 failed), DELETE basket-item (24 of 640 failed).',
        'Errors: 1,204 upstream_timeout, 336 upstream_server_error.',
        'Failed upstream addresses: 10.0.3.17:8080 (1,188).',
        'Rule error_rate, severity critical.',
        'To acknowledge it: gatewatch ack 7feef000cec300c4',
        'runbook: https://wiki.example.com/runbooks/checkout-errors',
        'dashboard: https://grafana.example.com/d/gatewatch?var-service=checkout',
        'prometheus: https://prometheus.example.com/graph?g0.expr=up',
        'sentry: https://sentry.example.com/issues/?query=checkout',
        '',
        '-- ',
        'Sent by Gatewatch through its channel mail.',
        'https://gatewatch.example.com',
        '',
      ].join('\n'),
    );
  });

  it('says in HTML once what the text says: figures in tables, the rest in sentences', () => {
    const { html } = messageOf(firingMail());
    const body = html.slice(html.indexOf('<h1'));
    const times = (words: string): number => body.split(words).length - 1;
    expect(times('The error rate of service checkout is 12.3%')).toBe(1);
    expect(times('1,302 of 2,104 failed')).toBe(1);
    expect(times('Worst operations')).toBe(1);
    expect(times('gatewatch ack 7feef000cec300c4</code>')).toBe(1);
  });

  it('has no figures where the rule has no number', () => {
    const { html } = messageOf(sampleNotification({ verdict: { value: undefined } }));
    expect(html).not.toContain('threshold</div>');
    expect(messageOf(sampleNotification()).html).toContain('threshold</div>');
  });

  it('needs nothing but itself: no image, no style sheet, no script, no address but in links', () => {
    const { html } = messageOf(firingMail());
    expect(html).not.toMatch(/<(?:img|link|script|style|iframe|object|form)|url\(|@import|\ssrc=/i);
    expect(html.match(/https?:\/\/[^"]*/g)).toHaveLength(5);
  });

  it('is marked so that no absence note answers it, and that a mailbox can sort it', () => {
    const { headers } = messageOf(sampleNotification(), undefined, { name: 'night-shift' });
    expect(headers).toEqual({
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'OOF, AutoReply',
      'List-Id': 'Gatewatch night-shift <night-shift.gatewatch.example.com>',
      Importance: 'high',
      'X-Gatewatch-State': 'firing',
      'X-Gatewatch-Severity': 'critical',
    });
  });

  it.each<[string, Notification, Record<string, string | undefined>]>([
    ['over', sampleResolved(), { state: 'resolved', severity: 'critical', importance: undefined }],
    [
      'mild',
      sampleNotification({ alert: { severity: 'warning' } }),
      { state: 'firing', severity: 'warning', importance: undefined },
    ],
    [
      'known',
      sampleNotification({ item: { occasion: 'acknowledged' } }),
      { state: 'firing', severity: 'critical', importance: undefined },
    ],
    [
      'over in part',
      sampleGroup([sampleResolvedItem(), sampleItem({ alert: { severity: 'error' } })]),
      { state: 'firing', severity: 'error', importance: undefined },
    ],
  ])('is urgent only while something critical is news: what is %s is not', (_, notification, expected) => {
    const { headers } = messageOf(notification);
    expect({
      state: headers['X-Gatewatch-State'],
      severity: headers['X-Gatewatch-Severity'],
      importance: headers['Importance'],
    }).toEqual(expected);
  });

  it('has the same id for every try, and another for every other message', () => {
    const notification = sampleNotification();
    const id = messageOf(notification).messageId;
    expect(id).toMatch(/^<[0-9a-f]{32}\.gatewatch@example\.com>$/);
    expect(messageOf(notification, THREAD).messageId).toBe(id);
    expect(messageOf({ ...notification, id: 'another' }).messageId).not.toBe(id);
    expect(messageOf({ ...notification, channel: 'b' }).messageId).not.toBe(id);
  });

  it('has a domain that every server takes', () => {
    const { from, to, messageId, headers } = messageOf(sampleNotification(), undefined, {
      from: 'wache@münchen.example',
      to: ['Jörg <jörg@bücher.example>'],
    });
    expect(from).toEqual({ name: '', address: 'wache@xn--mnchen-3ya.example' });
    expect(to).toEqual([{ name: 'Jörg', address: 'jörg@xn--bcher-kva.example' }]);
    expect(messageId).toMatch(/@xn--mnchen-3ya\.example>$/);
    expect(headers['List-Id']).toMatch(/^[ -~]+$/);
  });
});

describe('a reply', () => {
  it.each<[string, Notification, string]>([
    ['that all is over', sampleResolved(), 'Gatewatch (resolved)'],
    ['that a part is over', sampleResolved({ message: { firing: 2 } }), 'Gatewatch (partly resolved)'],
    [
      'that somebody knows',
      sampleNotification({ item: { occasion: 'acknowledged' } }),
      'Gatewatch (acknowledged)',
    ],
    ['that it fires on', sampleNotification({ message: { repeat: 1 } }), 'Gatewatch (critical)'],
    [
      'that another fires, and one is over',
      sampleGroup([sampleResolvedItem(), sampleItem({ alert: { severity: 'error' } })]),
      'Gatewatch (error)',
    ],
  ])('has the subject of the first mail, and says by its sender %s', (_, notification, name) => {
    const { subject, from, references } = messageOf(notification, THREAD);
    expect(subject).toBe(`Re: ${THREAD.subject}`);
    expect(from).toEqual({ name, address: 'gatewatch@example.com' });
    expect(references).toEqual(['<root@example.com>', '<last@example.com>']);
  });

  it('says its own news first, also in a list of mails', () => {
    const { html, text } = messageOf(sampleResolved(), THREAD);
    expect(text.split('\n')[0]).toBe('Resolved: p95 latency 120 ms on service slow');
    expect(html).toMatch(/mso-hide:all">Resolved: p95 latency 120 ms on service slow\. The p95 latency of/);
  });

  it('is from Gatewatch where the sender has no name', () => {
    const { from } = messageOf(sampleResolved(), THREAD, { from: 'alerts@example.com' });
    expect(from).toEqual({ name: 'Gatewatch (resolved)', address: 'alerts@example.com' });
  });

  it('is no reply to itself, on its way to those who do not have it', () => {
    const notification = sampleNotification();
    const first = messageOf(notification);
    const own = { ...THREAD, rootId: first.messageId, lastId: first.messageId, subject: first.subject };
    expect(messageOf(notification, own)).toEqual(first);
    expect(messageOf(notification, { ...THREAD, lastId: first.messageId }).references).toEqual([
      '<root@example.com>',
    ]);
  });

  it('is never a digest', () => {
    const digest = sampleNotification({ message: { kind: 'digest', groupLabels: {} } });
    expect(messageOf(digest, THREAD)).toMatchObject({ references: [], from: { name: 'Gatewatch' } });
    expect(messageOf(digest, THREAD).subject).toMatch(/^Digest: /);
  });
});

describe('a mail of many alerts', () => {
  const name = (index: number): string => `${index}-${'&'.repeat(90)}`;

  it('tells of all in the text, and in HTML of as many as Gmail shows, of the last ones by title', () => {
    const items = Array.from({ length: 50 }, (_, index) => {
      const { evidence } = firingMail().items[0] ?? {};
      return sampleItem({ service: name(index), item: { evidence } });
    });
    const { html, text } = messageOf(sampleGroup(items, { message: { leftOut: 7 } }));
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(MAX_HTML_BYTES);
    expect(Buffer.byteLength(html)).toBeGreaterThan(MAX_HTML_BYTES * 0.8);
    for (const [index] of items.entries()) {
      expect(html).toContain(` on service ${htmlText(name(index))}</h2>`);
      expect(text).toContain(`The p95 latency of service ${name(index)} is`);
    }
    expect(html).toContain(`The p95 latency of service ${htmlText(name(0))} is`);
    expect(html).not.toContain(`The p95 latency of service ${htmlText(name(49))} is`);
    expect(html).toContain('7 more had no room in this message.');
    expect(html).toContain('</html>');
  });

  it('points to the text where even one alert is too long', () => {
    const links = [{ name: 'dashboard', url: `https://example.com/${'x'.repeat(200_000)}` }] as const;
    const { html } = messageOf(sampleNotification({ item: { links } }));
    expect(Buffer.byteLength(html)).toBeLessThan(MAX_HTML_BYTES);
    expect(html).toContain('There is more in the plain text of this mail.');
  });
});

describe('a mail on its way', () => {
  it('arrives as it was written', async () => {
    const message = messageOf(sampleNotification({ service: 'Straße 東京 "x" <y> .' }), THREAD);
    const mail = await parsed(message);
    expect(mail.text.replace(/\r\n/g, '\n')).toBe(message.text);
    expect(mail.html.replace(/\r\n/g, '\n')).toBe(message.html);
    expect(mail.headers['references']).toBe('<root@example.com> <last@example.com>');
    expect(mail.headers['in-reply-to']).toBe('<last@example.com>');
    expect(mail.headers['content-type']).toMatch(/^multipart\/alternative/);
  });

  it('has only short lines of ASCII, none of which is a dot', async () => {
    const bytes = await emailMime(messageOf(firingMail()));
    expect(bytes.toString('latin1')).toMatch(/^[\r\n\t -~]+$/);
    for (const line of bytes.toString('latin1').split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(bytes.toString('latin1').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  it('is the same every time', async () => {
    const notification = firingMail();
    const [first, second] = await Promise.all([1, 2].map(() => emailMime(messageOf(notification))));
    expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  });

  it.each([
    ['a new line', 'x\r\nBcc: everybody@example.com\r\n\r\nHello'],
    ['a bare CR and LF', 'x\rBcc: a@example.com\nBcc: b@example.com'],
    ['other ends of a line', 'x\u2028Bcc: a@example.com\u0085Bcc: b@example.com\0'],
    ['an encoded word', '=?utf-8?Q?x=0D=0ABcc:_a@example.com?='],
    ['half a character', `x\ud800 \udfff`],
    ['text that runs backwards', '\u202egnp.exe'],
    ['very much', 'ä'.repeat(100_000)],
  ])('has no header more for a name with %s', async (_, service) => {
    const notification = sampleNotification({ service, message: { groupLabels: { service } } });
    const hostile: EmailThread = { ...THREAD, subject: `Old ${service}` };
    for (const message of [
      messageOf(notification),
      messageOf(notification, hostile),
      messageOf(
        sampleGroup([...notification.items, ...notification.items], {
          message: { groupLabels: { service } },
        }),
      ),
    ]) {
      const mail = await parsed(message);
      const plain = await parsed(
        messageOf(sampleNotification(), message.references.length > 0 ? THREAD : undefined),
      );
      expect([...mail.names].sort()).toEqual([...plain.names].sort());
      expect(mail.headers['subject']).toBe(message.subject);
      expect(mail.headers['subject']).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    expect(Array.from(messageOf(notification).subject).length).toBeLessThanOrEqual(MAX_SUBJECT_LENGTH);
  });

  it('is whole whatever the names are', async () => {
    const names = fc.string({ unit: 'binary', maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(names, names, async (service, from) => {
        const notification = sampleNotification({ service, message: { groupLabels: { service } } });
        const message = messageOf(notification, undefined, { from: `${from} <gatewatch@example.com>` });
        const mail = await parsed(message);
        expect(mail.headers['subject']).toBe(message.subject);
        expect(mail.html.replace(/\r\n/g, '\n')).toBe(message.html);
        expect(mail.headers['from']).toContain('gatewatch@example.com');
        expect(mail.names).toHaveLength(13);
      }),
      { numRuns: 200 },
    );
  });
});

describe('text in HTML', () => {
  it.each([
    ['<b>&"\'', '&lt;b&gt;&amp;&quot;&#39;'],
    ['a\u0000b\nc', 'a b c'],
  ])('%j stays text', (text, escaped) => {
    expect(htmlText(text)).toBe(escaped);
  });

  it.each([
    ['https://example.com/?a=1&b="', 'https://example.com/?a=1&amp;b=%22'],
    ['http://example.com', 'http://example.com/'],
    ['javascript:alert(1)', undefined],
    ['JAVASCRIPT:alert(1)', undefined],
    ['java\nscript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['//example.com', undefined],
    ['', undefined],
  ])('%j is a link only if it leads to a web page', (url, href) => {
    expect(htmlHref(url)).toBe(href);
  });
});

describe('the colours of a mail', () => {
  it.each(TONES.map(({ word, colour }) => [word, colour] as const))(
    'can be read under white and on light and dark pages: %s',
    (_, colour) => {
      expect(contrast(colour, '#FFFFFF')).toBeGreaterThanOrEqual(4.5);
      expect(contrast(colour, '#121212')).toBeGreaterThanOrEqual(3);
    },
  );

  it('are never all that tells one from another', () => {
    expect(new Set(TONES.map(({ word }) => word)).size).toBe(TONES.length);
  });
});

/** WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
