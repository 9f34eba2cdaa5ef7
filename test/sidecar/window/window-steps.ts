// Random histories of windows, and what is asked of them afterwards.
import fc from 'fast-check';
import type { Delta } from '../../../kong-plugin/contract/delta';
import { WINDOW_LEVELS, type Rule } from '../../../sidecar/config/rule';
import { scopeKey, type Scope } from '../../../sidecar/window/scope';
import type { ScopeView } from '../../../sidecar/window/scope-view';
import type { WindowSpan } from '../../../sidecar/window/slots';
import type { WindowLevel, WindowNeeds } from '../../../sidecar/window/window-needs';
import { sampleDelta } from '../../support/sample-delta';
import {
  apdexRule,
  burnRateRule,
  errorRateRule,
  latencyRule,
  trafficDropRule,
} from '../../support/sample-rules';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Every tier, every level, and windows that are soon left. */
export const RULES: readonly Rule[] = [
  latencyRule({ windowMs: 30 * SECOND }),
  latencyRule({ each: 'operation', windowMs: 2 * MINUTE }),
  errorRateRule({ each: 'gateway', windowMs: 7 * SECOND }),
  errorRateRule({ each: 'error_type', windowMs: MINUTE }),
  apdexRule({ windowMs: 90 * SECOND, targetMs: 100 }),
  trafficDropRule({ windowMs: MINUTE, baselineMs: 10 * MINUTE }),
  burnRateRule({
    latencyMs: 300,
    windowMs: 90 * MINUTE,
    windows: [{ severity: 'critical', longMs: 90 * MINUTE, shortMs: 3 * MINUTE, factor: 2 }],
  }),
];

export type Step =
  | { readonly kind: 'add'; readonly ageMs: number; readonly deltas: readonly Delta[] }
  | { readonly kind: 'pass'; readonly byMs: number }
  | { readonly kind: 'advance' };

const SERVICES = ['shop', ''];
const OPERATIONS = ['GET cart', 'POST pay'];
const OUTCOMES = [
  { status: 200, errorType: '', severity: 'info' },
  { status: 499, errorType: 'client_closed_request', severity: 'warning' },
  { status: 500, errorType: 'upstream_server_error', severity: 'error' },
  { status: 502, errorType: 'upstream_unreachable', severity: 'error' },
  { status: 503, errorType: '', severity: 'error' },
] as const;

export const SCOPES: readonly Scope[] = [
  { level: 'gateway' },
  ...SERVICES.flatMap((service): Scope[] => [
    { level: 'service', service },
    ...OPERATIONS.map((operation): Scope => ({ level: 'operation', service, operation })),
    ...OUTCOMES.filter(({ errorType }) => errorType !== '').map(({ errorType }): Scope => ({
      level: 'error_type',
      service,
      errorType,
    })),
  ]),
];

const timesMs = fc.array(fc.option(fc.constantFrom(3, 100, 101, 250, 400, 2_500), { nil: undefined }), {
  minLength: 1,
  maxLength: 4,
});

const delta = fc
  .record({
    service: fc.constantFrom(...SERVICES),
    operation: fc.constantFrom(...OPERATIONS),
    outcome: fc.constantFrom(...OUTCOMES),
    timesMs,
  })
  .map(({ service, operation, outcome, timesMs: times }) =>
    sampleDelta({ service, operation, ...outcome }, times),
  );

const ageMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 8 * SECOND }) },
  { weight: 1, arbitrary: fc.integer({ min: -MINUTE, max: 4 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 100 * MINUTE }) },
);

const forwardMs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 20 * SECOND }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * MINUTE }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 100 * MINUTE }) },
);

function stepsOf(byMs: fc.Arbitrary<number>): fc.Arbitrary<Step[]> {
  return fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        ageMs,
        deltas: fc.array(delta, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('pass' as const), byMs }),
      fc.record({ kind: fc.constant('advance' as const) }),
    ),
    { maxLength: 40 },
  );
}

/** Time goes on. */
export const forwardSteps = stepsOf(forwardMs);

/** Time goes back now and then. */
export const anySteps = stepsOf(
  fc.oneof({ weight: 4, arbitrary: forwardMs }, { weight: 1, arbitrary: forwardMs.map((ms) => -ms) }),
);

/** What may be asked for all that it knows. */
export interface Told {
  scopes(level: WindowLevel): Iterable<Scope>;
  view(scope: Scope, nowMs: number): Pick<ScopeView, 'counts' | 'latency'>;
  advance(nowMs: number): void;
}

/** All that rules of these needs can see. */
export function toldBy(windows: Told, nowMs: number, needs: WindowNeeds): unknown {
  windows.advance(nowMs);
  return {
    scopes: WINDOW_LEVELS.map((level) => [...windows.scopes(level)].map((scope) => scopeKey(scope)).sort()),
    views: SCOPES.map((scope) => {
      const { latencyMs, fine, minutes } =
        needs.levels[WINDOW_LEVELS.find((level) => level === scope.level) ?? 'gateway'];
      const view = windows.view(scope, nowMs);
      const told = (boundsMs: readonly number[]) => (span: WindowSpan) => {
        const counts = view.counts(span.windowMs, span.agoMs);
        return { ...span, ...counts, atMost: boundsMs.map((boundMs) => counts.atMost(boundMs)) };
      };
      return {
        scope,
        latency: latencyMs.map((windowMs) => {
          const { count, sumMs, cells } = view.latency(windowMs);
          return { count, sumMs, cells: [...cells].sort(([a], [b]) => a - b) };
        }),
        counts: [...fine.map(told(needs.fineBoundsMs)), ...minutes.map(told(needs.minuteBoundsMs))],
      };
    }),
  };
}
