// Scrapes a sidecar again and again, as Prometheus does, and notes every counter that went down.
import { setTimeout as delay } from 'node:timers/promises';
import { parseSamples, type ScrapedSample } from './samples';

const PAUSE_MS = 200;
const TIMEOUT_MS = 60_000;

/** What a sidecar counts of its own process: these begin at 0 with each start, as Prometheus expects, and no others may. */
export const PROCESS_COUNTERS: readonly string[] = [
  'gatewatch_batches_total',
  'gatewatch_evaluation_duration_seconds',
  'gatewatch_evaluation_rounds_total',
  'gatewatch_http_broken_off_scrapes_total',
  'gatewatch_http_dropped_connections_total',
  'gatewatch_http_failed_handshakes_total',
  'gatewatch_http_refused_requests_total',
  'gatewatch_ledger_apply_duration_seconds',
  'gatewatch_ledger_failed_commits_total',
  'gatewatch_missing_batches_total',
  'gatewatch_notifications_total',
  'gatewatch_notifications_without_channel_total',
  'gatewatch_series_folded_requests_total',
  'gatewatch_windows_late_requests_total',
  'nodejs_gc_duration_seconds',
  'process_cpu_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_user_seconds_total',
];

export interface CountersWatchOptions {
  /** The sidecar is ended and started meanwhile: it may be away, and PROCESS_COUNTERS may begin at 0. */
  readonly isRestarted?: boolean;
}

export class CountersWatch {
  /** One line for each counter that went down. */
  readonly faults: string[] = [];
  scrapes = 0;
  /** Counters and histograms that the sidecar exposed. */
  readonly exposed = new Set<string>();
  readonly #url: string;
  readonly #isRestarted: boolean;
  readonly #highest = new Map<string, number>();
  readonly #loop: Promise<void>;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  /** @param url of the sidecar */
  constructor(url: string, { isRestarted = false }: CountersWatchOptions = {}) {
    this.#url = url;
    this.#isRestarted = isRestarted;
    this.#loop = this.#run();
  }

  /** Looks once more, and gives what it saw. */
  async end(): Promise<ScrapedSample[]> {
    this.#ended = true;
    await this.#loop;
    return this.scrape();
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      await this.scrape().catch((error: unknown) => {
        if (!this.#isRestarted) this.faults.push(`no scrape: ${String(error)}`);
      });
      await delay(PAUSE_MS);
    }
  }

  /** Looks now. One look ends before the next begins, or an older one might seem to be the newer. */
  scrape(): Promise<ScrapedSample[]> {
    const scrape = this.#last.then(() => this.#scrape());
    this.#last = scrape.catch(() => undefined);
    return scrape;
  }

  async #scrape(): Promise<ScrapedSample[]> {
    const answer = await fetch(`${this.#url}/metrics`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await answer.text();
    const samples = parseSamples(text);
    const counters = countersIn(text);
    for (const family of counters.values()) this.exposed.add(family);
    this.scrapes += 1;
    for (const { name, labels, value } of samples) {
      const family = counters.get(name);
      if (family === undefined || (this.#isRestarted && PROCESS_COUNTERS.includes(family))) continue;
      const key = `${name}${JSON.stringify(labels)}`;
      const before = this.#highest.get(key) ?? 0;
      if (value < before) this.faults.push(`${key} went down from ${before} to ${value}`);
      this.#highest.set(key, Math.max(before, value));
    }
    return samples;
  }
}

/** The names of counters, and of the parts of histograms, which behave like counters, with their families. */
function countersIn(text: string): Map<string, string> {
  const families = new Map<string, string>();
  for (const [, family = '', type] of text.matchAll(/^# TYPE (\S+) (counter|histogram)$/gm)) {
    if (type === 'counter') families.set(family, family);
    else for (const part of ['bucket', 'sum', 'count']) families.set(`${family}_${part}`, family);
  }
  return families;
}
