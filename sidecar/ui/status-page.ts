// GET /: what an operator asks first, as plain text. Pure.
import { SILENT_AFTER_MS } from '../../kong-plugin/contract/heartbeat';
import { SENTRY_STATISTICS, type SentryStatistic } from '../../kong-plugin/contract/sentry-statistics';
import type { Alert } from '../alert/alert';
import { CHANNEL_TYPES } from '../config/channel/channel-base';
import { renderMatcher } from '../config/matcher';
import type { Rule } from '../config/rule';
import type { KongFacts } from '../kong/kong-facts';
import type { LedgerState } from '../ledger/ledger-state';
import { describeDuration } from '../notify/describe-duration';
import { describeLetter } from '../notify/describe-letter';
import { showName } from '../notify/describe-subject';
import type { DeadLetterStatus } from '../outbox/dead-letter-book';
import type { ChannelStatus } from '../outbox/dispatcher';
import type { MuteReasons } from '../route/mute-reasons';
import { isInForce, type Silence } from '../route/silence';
import { SENTRY_ITEMS, type SentryCounts, type SentryItem } from '../sentry/own-sentry';
import { renderTable } from './render-table';
import { ruleSection } from './rule-section';

export interface StatusFacts {
  readonly version: string;
  readonly address: string;
  readonly configFile: string;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly whyNotReady: string | undefined;
  /** One line for each fault of the last reload; empty if it succeeded. */
  readonly reloadFaults: readonly string[];
  readonly ledger: Readonly<LedgerState>;
  readonly seriesCap: number;
  readonly rules: readonly Rule[];
  readonly evaluationIntervalMs: number;
  readonly alerts: readonly Alert[];
  /** By the alert's key; only of those that fire and are not told of. */
  readonly muteReasons: ReadonlyMap<string, MuteReasons>;
  readonly silences: readonly Silence[];
  readonly kong: KongFacts;
  readonly channels: readonly ChannelStatus[];
  /** Channel -> the one that is told in its place, where there is one. */
  readonly fallbacks: ReadonlyMap<string, string>;
  /** The newest first. */
  readonly deadLetters: readonly DeadLetterStatus[];
  /** Whether batches need a token. */
  readonly hasToken: boolean;
  /** What the sidecar told Sentry of itself. */
  readonly ownSentry: SentryCounts;
}

/** Older producers are plugin servers that were replaced long ago. */
const SHOW_PRODUCERS_FOR_MS = 24 * 60 * 60 * 1000;

