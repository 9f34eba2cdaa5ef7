// The past from a Prometheus that scraped the sidecar: the counters of requests and the buckets of upstream times at each step, and what
// they rose by from one to the next. What rose in a step is known at its end, and placed in its middle.
// Asked in pieces of CHUNK_STEPS steps, far under the 11,000 points of a series that Prometheus gives at once: an answer is held whole.
// Prometheus tells a last value for five minutes more, so it is asked for the times of its samples too: only a step with a new one counts,
// and what rose since the one before is spread evenly over the steps between. Where no new one comes for longer than usual, nothing is
// known: that is a gap, which is filled once one comes.
import { showName } from '../notify/describe-subject';
import { describeTime } from '../notify/describe-time';
import { formatDuration } from '../config/duration';
import type { PlacedDeltas } from '../ingest/place-intervals';
import { askPrometheus, type PrometheusAccess, type PrometheusSeries } from './ask-prometheus';
import { CounterSteps, PLAIN, type Reading, type Rise } from './counter-steps';
import {
  DURATION_LABELS,
  REQUEST_LABELS,
  deltasOfRises,
  isBuiltIn,
  keyOf,
  type Labels,
  type RisenDurations,
  type RisenRequests,
} from './deltas-of-rises';
import { PastFault, type Past, type PastEvent } from './past';
import { ScrapeTimes } from './scrape-times';

export interface PrometheusQuestion {
  readonly access: PrometheusAccess;
  /** Unix ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** Which series of the metrics, such as `job="gatewatch"`; empty: all. */
  readonly matcher: string;
  /** The bounds that the rules ask for, ms. */
  readonly boundsMs: readonly number[];
}

const CHUNK_STEPS = 240;
/** Over so many places what rose over a gap is spread. */
const MOST_PLACES = 240;
const MOST_TOLD = 5;
/** Who fills the gaps. */
const PROMETHEUS = 'prometheus';

/** What Prometheus says of one step. */
interface AskedStep {
  /** By their key. */
  readonly readings: Map<string, Reading & { readonly parts: Map<number, number> }>;
  /** Target -> the time of its newest sample, Unix seconds. */
  readonly sampled: Map<string, number>;
}

export class PrometheusPast implements Past {
  readonly #question: PrometheusQuestion;
  readonly #counters = new CounterSteps();
  /** By the key of a reading. */
  readonly #labels = new Map<string, Labels>();
  readonly #boundsMs = new Set<number>();
  readonly #warnings = new Set<string>();
  readonly #gaps: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #scrapes: ScrapeTimes;
  #reachedMs: number;
  /** Since when samples are missed, Unix ms. */
  #gapFromMs: number | undefined;

  constructor(question: PrometheusQuestion) {
    this.#question = question;
    this.#scrapes = new ScrapeTimes(question.stepMs);
    this.#reachedMs = question.startMs;
  }

