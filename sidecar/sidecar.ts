// The whole sidecar, joined: config in, a listening server out. What each step does is in its own folder; here is only who
// gives what to whom, and in which order things start, are reconfigured and stop.
import type { Logger } from 'pino';
import { SILENT_AFTER_MS } from '../kong-plugin/contract/heartbeat';
import { Evaluator } from './alert/evaluator';
import { Alerting } from './alerting';
import type { Clock } from './clock';
import { boundsOf, type Config } from './config/config';
import { configWarnings } from './config/config-warnings';
import { renderConfig } from './config/render-config';
import { alertFamilies, channelFamilies } from './exposition/alert-families';
import { DEFAULT_OBSERVED_WINDOW_MS, kongFamilies } from './exposition/kong-families';
import { ledgerFamilies } from './exposition/ledger-families';
import { LivingProducers } from './exposition/living-producers';
import { createOwnMetrics } from './exposition/own-metrics';
import { memoryFamilies } from './exposition/memory-families';
import { ledgerStateFamilies, single } from './exposition/sidecar-families';
import { recordingFamilies } from './exposition/recording-families';
import { registryFamilies } from './exposition/registry-families';
import { sentryFamilies } from './exposition/sentry-families';
import type { Refusal } from './exposition/refusal';
import { answerBrokenRequests } from './http/answer-broken-requests';
import { createApp } from './http/app';
import { limitNewcomers } from './http/limit-newcomers';
import { describeAddress, listen } from './http/listen';
import { receiveBatch } from './http/receive-batch';
import { createLimitedServer } from './http/server-limits';
import { tlsOptionsOf } from './http/tls-options';
import { BatchRecording } from './ingest/batch-recording';
import { askKong } from './kong/ask-kong';
import { KongWatch } from './kong/kong-watch';
import { CountedRequests } from './ledger/counted-requests';
import { Ledger } from './ledger/ledger';
import { watchLedger } from './ledger/watch-ledger';
import { MemoryStore } from './memory/memory-store';
import type { Channel, Outcome } from './channel/channel';
import { channelPartsOf } from './channel/channel-parts-of';
import { createChannels } from './channel/create-channels';
import type { OwnSentry, WorkFailure } from './sentry/own-sentry';
import { renderStatusPage } from './ui/status-page';

export interface SidecarParts {
  readonly config: Config;
  /** For the status page. */
  readonly configFile: string;
  /** Reads the file again: a new configuration, or its faults, one a line. */
  readonly readAgain: (current: Config) => Config | readonly string[];
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sentry: OwnSentry;
}

export interface Sidecar {
  /** As in the configuration, with the port that was really taken. */
  readonly address: string;
  /** Takes over the file as it is now; gives its faults, and then nothing has changed. */
  reload(): readonly string[];
  /** Takes no new connections; ends those in work and delivers what is queued, both within `timeoutMs`; closes the ledger. */
  stop(timeoutMs: number): Promise<void>;
}

