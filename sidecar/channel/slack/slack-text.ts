// Text as Slack takes it: & < > escaped (https://docs.slack.dev/messaging/formatting-message-text), so that no name can mention
// or link, and cut where there is no more room, never within an entity or a character.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const ELLIPSIS = '…';
const ELLIPSIS_BYTES = Buffer.byteLength(ELLIPSIS);

/** Escapes; what is longer than `mostCharacters`, or than `mostBytes` as JSON, ends in an ellipsis. */
export function escapeWithin(text: string, mostCharacters: number, mostBytes = Infinity): string {
  let escaped = '';
  let bytes = 0;
  /** How much of it has room with an ellipsis behind it. */
  let fitting = 0;
  for (const character of text) {
    const piece = ENTITIES[character] ?? character;
    escaped += piece;
    bytes += jsonBytes(piece);
    if (escaped.length > mostCharacters || bytes > mostBytes)
      return `${escaped.slice(0, fitting)}${ELLIPSIS}`;
    if (escaped.length < mostCharacters && bytes <= mostBytes - ELLIPSIS_BYTES) fitting = escaped.length;
  }
  return escaped;
}

/** What would end the address or begin the words of a link. */
export function escapeUrl(url: string): string {
  return url.replace(/[<>|\s]/g, encodeURIComponent).replaceAll('&', '&amp;');
}

/** Without the quotes. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
