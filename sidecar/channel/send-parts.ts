// Sends a notification that its receiver takes in parts, one after the other, within the time of one try. Where a part may succeed
// later, what was done is remembered, and the repeat sends the rest: it gets ahead with each try, however many parts there are.
// A part that is refused, or has to wait, keeps none of the others from being sent, unless it is about all of them. One that was refused
// is tried again with the rest: somebody may have mended its receiver meanwhile.
import type { Outcome, Thread } from './channel';
import { readProgress, writeProgress, type ProgressOf } from './progress';
import type { TryBudget } from './try-budget';

export interface Part {
  /** The same in every try, and of this part alone; without a space. */
  readonly name: string;
  readonly send: (timeoutMs: number) => Promise<PartEnd>;
}

export interface PartEnd {
  readonly outcome: Outcome;
  /** It is not about this part: the next would end so, too. */
  readonly isAboutAll: boolean;
}

const NO_TIME: PartEnd = {
  outcome: { result: 'retry', reason: 'no time left', afterMs: undefined },
  isAboutAll: true,
};

type Retry = Extract<Outcome, { readonly result: 'retry' }>;
type Refusal = Extract<Outcome, { readonly result: 'refused' }>;

export async function sendParts(
  parts: readonly Part[],
  of: ProgressOf,
  thread: Thread | undefined,
  leftMs: TryBudget,
): Promise<Outcome> {
  const done = new Set(readProgress(thread, of));
  const retries: Retry[] = [];
  const refusals: Refusal[] = [];
  /** So that the same notification, sent again by hand, begins anew. */
  const ended = thread === undefined ? {} : { thread: {} };
  for (const { name, send } of parts) {
    if (done.has(name)) continue;
    const timeoutMs = leftMs();
    const { outcome, isAboutAll } = timeoutMs > 0 ? await send(timeoutMs) : NO_TIME;
    if (outcome.result === 'refused' && isAboutAll) return { ...outcome, ...ended };
    if (outcome.result === 'sent') done.add(name);
    else if (outcome.result === 'retry') retries.push(outcome);
    else refusals.push(outcome);
    if (isAboutAll && outcome.result === 'retry') break;
  }
  const count = parts.filter(({ name }) => done.has(name)).length;
  if (retries.length > 0) {
    const outcome = later(retries, refusals, `${count} of ${parts.length} parts are done`, parts.length);
    return count === 0 ? outcome : { ...outcome, thread: writeProgress(of, done) };
  }
  return { ...end(refusals, parts.length), ...ended };
}

function later(
  retries: readonly Retry[],
  refusals: readonly Refusal[],
  progress: string,
  parts: number,
): Retry {
  const reasons = wordsOf([...retries, ...refusals]);
  const waits = retries.flatMap(({ afterMs }) => afterMs ?? []);
  return {
    result: 'retry',
    reason: parts === 1 ? reasons : `${reasons} (${progress})`,
    afterMs: waits.length === 0 ? undefined : Math.max(...waits),
  };
}

function end(refusals: readonly Refusal[], parts: number): Outcome {
  if (refusals.length === 0) return { result: 'sent' };
  const reasons = wordsOf(refusals);
  const reason = parts === 1 ? reasons : `${refusals.length} of ${parts} parts refused: ${reasons}`;
  return { result: 'refused', reason };
}

/** Each once. */
function wordsOf(outcomes: readonly (Retry | Refusal)[]): string {
  return [...new Set(outcomes.map(({ reason }) => reason))].join('; ');
}
