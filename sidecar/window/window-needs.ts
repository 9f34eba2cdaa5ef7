// What the rules need to be kept: which windows they read of which scopes, and by which bounds they count times.
import { isAboutLatency } from '../config/about-latency';
import { WINDOW_LEVELS, variantsOf, type Rule } from '../config/rule';
import { evidenceMsOf } from './evidence-span';
import { MOST_FINE_MS, isFine, type WindowSpan } from './slots';

/** The levels of scopes that have windows. */
export type WindowLevel = (typeof WINDOW_LEVELS)[number];

/** Where counts are kept. */
export type CountTierName = 'fine' | 'minutes';

/** The distinct windows that are read of each scope of a level. */
export interface LevelNeeds {
  /** Windows of which every upstream time is needed, ms. */
  readonly latencyMs: readonly number[];
  /** Of which counts are needed, in slots of 5 s. */
  readonly fine: readonly WindowSpan[];
  /** Of which counts are needed, in minutes. */
  readonly minutes: readonly WindowSpan[];
}

export interface WindowNeeds {
  readonly levels: Readonly<Record<WindowLevel, LevelNeeds>>;
  /** How far back operations, error types and addresses are kept to say what is worst; 0 where no rule asks. */
  readonly evidenceMs: number;
  /** How far back of that with upstream times. */
  readonly timedEvidenceMs: number;
  /** By which upstream times are counted, ms, ascending: in slots of 5 s and in minutes. */
  readonly fineBoundsMs: readonly number[];
  readonly minuteBoundsMs: readonly number[];
}

/** Where errors are what counts; the times are most of what an hour costs. */
const MOST_TIMED_MS = 5 * 60_000;

/** What one rule, without its overrides, reads. */
interface Reading {
  readonly level: WindowLevel;
  readonly latencyMs: number | undefined;
  readonly spans: readonly WindowSpan[];
  readonly boundsMs: readonly number[];
  readonly evidenceMs: number;
  readonly timedEvidenceMs: number;
}

/** What a round of these rules, overrides included, reads. */
export function needsOf(rules: readonly Rule[]): WindowNeeds {
  const readings = rules.flatMap(variantsOf).flatMap((rule) => readingOf(rule) ?? []);
  const boundsWhere = (fine: boolean): number[] =>
    distinct(
      readings
        .filter(({ spans }) => spans.some((span) => isFine(span) === fine))
        .flatMap(({ boundsMs }) => boundsMs),
    );
  return {
    levels: {
      gateway: levelNeeds(readings, 'gateway'),
      service: levelNeeds(readings, 'service'),
      operation: levelNeeds(readings, 'operation'),
      error_type: levelNeeds(readings, 'error_type'),
    },
    evidenceMs: Math.max(0, ...readings.map(({ evidenceMs }) => evidenceMs)),
    timedEvidenceMs: Math.max(0, ...readings.map(({ timedEvidenceMs }) => timedEvidenceMs)),
    fineBoundsMs: boundsWhere(true),
    minuteBoundsMs: boundsWhere(false),
  };
}

/** How far back counts of each scope of a level are needed, ms. */
export function keepOf(spans: readonly WindowSpan[]): number {
  return Math.max(0, ...spans.map(({ windowMs, agoMs }) => windowMs + agoMs));
}

/** How far back every upstream time is needed, ms. */
export function timesKeepOf({ levels, timedEvidenceMs }: WindowNeeds): number {
  return Math.max(timedEvidenceMs, ...WINDOW_LEVELS.flatMap((level) => levels[level].latencyMs));
}

/** How far back requests are told apart by all their labels, ms. */
export function cellsKeepOf(needs: WindowNeeds): number {
  return Math.max(needs.evidenceMs, timesKeepOf(needs));
}

/** How far back anything is needed, ms. */
export function longestOf(needs: WindowNeeds): number {
  const spans = WINDOW_LEVELS.flatMap((level) => [
    ...needs.levels[level].fine,
    ...needs.levels[level].minutes,
  ]);
  return Math.max(cellsKeepOf(needs), keepOf(spans));
}

function readingOf(rule: Rule): Reading | undefined {
  const level = WINDOW_LEVELS.find((known) => known === rule.each);
  if (level === undefined) return undefined;
  const evidenceMs = longestEvidenceMs(rule);
  const ofWindow = {
    level,
    latencyMs: undefined,
    spans: [{ windowMs: rule.windowMs, agoMs: 0 }],
    boundsMs: [],
    evidenceMs,
    timedEvidenceMs: isAboutLatency(rule) ? evidenceMs : Math.min(evidenceMs, MOST_TIMED_MS),
  };
  switch (rule.kind) {
    case 'latency':
      return { ...ofWindow, latencyMs: Math.min(rule.windowMs, MOST_FINE_MS) };
    case 'error_rate':
      return ofWindow;
    case 'apdex':
      return { ...ofWindow, boundsMs: [rule.targetMs, 4 * rule.targetMs] };
    case 'traffic_drop':
    case 'traffic_absence': {
      const baseline = { windowMs: rule.baselineMs, agoMs: rule.windowMs };
      return { ...ofWindow, spans: [...ofWindow.spans, baseline] };
    }
    case 'burn_rate':
      return {
        ...ofWindow,
        spans: rule.windows.flatMap(({ longMs, shortMs }) =>
          [longMs, shortMs].map((windowMs) => ({ windowMs, agoMs: 0 })),
        ),
        boundsMs: rule.latencyMs === undefined ? [] : [rule.latencyMs],
      };
    case 'kong_unreachable':
    case 'target_unhealthy':
    case 'observed_ratio':
      return undefined;
  }
}

function longestEvidenceMs(rule: Rule): number {
  if (rule.kind !== 'burn_rate') return evidenceMsOf(rule);
  return Math.max(...rule.windows.map((row) => evidenceMsOf(rule, row)));
}

function levelNeeds(readings: readonly Reading[], level: WindowLevel): LevelNeeds {
  const own = readings.filter((reading) => reading.level === level);
  // The requests of an error type are those of its service.
  const counted =
    level === 'service' ? readings.filter((reading) => reading.level === 'error_type').concat(own) : own;
  const spans = distinctSpans(counted.flatMap((reading) => reading.spans));
  return {
    latencyMs: distinct(own.flatMap(({ latencyMs }) => latencyMs ?? [])),
    fine: spans.filter((span) => isFine(span)),
    minutes: spans.filter((span) => !isFine(span)),
  };
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function distinctSpans(spans: readonly WindowSpan[]): WindowSpan[] {
  const byText = new Map(spans.map((span) => [`${span.windowMs} ${span.agoMs}`, span]));
  return [...byText.values()].sort((a, b) => a.windowMs - b.windowMs || a.agoMs - b.agoMs);
}
