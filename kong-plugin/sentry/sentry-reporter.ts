// Takes every request, as its log and its observation, and brings to Sentry what is worth it: errors as events, and requests that
// are sampled as transactions. The log itself is read only for what goes, so that a storm of errors is met with the few fields of
// the observation. What each error event and each transaction came to is counted, once.
import { randomBytes } from 'node:crypto';
import { SEVERITIES } from '../contract/severity';
import type { Observation } from '../observation';
import type { PluginLog } from '../plugin-log';
import { steadyNowMs } from '../steady-now';
import { judge, type Rewrite } from './decide/before-send';
import type { SentryClient } from './send/create-client';
import { readDsn } from '../contract/sentry-dsn';
import { renderFingerprint } from './decide/fingerprint';
import { atSystemTime, type HeldBack } from './decide/held-back';
import { issueEvent } from './event/issue-event';
import { startProfiling, type Profiling } from './send/profiling';
import { readRequestFacts, type RequestFacts } from './event/request-facts';
import { readTraceParent } from './event/read-trace-parent';
import { RANDOM_DIGITS, requestTrace, type RequestTrace } from './event/request-trace';
import type { EventOrigin } from './event/sampling-context';
import { SentryDestination } from './sentry-destination';
import type { CountSentryOutcome, SentryCategory } from './sentry-outcome';
import type { ReportingSettings, SentrySettings } from './settings/sentry-settings';
import { sampleTrace, type TraceSample } from './decide/trace-sampling';
import { transactionEvent } from './event/transaction-event';

/** What holds for the requests of one service. */
interface Scope {
  readonly reporting: ReportingSettings;
  readonly origin: EventOrigin;
  readonly destination: SentryDestination;
  readonly client: SentryClient;
}

/** An error that no rule drops. */
interface ReportedError {
  readonly fingerprint: readonly string[];
  /** Of the fingerprint. */
  readonly key: string;
  readonly rewrite: Rewrite | undefined;
  /** What its event is to tell; `undefined`: it is held back itself. */
  readonly heldBack: HeldBack | undefined;
}

export class SentryReporter {
  readonly #settings: SentrySettings;
  readonly #log: PluginLog;
  readonly #count: CountSentryOutcome;
  readonly #destinations = new Map<string, SentryDestination>();
  readonly #standard: Scope | undefined;
  readonly #scopes = new Map<string, Scope | undefined>();
  #profiling: Profiling | undefined;
  #hasSaidFault = false;
  #closed: Promise<void> | undefined;
  /** Requests so far. */
  events = 0;
  /** Who has something to report needs another reporter. */
  hasLeft = false;

  constructor(settings: SentrySettings, log: PluginLog, count: CountSentryOutcome) {
    this.#settings = settings;
    this.#log = log;
    this.#count = count;
    this.#standard = this.#scopeOf(settings.standard);
    for (const [service, reporting] of settings.services) this.#scopes.set(service, this.#scopeOf(reporting));
    this.profile();
  }

  /** Profiles the process where the settings want it, unless another reporter does so already. */
  profile(): void {
    if (this.#closed || this.#profiling) return;
    const [profiled] = [this.#standard, ...this.#scopes.values()].filter((scope) => scope !== undefined);
    const { profileSessionSampleRate: sessionSampleRate } = this.#settings;
    this.#profiling = profiled && startProfiling(profiled.client.sdk, { sessionSampleRate, log: this.#log });
  }

  /**
   * Takes one request. Never throws: the event was counted before it came here.
   *
   * @param log what `kong.log.serialize()` gave: text, or its bytes, which are not kept
   */
  take(log: unknown, observation: Observation): void {
    this.events += 1;
    const scope = this.#scopes.has(observation.service)
      ? this.#scopes.get(observation.service)
      : this.#standard;
    if (!scope || !(typeof log === 'string' || Buffer.isBuffer(log))) return;
    try {
      this.#report(scope, log, observation);
    } catch (error) {
      this.#sayFault(error);
    }
  }

  /** Sends what there is, within the shutdown timeout; what does not go then, and what comes later, ends as failed. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#profiling?.stop();
    const { shutdownTimeoutMs } = this.#settings;
    await Promise.all(
      [...this.#destinations.values()].map((destination) => destination.close(shutdownTimeoutMs)),
    );
    this.hasLeft = true;
  }

  #report(scope: Scope, log: string | Buffer, observation: Observation): void {
    const nowMs = steadyNowMs();
    const error = isReported(observation, scope.reporting)
      ? this.#judgeError(scope, observation, nowMs)
      : undefined;
    const carried = error?.heldBack;
    const sample = this.#sampleTrace(scope, log, observation, carried !== undefined, nowMs);
    const { reporting, origin, destination, client } = scope;
    if (!carried && !sample) {
      if (error) noteCallersTrace(destination, log, error.key);
      return;
    }
    const facts = readRequestFacts(log, reporting);
    // Then it has no error either.
    if (!facts) return;
    const trace = traceOf(facts);
    // Kong's times are the system's, which a steady clock is behind where the host was suspended.
    const systemMs = Date.now();
    const request = { observation, facts, trace, origin, nowMs: systemMs };
    if (error && !carried) destination.governor.addTraceId(error.key, trace.traceId);
    if (error && carried) {
      const heldBack = atSystemTime(carried, systemMs - nowMs);
      this.#countingFaults('error', () => {
        const event = issueEvent({ ...request, ...error, sample, heldBack });
        destination.sendEvent(client, event, { key: error.key, atMs: nowMs, heldBack: carried });
      });
    }
    if (sample) {
      this.#countingFaults('transaction', () => {
        client.captureEvent(transactionEvent({ ...request, sample }));
      });
    }
  }

  /** What cannot be built ends as failed, and keeps nothing else from going. */
  #countingFaults(category: SentryCategory, send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#count(category, 'failed', 1);
      this.#sayFault(error);
    }
  }

