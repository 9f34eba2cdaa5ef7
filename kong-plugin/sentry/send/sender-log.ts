// What is said about the sending to Sentry: only where something changes. Neither the key of the DSN nor an event is in it.
import type { PluginLog } from '../../plugin-log';
import type { Dsn } from '../../contract/sentry-dsn';
import type { Pause } from './rate-limits';

export class SenderLog {
  readonly #log: PluginLog;
  readonly #dsn: Dsn;
  #awaySinceMs: number | undefined;
  #refusedWith: number | undefined;

  constructor(log: PluginLog, dsn: Dsn) {
    this.#log = log;
    this.#dsn = dsn;
  }

  /** @param nowMs steady; @param waiting items that wait */
  away(reason: string, waiting: number, nowMs: number): void {
    if (this.#awaySinceMs !== undefined) return;
    this.#awaySinceMs = nowMs;
    this.#say('warn', 'Sentry does not take events; they wait, and are sent again', {
      reason: this.#withoutKey(reason),
      waiting,
    });
  }

  /** It answers again, whatever it says. */
  back(nowMs: number): void {
    if (this.#awaySinceMs === undefined) return;
    this.#say('info', 'Sentry answers again', { afterMs: nowMs - this.#awaySinceMs });
    this.#awaySinceMs = undefined;
  }

  sent(): void {
    this.#refusedWith = undefined;
  }

  refused(status: number, detail: string): void {
    if (this.#refusedWith === status) return;
    this.#refusedWith = status;
    this.#say('error', 'Sentry refused an event; what it refuses is not sent again', {
      status,
      detail: this.#withoutKey(detail),
    });
  }

  paused(pauses: readonly Pause[], nowMs: number): void {
    if (pauses.length === 0) return;
    const categories = [...new Set(pauses.map(({ category }) => category))];
    const lastMs = Math.max(...pauses.map(({ untilMs }) => untilMs));
    this.#say('warn', 'Sentry asks for a pause; what falls into it is not sent', {
      categories,
      forMs: lastMs - nowMs,
    });
  }

  left(items: number): void {
    this.#say('warn', 'the time for the end is over, and not everything was sent to Sentry', { items });
  }

  proxyIgnored(reason: string): void {
    this.#say('error', 'the proxy of the environment cannot be used; Sentry is called without it', {
      reason,
    });
  }

  #say(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log(level, message, { sentry: this.#dsn.text, ...fields });
  }

  #withoutKey(text: string): string {
    return text.replaceAll(this.#dsn.publicKey, '…');
  }
}
