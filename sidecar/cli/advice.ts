// In: why a test message was not sent. Out: what a person can do about it, in one sentence; nothing where the reason says it.
import type { ChannelSettings } from '../config/channel/channel-settings';
import { describeDuration } from '../notify/describe-duration';

/** @param reason of an Outcome: codes stand in brackets, a status behind "answered" */
export function adviceFor(reason: string, settings: ChannelSettings): string | undefined {
  const status = /\banswered (\d{3})\b/.exec(reason)?.[1];
  if (status !== undefined) return byStatus(Number(status), settings);
  const codes = [...reason.matchAll(/\(([^()]+)\)/g)].map(([, code = '']) => code);
  return codes.map((code) => byCode(code, settings)).find((advice) => advice !== undefined);
}

function byStatus(status: number, settings: ChannelSettings): string | undefined {
  if (status === 401 || status === 403)
    return `It does not take what it was shown: check ${keysOf(settings)}, or make a new one there.`;
  if (status === 404 || status === 410)
    return `There is nothing at this address any more: check ${addressOf(settings)}.`;
  if (status === 405) return `It wants another method: check ${addressOf(settings)}.`;
  if (status === 413) return 'The message is too large for it.';
  if (status === 429) return 'It has had too much for now: try again later.';
  if (status >= 300 && status < 400) return `Set ${addressOf(settings)} to where it leads.`;
  if (status >= 500) return 'The trouble is on its side: try again later.';
  return 'What it says about it is above.';
}

function byCode(code: string, settings: ChannelSettings): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `Nothing listens there: check ${addressOf(settings)}, and that the receiver runs.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Nobody knows a host of this name: check ${addressOf(settings)}.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `There is no way there from here: check the network, and ${addressOf(settings)}.`;
    case 'timeout':
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `It had ${describeDuration(settings.timeoutMs)}: is there a firewall between? Else raise timeout.`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'connection closed':
      return 'The connection broke off: does the other side expect TLS, or none?';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return `What listens there does not speak TLS: check ${addressOf(settings)}.`;
    case 'ERR_INVALID_URL':
      return `Check ${addressOf(settings)}.`;
    case 'not SMTP':
      return `What listens there does not speak SMTP: check ${addressOf(settings)}.`;
    default:
      return code === 'not HTTP' || code.startsWith('HPE_')
        ? `What listens there does not speak HTTP: check ${addressOf(settings)}.`
        : undefined;
  }
}

/** Where the configuration says who is spoken to. */
function addressOf(settings: ChannelSettings): string {
  switch (settings.type) {
    case 'slack':
      return settings.through.kind === 'bot' ? 'api_url' : 'webhook_url';
    case 'email':
      return 'host, port and tls';
    case 'pagerduty':
      return 'api_url';
    case 'webhook':
      return 'url';
    case 'alertmanager':
      return 'urls';
    case 'sentry':
      return 'sentry.dsn, and api_url';
  }
}

/** What the receiver is shown. */
function keysOf(settings: ChannelSettings): string {
  switch (settings.type) {
    case 'slack':
      return settings.through.kind === 'bot' ? 'bot_token' : 'webhook_url';
    case 'email':
      return 'username and password';
    case 'pagerduty':
      return 'routing_key';
    case 'webhook':
      return 'url, headers and signing_secrets';
    case 'alertmanager':
      return 'the name and password in urls';
    case 'sentry':
      return 'sentry.dsn, and auth_token';
  }
}
