// What PagerDuty's Events API v2 takes, as data. The source is its developer documentation, whose files are named here
// (https://github.com/PagerDuty/developer-docs/tree/main/docs/events-API-v2).

/** Of `payload.summary`: 02-Trigger-Events.md, 03-Change-Events.md. */
export const MOST_SUMMARY_CHARACTERS = 1_024;

/** 01-Overview.md, size limits: 512 KB; the smaller reading of it, in UTF-8. */
export const MOST_EVENT_BYTES = 512_000;

/**
 * `payload.source`, `component` and `group` have no published limit. They are short words in lists, so that of `dedup_key`
 * (02-Trigger-Events.md) is enough for them.
 */
export const MOST_FIELD_CHARACTERS = 255;

/** For a 429 that does not say how long. 05-Rate-Limits.md: about 120 calls in 60 seconds for a key, tries 30 seconds apart. */
export const RATE_LIMIT_WAIT_MS = 30_000;
