// What Slack takes, as data. Lengths are counted as UTF-16 units of the escaped text, which is never less than Slack counts.

export const SLACK_LIMITS = {
  /** https://docs.slack.dev/reference/block-kit/blocks */
  blocks: 50,
  /** https://docs.slack.dev/reference/block-kit/blocks/header-block */
  headerCharacters: 150,
  /** https://docs.slack.dev/reference/block-kit/blocks/section-block */
  sectionCharacters: 3_000,
  /** https://docs.slack.dev/reference/block-kit/blocks/context-block */
  contextElements: 10,
  /** Of one text element of a context. */
  contextCharacters: 2_000,
  /** `text` of chat.update (https://docs.slack.dev/reference/methods/chat.update, msg_too_long); chat.postMessage takes more. */
  textCharacters: 4_000,
} as const;

/**
 * Of all blocks of a message as JSON. Slack also refuses a message as a whole (`msg_blocks_too_long`) and publishes no number:
 * its maintainers speak of 12,000 characters of text with something on top for the blocks
 * (https://github.com/slackapi/bolt-js/issues/2509), and others saw 9,597 characters (15,561 as JSON) taken and 11,341 refused
 * (https://github.com/slackapi/bolt-js/issues/2867). So the JSON stays under the smallest of them.
 */
export const MOST_BLOCKS_BYTES = 12_000;

/** Of `text`. The limit of chat.update was seen to be of bytes; blocks are read in its place, so it need not be long. */
export const MOST_TEXT_BYTES = 3_000;
