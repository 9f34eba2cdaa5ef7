// Titles, texts and links to a message of Slack: blocks to read, and `text` for notifications and old clients.
// All text is plain, so that no name can format, link or mention. Only the links are mrkdwn, and they are ours.
// How it stands is a word at the beginning of a title, not a colour: Slack has coloured bars only in attachments, which it calls
// legacy and may show less of (https://docs.slack.dev/messaging/formatting-message-text#attachments), and a word is read aloud
// and is in the notification too. What has no room is named in a list; what is longer than its block ends in an ellipsis.
import type { Link } from '../../notify/notification';
import { MOST_BLOCKS_BYTES, MOST_TEXT_BYTES, SLACK_LIMITS } from './slack-limits';
import { escapeUrl, escapeWithin, jsonBytes } from './slack-text';

export interface PlainText {
  type: 'plain_text';
  text: string;
  emoji: false;
}

export interface Mrkdwn {
  type: 'mrkdwn';
  text: string;
  /** No name in it becomes a mention or a link. */
  verbatim: true;
}

export type Block =
  | { type: 'header'; text: PlainText }
  | { type: 'section'; text: PlainText }
  | { type: 'context'; elements: Mrkdwn[] };

export interface SlackMessage {
  text: string;
  /** `false`: `text` is not formatted either. */
  mrkdwn: false;
  blocks: Block[];
}

/** One alert. */
export interface SlackEntry {
  readonly title: string;
  /** Lines. */
  readonly text: string;
  readonly links: readonly Link[];
}

export interface SlackDraft {
  /** Of the whole message. */
  readonly title: string;
  /** The title is only in `text`, not large at the top. */
  readonly isQuiet: boolean;
  readonly entries: readonly SlackEntry[];
  readonly notes: readonly string[];
}

/** The header, the titles of what has no room, and notes. */
const OTHER_BLOCKS = 3;

/** So much of MOST_BLOCKS_BYTES that one entry always has room beside a header, a list of titles and notes. */
const MOST_SECTION_BYTES = 5_500;
const MOST_LIST_BYTES = 2_500;
const MOST_NOTES_BYTES = 500;

export function layOut({ title, isQuiet, entries, notes }: SlackDraft): SlackMessage {
  const header = isQuiet ? [] : [headerOf(title)];
  const noted = notes.length === 0 ? [] : [sectionOf(notes.join(' '), MOST_NOTES_BYTES)];
  const shown: Block[] = [];
  let blocks: number = SLACK_LIMITS.blocks - OTHER_BLOCKS;
  let bytes = MOST_BLOCKS_BYTES - bytesOf([...header, ...noted, section('')]) - MOST_LIST_BYTES;
  let hidden: readonly SlackEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    const own = blocksOf(entry, !isQuiet && entry.title === title);
    blocks -= own.length;
    bytes -= bytesOf(own);
    if (blocks < 0 || bytes < 0) {
      hidden = entries.slice(index);
      break;
    }
    shown.push(...own);
  }
  return {
    text: escapeWithin(textOf(title, entries, notes), SLACK_LIMITS.sectionCharacters, MOST_TEXT_BYTES),
    mrkdwn: false,
    blocks: [
      ...header,
      ...shown,
      ...(hidden.length === 0 ? [] : [listOf(hidden, shown.length > 0)]),
      ...noted,
    ],
  };
}

/** The same without blocks, for when Slack takes none of ours. */
export function withoutBlocks({ text, mrkdwn }: SlackMessage): Omit<SlackMessage, 'blocks'> {
  return { text, mrkdwn };
}

function textOf(title: string, entries: readonly SlackEntry[], notes: readonly string[]): string {
  const parts = entries.map((entry) =>
    [
      ...(entry.title === title ? [] : [entry.title]),
      ...(entry.text === '' ? [] : [entry.text]),
      ...entry.links.map(({ name, url }) => `${name}: ${url}`),
    ].join('\n'),
  );
  return `${title}\n${[...parts, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n')}`.trimEnd();
}

/** "And 27 more:" and their titles, a line each, as far as they fit. */
function listOf(hidden: readonly SlackEntry[], isRest: boolean): Block {
  const lines = hidden.map(({ title }) => escapeWithin(title, SLACK_LIMITS.headerCharacters));
  const head = isRest ? `And ${hidden.length} more:` : `${hidden.length} in all:`;
  const whole = [head, ...lines].join('\n');
  if (fits(whole)) return section(whole);
  const tail = (count: number): string => `and ${count} whose names have no room here.`;
  const kept: string[] = [head];
  for (const line of lines) {
    if (!fits([...kept, line, tail(lines.length)].join('\n'))) break;
    kept.push(line);
  }
  return section([...kept, tail(lines.length - (kept.length - 1))].join('\n'));
}

function fits(list: string): boolean {
  return list.length <= SLACK_LIMITS.sectionCharacters && jsonBytes(list) <= MOST_LIST_BYTES;
}

function blocksOf({ title, text, links }: SlackEntry, isTitled: boolean): Block[] {
  const linked = links.map(({ name, url }) => `<${escapeUrl(url)}|${name}>`);
  const fitting = linked.filter(
    (_link, index) => linked.slice(0, index + 1).join(' · ').length <= SLACK_LIMITS.contextCharacters,
  );
  const words = isTitled ? text : [title, text].join('\n').trimEnd();
  return [
    ...(words === '' ? [] : [sectionOf(words, MOST_SECTION_BYTES)]),
    ...(fitting.length === 0
      ? []
      : [
          {
            type: 'context' as const,
            elements: [{ type: 'mrkdwn' as const, text: fitting.join(' · '), verbatim: true as const }],
          },
        ]),
  ];
}

function headerOf(title: string): Block {
  return { type: 'header', text: plain(escapeWithin(title, SLACK_LIMITS.headerCharacters)) };
}

function sectionOf(text: string, mostBytes: number): Block {
  return section(escapeWithin(text, SLACK_LIMITS.sectionCharacters, mostBytes));
}

/** @param text escaped already */
function section(text: string): Block {
  return { type: 'section', text: plain(text) };
}

function plain(text: string): PlainText {
  return { type: 'plain_text', text, emoji: false };
}

/** In an array, a comma for each. */
function bytesOf(blocks: readonly Block[]): number {
  return Buffer.byteLength(JSON.stringify(blocks)) - 1;
}
