// A notification as the message of a Slack incoming webhook: blocks to read, and `text` for notifications and old clients.
// All text is plain, so that no name can format, link or mention; & < > are escaped as Slack asks
// (https://docs.slack.dev/messaging/formatting-message-text). Limits are of Slack's Block Kit reference: 150 characters in a
// header, 3,000 in a section; `text` is kept to the same 3,000. What is longer ends in an ellipsis.
import { describeNotification } from './describe-notification';
import type { Notification } from './notification';

interface PlainText {
  type: 'plain_text';
  text: string;
  emoji: false;
}

export interface SlackMessage {
  text: string;
  /** `false`: `text` is not formatted either. */
  mrkdwn: false;
  blocks: ({ type: 'header'; text: PlainText } | { type: 'section'; text: PlainText })[];
}

const MAX_HEADER_LENGTH = 150;
const MAX_SECTION_LENGTH = 3_000;

export function slackMessage(notification: Notification): SlackMessage {
  const { title, text } = describeNotification(notification);
  const heading =
    notification.status === 'firing' ? `${notification.rule.severity.toUpperCase()}: ${title}` : title;
  return {
    text: escapeWithin(`${heading}. ${text}`, MAX_SECTION_LENGTH),
    mrkdwn: false,
    blocks: [
      { type: 'header', text: plainText(escapeWithin(heading, MAX_HEADER_LENGTH)) },
      { type: 'section', text: plainText(escapeWithin(text, MAX_SECTION_LENGTH)) },
    ],
  };
}

function plainText(text: string): PlainText {
  return { type: 'plain_text', text, emoji: false };
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
