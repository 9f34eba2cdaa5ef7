import fc from 'fast-check';
import { sampleTrace } from '../../../../kong-plugin/sentry/decide/trace-sampling';

const SETTINGS = { sampleRate: 0.25, slowMs: 2_000, followsParent: true };
const PLAIN = { hasIssue: false, durationMs: 10, parent: undefined };
const saying = (
  sampled: boolean | undefined,
  sampleRand?: number,
): { sampled: typeof sampled; sampleRand: number | undefined } => ({
  sampled,
  sampleRand,
});

describe('the trace of a request', () => {
  it('is always sampled for an error and a slow request, whatever the parent said', () => {
    const always = { isSampled: true, rate: 1 };
    const parent = saying(false);
    expect(sampleTrace({ ...PLAIN, hasIssue: true, parent }, SETTINGS, 0.99)).toEqual(always);
    expect(sampleTrace({ ...PLAIN, durationMs: 2_000, parent }, SETTINGS, 0.99)).toEqual(always);
    expect(sampleTrace({ ...PLAIN, durationMs: 1_999, parent }, SETTINGS, 0)).toEqual({
      isSampled: false,
      rate: 0,
    });
  });

  it('is sampled as the parent says, else at the rate', () => {
    expect(sampleTrace({ ...PLAIN, parent: saying(true) }, SETTINGS, 0.99)).toEqual({
      isSampled: true,
      rate: 1,
    });
    expect(sampleTrace({ ...PLAIN, parent: saying(undefined) }, SETTINGS, 0.24)).toEqual({
      isSampled: true,
      rate: 0.25,
    });
    expect(sampleTrace(PLAIN, SETTINGS, 0.25)).toEqual({ isSampled: false, rate: 0.25 });
  });

  it("is decided by the trace's own random number where the parent has left it to us", () => {
    expect(sampleTrace({ ...PLAIN, parent: saying(undefined, 0.1) }, SETTINGS, 0.9).isSampled).toBe(true);
    expect(sampleTrace({ ...PLAIN, parent: saying(undefined, 0.9) }, SETTINGS, 0.1).isSampled).toBe(false);
  });

  it('is not for the parent to decide where it is not followed', () => {
    const settings = { ...SETTINGS, followsParent: false };
    expect(sampleTrace({ ...PLAIN, parent: saying(true, 0) }, settings, 0.3).isSampled).toBe(false);
    expect(sampleTrace({ ...PLAIN, parent: saying(false) }, settings, 0.2).isSampled).toBe(true);
  });

  it('is sampled never at 0 and always at 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        expect(sampleTrace(PLAIN, { ...SETTINGS, sampleRate: 0 }, random).isSampled).toBe(false);
        expect(sampleTrace(PLAIN, { ...SETTINGS, sampleRate: 1 }, random).isSampled).toBe(true);
      }),
      { seed: 1 },
    );
  });
});
