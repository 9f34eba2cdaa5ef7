// The whole sidecar, joined: config in, a listening server out. What each step does is in its own folder; here is only who
// gives what to whom, and in which order things start, are reconfigured and stop.
import type { Logger } from 'pino';
import { shiftAlert } from './alert/alert';
import { AlertBook } from './alert/alert-book';
import { shiftChange } from './alert/alert-change';
import { Evaluator } from './alert/evaluator';
import { aheadOf, steadyClock, type Clock } from './clock';
import { boundsOf, type Config } from './config/config';
import { configWarnings } from './config/config-warnings';
import { renderConfig } from './config/render-config';
import { envelopeUrlOf } from './config/sentry-dsn';
import { ledgerFamilies } from './exposition/ledger-families';
import { LivingProducers } from './exposition/living-producers';
import { createOwnMetrics } from './exposition/own-metrics';
import { alertFamilies, channelFamilies, ledgerStateFamilies, single } from './exposition/sidecar-families';
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
import { Ledger } from './ledger/ledger';
import { watchLedger } from './ledger/watch-ledger';
import type { Channel, Outcome } from './notify/channel';
import { createChannels } from './notify/create-channels';
import { Dispatcher } from './notify/dispatcher';
import { notificationOf } from './notify/notification-of-change';
import type { OwnSentry, WorkFailure } from './sentry/own-sentry';
import { renderStatusPage } from './ui/status-page';
import { longestWindowMs } from './window/longest-window';
import { ServiceWindows } from './window/service-windows';

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
  // The windows and the rules live on the steady clock; people are told the system's time.
  const steady = steadyClock(clock);
  const aheadMs = aheadOf(clock, steady);
  const metrics = createOwnMetrics(version);
  metrics.configReloadSuccessful.set(1);
  metrics.configReloadSuccessTimestampSeconds.set(startedMs / 1000);
  const onRefused = (reason: Refusal): void => metrics.refusedRequests.inc({ reason });
  const living = new LivingProducers(clock);
  const windows = new ServiceWindows(longestWindowMs(config.rules));
  const book = new AlertBook();
  const dispatcher = new Dispatcher({ clock, logger, random: Math.random }, channelsOf(config, parts));
  const evaluator = new Evaluator(
    {
      windows,
      book,
      clock: steady,
      logger,
      onChanges: (steadyChanges) => {
        const changes = steadyChanges.map((change) => shiftChange(change, aheadMs()));
        for (const { kind, alert } of changes) {
          logger.warn(
            { rule: alert.rule.name, service: alert.service, verdict: alert.verdict },
            `alert ${kind}`,
          );
        }
        dispatcher.dispatch(changes.map(notificationOf));
      },
      onRound: ({ durationMs, failed }) => {
        metrics.evaluationRounds.inc({ result: failed ? 'failed' : 'ok' });
        metrics.evaluationDurationSeconds.observe(durationMs / 1000);
        sentry.checkIn({ durationMs, failed, intervalMs: config.evaluationIntervalMs });
      },
      onFault: (error) => sentry.report({ error, place: 'a round of the rules', isFatal: false }),
    },
    config.rules,
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
    evaluator.reconfigure(config.rules, config.evaluationIntervalMs);
    dispatcher.reconfigure(channelsOf(config, parts));
    if (config.web?.tls !== undefined && 'setSecureContext' in server) {
      server.setSecureContext(tlsOptionsOf(config.web.tls));
      // Whoever kept a connection shows its certificate anew.
      server.closeIdleConnections();
    }
    metrics.configReloadSuccessful.set(1);
    metrics.configReloadSuccessTimestampSeconds.set(clock.nowMs() / 1000);
    logger.info({ rules: config.rules.length, channels: config.channels.length }, 'configuration reloaded');
    warn(config, logger);
    return [];
  };

  let address = describeAddress(config.listen);
  const server = createLimitedServer(
    createApp({
      token: () => config.token,
      web: () => config.web,
      isSocket: config.listen.kind === 'unix',
      clock,
      receiveBatch: receiveBatch({
        ledger,
        windows,
        metrics,
        living,
        clock,
        steady,
        seriesCap: () => config.seriesCap,
      }),
      onRefusedBatch: ({ fault }) => metrics.batches.inc({ result: fault }),
      onRefused,
      onBrokenOffScrape: () => metrics.brokenOffScrapes.inc(),
      families: async () => [
        ...ledgerFamilies(ledger.state.series.values(), boundsOf(config.rules)),
        ...alertFamilies(book.alerts()),
        ...channelFamilies(dispatcher),
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
          alerts: [...book.alerts()].map((alert) => shiftAlert(alert, aheadMs())),
          channels: dispatcher.status(),
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
    await ledger.close();
    throw error;
  }
  address = describeAddress(config.listen, server);
  evaluator.start();
  warn(config, logger);

  return {
    address,
    reload,
    async stop(timeoutMs) {
      isStopping = true;
      const closed = new Promise((resolve) => server.close(resolve));
      // A client that never ends its request does not keep the sidecar alive.
      const cancel = clock.after(timeoutMs, () => server.closeAllConnections());
      evaluator.stop();
      await Promise.all([closed, dispatcher.drain(timeoutMs)]);
      cancel();
      watch.stop();
      await ledger.close();
    },
  };
}

/** Each works as a trace of its own, under its name: that of its receiver is a secret. */
function channelsOf(
  { channels, sentry: settings }: Config,
  { clock, version, sentry }: SidecarParts,
): Channel[] {
  const project = {
    envelopeUrl: settings.dsn && envelopeUrlOf(settings.dsn.reveal(), version),
    spotlightUrl: settings.spotlightUrl,
    environment: settings.environment,
    release: settings.release ?? `gatewatch@${version}`,
  };
  return createChannels(channels, clock, project).map((channel) => ({
    name: channel.name,
    type: channel.type,
    send: (notification) =>
      sentry.trace({
        name: `deliver to ${channel.name}`,
        op: 'notification',
        run: () => channel.send(notification),
        failureOf,
      }),
  }));
}

function failureOf({ result }: Outcome): WorkFailure | undefined {
  if (result === 'sent') return undefined;
  return result === 'retry' ? 'unavailable' : 'failed_precondition';
}

function isFaults(read: Config | readonly string[]): read is readonly string[] {
  return Array.isArray(read);
}

function warn(config: Config, logger: Logger): void {
  for (const sentence of configWarnings(config)) logger.warn(sentence);
}
