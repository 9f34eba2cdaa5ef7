// In: a mail as SMTP carries it. Out: what a mail program shows of it, read by hand: RFC 5322 (folded headers), RFC 2047 (encoded
// words), RFC 2045 and 2046 (quoted-printable, base64, multipart).

export interface ParsedMail {
  /** As it came, its lines joined. */
  readonly rawHeaders: readonly string[];
  /** By name in lower case, decoded; of several with one name the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  readonly text: string;
  readonly html: string;
}

interface Part {
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @throws where it is no mail with a text and an HTML part */
export function parseMail(source: string | Buffer): ParsedMail {
  const whole = partOf(
    (typeof source === 'string' ? Buffer.from(source, 'latin1') : source).toString('latin1'),
  );
  const boundary = /boundary="?([^";]+)"?/.exec(whole.headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new Error('the mail has one part only');
  const parts = `\r\n${whole.body}`
    .split(`\r\n--${boundary}`)
    .slice(1, -1)
    .map((part) => partOf(part.replace(/^\r\n/, '')));
  const content = (type: string): string => {
    const part = parts.find(({ headers }) => headers['content-type']?.startsWith(type));
    if (part === undefined) throw new Error(`the mail has no part ${type}`);
    return decodeBody(part);
  };
  return {
    rawHeaders: whole.rawHeaders,
    headers: whole.headers,
    names: whole.rawHeaders.map(nameOf),
    text: content('text/plain'),
    html: content('text/html'),
  };
}

function partOf(text: string): Part {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('a part has no end of its headers');
  const rawHeaders = text
    .slice(0, end)
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n');
  for (const header of rawHeaders)
    if (!/^[!-9;-~]+:/.test(header)) throw new Error(`this is no header: ${header}`);
  const headers: Record<string, string> = {};
  for (const header of rawHeaders)
    headers[nameOf(header)] ??= decodeWords(header.slice(header.indexOf(':') + 1).trim());
  return { rawHeaders, headers, body: text.slice(end + 4) };
}

function nameOf(header: string): string {
  return header.slice(0, header.indexOf(':')).toLowerCase();
}

function decodeWords(value: string): string {
  return value.replace(/\?=\s+=\?/g, '?==?').replace(/(?:=\?[^?]+\?[BQbq]\?[^?]*\?=)+/g, (words) => {
    const bytes = [...words.matchAll(/=\?[^?]+\?([BQbq])\?([^?]*)\?=/g)].map(([, kind = '', encoded = '']) =>
      kind.toUpperCase() === 'B' ? Buffer.from(encoded, 'base64') : unquote(encoded.replaceAll('_', ' ')),
    );
    return Buffer.concat(bytes).toString();
  });
}

function decodeBody({ headers, body }: Part): string {
  switch (headers['content-transfer-encoding']) {
    case 'quoted-printable':
      return unquote(body.replace(/=\r\n/g, '')).toString();
    case 'base64':
      return Buffer.from(body, 'base64').toString();
    default:
      return Buffer.from(body, 'latin1').toString();
  }
}

function unquote(text: string): Buffer {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}