  #sayFault(error: unknown): void {
    if (this.#hasSaidFault) return;
    this.#hasSaidFault = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#log('error', 'a request could not be reported to Sentry; this is said once', { reason });
  }

  /** By a decision that was made here. */
  #withhold(
    client: SentryClient,
    category: SentryCategory,
    outcome: 'dropped' | 'sampled_out' | 'held_back',
  ): void {
    this.#count(category, outcome, 1);
    client.recordDropped(outcome === 'dropped' ? 'before_send' : 'sample_rate', category, 1);
  }

  #judgeError(
    { reporting, destination, client }: Scope,
    observation: Observation,
    nowMs: number,
  ): ReportedError | undefined {
    const judged = judge(reporting.beforeSend, observation);
    if (judged === 'dropped') {
      this.#withhold(client, 'error', 'dropped');
      return undefined;
    }
    if (reporting.sampleRate < 1 && Math.random() >= reporting.sampleRate) {
      this.#withhold(client, 'error', 'sampled_out');
      return undefined;
    }
    const fingerprint = renderFingerprint(judged?.fingerprint ?? reporting.fingerprint, observation);
    const key = fingerprint.join('\n');
    const heldBack = destination.governor.admitEvent(key, nowMs);
    if (!heldBack) this.#withhold(client, 'error', 'held_back');
    return { fingerprint, key, rewrite: judged, heldBack };
  }

  #sampleTrace(
    { reporting: { tracing }, destination, client }: Scope,
    log: string | Buffer,
    observation: Observation,
    hasIssue: boolean,
    nowMs: number,
  ): TraceSample | undefined {
    if (!tracing) return undefined;
    const request = {
      hasIssue,
      durationMs: (observation.upstreamMs ?? 0) + observation.gatewayMs,
      // Looked for only where it is asked for.
      get parent() {
        return readTraceParent(log);
      },
    };
    const sample = sampleTrace(request, tracing, Math.random());
    if (!sample.isSampled) return undefined;
    if (destination.governor.admitTransaction(nowMs)) return sample;
    this.#withhold(client, 'transaction', 'held_back');
    return undefined;
  }

  /** `undefined` where there is nobody to report to. */
  #scopeOf(reporting: ReportingSettings): Scope | undefined {
    const { dsn } = reporting;
    const { spotlightUrl, governor } = this.#settings;
    if (dsn === undefined && spotlightUrl === undefined) return undefined;
    const key = dsn ?? '';
    const parts = { dsn, spotlightUrl, governor, log: this.#log, count: this.#count };
    const destination = this.#destinations.get(key) ?? new SentryDestination(parts);
    this.#destinations.set(key, destination);
    const { environment, release } = reporting;
    const publicKey = dsn === undefined ? undefined : readDsn(dsn).publicKey;
    const origin = { publicKey, environment, release };
    return { reporting, origin, destination, client: destination.clientFor(reporting) };
  }
}

function isReported({ errorType, severity }: Observation, { minimumSeverity }: ReportingSettings): boolean {
  return errorType !== '' && SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(minimumSeverity);
}

/** Of an error that is held back, and whose trace is not sent: only one that the caller began can be looked at. */
function noteCallersTrace({ governor }: SentryDestination, log: string | Buffer, key: string): void {
  if (!governor.wantsTraceId(key)) return;
  const parent = readTraceParent(log);
  if (parent) governor.addTraceId(key, parent.traceId);
}

function traceOf(facts: RequestFacts): RequestTrace {
  return requestTrace(facts, randomBytes(RANDOM_DIGITS / 2).toString('hex'));
}
