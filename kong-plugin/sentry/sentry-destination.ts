// The Sentry of one DSN, or Spotlight alone: its governor, its sender, a client for each environment and release, and the events
// that are on their way. What an event was to tell of those held back is not lost with it: where it does not arrive, the next one
// of its fingerprint tells that.
import { randomUUID } from 'node:crypto';
import type { ErrorEvent } from '@sentry/core';
import type { PluginLog } from '../plugin-log';
import { createClient, type SentryClient } from './send/create-client';
import { Governor } from './decide/governor';
import { NOTHING_HELD_BACK, withEvent, type HeldBack } from './decide/held-back';
import type { CountSentryOutcome, SentryCategory, SentryOutcome } from './sentry-outcome';
import { SentrySender } from './send/sentry-sender';
import type { GovernorSettings, ReportingSettings } from './settings/sentry-settings';
import { SpotlightSender } from './send/spotlight-sender';

export interface DestinationParts {
  /** `undefined`: Spotlight alone. */
  readonly dsn: string | undefined;
  readonly spotlightUrl: string | undefined;
  readonly governor: GovernorSettings;
  readonly log: PluginLog;
  readonly count: CountSentryOutcome;
}

/** An error event that the governor let go. */
export interface Admitted {
  /** Of its fingerprint. */
  readonly key: string;
  /** Unix ms. */
  readonly atMs: number;
  readonly heldBack: HeldBack;
}

export class SentryDestination {
  readonly governor: Governor;
  readonly #parts: DestinationParts;
  readonly #sender: SentrySender | undefined;
  readonly #spotlight: SpotlightSender | undefined;
  readonly #clients = new Map<string, SentryClient>();
  readonly #onTheirWay = new Map<string, Admitted>();

  constructor(parts: DestinationParts) {
    const { dsn, spotlightUrl, log } = parts;
    this.#parts = parts;
    this.governor = new Governor(parts.governor);
    const onEnded = (category: SentryCategory, outcome: SentryOutcome, eventId: string): void =>
      this.#end(category, outcome, eventId);
    this.#sender = dsn === undefined ? undefined : new SentrySender({ dsn, log, onEnded });
    // Beside a DSN nobody counts what Spotlight gets: it is a look, not a delivery.
    this.#spotlight =
      spotlightUrl === undefined
        ? undefined
        : new SpotlightSender({ url: spotlightUrl, log, ...(dsn === undefined && { onEnded }) });
  }

  /** One for each environment and release. */
  clientFor({ environment, release }: ReportingSettings): SentryClient {
    const key = `${environment}\n${release}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const { dsn } = this.#parts;
    const client = createClient({
      environment,
      release,
      sentry: this.#sender && dsn !== undefined ? { dsn, sender: this.#sender } : undefined,
      spotlight: this.#spotlight,
    });
    this.#clients.set(key, client);
    return client;
  }

  sendEvent(client: SentryClient, event: ErrorEvent, admitted: Admitted): void {
    const eventId = randomUUID().replaceAll('-', '');
    this.#onTheirWay.set(eventId, admitted);
    client.captureEvent({ ...event, event_id: eventId });
  }

  /** Sends what waits, within this time; the rest ends as failed, and so does what comes later. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await Promise.all([this.#sender?.close(timeoutMs), this.#spotlight?.close(timeoutMs)]);
  }

  #end(category: SentryCategory, outcome: SentryOutcome, eventId: string): void {
    this.#parts.count(category, outcome, 1);
    const admitted = this.#onTheirWay.get(eventId);
    if (!admitted) return;
    this.#onTheirWay.delete(eventId);
    const { key, atMs, heldBack } = admitted;
    const untold = outcome === 'held_back' ? withEvent(heldBack, atMs) : heldBack;
    if (outcome !== 'sent' && untold !== NOTHING_HELD_BACK) this.governor.giveBack(key, untold);
  }
}
