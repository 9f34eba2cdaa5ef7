// What templates of the webhook channel have beside the filters of Liquid. Pure; each takes any value as text.

/** The end of a text that was cut. */
const CUT = '…';

/** `{{ text | truncate_to: 200 }}`: at most so many UTF-16 units, an ellipsis at the end of what was longer. No character is cut in two. */
export function truncateTo(value: unknown, most: unknown): string {
  const text = textOf(value);
  const length = Math.max(0, Math.floor(Number(most)) || 0);
  if (text.length <= length) return text;
  if (length === 0) return '';
  const kept = text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '');
  return `${kept.trimEnd()}${CUT}`;
}

/**
 * `{{ text | discord_escape }}`: shown as it is where Discord reads Markdown
 * (https://support.discord.com/hc/en-us/articles/210298617-Markdown-Text-101): no formats, links, invitations, mentions, emoji, lists
 * or headings. A backslash takes the meaning of any character that is no letter, digit or space.
 */
export function discordEscape(value: unknown): string {
  return (
    textOf(value)
      .replace(/[\\*_~`|<>[\]@/]/g, '\\$&')
      // Of an emoji such as :fire:, not of a time.
      .replace(/(?<!\d):(?=\S)|:(?=[^\d\s])/g, '\\:')
      .replace(/^(\s*)([-+#])/gm, '$1\\$2')
      .replace(/^(\s*\d+)([.)])/gm, '$1\\$2')
  );
}

/** `[runbook]({{ url | link_url }})`: an address in which nothing ends the link, or a format of Markdown begins. */
export function linkUrl(value: unknown): string {
  return textOf(value).replace(
    /[\s()<>[\]"'`\\*_~|]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** `{{ text | json_size }}`: how long the text is as a JSON string in ASCII; the quotes around it are not counted. */
export function jsonSize(value: unknown): number {
  const quoted = JSON.stringify(textOf(value));
  // As \u1234.
  const others = quoted.match(/[^ -~]/g)?.length ?? 0;
  return quoted.length - 2 + 5 * others;
}

/** A list or an object as JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}
