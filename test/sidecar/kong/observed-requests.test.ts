import { longestObservedMs, MOST_OBSERVED_ROUNDS } from '../../../sidecar/config/observed-span';
import { observedRequests, type Round } from '../../../sidecar/kong/observed-requests';

const INTERVAL_MS = 10_000;

/** As many as are kept, the last two without an answer of a Kong. */
const ROUNDS = Array.from({ length: MOST_OBSERVED_ROUNDS }, (_, index): Round<string> => ({
  atMs: index * INTERVAL_MS,
  served: new Map([['kong', index]]),
  isWhole: index < MOST_OBSERVED_ROUNDS - 2,
  isCounting: true,
  countedBefore: index,
  countedAfter: index,
}));

describe('the longest window that a rule may ask for', () => {
  it('is known where all rounds are kept, though the last answers were lost', () => {
    const requests = MOST_OBSERVED_ROUNDS - 3;
    expect(observedRequests(ROUNDS, longestObservedMs(INTERVAL_MS), INTERVAL_MS)).toEqual({
      served: requests,
      counted: requests,
    });
  });

  it('is not known if it is longer by one round', () => {
    const windowMs = longestObservedMs(INTERVAL_MS) + INTERVAL_MS;
    expect(observedRequests(ROUNDS, windowMs, INTERVAL_MS)).toBeUndefined();
  });
});
