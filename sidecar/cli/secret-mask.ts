// Takes secrets out of what a program of others says, for a terminal. In: secrets, and a text that may hold them in the forms that
// programs write them in: as they are, in other case, as JSON, in an address, as HTML, in Base64, in hexadecimal digits. Out: the text
// with a mark in the place of each.
// Stricter than redact-secrets.ts, which guards a log and leaves short words legible: here a word too many may go. Of an address the
// path, each step of STEP_LENGTH characters, and each value of the query are secrets; the host is not.
import { Secret } from '../config/secret';
import { plainLine } from './terminal-text';

export const MARK = new Secret('').toString();

/** A shorter secret is one only where it stands as a word. */
const ANYWHERE_LENGTH = 4;

/** A shorter step of a path is only known with the slash before it. */
const STEP_LENGTH = 8;

interface Form {
  /** In lower case. */
  readonly text: string;
  /** Whether the characters around it that could be of the same code go too. */
  readonly code: RegExp | undefined;
}

export class SecretMask {
  readonly #forms = new Map<string, Form>();
  readonly #addresses: URL[] = [];

  /** @param settings whatever holds secrets */
  constructor(settings: unknown) {
    for (const secret of secretsOf(settings)) this.add(secret.reveal());
  }

  add(secret: string): void {
    if (/^https?:/i.test(secret) && URL.canParse(secret)) this.#addAddress(new URL(secret));
    else this.#addText(secret);
  }

  /** @param text one line or several; other control characters are taken out already */
  hide(text: string): string {
    return marked(text, this.#find(lowerCase(text)));
  }

  /** The same for a text that may have been cut: what it ends in may be the beginning of a secret. */
  hideCut(text: string): string {
    const lower = lowerCase(text);
    let start = text.length;
    for (const { text: form } of this.#forms.values())
      for (let length = Math.min(form.length - 1, lower.length); length >= ANYWHERE_LENGTH; length -= 1)
        if (lower.endsWith(form.slice(0, length))) {
          start = Math.min(start, text.length - length);
          break;
        }
    // Found in the whole of it: what it ends in may also be the end of a secret that begins and ends alike.
    const found = this.#find(lower);
    return marked(text, start === text.length ? found : [...found, [start, text.length]]);
  }

  /** The host of an address, and where the rest of it is no secret, that too. */
  hideAddress(address: string): string {
    if (!URL.canParse(address)) return MARK;
    const { origin, pathname, search } = new URL(address);
    const isSecret = this.#addresses.some(
      (one) => one.origin === origin && pathname.startsWith(one.pathname) && !isBare(one),
    );
    return isSecret ? `${origin}/${MARK}` : `${origin}${this.hide(`${pathname}${search}`)}`;
  }

  /** @param lower see lowerCase */
  #find(lower: string): [from: number, to: number][] {
    const hidden: [from: number, to: number][] = [];
    for (const form of this.#forms.values()) {
      for (let at = lower.indexOf(form.text); at >= 0; at = lower.indexOf(form.text, at + 1)) {
        const found = { from: at, to: at + form.text.length };
        if (form.text.length < ANYWHERE_LENGTH && !isWord(lower, found)) continue;
        const { from, to } = form.code === undefined ? found : widened(lower, found, form.code);
        hidden.push([from, to]);
        if (form.code !== undefined) at = to - 1;
      }
    }
    return hidden;
  }

  #addAddress(url: URL): void {
    this.#addresses.push(url);
    const [username, password] = [url.username, url.password].map(decode) as [string, string];
    this.#addText(password);
    this.#addText(url.password);
    if (password !== '') this.#addText(`${username}:${password}`);
    // The key of a DSN. Beside a password it is a name.
    else if (username.length >= STEP_LENGTH) this.#addText(username);
    if (url.pathname.length >= ANYWHERE_LENGTH) this.#addText(url.pathname.slice(1), '/');
    for (const step of url.pathname.split('/'))
      if (step.length >= STEP_LENGTH) this.#addText(step);
      else if (step.length >= ANYWHERE_LENGTH) this.#addText(step, '/');
    for (const value of url.searchParams.values()) this.#addText(value);
    for (const pair of url.search.slice(1).split('&')) this.#addText(pair.slice(pair.indexOf('=') + 1));
  }

  /** @param before stands before it, and is shown */
  #addText(secret: string, before = ''): void {
    if (secret === '') return;
    const bytes = Buffer.from(secret);
    const plain = [
      secret,
      decode(secret),
      // A header of these characters, read as UTF-8, and the other way round.
      bytes.toString('latin1'),
      Buffer.from(secret, 'latin1').toString(),
    ].flatMap(writingsOf);
    for (const text of plain) this.#addForm(`${before}${plainLine(text)}`);
    for (const text of base64Of(bytes)) this.#addForm(text, BASE64);
    if (bytes.length >= ANYWHERE_LENGTH) this.#addForm(bytes.toString('hex'), HEXADECIMAL);
  }

  #addForm(written: string, code?: RegExp): void {
    const text = lowerCase(written);
    if (text.trim() !== '') this.#forms.set(text, { text, code });
  }
}

const BASE64 = /[a-z0-9+/=_-]/;
const HEXADECIMAL = /[0-9a-f]/;

/** Every secret, wherever it is. */
export function secretsOf(value: unknown): Secret[] {
  if (value instanceof Secret) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsOf);
}

/** As it is, and as it stands within other texts. */
function writingsOf(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const inAscii = json.replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    text,
    json,
    json.replaceAll('/', '\\/'),
    inAscii,
    inAscii.replaceAll('/', '\\/'),
    encodeURI(text.toWellFormed()),
    encodeURIComponent(text.toWellFormed()),
    new URLSearchParams({ '': text }).toString().slice(1),
    html,
    html.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
    html.replaceAll('"', '&#34;').replaceAll("'", '&#039;'),
  ];
}

/** The characters that follow from these bytes alone, wherever they stand within what is encoded. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    if (own.length < ANYWHERE_LENGTH) return [];
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function widened(
  text: string,
  { from, to }: { readonly from: number; readonly to: number },
  code: RegExp,
): { from: number; to: number } {
  let [first, end] = [from, to];
  while (first > 0 && code.test(text.charAt(first - 1))) first -= 1;
  while (end < text.length && code.test(text.charAt(end))) end += 1;
  return { from: first, to: end };
}

function isWord(text: string, { from, to }: { readonly from: number; readonly to: number }): boolean {
  return !/[a-z0-9]/.test(text.charAt(from - 1)) && !/[a-z0-9]/.test(text.charAt(to));
}

/** What overlaps or touches is one. */
function marked(text: string, hidden: readonly (readonly [from: number, to: number])[]): string {
  let shown = '';
  let at = 0;
  let end = -1;
  for (const [from, to] of [...hidden].sort(([a], [b]) => a - b)) {
    if (from > end) {
      shown += `${text.slice(at, from)}${MARK}`;
      end = to;
    }
    end = Math.max(end, to);
    at = end;
  }
  return `${shown}${text.slice(at)}`;
}

/** Only its host is said, and perhaps who asks. */
function isBare({ pathname, search }: URL): boolean {
  return pathname === '/' && search === '';
}

/** As it is where it is no writing of an address. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As long as it was: places in it are places in the text. */
function lowerCase(text: string): string {
  return text.replace(/\p{Lu}/gu, (letter) => {
    const lower = letter.toLowerCase();
    return lower.length === letter.length ? lower : letter;
  });
}
