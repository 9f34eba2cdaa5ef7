// The words with which Slack says why not, and what each means for us. They are those that Slack publishes for
// https://docs.slack.dev/reference/methods/chat.postMessage and https://docs.slack.dev/reference/methods/chat.update.
// A word that is not here counts as one that may pass: Slack says that other errors are returned when the service is down or
// something unexpected happens. If it does not pass, the deadline of the channel ends it and its fallback is told.

/**
 * `retry`: the same may succeed later. `gone`: the message, or its thread, can take no more, so a new one is begun. `form`: our
 * blocks or their length. `refused`: somebody has to do something first.
 */
export type Meaning = 'retry' | 'gone' | 'form' | 'refused';

const CHECK_TOKEN = 'check bot_token';
const ADMIN = 'a setting of the workspace forbids it';

const REFUSED: Readonly<Record<string, string>> = {
  not_in_channel: 'invite the bot into the channel: /invite and its name',
  channel_not_found: 'check channel; into a private one the bot must be invited',
  is_archived: 'the channel is archived; bring it back or set another',
  is_inactive: 'the channel is archived or frozen; bring it back or set another',
  missing_scope: 'give the app the scope chat:write and install it again',
  no_permission: 'give the app the scope chat:write and invite the bot into the channel',
  invalid_auth: CHECK_TOKEN,
  not_authed: CHECK_TOKEN,
  account_inactive: CHECK_TOKEN,
  token_revoked: CHECK_TOKEN,
  token_expired: CHECK_TOKEN,
  not_allowed_token_type: 'bot_token must be the token of a bot',
  team_access_not_granted: CHECK_TOKEN,
  team_not_found: CHECK_TOKEN,
  access_denied: ADMIN,
  accesslimited: 'the workspace does not take calls from this network',
  ekm_access_denied: ADMIN,
  enterprise_is_restricted: ADMIN,
  two_factor_setup_required: ADMIN,
  restricted_action: ADMIN,
  restricted_action_read_only_channel: 'nobody may write into the channel; set another',
  restricted_action_thread_only_channel: 'only replies may be written into the channel; set another',
  messages_tab_disabled: 'switch on the messages tab of the app, or set a channel',
};

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ratelimited: 'retry',
  rate_limited: 'retry',
  message_limit_exceeded: 'retry',
  internal_error: 'retry',
  fatal_error: 'retry',
  service_unavailable: 'retry',
  request_timeout: 'retry',
  update_failed: 'retry',
  // Both end when the workspace or the channel has moved.
  team_added_to_org: 'retry',
  org_login_required: 'retry',
  external_channel_migrating: 'retry',
  message_not_found: 'gone',
  cant_update_message: 'gone',
  edit_window_closed: 'gone',
  block_mismatch: 'gone',
  thread_not_found: 'gone',
  cannot_reply_to_message: 'gone',
  restricted_action_thread_locked: 'gone',
  restricted_action_non_threadable_channel: 'gone',
  invalid_blocks: 'form',
  invalid_blocks_format: 'form',
  msg_blocks_too_long: 'form',
  msg_too_long: 'form',
  // The rest of what is published is about the call itself: no second try makes it better.
  ...refused(
    'as_user_not_supported',
    'cant_broadcast_message',
    'deprecated_endpoint',
    'invalid_arg_name',
    'invalid_arguments',
    'invalid_array_arg',
    'invalid_attachments',
    'invalid_charset',
    'invalid_form_data',
    'invalid_json',
    'invalid_post_type',
    'json_not_object',
    'markdown_text_conflict',
    'method_deprecated',
    'missing_post_type',
    'no_text',
    'too_many_attachments',
  ),
  ...refused(...Object.keys(REFUSED)),
  // Of incoming webhooks: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
  ...refused(
    'action_prohibited',
    'channel_is_archived',
    'invalid_payload',
    'invalid_token',
    'no_active_hooks',
    'no_service',
    'no_service_id',
    'no_team',
    'posting_to_general_channel_denied',
    'team_disabled',
    'user_not_found',
  ),
};

export function meaningOf(word: string): Meaning {
  return Object.hasOwn(MEANINGS, word) ? (MEANINGS[word] ?? 'retry') : 'retry';
}

/** `undefined` where what is there is no word of Slack: that is told to nobody. */
export function toldWord(text: string): string | undefined {
  return Object.hasOwn(MEANINGS, text) ? text : undefined;
}

/** What somebody has to do for a bot that hears this word; `undefined` where nobody can. */
export function hintFor(word: string): string | undefined {
  return Object.hasOwn(REFUSED, word) ? REFUSED[word] : undefined;
}

function refused(...words: readonly string[]): Record<string, 'refused'> {
  return Object.fromEntries(words.map((word) => [word, 'refused']));
}
