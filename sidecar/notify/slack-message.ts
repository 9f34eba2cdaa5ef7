// A notification as the message of a Slack incoming webhook: blocks to read, and `text` for notifications and old clients.
// All text is plain, so that no name can format, link or mention; & < > are escaped as Slack asks
// (https://docs.slack.dev/messaging/formatting-message-text). Only the links are mrkdwn, and they are ours. Limits are of Slack's
// Block Kit reference: 50 blocks, 150 characters in a header, 3,000 in a section, 2,000 in an element of a context. What is longer
// ends in an ellipsis.
import { describeNotification, plainText, type DescribedItem } from './describe-notification';
import type { Notification } from './notification';

interface PlainText {
  type: 'plain_text';
  text: string;
  emoji: false;
}

interface Mrkdwn {
  type: 'mrkdwn';
  text: string;
  verbatim: true;
}

type Block =
  | { type: 'header'; text: PlainText }
  | { type: 'section'; text: PlainText }
  | { type: 'context'; elements: Mrkdwn[] };

export interface SlackMessage {
  text: string;
  /** `false`: `text` is not formatted either. */
  mrkdwn: false;
  blocks: Block[];
}

const MAX_HEADER_LENGTH = 150;
const MAX_SECTION_LENGTH = 3_000;
const MAX_LINKS_LENGTH = 2_000;
const MAX_BLOCKS = 50;
/** Header, the titles of what has no room, and notes. */
const OTHER_BLOCKS = 3;

export function slackMessage(notification: Notification): SlackMessage {
  const described = describeNotification(notification);
  const { title, items, notes } = described;
  const shown: Block[][] = [];
  let room = MAX_BLOCKS - OTHER_BLOCKS;
  for (const item of items) {
    const blocks = itemBlocks(item, item.title === title);
    if (blocks.length > room) break;
    shown.push(blocks);
    room -= blocks.length;
  }
  const hidden = items.slice(shown.length);
  return {
    text: escapeWithin(`${title}\n${plainText(described)}`, MAX_SECTION_LENGTH),
    mrkdwn: false,
    blocks: [
      { type: 'header', text: plain(escapeWithin(title, MAX_HEADER_LENGTH)) },
      ...shown.flat(),
      ...(hidden.length === 0 ? [] : [{ type: 'section' as const, text: plain(titlesOf(hidden)) }]),
      ...(notes.length === 0 ? [] : [section(notes.join(' '))]),
    ],
  };
}

/** "And 27 more:" and their titles, a line each, as far as they fit. */
function titlesOf(hidden: readonly DescribedItem[]): string {
  const lines = hidden.map(({ title }) => escapeWithin(title, MAX_HEADER_LENGTH));
  const head = `And ${hidden.length} more:`;
  const whole = [head, ...lines].join('\n');
  if (whole.length <= MAX_SECTION_LENGTH) return whole;
  const tail = (count: number): string => `and ${count} whose names have no room here.`;
  const kept: string[] = [head];
  let length = head.length + tail(lines.length).length + 1;
  for (const line of lines) {
    length += line.length + 1;
    if (length > MAX_SECTION_LENGTH) break;
    kept.push(line);
  }
  return [...kept, tail(lines.length - (kept.length - 1))].join('\n');
}

function itemBlocks({ title, sentences, links }: DescribedItem, isTitled: boolean): Block[] {
  const text = (isTitled ? sentences : [title, ...sentences]).join('\n');
  const linked = links.map(({ name, url }) => `<${escapeUrl(url)}|${name}>`);
  const fitting = linked.filter(
    (_link, index) => linked.slice(0, index + 1).join(' · ').length <= MAX_LINKS_LENGTH,
  );
  return [
    section(text),
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

function section(text: string): Block {
  return { type: 'section', text: plain(escapeWithin(text, MAX_SECTION_LENGTH)) };
}

function plain(text: string): PlainText {
  return { type: 'plain_text', text, emoji: false };
}

/** What would end the address or begin the words of a link. */
function escapeUrl(url: string): string {
  return url.replace(/[<>|\s]/g, encodeURIComponent).replaceAll('&', '&amp;');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Escapes, and cuts so that the escaped text has at most `maxLength` characters and no half entity or surrogate. */
function escapeWithin(text: string, maxLength: number): string {
  const pieces = Array.from(text, (character) => ENTITIES[character] ?? character);
  const whole = pieces.join('');
  if (whole.length <= maxLength) return whole;
  let cut = '';
  for (const piece of pieces) {
    if (cut.length + piece.length > maxLength - 1) break;
    cut += piece;
  }
  return `${cut}…`;
}
