import { outcomeOf } from '../../../sidecar/channel/http/outcome-of-answer';
import { adviceFor } from '../../../sidecar/cli/advice';
import {
  alertmanagerSettings,
  emailSettings,
  pagerDutySettings,
  sentrySettings,
  slackBotSettings,
  slackWebhookSettings,
  webhookSettings,
} from '../../support/channel-settings';

const HOOK = webhookSettings('https://hooks.example/');

it.each([
  ['answered 401', HOOK, /^It does not take what it was shown: check url, headers and signing_secrets/],
  ['chat.postMessage: answered 403', slackBotSettings('https://slack.example'), /check bot_token/],
  ['answered 404: no_service', slackWebhookSettings('https://slack.example'), /check webhook_url\.$/],
  ['answered 405', HOOK, /another method/],
  ['answered 413', HOOK, /too large/],
  ['answered 429', pagerDutySettings('https://pager.example'), /try again later/],
  ['answered 302, a redirect, which is not followed', HOOK, /^Set url to where it leads\.$/],
  ['answered 503', HOOK, /on its side/],
  ['answered 400', HOOK, /above/],
  ['no answer (ECONNREFUSED)', HOOK, /^Nothing listens there: check url,/],
  ['no connection (ECONNREFUSED)', emailSettings(25), /check host, port and tls,/],
  ['no answer (ENOTFOUND)', alertmanagerSettings(['https://am.example']), /check urls\.$/],
  ['no answer (EHOSTUNREACH)', HOOK, /no way there/],
  ['no answer (timeout)', HOOK, /^It had 5 seconds: is there a firewall between\? Else raise timeout\.$/],
  ['no answer (UND_ERR_SOCKET)', HOOK, /TLS, or none/],
  ['no answer (ERR_SSL_WRONG_VERSION_NUMBER)', HOOK, /does not speak TLS: check url/],
  ['no answer (HPE_INVALID_CONSTANT)', HOOK, /does not speak HTTP/],
  ['no greeting (not SMTP)', emailSettings(25), /does not speak SMTP: check host/],
  ['no answer (not HTTP)', HOOK, /does not speak HTTP: check url\.$/],
  ['the address cannot be used (ERR_INVALID_URL)', HOOK, /^Check url\.$/],
  ['its event: no answer (ENOTFOUND)', sentrySettings(), /check sentry\.dsn, and api_url/],
] as const)('what can be done about "%s" is said', (reason, settings, advice) => {
  expect(adviceFor(reason, settings)).toMatch(advice);
});

it('nothing is said where the reason says what to do', () => {
  expect(
    adviceFor('login refused (535 5.7.8): check username and password', emailSettings(25)),
  ).toBeUndefined();
  for (const code of ['SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
    const { reason } = outcomeOf({ kind: 'no_answer', code }, 0) as { reason: string };
    expect(adviceFor(reason, HOOK)).toBeUndefined();
  }
  expect(adviceFor('there is no Sentry to send it to', sentrySettings())).toBeUndefined();
});
