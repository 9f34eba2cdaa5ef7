// Takes envelopes from the SDK and sends them to the Sentry of one DSN. Each event and transaction ends in one outcome, told
// once, whatever happens; it may be told before `send` returns.
// While Sentry is away (no answer, 5xx, 408) what waits is tried again, with a back-off; it is bounded, and the oldest is held
// back where it is full (EnvelopeQueue says of which kind). What Sentry refuses, and what falls into a pause it asks for, ends.
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import type { Envelope } from '@sentry/core';
import { backOffMs } from '../../back-off';
import type { PluginLog } from '../../plugin-log';
import { steadyNowMs } from '../../steady-now';
import { readDsn, SENTRY_CLIENT, type Dsn } from '../../contract/sentry-dsn';
import { encodeEnvelope, itemsOf, type EnvelopeItem } from './envelope-item';
import { EnvelopeQueue } from './envelope-queue';
import { CONNECT_TIMEOUT_MS, postEnvelope, TRY_TIMEOUT_MS, type PostResult } from './post-envelope';
import { RateLimits } from './rate-limits';
import { SenderLog } from './sender-log';
import type { SentryCategory, SentryOutcome } from '../sentry-outcome';

/** Events have 2 to 8 KB: minutes of what a governor lets go, at some 4 MB. */
export const MAX_WAITING = 500;
/** Also where events are large: what a plugin server can spare for a Sentry that is away. */
export const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** Sentry takes no larger events and transactions. */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** Anything else that is sent; the queue must hold more than one. */
const MAX_OTHER_BYTES = MAX_WAITING_BYTES / 2;

/** At 100 ms each, 20 a second. One while Sentry is away. */
const MAX_IN_FLIGHT = 2;

/** An item that Sentry answers with 5xx so often, which takes some minutes, is at fault itself: it must not keep the others. */
const MAX_SERVER_FAULTS = 12;

/** At the end there is no time for a back-off. */
const LAST_RETRY_MS = 200;

/** Why something was dropped, in the words of Sentry's client reports. */
export type DropReason = 'ratelimit_backoff' | 'queue_overflow' | 'network_error' | 'send_error';

export type RecordDropped = (reason: string, category: string, count: number) => void;

export interface SenderSettings {
  /** Checked: `checkDsn`. */
  readonly dsn: string;
  readonly log: PluginLog;
  readonly onEnded: (category: SentryCategory, outcome: SentryOutcome, eventId: string) => void;
}

export class SentrySender {
  readonly #settings: SenderSettings;
  readonly #dsn: Dsn;
  readonly #log: SenderLog;
  readonly #dispatcher: Dispatcher;
  readonly #queue = new EnvelopeQueue({ items: MAX_WAITING, bytes: MAX_WAITING_BYTES });
  readonly #rateLimits = new RateLimits();
  readonly #inFlight = new Set<EnvelopeItem>();
  readonly #serverFaults = new WeakMap<EnvelopeItem, number>();
  readonly #end = new AbortController();
  #recordDropped: RecordDropped = () => undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  #tellIdle: (() => void) | undefined;

  /** Opens no connection before something is to be sent. */
  constructor(settings: SenderSettings) {
    this.#settings = settings;
    this.#dsn = readDsn(settings.dsn);
    this.#log = new SenderLog(settings.log, this.#dsn);
    this.#dispatcher = createDispatcher(this.#log);
  }

  /** Whom to tell of what is dropped here: the client that reports it to Sentry. */
  recordDroppedWith(recordDropped: RecordDropped): void {
    this.#recordDropped = recordDropped;
  }

  send(envelope: Envelope): void {
    for (const item of itemsOf(envelope)) this.#take(item);
    this.#sendNext();
  }

