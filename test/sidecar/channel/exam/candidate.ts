// Who sits the exam: a way of delivery before a receiver that behaves as it is told.
import type { Outcome } from '../../../../sidecar/channel/channel';
import { sampleResolvedItem } from '../../../support/sample-notification';
import type { Behaviour, Deviations } from './expected';

export interface Candidate {
  readonly name: string;
  /** In its address, its headers, its settings: none may be told. */
  readonly secrets: readonly string[];
  /** What it asks of receivers until it is answered, and once the answer is a yes. */
  readonly calls: readonly string[];
  readonly callsAfterYes: readonly string[];
  /** Where another outcome is right for it than for all others. */
  readonly deviations: Deviations;
  /** Not every protocol can say everything. */
  canMeet(behaviour: Behaviour): boolean;
  sit(behaviour: Behaviour, timeoutMs: number): Promise<Sitting>;
}

export interface Sitting {
  send(): Promise<Outcome>;
  /** What has come, in order, wherever it has come to. */
  calls(): readonly string[];
  /** Parts of the address, which is not told either. */
  readonly address: RegExp;
  close(): Promise<void>;
}

export const UNKNOWN_HOST = 'no-such-host.invalid';

/** A second after the sample alert was over: Sentry may not have heard of it yet. */
export const NOW_MS = sampleResolvedItem().atMs + 1_000;
