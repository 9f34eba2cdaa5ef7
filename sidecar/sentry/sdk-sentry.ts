// The sidecar's own Sentry: the SDK, set up so that it collects nothing by itself, and what goes through it. Only this file and
// those it needs load the SDK. Faults are reported where they are handled, never by the SDK's own handlers, which would keep a
// process alive that must end; so none of its integrations captures, drops or changes anything.
import { join } from 'node:path';
import { SPAN_STATUS_ERROR } from '@sentry/core';
import {
  captureCheckIn,
  captureException,
  close,
  getActiveSpan,
  init,
  linkedErrorsIntegration,
  nativeNodeFetchIntegration,
  rewriteFramesIntegration,
  startNewTrace,
  startSpan,
} from '@sentry/node';
import type { Event } from '@sentry/node';
import type { Logger } from 'pino';
import { CLOSED_DATA_COLLECTION } from '../../kong-plugin/sentry/sdk/closed-data-collection';
import type { Clock } from '../clock';
import type { SentrySettings } from '../config/config';
import { envelopeUrlOf } from '../config/sentry-dsn';
import { countingTransport } from './counting-transport';
import { FaultLimiter } from './fault-limiter';
import { during, keepHarmless, nameRequests, renameSpan, withoutAddress } from './outgoing-requests';
import { zeroCounts, type OwnFault, type OwnSentry } from './own-sentry';
import { startProfiling } from './profiling';
import { RoundCheckIns, checkInMinutes } from './round-check-ins';
import { TransportLog } from './transport-log';

/** Without a DSN the SDK sends nothing, to nobody. This one is never used: the transport has its own addresses. */
const SPOTLIGHT_ONLY_DSN = 'http://spotlight@127.0.0.1/1';

/** Of the time for the end, for what is not sent yet. */
const STOP_MS = 1_000;

/** The last requests before a fault; more would mostly be scrapes of an hour ago. */
const MAX_BREADCRUMBS = 20;

/** In minutes: how late a check-in may be before Sentry calls it missed. */
const CHECK_IN_MARGIN = 2;

/** dist/sidecar/sentry -> the package. */
const PACKAGE_FOLDER = join(__dirname, '..', '..', '..');

export interface SdkParts {
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes the secrets of the configuration out of a text, but not the DSN, whose key is part of an envelope. */
  readonly redact: (text: string) => string;
}

