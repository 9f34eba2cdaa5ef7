// From any text to a label value: whole characters, none that a terminal or a page acts on, at most MAX_LABEL_BYTES long.
// Names in Kong may be of any length and hold anything; a label stands in every batch, in memory, on disk and in every scrape.
// A text that is a label already stays as it is, so the sidecar asks of each value that this changes nothing.
import { createHash } from 'node:crypto';

/** Bytes of UTF-8. Far above any name that a person gives; a batch of 1 MB holds 2,000 series of such names. */
export const MAX_LABEL_BYTES = 256;

/** A UTF-16 unit is at most three bytes of UTF-8. */
const SURELY_SHORT = Math.floor(MAX_LABEL_BYTES / 3);

/** Control characters, line and paragraph separators, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

const CONTROL_PICTURES = 0x2400;
const PICTURE_OF_DELETE = '\u2421';
const REPLACEMENT = '\ufffd';

const HASH_DIGITS = 12;

/**
 * Half a surrogate pair, which has no UTF-8, becomes U+FFFD. A control character becomes its picture (a line feed U+240A), so
 * that names that differ in it stay apart; where there is none, U+FFFD. What is too long is cut between two characters and
 * ends in `…` and a hash of the whole, so that two names of one beginning stay apart too.
 */
export function labelText(text: string): string {
  const whole = text.toWellFormed();
  const printable = UNPRINTABLE.test(whole) ? whole.replace(EVERY_UNPRINTABLE, pictureOf) : whole;
  if (printable.length <= SURELY_SHORT || Buffer.byteLength(printable) <= MAX_LABEL_BYTES) return printable;
  const end = `…${createHash('sha256').update(whole).digest('hex').slice(0, HASH_DIGITS)}`;
  return `${cut(printable, MAX_LABEL_BYTES - Buffer.byteLength(end))}${end}`;
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  return code === 0x7f ? PICTURE_OF_DELETE : REPLACEMENT;
}

/** The longest beginning of whole characters within so many bytes of UTF-8. */
function cut(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return text.slice(0, read);
}

/** In place of what there is no room for. */
export const OTHER = '__other__';