export function renderStatusPage(facts: StatusFacts): string {
  const { version, address, nowMs, startedMs, whyNotReady } = facts;
  const uptime = describeDuration(Math.max(0, nowMs - startedMs));
  const sections = [
    [
      `Gatewatch sidecar ${version} on ${address}, up for ${uptime}: ${whyNotReady === undefined ? 'ready' : `NOT READY: ${whyNotReady}`}`,
    ],
    ...(facts.reloadFaults.length === 0
      ? []
      : [
          [
            `CONFIGURATION: the last reload of ${facts.configFile} failed, the one before it is still used`,
            ...indent(facts.reloadFaults),
          ],
        ]),
    producerSection(facts),
    [
      'SERIES',
      `  ${showCount(facts.ledger.series.size)} of ${showCount(facts.seriesCap)}, with ${showCount(facts.ledger.requests)} requests`,
    ],
    ruleSection({ ...facts, hasKong: facts.kong.instances.length > 0 }),
    ...silenceSection(facts),
    ...kongSection(facts),
    channelSection(facts),
    ...deadLetterSection(facts),
    ...sentrySection(facts),
    [
      'ADDRESSES',
      '  GET /metrics  /api/v1/alerts  /api/v1/openapi.json  /-/config  /-/healthy  /-/ready    POST /v1/batches  /-/reload',
    ],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function producerSection({ ledger, nowMs, address, hasToken }: StatusFacts): string[] {
  const producers = [...ledger.producers.values()].sort((a, b) => b.lastSeenMs - a.lastSeenMs);
  if (producers.length === 0) {
    return [
      'PRODUCERS (plugin servers of Kong)',
      '  NOTHING HAS EVER REPORTED. A plugin server that waits for this sidecar tries again after 30 s at most. Otherwise:',
      '  1. The plugin is not enabled: kong.yml needs `plugins: [{ name: gatewatch }]`, and KONG_PLUGINS must name it,',
      '     as in KONG_PLUGINS=bundled,gatewatch.',
      '  2. Kong does not reach its plugin server: KONG_PLUGINSERVER_JS_SOCKET must be the path of the socket that the',
      "     plugin server listens on. Kong's error log then says `no such file` or `connection refused`.",
      ...(hasToken
        ? [
            "  3. The token differs: sidecar_token in the plugin's configuration must be this sidecar's token. Refused batches",
            `     are counted in gatewatch_batches_total{result="unauthorized"}. This sidecar listens on ${address}.`,
          ]
        : [
            "  3. The plugin sends elsewhere: sidecar_url in the plugin's configuration must lead to this sidecar, which listens",
            `     on ${address} and asks for no token. The plugin says on stderr why it cannot deliver, and Kong copies that into`,
            '     its error log.',
          ]),
    ];
  }
  const shown = producers.filter(({ lastSeenMs }) => nowMs - lastSeenMs < SHOW_PRODUCERS_FOR_MS);
  const rows = shown.map(({ producer, sequence, lastSeenMs, hasLeft }) => {
    const ageMs = Math.max(0, nowMs - lastSeenMs);
    const age = ageMs < 60_000 ? `${(ageMs / 1000).toFixed(1)} s` : describeDuration(ageMs);
    const state = hasLeft ? 'ended' : ageMs > SILENT_AFTER_MS ? 'SILENT' : '';
    return [producer, `last batch ${age} ago`, `number ${sequence}`, state];
  });
  const older = producers.length - shown.length;
  return [
    'PRODUCERS (plugin servers of Kong)',
    ...indent(renderTable(rows)),
    ...(older > 0 ? [`  and ${showCount(older)} that were last seen more than a day ago`] : []),
  ];
}

function kongSection({ kong }: StatusFacts): string[][] {
  if (kong.instances.length === 0) return [];
  const rows = kong.instances.map(({ instance, isReachable, problem, targets }) => {
    const bad = targets.filter(({ healthyAddresses }) => healthyAddresses.length === 0).length;
    return [
      showName(instance),
      isReachable === undefined ? 'not asked yet' : isReachable ? 'answers' : 'DOES NOT ANSWER',
      problem ??
        (targets.length === 0
          ? ''
          : `${showCount(targets.length - bad)} of ${showCount(targets.length)} targets healthy`),
    ];
  });
  return [['KONG, by its status API', ...indent(renderTable(rows))]];
}

function silenceSection({ silences, nowMs }: StatusFacts): string[][] {
  const rows = silences
    .filter((silence) => isInForce(silence, nowMs))
    .map(({ id, matchers, endsMs, createdBy, comment }) => [
      id,
      matchers.map(renderMatcher).join(' '),
      `for ${describeDuration(endsMs - nowMs)}`,
      `by ${showName(createdBy)}: ${showName(comment)}`,
    ]);
  return rows.length === 0 ? [] : [['SILENCES', ...indent(renderTable(rows))]];
}

function channelSection({ channels, fallbacks, configFile }: StatusFacts): string[] {
  if (channels.length === 0) {
    return [
      'CHANNELS',
      '  NONE: rules are judged, but NOBODY IS TOLD when one fires.',
      `  Add a channel of type ${CHANNEL_TYPES.slice(0, -1).join(', ')} or ${CHANNEL_TYPES.at(-1)} under \`channels\` in ${configFile}, then send the sidecar SIGHUP.`,
    ];
  }
  const rows = channels.map(({ name, type, queued, counts, lastProblem }) => [
    name,
    type,
    `${showCount(counts.sent)} sent`,
    `${showCount(counts.refused + counts.expired + counts.dropped)} not delivered`,
    `${showCount(queued)} waiting`,
    ...(fallbacks.size === 0 ? [] : [fallbacks.has(name) ? `fallback ${fallbacks.get(name)}` : '']),
    lastProblem === undefined ? '' : `last problem: ${lastProblem}`,
  ]);
  return ['CHANNELS', ...indent(renderTable(rows))];
}

/** All of them are told by the API. */
const SHOW_DEAD_LETTERS = 10;

function deadLetterSection({ deadLetters, nowMs }: StatusFacts): string[][] {
  if (deadLetters.length === 0) return [];
  const rows = deadLetters
    .slice(0, SHOW_DEAD_LETTERS)
    .map(({ letter, how, reason, failedMs, toldSinceMs, isObsolete }) => [
      letter.id,
      letter.channel,
      `${describeDuration(Math.max(0, nowMs - failedMs))} ago`,
      describeLetter(letter).title,
      `${how}: ${reason}${isObsolete ? '; no longer true' : toldSinceMs === undefined ? '' : '; the channel was told of it later'}`,
    ]);
  const rest = deadLetters.length - rows.length;
  return [
    [
      'DEAD LETTERS: no channel took these messages. See, send again or discard them: gatewatch dead-letters',
      ...indent(renderTable(rows)),
      ...(rest === 0 ? [] : [`  and ${showCount(rest)} older ones`]),
    ],
  ];
}

const OUTCOME_WORDS: Readonly<Record<keyof (typeof SENTRY_STATISTICS)['error'], string>> = {
  sent: 'sent',
  held_back: 'held back',
  rate_limited: 'rate limited',
  failed: 'failed',
  dropped: 'dropped by a rule',
  sampled_out: 'sampled out',
};

const OWN_ITEMS: Readonly<Record<SentryItem, string>> = {
  event: "the sidecar's own faults",
  transaction: "the sidecar's own traces",
  check_in: "the sidecar's own check-ins",
  profile_chunk: "the sidecar's own profiles",
};

/** Nothing where nothing was counted. */
function sentrySection({ ledger: { statistics }, ownSentry }: StatusFacts): string[][] {
  const ofPlugin = (names: Readonly<Record<string, SentryStatistic>>): [string, number][] =>
    Object.entries(names).map(([outcome, name]) => [outcome, statistics[name]]);
  const counted: [string, [string, number][]][] = [
    ["the plugin's events", ofPlugin(SENTRY_STATISTICS.error)],
    ["the plugin's transactions", ofPlugin(SENTRY_STATISTICS.transaction)],
    ...SENTRY_ITEMS.map((item): [string, [string, number][]] => [
      OWN_ITEMS[item],
      Object.entries(ownSentry[item]),
    ]),
  ];
  const rows = counted
    .filter(([, counts]) => counts.some(([, count]) => count > 0))
    .map(([what, counts]) => [
      what,
      ...counts.map(
        ([outcome, count]) => `${showCount(count)} ${OUTCOME_WORDS[outcome as keyof typeof OUTCOME_WORDS]}`,
      ),
    ]);
  if (rows.length === 0) return [];
  return [
    [
      'SENTRY, what was for it: of the plugin since the ledger began, of the sidecar itself since its start',
      ...indent(renderTable(rows)),
    ],
  ];
}

function showCount(count: number): string {
  return count.toLocaleString('en-US');
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