export function startSdk(settings: SentrySettings, parts: SdkParts): OwnSentry {
  const { clock, logger } = parts;
  const counts = zeroCounts();
  const dsn = settings.dsn?.reveal();
  nameRequests();
  const client = init({
    dsn: dsn ?? SPOTLIGHT_ONLY_DSN,
    environment: settings.environment,
    release: settings.release ?? `gatewatch@${parts.version}`,
    tracesSampleRate: settings.tracesSampleRate,
    traceLifecycle: 'static',
    profileSessionSampleRate: settings.profileSessionSampleRate,
    profileLifecycle: 'manual',
    transport: countingTransport({
      envelopeUrl: dsn === undefined ? undefined : envelopeUrlOf(dsn, parts.version),
      spotlightUrl: settings.spotlightUrl,
      redact: parts.redact,
      log: new TransportLog(dsn === undefined ? 'Spotlight' : 'Sentry', logger, clock),
      onEnded: (item, outcome) => (counts[item][outcome] += 1),
    }),
    // The transport does it, behind the guard.
    spotlight: false,
    defaultIntegrations: false,
    integrations: [
      linkedErrorsIntegration(),
      rewriteFramesIntegration({ root: PACKAGE_FOLDER }),
      nativeNodeFetchIntegration({
        spans: settings.tracesSampleRate > 0,
        tracePropagation: false,
        // Outside a trace there is no span to be; as one that was lost the SDK would tell Sentry of it.
        ignoreOutgoingRequests: () => getActiveSpan() === undefined,
        requestHook: (span, request) => renameSpan(span, request),
      }),
    ],
    dataCollection: CLOSED_DATA_COLLECTION,
    includeServerName: false,
    enableRuntimeChannelInjection: false,
    tracePropagationTargets: [],
    enhanceFetchErrorMessages: false,
    maxBreadcrumbs: MAX_BREADCRUMBS,
    beforeBreadcrumb: (breadcrumb, hint) => withoutAddress(breadcrumb, hint),
    debug: false,
  });
  client?.addEventProcessor(withoutAddresses);
  const stopProfiling =
    client !== undefined && settings.isProfiledFromStart && settings.profileSessionSampleRate > 0
      ? startProfiling(client, logger)
      : () => undefined;

  const limiter = new FaultLimiter();
  const checkIns = new RoundCheckIns();
  const { monitor } = settings;
  return {
    counts,
    stopMs: STOP_MS,
    report: (fault) => {
      const nowMs = clock.monotonicMs();
      const { mayGo, before } = limiter.admit(kindOf(fault), nowMs);
      // The last word of a process is heard.
      if (!mayGo && !fault.isFatal) {
        counts.event.held_back += 1;
        return;
      }
      forgetCapture(fault.error);
      inTrace(() =>
        captureException(fault.error, {
          mechanism: { type: 'gatewatch', handled: !fault.isFatal },
          captureContext: {
            level: fault.isFatal ? 'fatal' : 'error',
            tags: { program: 'sidecar', place: fault.place },
            contexts: before
              ? {
                  held_back: {
                    count: before.count,
                    since: new Date(clock.nowMs() - (nowMs - before.sinceMs)).toISOString(),
                  },
                }
              : {},
          },
        }),
      );
    },
    trace: ({ name, op, run, failureOf }) =>
      during(name, () =>
        startNewTrace(() =>
          startSpan({ name, op }, async (span) => {
            const result = await run();
            const failure = failureOf(result);
            if (failure !== undefined) span.setStatus({ code: SPAN_STATUS_ERROR, message: failure });
            return result;
          }),
        ),
      ),
    checkIn: (round) => {
      if (monitor === undefined) return;
      const checkIn = checkIns.add(round, clock.monotonicMs());
      if (checkIn === undefined) return;
      inTrace(() =>
        captureCheckIn(
          { monitorSlug: monitor, status: checkIn.status, duration: checkIn.durationMs / 1000 },
          {
            schedule: { type: 'interval', value: checkInMinutes(round.intervalMs), unit: 'minute' },
            checkinMargin: CHECK_IN_MARGIN,
            failureIssueThreshold: 1,
            recoveryThreshold: 1,
          },
        ),
      );
    },
    stop: async (timeoutMs) => {
      try {
        stopProfiling();
        await close(timeoutMs);
      } catch (error) {
        logger.warn({ err: error }, 'what was left for Sentry was not sent');
      }
    },
  };
}

/** In the trace of the work that it is part of, otherwise in one of its own: the process's own would join all that ever happens. */
function inTrace(capture: () => unknown): void {
  if (getActiveSpan() === undefined) startNewTrace(capture);
  else capture();
}

/** Of one kind are those of one place that were thrown by one line. */
function kindOf({ error, place }: OwnFault): string {
  if (!(error instanceof Error)) return place;
  const line = /\n\s+at [^\n]*/.exec(error.stack ?? '')?.[0] ?? '';
  return `${place} ${error.name} ${line}`;
}

/** The SDK marks what it has captured, and drops it without a word when it comes again, as the fault of a ledger does. */
function forgetCapture(error: unknown): void {
  if (typeof error === 'object' && error !== null) Reflect.deleteProperty(error, '__sentry_captured__');
}

/** Of the spans of a trace, only what tells nothing of addresses. */
function withoutAddresses(event: Event): Event {
  for (const span of event.spans ?? []) span.data = keepHarmless(span.data) as typeof span.data;
  return event;
}
