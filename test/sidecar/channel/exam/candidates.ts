// Every way of delivery that there is. Where one of them may end otherwise than all, it says why.
import type { Channel, Outcome, Thread } from '../../../../sidecar/channel/channel';
import { createChannel } from '../../../../sidecar/channel/create-channels';
import { eventIdOf } from '../../../../sidecar/channel/sentry/sentry-issue';
import { alertId } from '../../../../sidecar/alert/alert-key';
import type { ChannelSettings } from '../../../../sidecar/config/channel/channel-settings';
import type { WebhookChannelSettings } from '../../../../sidecar/config/channel/webhook-settings';
import { Secret } from '../../../../sidecar/config/secret';
import { envelopeUrlOf } from '../../../../sidecar/config/sentry-dsn';
import type { ChangeNotice } from '../../../../sidecar/notify/letter';
import type { Notification } from '../../../../sidecar/notify/notification';
import {
  alertmanagerSettings,
  pagerDutySettings,
  sentrySettings,
  slackBotSettings,
  slackWebhookSettings,
  webhookSettings,
} from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import {
  sampleItem,
  sampleNotification,
  sampleResolved,
  SAMPLE_STARTED_MS,
} from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import type { ScriptedAnswer } from '../../../support/webhook-receiver';
import { NOW_MS, type Candidate } from './candidate';
import { EMAIL } from './email-candidate';
import { refused, retried, type Deviations, type Expected } from './expected';
import { httpCandidate, type HttpCandidate } from './http-candidate';

const SECRET = 'T0SECRET-path-key';
const PASSWORD = 'open-sesame-7.2.9';

function channelOf(settings: ChannelSettings, project = NO_PROJECT): Channel {
  return createChannel(settings, { clock: new ManualClock(NOW_MS), project, externalUrl: undefined });
}

function withPassword(base: string): string {
  return base.replace('://', `://gate:${PASSWORD}@`);
}

function json(status: number, document: unknown): ScriptedAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(document) };
}

function webhook(
  name: string,
  content: WebhookChannelSettings['content'],
  yes: ScriptedAnswer,
  query = '',
): HttpCandidate {
  const signingSecret = `whsec_${Buffer.from(SECRET.repeat(2)).toString('base64')}`;
  return {
    name,
    secrets: [SECRET, PASSWORD, signingSecret],
    calls: [`POST /${SECRET}${query}`],
    yes,
    open: (base, timeoutMs) => {
      const settings = webhookSettings(`${withPassword(base)}/${SECRET}`, {
        content,
        headers: { 'x-api-key': new Secret(SECRET) },
        signingSecrets: [new Secret(signingSecret)],
        timeoutMs,
      });
      return () => channelOf(settings).send(sampleNotification());
    },
  };
}

const WEBHOOKS: readonly HttpCandidate[] = [
  webhook(
    "a webhook of Alertmanager's document",
    { kind: 'format', format: 'alertmanager' },
    { status: 200, body: 'ok' },
  ),
  webhook(
    "a webhook of a user's template",
    {
      kind: 'template',
      file: 'chat.liquid',
      text: '{"text": {{ title | json }}}',
      contentType: 'application/json',
    },
    { status: 200, body: 'ok' },
  ),
  webhook('a webhook of Teams', { kind: 'format', format: 'teams' }, { status: 202, body: 'accepted' }),
  webhook(
    'a webhook of Discord',
    { kind: 'format', format: 'discord' },
    json(200, { id: '1' }),
    '?wait=true',
  ),
];

