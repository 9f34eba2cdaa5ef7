// Sends a notification that its receiver takes in parts, one after the other, within the time of one try. Where a part may succeed
// later, what was done is remembered, and the repeat sends the rest: it gets ahead with each try, however many parts there are.
// A part that is refused, or has to wait, keeps none of the others from being sent, unless it is about all of them.
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

interface Tally {
  readonly names: ReadonlySet<string>;
  readonly done: Set<string>;
  readonly refused: Set<string>;
  /** Of this try. */
  readonly retries: Retry[];
  readonly refusals: string[];
}

export async function sendParts(
  parts: readonly Part[],
  of: ProgressOf,
  thread: Thread | undefined,
  leftMs: TryBudget,
): Promise<Outcome> {
  const { done, refused } = readProgress(thread, of);
  const names = new Set(parts.map(({ name }) => name));
  const tally: Tally = {
    names,
    done: new Set(done),
    refused: new Set(refused),
    retries: [],
    refusals: [],
  };
  /** So that the same notification, sent again by hand, begins anew. */
  const ended = thread === undefined ? {} : { thread: {} };
  for (const { name, send } of parts) {
    if (tally.done.has(name) || tally.refused.has(name)) continue;
    const timeoutMs = leftMs();
    const { outcome, isAboutAll } = timeoutMs > 0 ? await send(timeoutMs) : NO_TIME;
    if (outcome.result === 'refused' && isAboutAll) return { ...outcome, ...ended };
    note(name, outcome, tally);
    if (isAboutAll && outcome.result === 'retry') break;
  }
  return tally.retries.length > 0 ? later(tally, of) : { ...end(tally), ...ended };
}

function note(name: string, outcome: Outcome, { done, refused, retries, refusals }: Tally): void {
  if (outcome.result === 'sent') done.add(name);
  else if (outcome.result === 'retry') retries.push(outcome);
  else {
    refused.add(name);
    refusals.push(outcome.reason);
  }
}

function later({ names, done, refused, retries, refusals }: Tally, of: ProgressOf): Outcome {
  const reasons = wordsOf([...retries.map(({ reason }) => reason), ...refusals]);
  const over = countOf(names, done) + countOf(names, refused);
  const waits = retries.flatMap(({ afterMs }) => afterMs ?? []);
  return {
    result: 'retry',
    reason: names.size === 1 ? reasons : `${reasons} (${over} of ${names.size} parts are done)`,
    afterMs: waits.length === 0 ? undefined : Math.max(...waits),
    ...(over === 0 ? {} : { thread: writeProgress(of, { done, refused }) }),
  };
}

function end({ names, refused, refusals }: Tally): Outcome {
  const count = countOf(names, refused);
  if (count === 0) return { result: 'sent' };
  const what = names.size === 1 ? [] : [`${count} of ${names.size} parts refused`];
  return {
    result: 'refused',
    reason: [...what, ...(refusals.length === 0 ? [] : [wordsOf(refusals)])].join(': '),
  };
}

function countOf(names: ReadonlySet<string>, among: ReadonlySet<string>): number {
  return [...names].filter((name) => among.has(name)).length;
}

/** Each once. */
function wordsOf(reasons: readonly string[]): string {
  return [...new Set(reasons)].join('; ');
}
