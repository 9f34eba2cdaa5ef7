// The same exam for every channel: whatever a receiver does, a notification ends in time, after one try, as it has to, and no secret
// is told of why.
import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from '../../../../sidecar/channel/channel';
import type { Candidate } from './candidate';
import { CANDIDATES } from './candidates';
import { EXPECTED, type Behaviour, type Expected } from './expected';

/** Never over where the receiver ends by itself. */
const LONG_MS = 30_000;

/** Enough for a busy machine to come to the answer that does not come, or not to its end. */
const SHORT_MS = 3_000;

const MARGIN_MS = 20_000;

const UNTIL_THE_TIMEOUT: readonly Behaviour[] = [
  'does not answer',
  'accepts, and falls silent in the middle of it',
];

const WORDS: Readonly<Record<Outcome['result'], string>> = {
  sent: 'is sent',
  retry: 'is to be tried again',
  refused: 'is refused',
};

describe.each(CANDIDATES)('$name', (candidate) => {
  const questions = [...EXPECTED.keys()].filter(
    (behaviour) => candidate.canMeet(behaviour) && !UNTIL_THE_TIMEOUT.includes(behaviour),
  );

  it.each(questions.map((behaviour) => [WORDS[expectedOf(candidate, behaviour).result], behaviour] as const))(
    '%s when its receiver %s',
    (_, behaviour) => examine(candidate, behaviour, LONG_MS),
  );
});

describe('every channel', () => {
  it.each(UNTIL_THE_TIMEOUT)('is done when its time is over and its receiver %s', async (behaviour) => {
    await Promise.all(CANDIDATES.map((candidate) => examine(candidate, behaviour, SHORT_MS)));
  });

  it('differs from the others only where the exam asks, and by another answer', () => {
    const deviations = CANDIDATES.flatMap(({ deviations: own }) => Object.entries(own));
    const idle = deviations.filter(([behaviour, expected]) => {
      const ofAll = EXPECTED.get(behaviour as Behaviour);
      return ofAll === undefined || isDeepStrictEqual(ofAll, expected);
    });
    expect(idle).toEqual([]);
  });
});

function expectedOf({ deviations }: Candidate, behaviour: Behaviour): Expected {
  const expected = deviations[behaviour] ?? EXPECTED.get(behaviour);
  if (expected === undefined) throw new Error(`nothing is expected where a receiver ${behaviour}`);
  return expected;
}

async function examine(candidate: Candidate, behaviour: Behaviour, timeoutMs: number): Promise<void> {
  const expected = expectedOf(candidate, behaviour);
  const sitting = await candidate.sit(behaviour, timeoutMs);
  const startedMs = performance.now();
  const outcome = await sitting.send();
  const tookMs = performance.now() - startedMs;
  const calls = sitting.calls();
  await sitting.close();

  const { name } = candidate;
  expect({ name, outcome }).toMatchObject({ name, outcome: outcomeOf(expected) });
  expect({ name, calls }).toEqual({ name, calls: expected.calls ?? callsOf(candidate, outcome) });
  expect(tookMs).toBeLessThan(timeoutMs + MARGIN_MS);
  const told = JSON.stringify(outcome);
  expect(candidate.secrets.filter((secret) => told.includes(secret))).toEqual([]);
  expect(told).not.toMatch(sitting.address);
}

function outcomeOf({ result, reason, afterMs }: Expected): object {
  if (reason === undefined) return { result };
  const told = { result, reason: expect.stringMatching(reason) as string };
  return result === 'retry' ? { ...told, afterMs } : told;
}

function callsOf({ calls, callsAfterYes }: Candidate, { result }: Outcome): readonly string[] {
  return result === 'sent' ? [...calls, ...callsAfterYes] : calls;
}