const SLACK_WEBHOOK: HttpCandidate = {
  name: 'an incoming webhook of Slack',
  secrets: [SECRET],
  calls: [`POST /services/T0/B0/${SECRET}`],
  yes: { status: 200, body: 'ok' },
  open: (base, timeoutMs) => {
    const settings = slackWebhookSettings(`${base}/services/T0/B0/${SECRET}`, { timeoutMs });
    return () => channelOf(settings).send(sampleNotification());
  },
  deviations: whereTheYesIsInTheBody(
    refused(/^answered 20\d, but not with Slack's "ok"$/),
    retried(/^answered 200, but broke off$/),
  ),
};

const POSTED: Thread = { conversation: 'C0123456789', channel: 'C0123456789', ts: '1772359200.000001' };

function slackBot(
  name: string,
  method: 'chat.postMessage' | 'chat.update',
  notification: Notification,
  thread?: Thread,
): HttpCandidate {
  return {
    name,
    secrets: ['xoxb-sample-bot-token'],
    calls: [`POST /api/${method}`],
    yes: json(200, { ok: true, channel: POSTED['channel'], ts: POSTED['ts'] }),
    open: (base, timeoutMs) => {
      const settings = slackBotSettings(`${base}/api`, { timeoutMs });
      return () => channelOf(settings).send(notification, thread);
    },
    deviations: whereTheYesIsInTheBody(
      refused(new RegExp(`^${method}: answered, but not as Slack does$`)),
      retried(new RegExp(`^${method}: answered, but broke off$`)),
    ),
  };
}

const standing = sampleNotification({ message: { kind: 'standing' } });
const told = sampleNotification();

const SLACK_BOT: readonly HttpCandidate[] = [
  slackBot('the first message of a Slack bot', 'chat.postMessage', sampleNotification()),
  slackBot('the change of a first message by a Slack bot', 'chat.update', standing, POSTED),
  slackBot('the reply of a Slack bot', 'chat.postMessage', told, { ...POSTED, shownId: told.id }),
];

const CHANGE: ChangeNotice = {
  id: 'change-1',
  channel: 'pager',
  kind: 'change',
  instance: 'kong',
  before: 'aaaa1111',
  after: 'bbbb2222',
  externalLabels: {},
  atMs: SAMPLE_STARTED_MS,
  createdMs: SAMPLE_STARTED_MS,
};

function pagerDuty(
  name: string,
  path: 'enqueue' | 'change/enqueue',
  tell: (channel: Channel) => Promise<Outcome> | undefined,
): HttpCandidate {
  const routingKey = '0123456789abcdef0123456789abcdef';
  return {
    name,
    secrets: [routingKey],
    calls: [`POST /v2/${path}`],
    yes: json(202, { status: 'success', message: 'Event processed' }),
    open: (base, timeoutMs) => {
      const channel = channelOf(pagerDutySettings(base, { routingKey: new Secret(routingKey), timeoutMs }));
      return async () => {
        const outcome = await tell(channel);
        if (outcome === undefined) throw new Error('it tells nothing');
        return outcome;
      };
    },
    deviations: {
      // It accepts with 202; another yes is somebody else's.
      'answers 200': refused(/^answered 200, and PagerDuty accepts with 202$/),
      'answers 201': refused(/^answered 201, and PagerDuty accepts with 202$/),
      'answers 204': refused(/^answered 204, and PagerDuty accepts with 202$/),
      // Its limits are of a minute.
      'answers 429': retried(/^answered 429$/, 30_000),
    },
  };
}

const PAGERDUTY: readonly HttpCandidate[] = [
  pagerDuty('an event to PagerDuty', 'enqueue', (channel) => channel.send(sampleNotification())),
  pagerDuty('a change event to PagerDuty', 'change/enqueue', (channel) => channel.sendChange?.(CHANGE)),
];

const ALERTMANAGER: HttpCandidate = {
  name: 'an Alertmanager',
  secrets: [SECRET, PASSWORD],
  calls: [`POST /${SECRET}/api/v2/alerts`],
  yes: { status: 200, body: '{}' },
  open: (base, timeoutMs) => {
    const settings = alertmanagerSettings([`${withPassword(base)}/${SECRET}`], { timeoutMs });
    return () => channelOf(settings).send(sampleNotification());
  },
};

const SENTRY_KEY = 'examplepublickey';
const SENTRY_TOKEN = 'sntrys_a-token-for-tests-only';

function sentryProject(base: string): typeof NO_PROJECT {
  return { ...NO_PROJECT, envelopeUrl: `${base}${ENVELOPE_PATH}` };
}

const ENVELOPE_PATH = envelopeUrlOf(`http://${SENTRY_KEY}@sentry/42`, '1.2.3').replace('http://sentry', '');

const SENTRY_EVENT: HttpCandidate = {
  name: 'an event to Sentry',
  secrets: [SENTRY_KEY],
  calls: [`POST ${ENVELOPE_PATH}`],
  yes: json(200, { id: 'x' }),
  open: (base, timeoutMs) => {
    const channel = channelOf(sentrySettings({ timeoutMs }), sentryProject(base));
    return () => channel.send(sampleNotification());
  },
};

const EVENT_CALL = `GET /api/0/organizations/acme/eventids/${eventIdOf(sampleItem())}/`;
const QUERY = encodeURIComponent(`is:unresolved alert:${alertId(sampleItem().alertKey)}`);
const SEARCH_CALL = `GET /api/0/projects/acme/gateway/issues/?query=${QUERY}`;
const RESOLVE_CALL = 'PUT /api/0/organizations/acme/issues/77/';

const NO_ISSUE = retried(/^Sentry has no unresolved issue of it$/);
/** Or longer than any event. */
const HALF = retried(/answered, but broke off$/);
const FOUND_BY_EVENT = json(200, { groupId: '77' });

type SentryCall = Omit<HttpCandidate, 'secrets' | 'open'>;

/** The calls that resolve an issue, one after the other. */
const SENTRY_CALLS: readonly SentryCall[] = [
  {
    name: "the question for an event's issue to Sentry",
    calls: [EVENT_CALL],
    yes: FOUND_BY_EVENT,
    callsAfterYes: [RESOLVE_CALL],
    deviations: {
      ...whereTheYesIsInTheBody(HALF, HALF),
      'answers 204': NO_ISSUE,
      // It does not know the event, and may know the alert by its tag.
      'answers 404': { ...NO_ISSUE, calls: [EVENT_CALL, SEARCH_CALL] },
    },
  },
  {
    name: 'the search for an issue in Sentry',
    calls: [EVENT_CALL, SEARCH_CALL],
    before: [{ status: 404 }],
    yes: json(200, [{ id: '77' }]),
    callsAfterYes: [RESOLVE_CALL],
    deviations: { ...whereTheYesIsInTheBody(HALF, HALF), 'answers 204': NO_ISSUE },
  },
  {
    name: 'the resolving of an issue in Sentry',
    calls: [EVENT_CALL, RESOLVE_CALL],
    before: [FOUND_BY_EVENT],
    yes: json(200, { status: 'resolved' }),
  },
];

const SENTRY_ISSUES = SENTRY_CALLS.map((call): HttpCandidate => ({
  ...call,
  secrets: [SENTRY_KEY, SENTRY_TOKEN],
  open: (apiUrl, timeoutMs) => {
    const authToken = new Secret(SENTRY_TOKEN);
    const resolving = { authToken, organization: 'acme', project: 'gateway', apiUrl };
    const channel = channelOf(sentrySettings({ resolving, timeoutMs }), sentryProject(apiUrl));
    return () => channel.send(sampleResolved());
  },
}));

/** Such a yes has to come, to its end, and to be read whole. */
function whereTheYesIsInTheBody(ofAnother: Expected, ofHalf: Expected): Deviations {
  return {
    'answers 204': ofAnother,
    'accepts, and says 5 MB': ofAnother,
    'accepts, and never stops talking': ofAnother,
    'accepts, and breaks off in the middle of it': ofHalf,
    'accepts, and falls silent in the middle of it': ofHalf,
  };
}

export const CANDIDATES: readonly Candidate[] = [
  ...[
    ...WEBHOOKS,
    SLACK_WEBHOOK,
    ...SLACK_BOT,
    ...PAGERDUTY,
    ALERTMANAGER,
    SENTRY_EVENT,
    ...SENTRY_ISSUES,
  ].map(httpCandidate),
  EMAIL,
];
