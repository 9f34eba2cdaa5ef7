// Scrapes a sidecar again and again, as Prometheus does, and notes every counter that went down.
import { setTimeout as delay } from 'node:timers/promises';
import { parseSamples, type ScrapedSample } from './samples';

const PAUSE_MS = 200;
const TIMEOUT_MS = 10_000;

export class CountersWatch {
  /** One line for each counter that went down. */
  readonly faults: string[] = [];
  scrapes = 0;
  readonly #url: string;
  readonly #highest = new Map<string, number>();
  readonly #loop: Promise<void>;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  /** @param url of the sidecar */
  constructor(url: string) {
    this.#url = url;
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
      await this.scrape().catch((error: unknown) => this.faults.push(`no scrape: ${String(error)}`));
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
    this.scrapes += 1;
    for (const { name, labels, value } of samples) {
      if (!counters.has(name)) continue;
      const key = `${name}${JSON.stringify(labels)}`;
      const before = this.#highest.get(key) ?? 0;
      if (value < before) this.faults.push(`${key} went down from ${before} to ${value}`);
      this.#highest.set(key, Math.max(before, value));
    }
    return samples;
  }
}

/** The names of counters, and of the parts of histograms, which behave like counters. A name alone does not tell. */
function countersIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (counter|histogram)$/gm)) {
    if (type === 'counter') names.add(name);
    else for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`);
  }
  return names;
}
