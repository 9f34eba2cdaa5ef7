// What a channel and its receiver say to each other, as lines for a terminal: `>` before what is said, `<` before what is heard, secrets
// replaced, JSON spread out. In: the lines of a conversation. Heads, and the lines of a protocol such as SMTP, are shown as they come; a
// body once it is whole, or the conversation is at its end. Of what is too long only the beginning is shown.
import { STATUS_CODES } from 'node:http';
import type { Conversation } from '../channel/channel';
import { MARK, type SecretMask } from './secret-mask';
import { paint, plainLine } from './terminal-text';

export interface TranscriptLooks {
  readonly hasColors: boolean;
  /** Only what is said is shown, without a mark before each line, and in full. */
  readonly isPreview?: boolean;
}

/** Of what is heard, and of a mail, which has its text in the first lines and then its HTML. */
const MOST_LINES = 50;
const MOST_LINES_OF_REQUEST = 250;
const LONGEST_LINE = 2_000;

/** What they say is a secret, or stands for one. */
const SECRET_HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'webhook-signature',
] as const;

/** An HTTP request of a channel: see tell() in channel/http/send-request.ts. */
const REQUEST_LINE = /^(?:POST|PUT|PATCH|GET) (https?:\S+)$/;
const STATUS_LINE = /^[1-5]\d\d$/;

type Side = 'said' | 'heard';

/** `lines`: those of another protocol than HTTP, or words of our own. */
type Part = 'head' | 'body' | 'lines';

export class Transcript implements Conversation {
  readonly #mask: SecretMask;
  readonly #secretHeaders: ReadonlySet<string>;
  readonly #print: (line: string) => void;
  readonly #looks: TranscriptLooks;
  #side: Side | undefined;
  #part: Part = 'lines';
  #body: string[] = [];
  /** Of what one side has said in one go. */
  #lines = 0;
  #isHttp = false;
  #hasEnded = false;

  /** @param secretHeaders further headers whose values are secrets, in lower case */
  constructor(
    mask: SecretMask,
    secretHeaders: readonly string[],
    print: (line: string) => void,
    looks: TranscriptLooks,
  ) {
    this.#mask = mask;
    this.#secretHeaders = new Set([...SECRET_HEADERS, ...secretHeaders]);
    this.#print = print;
    this.#looks = looks;
  }

  said(line: string): void {
    if (this.#hasEnded) return;
    this.#turn('said');
    const [, address] = REQUEST_LINE.exec(line) ?? [];
    if (this.#lines > 0 || address === undefined) {
      this.#take(line);
      return;
    }
    this.#isHttp = true;
    this.#part = 'head';
    this.#show(`${line.slice(0, line.indexOf(' '))} ${plainLine(this.#mask.hideAddress(address))}`);
  }

  heard(line: string): void {
    if (this.#hasEnded) return;
    this.#turn('heard');
    if (this.#lines > 0 || !this.#isHttp || !STATUS_LINE.test(line)) {
      this.#take(line);
      return;
    }
    this.#part = 'head';
    this.#show(`${line} ${STATUS_CODES[line] ?? ''}`.trimEnd());
  }

  /** Whether nothing was said and nothing heard. */
  get isEmpty(): boolean {
    return this.#side === undefined;
  }

  /** What still comes, such as a goodbye, is not shown. */
  end(): void {
    this.#flush();
    this.#hasEnded = true;
  }

  #turn(side: Side): void {
    if (this.#side === side) return;
    this.#flush();
    if (this.#isHttp && this.#side !== undefined) this.#print('');
    this.#side = side;
    this.#part = 'lines';
    if (side === 'said') this.#isHttp = false;
  }

  #take(line: string): void {
    if (this.#part === 'body') this.#body.push(line);
    else if (this.#part === 'lines') this.#show(this.#mask.hide(plainLine(line)));
    else if (line === '') this.#part = 'body';
    else this.#show(this.#hideHeader(line));
  }

  #hideHeader(line: string): string {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!this.#secretHeaders.has(name)) return this.#mask.hide(plainLine(line));
    // Whoever hears it may say it again. Behind the name of a scheme stands what is secret.
    const words = value.split(/[\s,]+/).filter((word, index) => index > 0 && word.length >= 4);
    if (this.#side === 'said') for (const word of [value, ...words]) this.#mask.add(word);
    return `${plainLine(line.slice(0, colon))}: ${MARK}`;
  }

  #flush(): void {
    const text = this.#body.join('\n');
    this.#body = [];
    if (text !== '') {
      this.#show('');
      const plain = spread(text).split('\n').map(plainLine).join('\n');
      const hidden = this.#side === 'heard' ? this.#mask.hideCut(plain) : this.#mask.hide(plain);
      for (const line of hidden.split('\n')) this.#show(line);
    }
    const mostLines = this.#mostLines();
    const more = this.#lines - mostLines;
    if (more > 0) this.#print(`${this.#prefix()}... ${more.toLocaleString('en-US')} more lines`);
    this.#lines = 0;
  }

  /** @param line without secrets */
  #show(line: string): void {
    this.#lines += 1;
    if (this.#lines > this.#mostLines()) return;
    const characters = Array.from(line);
    const shown =
      characters.length <= LONGEST_LINE || this.#looks.isPreview === true
        ? line
        : `${characters.slice(0, LONGEST_LINE - 3).join('')}...`;
    this.#print(`${this.#prefix()}${shown}`.trimEnd());
  }

  #mostLines(): number {
    if (this.#looks.isPreview === true) return Infinity;
    return this.#side === 'said' && this.#isHttp ? MOST_LINES_OF_REQUEST : MOST_LINES;
  }

  #prefix(): string {
    if (this.#looks.isPreview === true) return '';
    const { hasColors } = this.#looks;
    return this.#side === 'heard' ? `${paint('<', 'good', hasColors)} ` : `${paint('>', 'info', hasColors)} `;
  }
}

/** JSON, or JSON in each line, with a line for each value; anything else as it is. */
function spread(text: string): string {
  const whole = spreadJson(text);
  if (whole !== undefined) return whole;
  const lines = text.trimEnd().split('\n').map(spreadJson);
  return lines.every((line) => line !== undefined) ? lines.join('\n') : text.replace(/\s+$/, '');
}

/** `undefined` for what is no list or object. */
function spreadJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? JSON.stringify(value, undefined, 2) : undefined;
  } catch {
    return undefined;
  }
}
