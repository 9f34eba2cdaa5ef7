// In: a mail. Out: its bytes as SMTP carries them (RFC 5322, RFC 2045): text and HTML as alternatives, lines ended by CR LF. The
// same mail gives the same bytes.
import MailComposer from 'nodemailer/lib/mail-composer';
import type { EmailMessage } from './email-message';

export function emailMime(message: EmailMessage): Promise<Buffer> {
  const { messageId, references, from, to, subject, dateMs, headers, text, html } = message;
  return new MailComposer({
    from: { ...from },
    to: to.map((one) => ({ ...one })),
    subject,
    messageId,
    date: new Date(dateMs),
    ...(references.length === 0 ? {} : { inReplyTo: references.at(-1), references: [...references] }),
    headers: { ...headers },
    text,
    html,
    // Of ASCII with short lines whatever the text is, so that no server on the way has a reason to change it.
    encoding: 'quoted-printable',
    newline: 'win',
    // Random ones otherwise.
    baseBoundary: messageId.slice(1, 33),
    disableFileAccess: true,
    disableUrlAccess: true,
  })
    .compile()
    .build();
}