  /**
   * Sends what waits; what is not sent in this time ends as failed, and so does what comes afterwards. Called again, it gives the
   * same promise. Nothing of it keeps the process then.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  get #isPausedNow(): (category: EnvelopeItem['category']) => boolean {
    const nowMs = steadyNowMs();
    return (category) => this.#rateLimits.isPaused(category, nowMs);
  }

  #take(item: EnvelopeItem): void {
    const isEvent = item.category === 'error' || item.category === 'transaction';
    const size = item.bytes?.length ?? Number.POSITIVE_INFINITY;
    if (this.#end.signal.aborted) this.#endItem(item, 'failed', 'network_error');
    else if (this.#isPausedNow(item.category)) this.#endItem(item, 'rate_limited', 'ratelimit_backoff');
    else if (size > (isEvent ? MAX_EVENT_BYTES : MAX_OTHER_BYTES)) {
      this.#endItem(item, 'failed', 'send_error');
    } else this.#holdBack(this.#queue.add(item));
  }

  #sendNext(): void {
    const most = this.#failures > 0 ? 1 : MAX_IN_FLIGHT;
    while (!this.#end.signal.aborted && !this.#retry && this.#inFlight.size < most) {
      const item = this.#queue.takeNext();
      if (!item) break;
      this.#inFlight.add(item);
      void this.#try(item);
    }
    if (this.#inFlight.size === 0 && this.#queue.size === 0) this.#tellIdle?.();
  }

  async #try(item: EnvelopeItem): Promise<void> {
    const { origin, path } = this.#dsn;
    const result = await postEnvelope(
      this.#dispatcher,
      { origin, path, userAgent: SENTRY_CLIENT },
      encodeEnvelope(item, Date.now()),
      this.#end.signal,
    );
    // Otherwise the end has told of it already.
    if (!this.#inFlight.delete(item)) return;
    this.#settle(item, result);
    this.#sendNext();
  }

  #settle(item: EnvelopeItem, result: PostResult): void {
    if (result.kind === 'failed') {
      this.#tryAgain(item, result.reason);
      return;
    }
    const { status, detail } = result;
    this.#pause(result);
    if (status >= 500 || status === 408) {
      const faults = (this.#serverFaults.get(item) ?? 0) + 1;
      this.#serverFaults.set(item, faults);
      if (faults >= MAX_SERVER_FAULTS) this.#refuse(item, status, detail);
      else this.#tryAgain(item, `answered with ${status}${detail && `: ${detail}`}`);
      return;
    }
    this.#failures = 0;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#log.back(steadyNowMs());
    if (status >= 200 && status < 300) {
      this.#log.sent();
      this.#endItem(item, 'sent', undefined);
    } else if (status === 429) {
      // Sentry itself counts what it answers so.
      this.#endItem(item, 'rate_limited', undefined);
    } else this.#refuse(item, status, detail);
  }

  #pause(result: Extract<PostResult, { kind: 'answered' }>): void {
    const nowMs = steadyNowMs();
    this.#log.paused(this.#rateLimits.update(result, nowMs, Date.now()), nowMs);
    for (const item of this.#queue.takeAll(this.#isPausedNow)) {
      this.#endItem(item, 'rate_limited', 'ratelimit_backoff');
    }
  }

  #refuse(item: EnvelopeItem, status: number, detail: string): void {
    this.#log.refused(status, detail);
    this.#endItem(item, 'failed', 'send_error');
  }

  #tryAgain(item: EnvelopeItem, reason: string): void {
    if (this.#isPausedNow(item.category)) this.#endItem(item, 'rate_limited', 'ratelimit_backoff');
    else this.#holdBack(this.#queue.putBack(item));
    this.#failures += 1;
    this.#log.away(reason, this.#queue.size, steadyNowMs());
    if (this.#retry) return;
    const delayMs = backOffMs(this.#failures, Math.random());
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        this.#sendNext();
      },
      this.#closed ? Math.min(delayMs, LAST_RETRY_MS) : delayMs,
    ).unref();
  }

  #holdBack(items: readonly EnvelopeItem[]): void {
    for (const item of items) this.#endItem(item, 'held_back', 'queue_overflow');
  }

  #endItem(item: EnvelopeItem, outcome: SentryOutcome, reason: DropReason | undefined): void {
    const { category, eventId, spans, discarded } = item;
    if (category === 'internal') {
      // What a client report told is told by the next one.
      if (outcome === 'rate_limited' || outcome === 'held_back') {
        for (const { reason: why, category: of, quantity } of discarded)
          this.#recordDropped(why, of, quantity);
      }
      return;
    }
    if (reason && category !== 'other') this.#recordDropped(reason, category, 1);
    if (reason && spans > 0) this.#recordDropped(reason, 'span', spans);
    if (category === 'error' || category === 'transaction') {
      this.#settings.onEnded(category, outcome, eventId);
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, timeoutMs);
      this.#tellIdle = () => {
        clearTimeout(deadline);
        resolve();
      };
      clearTimeout(this.#retry);
      this.#retry = undefined;
      this.#sendNext();
    });
    this.#end.abort();
    clearTimeout(this.#retry);
    const left = [...this.#inFlight, ...this.#queue.takeAll(() => true)];
    this.#inFlight.clear();
    if (left.length > 0) this.#log.left(left.length);
    for (const item of left) this.#endItem(item, 'failed', 'network_error');
    await this.#dispatcher.destroy();
  }
}

/** Through the proxy that the environment names, if any: https_proxy, http_proxy, no_proxy. */
function createDispatcher(log: SenderLog): Dispatcher {
  const options = {
    connections: MAX_IN_FLIGHT,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: TRY_TIMEOUT_MS,
    bodyTimeout: TRY_TIMEOUT_MS,
  };
  try {
    // A Sentry without TLS is asked for as any proxy expects it; a tunnel is for TLS.
    return new EnvHttpProxyAgent({ ...options, proxyTunnel: false });
  } catch (error) {
    log.proxyIgnored(error instanceof Error ? error.message : String(error));
    return new Agent(options);
  }
}
