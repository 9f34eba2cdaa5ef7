// Takes the same envelopes as the sender to Sentry, and shows them to a Spotlight on a developer's machine. Nothing is tried
// again, and little waits: what it misses does not count, unless Spotlight is all there is (`onEnded`).
import { Agent } from 'undici';
import type { Envelope } from '@sentry/core';
import type { PluginLog } from '../../plugin-log';
import { SENTRY_CLIENT } from '../../contract/sentry-dsn';
import { encodeEnvelope, itemsOf, type EnvelopeItem } from './envelope-item';
import { EnvelopeQueue } from './envelope-queue';
import { CONNECT_TIMEOUT_MS, postEnvelope, type EnvelopeTarget } from './post-envelope';
import type { SentryCategory, SentryOutcome } from '../sentry-outcome';

/** A burst of a demo; at some 5 KB each. */
export const MAX_WAITING_FOR_SPOTLIGHT = 100;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export interface SpotlightSettings {
  /** Where Spotlight takes envelopes, such as http://127.0.0.1:8969/stream. */
  readonly url: string;
  readonly log: PluginLog;
  /** Where there is no DSN: told of every event and transaction, once. */
  readonly onEnded?: (category: SentryCategory, outcome: SentryOutcome, eventId: string) => void;
}

export class SpotlightSender {
  readonly #settings: SpotlightSettings;
  readonly #target: EnvelopeTarget;
  readonly #agent = new Agent({ connections: 1, connect: { timeout: CONNECT_TIMEOUT_MS } });
  readonly #queue = new EnvelopeQueue({ items: MAX_WAITING_FOR_SPOTLIGHT, bytes: MAX_WAITING_BYTES });
  readonly #end = new AbortController();
  #inFlight: EnvelopeItem | undefined;
  #isAway = false;
  #closed: Promise<void> | undefined;
  #tellIdle: (() => void) | undefined;

  /** @throws TypeError where the URL is none */
  constructor(settings: SpotlightSettings) {
    this.#settings = settings;
    const { origin, pathname, search } = new URL(settings.url);
    this.#target = { origin, path: `${pathname}${search}`, userAgent: SENTRY_CLIENT };
  }

  send(envelope: Envelope): void {
    for (const item of itemsOf(envelope)) {
      if (this.#end.signal.aborted || !item.bytes) this.#endItem(item, 'failed');
      else for (const gone of this.#queue.add(item)) this.#endItem(gone, 'held_back');
    }
    this.#sendNext();
  }

  /** Sends what waits; what is not sent in this time ends as failed. Nothing of it keeps the process then. */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  #sendNext(): void {
    if (this.#end.signal.aborted || this.#inFlight) return;
    this.#inFlight = this.#queue.takeNext();
    if (this.#inFlight) void this.#try(this.#inFlight);
    else this.#tellIdle?.();
  }

  async #try(item: EnvelopeItem): Promise<void> {
    const bytes = encodeEnvelope(item, Date.now());
    const result = await postEnvelope(this.#agent, this.#target, bytes, this.#end.signal);
    // Otherwise the end has told of it already.
    if (this.#inFlight !== item) return;
    this.#inFlight = undefined;
    const isSent = result.kind === 'answered' && result.status >= 200 && result.status < 300;
    this.#say(isSent, result.kind === 'failed' ? result.reason : `answered with ${result.status}`);
    this.#endItem(item, isSent ? 'sent' : 'failed');
    this.#sendNext();
  }

  #say(isSent: boolean, reason: string): void {
    if (!isSent && !this.#isAway) {
      const { url } = this.#settings;
      this.#settings.log('warn', 'Spotlight does not take what is reported; it is not shown', {
        url,
        reason,
      });
    }
    this.#isAway = !isSent;
  }

  #endItem({ category, eventId }: EnvelopeItem, outcome: SentryOutcome): void {
    if (category === 'error' || category === 'transaction') {
      this.#settings.onEnded?.(category, outcome, eventId);
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, timeoutMs);
      this.#tellIdle = () => {
        clearTimeout(deadline);
        resolve();
      };
      this.#sendNext();
    });
    this.#end.abort();
    const left = [...(this.#inFlight ? [this.#inFlight] : []), ...this.#queue.takeAll(() => true)];
    this.#inFlight = undefined;
    for (const item of left) this.#endItem(item, 'failed');
    await this.#agent.destroy();
  }
}