  progress(): number {
    const { startMs, endMs } = this.#question;
    return Math.min(1, (this.#reachedMs - startMs) / Math.max(1, endMs - startMs));
  }

  async *events(): AsyncGenerator<PastEvent> {
    const { startMs, endMs, stepMs } = this.#question;
    const steps = Math.floor((endMs - startMs) / stepMs);
    for (let first = 0; first <= steps; first += CHUNK_STEPS) {
      const last = Math.min(steps, first + CHUNK_STEPS - 1);
      const asked = await this.#ask(first, last);
      for (const [index, step] of asked.entries()) {
        const event = this.#eventOf(first + index, step);
        if (event) yield event;
      }
    }
    this.#endGap(endMs);
    if (this.#labels.size === 0)
      throw new PastFault(
        `Prometheus has no gatewatch_requests_total from ${describeTime(startMs)} to ${describeTime(endMs)}`,
      );
  }

  unseen(): readonly string[] {
    const labels = [...this.#labels.values()];
    const foreign = distinct(labels.map(({ error_type: type = '' }) => type)).filter(
      (type) => type !== '' && !isBuiltIn(type),
    );
    const targets = [...this.#counters.targets];
    return [
      `Times are as exact as the step, ${formatDuration(this.#question.stepMs)}, and as Prometheus' scrapes.`,
      ...this.#unseenOfTimes(),
      ...(foreign.length === 0
        ? []
        : [
            `Whether ${list(foreign)} count as errors is in the plugin's configuration; here a status from 500 on decides.`,
          ]),
      ...(targets.length < 2
        ? []
        : [
            `The counters of ${targets.length} targets were added up: ${list(targets)}. --matcher chooses among them.`,
          ]),
      ...(this.#gaps.length === 0
        ? []
        : [`Prometheus has nothing ${list(this.#gaps.map(describeGap))}; rules could not tell meanwhile.`]),
      ...[...this.#warnings].slice(0, MOST_TOLD).map((warning) => `Prometheus warns: ${warning}.`),
    ];
  }

  #unseenOfTimes(): string[] {
    if (this.#boundsMs.size === 0)
      return ['Prometheus has no external_request_duration_seconds: rules on upstream times saw none.'];
    const betweenMs = this.#question.boundsMs.filter((ms) => !this.#boundsMs.has(ms)).sort((a, b) => a - b);
    return [
      'Upstream times are known by their buckets: each counts as the upper bound of its bucket, or as twice the last bound.',
      ...(betweenMs.length === 0
        ? []
        : [
            `No bucket ended at ${betweenMs.join(', ')} ms, where rules have thresholds: what lies in the bucket around ` +
              'such a threshold counts as over it, so these rules may seem to page more than they would.',
          ]),
    ];
  }

  /** What is known of each step from `first` to `last`. */
  async #ask(first: number, last: number): Promise<readonly AskedStep[]> {
    const { access, startMs, stepMs, matcher } = this.#question;
    const steps = Array.from({ length: last - first + 1 }, (): AskedStep => ({
      readings: new Map(),
      sampled: new Map(),
    }));
    const range = { startMs: startMs + first * stepMs, endMs: startMs + last * stepMs, stepMs };
    const selector = matcher === '' ? '' : `{${matcher}}`;
    const requestsQuery = `gatewatch_requests_total${selector}`;
    const answers = await Promise.all(
      [
        requestsQuery,
        `external_request_duration_seconds_bucket${selector}`,
        `max without (${REQUEST_LABELS.join(', ')}) (timestamp(${requestsQuery}))`,
      ].map((query) => askPrometheus(access, { ...range, query })),
    );
    const [requests, durations, times] = answers.map(({ series }) => series);
    for (const series of requests ?? []) this.#read(series, REQUEST_LABELS, range.startMs, steps);
    for (const series of durations ?? []) this.#read(series, DURATION_LABELS, range.startMs, steps);
    for (const { labels, values } of times ?? []) {
      const target = targetOf(labels, []);
      for (const [seconds, text] of values)
        steps[this.#indexOf(seconds, range.startMs)]?.sampled.set(target, Number(text));
    }
    for (const warning of answers.flatMap(({ warnings }) => warnings)) this.#warnings.add(warning);
    return steps;
  }

  #indexOf(seconds: number, fromMs: number): number {
    return Math.round((seconds * 1000 - fromMs) / this.#question.stepMs);
  }

  #read(
    { labels: { __name__: name = '', le, ...labels }, values }: PrometheusSeries,
    own: readonly string[],
    fromMs: number,
    steps: readonly AskedStep[],
  ): void {
    const target = targetOf(labels, own);
    const key = `${name}\0${keyOf(labels, own)}\0${target}`;
    this.#labels.set(key, labels);
    const part = le === undefined ? PLAIN : boundOf(le);
    if (le !== undefined) this.#boundsMs.add(part);
    for (const [seconds, text] of values) {
      const value = Number(text);
      const readings = steps[this.#indexOf(seconds, fromMs)]?.readings;
      if (readings === undefined || !Number.isFinite(value)) continue;
      const known = readings.get(key);
      if (known) known.parts.set(part, value);
      else readings.set(key, { key, target, parts: new Map([[part, value]]) });
    }
  }

  #eventOf(step: number, { readings, sampled }: AskedStep): PastEvent | undefined {
    const { startMs, stepMs } = this.#question;
    const knownMs = startMs + step * stepMs;
    this.#reachedMs = knownMs;
    const { fresh, missedSinceMs } = this.#scrapes.take(knownMs, sampled);
    if (missedSinceMs !== undefined) this.#gapFromMs = missedSinceMs;
    if (fresh.size > 0) {
      this.#endGap(knownMs);
      const ofFresh = [...readings.values()].filter(({ target }) => fresh.has(target));
      return {
        knownMs,
        placed: this.#place(this.#counters.take(step, ofFresh), knownMs),
        delivered: PROMETHEUS,
      };
    }
    if (this.#labels.size === 0) return undefined;
    const fromMs = this.#gapFromMs;
    if (fromMs === undefined) return { knownMs, placed: [] };
    // In place of the one of the step before.
    const gap = { fromMs, toMs: knownMs, producers: [PROMETHEUS] };
    return { knownMs, placed: [], delivered: PROMETHEUS, gap };
  }

  #endGap(toMs: number): void {
    const fromMs = this.#gapFromMs;
    this.#gapFromMs = undefined;
    if (fromMs !== undefined) this.#gaps.push({ fromMs, toMs });
  }

  /** Rises of one step at its middle, those of more evenly over all of them. */
  #place(rises: readonly Rise[], knownMs: number): PlacedDeltas[] {
    const { stepMs } = this.#question;
    return [...new Set(rises.map(({ steps }) => steps))].flatMap((steps) => {
      const ofSteps = rises.filter((rise) => rise.steps === steps);
      const places = Math.min(steps, MOST_PLACES);
      const spanMs = steps * stepMs;
      return Array.from({ length: places }, (_, place) => ({
        atMs: Math.round(knownMs - spanMs + ((place + 0.5) * spanMs) / places),
        deltas: this.#deltasOf(ofSteps, place, places),
      })).filter(({ deltas }) => deltas.length > 0);
    });
  }

  #deltasOf(rises: readonly Rise[], place: number, places: number): PlacedDeltas['deltas'] {
    const requests: RisenRequests[] = [];
    const durations: RisenDurations[] = [];
    for (const { key, parts } of rises) {
      const labels = this.#labels.get(key) ?? {};
      const share = (value: number): number =>
        Math.floor((value * (place + 1)) / places) - Math.floor((value * place) / places);
      const plain = parts.get(PLAIN);
      if (plain === undefined)
        durations.push({
          labels,
          atMost: new Map([...parts].map(([boundMs, value]) => [boundMs, share(value)])),
        });
      else if (share(plain) > 0) requests.push({ labels, requests: share(plain) });
    }
    return deltasOfRises(requests, durations);
  }
}

/** The labels that the metric does not have of its own: those of the scrape. */
function targetOf(labels: Labels, own: readonly string[]): string {
  return Object.entries(labels)
    .filter(([label]) => !own.includes(label))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${value}"`)
    .join(', ');
}

/** From seconds, as a label, to ms. */
function boundOf(le: string): number {
  return le === '+Inf' ? Infinity : Math.round(Number(le) * 1000);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function describeGap({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  return `from ${describeTime(fromMs)} to ${describeTime(toMs)}`;
}

function list(texts: readonly string[]): string {
  const told = texts.slice(0, MOST_TOLD).map(showName);
  const rest = texts.length - told.length;
  if (rest > 0) return `${told.join(', ')} and ${rest} more`;
  const last = told.pop() ?? '';
  return told.length === 0 ? last : `${told.join(', ')} and ${last}`;
}
