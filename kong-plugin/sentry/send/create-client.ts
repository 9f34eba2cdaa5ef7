// The client of the Sentry SDK for one DSN, environment and release, of which several live side by side. Of the SDK nothing is
// used that belongs to the process: no init, no integrations, no global scopes, no listeners. An event leaves as it was
// built, with what is filled in here and nothing else.
import { randomUUID } from 'node:crypto';
import {
  getDynamicSamplingContextFromClient,
  type DataCategory,
  type DynamicSamplingContext,
  type Envelope,
  type ErrorEvent,
  type EventDropReason,
  type TransactionEvent,
} from '@sentry/core';
import { NodeClient } from '@sentry/node';
import { CLOSED_DATA_COLLECTION } from '../sdk/closed-data-collection';
import type { RecordDropped } from './sentry-sender';

/** How often Sentry is told of what was dropped here; as the SDK does. */
const REPORT_INTERVAL_MS = 60_000;

/** Without a DSN the SDK hands nothing to its transport, which alone knows where to send. */
const SPOTLIGHT_ONLY_DSN = 'http://spotlight@127.0.0.1/1';

/** Where envelopes go: SentrySender. */
export interface EnvelopeSender {
  send(envelope: Envelope): void;
  recordDroppedWith(recordDropped: RecordDropped): void;
}

export interface ClientSettings {
  readonly environment: string;
  readonly release: string;
  /** `undefined`: only Spotlight gets what is reported. */
  readonly sentry: { readonly dsn: string; readonly sender: EnvelopeSender } | undefined;
  /** Gets the same envelopes: SpotlightSender. */
  readonly spotlight: { send(envelope: Envelope): void } | undefined;
  readonly reportIntervalMs?: number;
}

export interface SentryClient {
  /** For the profiler, which sends on its own. */
  readonly sdk: NodeClient;
  /**
   * Hands an event to the senders, at once: it may have ended when this returns, so an `event_id` that the outcome is to be
   * found by is set before. Filled in where it is missing: `event_id`, `timestamp`, `platform`, `environment`, `release`, and
   * the sampling context of its trace.
   *
   * @returns its id, 32 hexadecimal digits
   */
  captureEvent(event: ErrorEvent | TransactionEvent): string;
  /** What was dropped before it came here is told in the next client report. */
  readonly recordDropped: RecordDropped;
  /** Hands the last client report to the sender. The senders are closed afterwards, by whoever made them. */
  close(): Promise<void>;
}

export function createClient({
  environment,
  release,
  sentry,
  spotlight,
  reportIntervalMs = REPORT_INTERVAL_MS,
}: ClientSettings): SentryClient {
  const listenersBefore = process.listeners('beforeExit');
  const client = new NodeClient({
    dsn: sentry?.dsn ?? SPOTLIGHT_ONLY_DSN,
    environment,
    release,
    integrations: [],
    traceLifecycle: 'static',
    dataCollection: CLOSED_DATA_COLLECTION,
    includeServerName: false,
    enableRuntimeChannelInjection: false,
    sendClientReports: true,
    attachStacktrace: false,
    stackParser: () => [],
    transport: ({ recordDroppedEvent }) => {
      sentry?.sender.recordDroppedWith((reason, category, count) =>
        // The SDK lists the names that it uses itself; Sentry knows more.
        recordDroppedEvent(reason as EventDropReason, category as DataCategory, count),
      );
      return {
        send: (envelope) => {
          sentry?.sender.send(envelope);
          spotlight?.send(envelope);
          return Promise.resolve({});
        },
        flush: () => Promise.resolve(true),
      };
    },
  });
  // It waits for logs, which are not sent; of more than ten clients Node would warn.
  for (const listener of process.listeners('beforeExit')) {
    if (!listenersBefore.includes(listener)) process.off('beforeExit', listener);
  }
  const sendReport = async (): Promise<void> => {
    await client.flush(1);
  };
  const timer = setInterval(() => void sendReport(), reportIntervalMs).unref();

  const samplingContextOf = (
    event: ErrorEvent | TransactionEvent,
  ): { dynamicSamplingContext?: Partial<DynamicSamplingContext> } => {
    const traceId = event.contexts?.trace?.trace_id;
    if (traceId === undefined) return {};
    const context = getDynamicSamplingContextFromClient(traceId, client);
    if (event.type === undefined) return { dynamicSamplingContext: context };
    const name = event.transaction === undefined ? {} : { transaction: event.transaction };
    return { dynamicSamplingContext: { ...context, sampled: 'true', ...name } };
  };

  return {
    sdk: client,
    captureEvent: (event) => {
      const eventId = event.event_id ?? randomUUID().replaceAll('-', '');
      // Not captureEvent of the client: that adds what is in the scopes of the whole process, whoever put it there.
      client.sendEvent({
        timestamp: Date.now() / 1_000,
        platform: 'node',
        environment,
        release,
        ...event,
        event_id: eventId,
        sdkProcessingMetadata: {
          ...samplingContextOf(event),
          ...event.sdkProcessingMetadata,
        },
      });
      return eventId;
    },
    recordDropped: (reason, category, count) =>
      client.recordDroppedEvent(reason as EventDropReason, category as DataCategory, count),
    close: async () => {
      clearInterval(timer);
      await sendReport();
    },
  };
}