/** @throws StoreFault, ListenFault */
export async function startSidecar(parts: SidecarParts): Promise<Sidecar> {
  const { clock, logger, version, configFile, sentry } = parts;
  let config = parts.config;
  let reloadFaults: readonly string[] = [];
  const startedMs = clock.nowMs();

  const ledger = Ledger.open(config.dataDirectory);
  const watch = watchLedger(ledger, clock, logger);
  const metrics = createOwnMetrics(version);
  metrics.configReloadSuccessful.set(1);
  metrics.configReloadSuccessTimestampSeconds.set(startedMs / 1000);
  const onRefused = (reason: Refusal): void => metrics.refusedRequests.inc({ reason });
  const living = new LivingProducers(clock);
  const recording = new BatchRecording(() => config.recording, logger, startedMs);
  const counted = new CountedRequests();
  const kong = new KongWatch(
    { ask: askKong, clock, logger, countedRequests: () => counted.total },
    config.kong,
    observedWindowMs(config),
  );
  const memory = MemoryStore.open(config.dataDirectory, clock);
  const alerting = new Alerting({
    config,
    channels: channelsOf(config, parts),
    kong: () => kong.facts(),
    memory,
    producersAliveAt: (timeMs) =>
      [...ledger.state.producers.values()]
        .filter(({ lastSeenMs, hasLeft }) => !hasLeft && lastSeenMs > timeMs - SILENT_AFTER_MS)
        .map(({ producer }) => producer),
    lastBatchMs: Math.max(0, ...[...ledger.state.producers.values()].map(({ lastSeenMs }) => lastSeenMs)),
    clock,
    logger,
    onTry: ({ channel, result, durationMs }) =>
      metrics.notificationTrySeconds.observe({ channel, outcome: result }, durationMs / 1000),
    onLetterEnd: ({ letter, how, tookMs }) =>
      metrics.notificationDeliverySeconds.observe({ channel: letter.channel, outcome: how }, tookMs / 1000),
    onFault: (error) => sentry.report({ error, place: 'what a round found', isFatal: false }),
  });
  const { windows } = alerting.engine;
  const evaluator = new Evaluator(
    {
      round: (nowMs) => alerting.round(nowMs),
      clock: alerting.clock,
      logger,
      onRound: ({ durationMs, failed }) => {
        metrics.evaluationRounds.inc({ result: failed ? 'failed' : 'ok' });
        metrics.evaluationDurationSeconds.observe(durationMs / 1000);
        sentry.checkIn({ durationMs, failed, intervalMs: config.evaluationIntervalMs });
      },
      onFault: (error) => sentry.report({ error, place: 'a round of the rules', isFatal: false }),
    },
    config.evaluationIntervalMs,
  );

  const whyNotReady = (): string | undefined => watch.whyNotReady();
  const reload = (): readonly string[] => {
    const read = parts.readAgain(config);
    if (isFaults(read)) {
      reloadFaults = read;
      metrics.configReloadSuccessful.set(0);
      logger.error({ faults: read }, 'the configuration has faults; the one before it is still used');
      return read;
    }
    config = read;
    reloadFaults = [];
    alerting.reconfigure(config, channelsOf(config, parts));
    kong.reconfigure(config.kong, observedWindowMs(config));
    evaluator.reconfigure(config.evaluationIntervalMs);
    if (config.web?.tls !== undefined && 'setSecureContext' in server) {
      server.setSecureContext(tlsOptionsOf(config.web.tls));
      // Whoever kept a connection shows its certificate anew.
      server.closeIdleConnections();
    }
    metrics.configReloadSuccessful.set(1);
    metrics.configReloadSuccessTimestampSeconds.set(clock.nowMs() / 1000);
    logger.info({ rules: config.rules.length, channels: config.channels.length }, 'configuration reloaded');
    warn(config, logger, clock);
    return [];
  };

  let address = describeAddress(config.listen);
  const server = createLimitedServer(
    createApp({
      token: () => config.token,
      web: () => config.web,
      isSocket: config.listen.kind === 'unix',
      clock,
      api: { alerting, links: () => config.links, version },
      receiveBatch: receiveBatch({
        ledger,
        windows,
        metrics,
        living,
        recording,
        clock,
        steady: alerting.clock,
        seriesCap: () => config.seriesCap,
        counted,
      }),
      onRefusedBatch: ({ fault }) => metrics.batches.inc({ result: fault }),
      onRefused,
      onBrokenOffScrape: () => metrics.brokenOffScrapes.inc(),
      families: async () => [
        ...ledgerFamilies(ledger.state.series.values(), boundsOf(config.rules)),
        ...alertFamilies(alerting.engine.book.alerts()),
        ...channelFamilies(alerting.outbox),
        ...kongFamilies(kong.facts(), kong.polls(), observedWindowMs(config)),
        ...memoryFamilies(memory.store),
        ...recordingFamilies(recording),
        ...ledgerStateFamilies(ledger.state, config.seriesCap),
        ...living.families(),
        single(
          'gauge',
          'gatewatch_ledger_writable',
          '1 if batches can be made durable',
          whyNotReady() === undefined ? 1 : 0,
        ),
        single(
          'counter',
          'gatewatch_ledger_failed_commits_total',
          'Batches since the start that could not be made durable when they came; their producers send them again',
          ledger.failedCommits,
        ),
        single(
          'counter',
          'gatewatch_windows_late_requests_total',
          'Requests since the start that came too late for every window; they are in the series',
          windows.lateRequests,
        ),
        single(
          'counter',
          'gatewatch_notifications_without_channel_total',
          'Alerts that fired since the start and of which nobody was told, since no channel was configured',
          alerting.untold,
        ),
        ...sentryFamilies(sentry.counts),
        ...(await registryFamilies(metrics.registry)),
      ],
      statusPage: () =>
        renderStatusPage({
          version,
          address,
          configFile,
          nowMs: clock.nowMs(),
          startedMs,
          whyNotReady: whyNotReady(),
          reloadFaults,
          ledger: ledger.state,
          seriesCap: config.seriesCap,
          rules: config.rules,
          evaluationIntervalMs: config.evaluationIntervalMs,
          alerts: alerting.alerts(),
          muteReasons: alerting.muteReasons(),
          silences: alerting.silences,
          kong: kong.facts(),
          channels: alerting.outbox.status(),
          fallbacks: fallbacksOf(config),
          deadLetters: alerting.deadLetters(),
          hasToken: config.token !== undefined,
          ownSentry: sentry.counts,
        }),
      configPage: () => renderConfig(config),
      whyNotReady,
      reload,
      logger,
      onFault: (error, place) => sentry.report({ error, place, isFatal: false }),
    }),
    config.web?.tls,
  );
  server.on('tlsClientError', () => metrics.failedHandshakes.inc());
  limitNewcomers(server, clock);
  answerBrokenRequests(server, {
    onRefused,
    onDroppedConnection: () => metrics.droppedConnections.inc(),
  });
  let isStopping = false;
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (isStopping) server.closeIdleConnections();
    });
  });
  try {
    await listen(server, config.listen);
  } catch (error) {
    watch.stop();
    await memory.store.close();
    await ledger.close();
    throw error;
  }
  address = describeAddress(config.listen, server);
  kong.start();
  evaluator.start();
  warn(config, logger, clock);

  return {
    address,
    reload,
    async stop(timeoutMs) {
      isStopping = true;
      const closed = new Promise((resolve) => server.close(resolve));
      // A client that never ends its request does not keep the sidecar alive.
      const cancel = clock.after(timeoutMs, () => server.closeAllConnections());
      evaluator.stop();
      kong.stop();
      // Batches that are still taken in are in the windows before those are written down.
      await Promise.all([closed, alerting.drain(timeoutMs)]);
      cancel();
      await Promise.all([alerting.close(), recording.close()]);
      watch.stop();
      await ledger.close();
    },
  };
}

