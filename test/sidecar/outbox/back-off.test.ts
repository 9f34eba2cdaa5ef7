import { backOffMs } from '../../../sidecar/outbox/back-off';

describe('the back-off', () => {
  it('doubles from a second to a minute', () => {
    expect([1, 2, 3, 6, 7, 8, 2_000].map((failures) => backOffMs(failures, 0))).toEqual([
      1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });

  it('takes off at most half of it', () => {
    expect([backOffMs(1, 0.5), backOffMs(1, 1), backOffMs(20, 1)]).toEqual([750, 500, 30_000]);
  });
});
