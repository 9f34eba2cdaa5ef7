import { hintFor, meaningOf, toldWord } from '../../../../sidecar/channel/slack/slack-errors';

describe("Slack's word", () => {
  it.each([
    'ratelimited',
    'rate_limited',
    'internal_error',
    'fatal_error',
    'service_unavailable',
    'request_timeout',
    'team_added_to_org',
    'org_login_required',
    'external_channel_migrating',
    'update_failed',
    'message_limit_exceeded',
  ])('%s may pass', (word) => {
    expect(meaningOf(word)).toBe('retry');
    expect(toldWord(word)).toBe(word);
  });

  it.each([
    'not_authed',
    'invalid_auth',
    'account_inactive',
    'token_revoked',
    'token_expired',
    'not_allowed_token_type',
    'missing_scope',
    'no_permission',
    'channel_not_found',
    'not_in_channel',
    'is_archived',
    'is_inactive',
    'restricted_action',
    'restricted_action_read_only_channel',
    'restricted_action_thread_only_channel',
    'ekm_access_denied',
    'access_denied',
    'accesslimited',
    'enterprise_is_restricted',
    'two_factor_setup_required',
    'team_access_not_granted',
    'messages_tab_disabled',
  ])('%s needs somebody, who is told what to do', (word) => {
    expect(meaningOf(word)).toBe('refused');
    expect(toldWord(word)).toBe(word);
    expect(hintFor(word)).toMatch(/^[a-z]/);
  });

  it.each([
    'no_text',
    'invalid_arguments',
    'invalid_arg_name',
    'invalid_array_arg',
    'invalid_charset',
    'invalid_form_data',
    'invalid_post_type',
    'missing_post_type',
    'too_many_attachments',
    'as_user_not_supported',
    'method_deprecated',
    'deprecated_endpoint',
  ])('%s is about the call, which nobody outside can mend', (word) => {
    expect(meaningOf(word)).toBe('refused');
    expect(hintFor(word)).toBeUndefined();
  });

  it.each([
    'message_not_found',
    'cant_update_message',
    'edit_window_closed',
    'restricted_action_non_threadable_channel',
    'restricted_action_thread_locked',
  ])('%s asks for a new message', (word) => {
    expect(meaningOf(word)).toBe('gone');
  });

  it.each(['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long', 'msg_too_long'])(
    '%s asks for a plainer message',
    (word) => {
      expect(meaningOf(word)).toBe('form');
    },
  );

  it.each(['something_new', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'is one that may pass where Slack does not publish it: %j',
    (word) => {
      expect(meaningOf(word)).toBe('retry');
      expect(hintFor(word)).toBeUndefined();
    },
  );

  it.each(['', 'word', 'xoxb-1-2', 'T012_B345', 'a_b c', '_a', 'a__b', 'a_b_'.repeat(12), 'a_b\n'])(
    'is not told where it has not the form of one: %j',
    (text) => {
      expect(toldWord(text)).toBeUndefined();
    },
  );
});