/** Each works as a trace of its own, under its name: that of its receiver is a secret. */
function channelsOf(config: Config, { clock, version, sentry }: SidecarParts): Channel[] {
  const traced = (name: string, run: () => Promise<Outcome>): Promise<Outcome> =>
    sentry.trace({ name: `deliver to ${name}`, op: 'notification', run, failureOf });
  return createChannels(config.channels, channelPartsOf(config, { clock, version })).map((channel) => ({
    ...channel,
    send: (notification, thread) => traced(channel.name, () => channel.send(notification, thread)),
    ...(channel.sendChange && {
      sendChange: (change) =>
        traced(channel.name, () => channel.sendChange?.(change) ?? Promise.resolve({ result: 'sent' })),
    }),
  }));
}

function fallbacksOf({ channels }: Config): Map<string, string> {
  return new Map(
    channels.flatMap(({ name, delivery }) =>
      delivery.fallback === undefined ? [] : [[name, delivery.fallback]],
    ),
  );
}

function failureOf({ result }: Outcome): WorkFailure | undefined {
  if (result === 'sent') return undefined;
  return result === 'retry' ? 'unavailable' : 'failed_precondition';
}

/** The longest that counts are compared over. */
function observedWindowMs({ rules }: Config): number {
  const windows = rules.filter(({ kind }) => kind === 'observed_ratio').map(({ windowMs }) => windowMs);
  return windows.length === 0 ? DEFAULT_OBSERVED_WINDOW_MS : Math.max(...windows);
}

function isFaults(read: Config | readonly string[]): read is readonly string[] {
  return Array.isArray(read);
}

function warn(config: Config, logger: Logger, clock: Clock): void {
  for (const sentence of configWarnings(config, clock.nowMs())) logger.warn(sentence);
}
