import fc from 'fast-check';
import { ScopeWindows } from '../../../sidecar/window/scope-windows';
import { WindowMemory } from '../../../sidecar/window/window-memory';
import { needsOf } from '../../../sidecar/window/window-needs';
import { sampleDelta, sampleErrors } from '../../support/sample-delta';
import { apdexRule, errorRateRule } from '../../support/sample-rules';
import { forwardSteps, RULES, SCOPES, toldBy, type Step } from './window-steps';

const MINUTE = 60_000;
/** The first ms of a minute. */
const START = 28_000_000 * MINUTE;
const NEEDS = needsOf(RULES);
const SHOP = { level: 'service', service: 'shop' } as const;

/** What G stores, as it comes back from a disk. */
class Disk {
  readonly #texts = new Map<string, string>();

  save(memory: WindowMemory): readonly string[] {
    const { puts, deletes } = memory.takeDirty();
    for (const { key, value } of puts) this.#texts.set(key, JSON.stringify(value));
    for (const key of deletes) this.#texts.delete(key);
    return puts.map(({ key }) => key);
  }

  put(key: string, value: unknown): void {
    this.#texts.set(key, JSON.stringify(value));
  }

  keys(): string[] {
    return [...this.#texts.keys()];
  }

  entries(): { key: string; value: unknown }[] {
    return [...this.#texts].map(([key, text]) => ({ key, value: JSON.parse(text) as unknown }));
  }
}

/** Windows with a memory that may be ended and started at any time. */
class Restarted {
  windows = new ScopeWindows(NEEDS, START);
  memory = new WindowMemory(this.windows);
  readonly disk = new Disk();

  restart(nowMs: number): void {
    this.windows.advance(nowMs);
    this.disk.save(this.memory);
    this.windows = new ScopeWindows(NEEDS, nowMs);
    this.memory = new WindowMemory(this.windows);
    const { savedMs, unreadable } = this.memory.restore(this.disk.entries(), nowMs);
    expect({ savedMs, unreadable }).toEqual({ savedMs: nowMs, unreadable: 0 });
  }
}

function coverageOf(windows: ScopeWindows, nowMs: number): unknown {
  return SCOPES.map((scope) => {
    const view = windows.view(scope, nowMs);
    return [
      view.coverage(MINUTE),
      view.coverage(90 * MINUTE),
      view.coverage(10 * MINUTE, MINUTE),
      view.coverage(MINUTE, 0, 100),
    ];
  });
}

describe('the memory of the windows', () => {
  it('makes a restart at any point change nothing, for all that a rule can see', () => {
    const step = forwardSteps.chain((steps) =>
      fc
        .array(fc.integer({ min: 0, max: steps.length }), { maxLength: 3 })
        .map((restarts) => ({ steps, restarts })),
    );
    fc.assert(
      fc.property(step, ({ steps, restarts }) => {
        const steady = new ScopeWindows(NEEDS, START);
        const restarted = new Restarted();
        let nowMs = START;
        const take = (one: Step): void => {
          if (one.kind === 'pass') nowMs += one.byMs;
          else if (one.kind === 'advance') restarted.disk.save(restarted.memory);
          else
            for (const windows of [steady, restarted.windows])
              windows.add(nowMs - one.ageMs, one.deltas, nowMs);
        };
        for (const [index, one] of steps.entries()) {
          if (restarts.includes(index)) restarted.restart(nowMs);
          take(one);
        }
        restarted.restart(nowMs);
        expect(toldBy(restarted.windows, nowMs, NEEDS)).toEqual(toldBy(steady, nowMs, NEEDS));
        expect(coverageOf(restarted.windows, nowMs)).toEqual(coverageOf(steady, nowMs));
        const laterMs = nowMs + 2 * MINUTE;
        expect(toldBy(restarted.windows, laterMs, NEEDS)).toEqual(toldBy(steady, laterMs, NEEDS));
      }),
      { numRuns: 60 },
    );
  });

  it('writes a slot again only when something has come to it, and deletes what no window reaches', () => {
    const disk = new Disk();
    const windows = new ScopeWindows(needsOf([errorRateRule()]), START);
    const memory = new WindowMemory(windows);
    windows.add(START, [sampleDelta({}, [10])], START);
    expect(disk.save(memory)).toEqual([
      `window/cells/${START / 5_000}`,
      `window/fine/${START / 5_000}`,
      'window/history',
    ]);
    expect(disk.save(memory)).toEqual(['window/history']);
    windows.add(START + 5_000, [sampleDelta({}, [10])], START + 5_000);
    expect(disk.save(memory)).toEqual([
      `window/cells/${START / 5_000 + 1}`,
      `window/fine/${START / 5_000 + 1}`,
      'window/history',
    ]);
    windows.advance(START + 70_000);
    disk.save(memory);
    expect(disk.keys().filter((key) => key.startsWith('window/fine/'))).toEqual([]);
    windows.advance(START + 10 * MINUTE);
    disk.save(memory);
    expect(disk.keys()).toEqual(['window/history']);
  });

  it('deletes after a reload what was dropped before it and by it', () => {
    const disk = new Disk();
    const windows = new ScopeWindows(needsOf([errorRateRule({ windowMs: 90 * MINUTE })]), START);
    const memory = new WindowMemory(windows);
    windows.add(START, [sampleDelta({}, [10])], START);
    windows.add(START + 4 * MINUTE, [sampleDelta({}, [10])], START + 4 * MINUTE);
    disk.save(memory);
    windows.advance(START + 6 * MINUTE);
    windows.reconfigure(needsOf([errorRateRule({ windowMs: 5 * MINUTE })]), START + 6 * MINUTE);
    disk.save(memory);
    expect(disk.keys()).toEqual([`window/cells/${START / 5_000 + 48}`, 'window/history']);
  });

  it('has nothing to write of the slots that were just read', () => {
    const restarted = new Restarted();
    restarted.windows.add(START, [sampleDelta({}, [10])], START);
    restarted.restart(START + 1_000);
    expect(restarted.disk.save(restarted.memory)).toEqual(['window/history']);
  });

  it('takes the last saved moment for now where the clock was set back, and writes it down so', () => {
    const disk = new Disk();
    const windows = new ScopeWindows(NEEDS, START);
    windows.add(START, [sampleDelta({}, [10])], START);
    const savedMs = START + 2 * MINUTE + 30_000;
    windows.add(savedMs, [sampleDelta({}, [20, 30]), sampleErrors('shop', [40])], savedMs);
    windows.known.openGap(START + MINUTE, START + 2 * MINUTE, ['p']);
    windows.advance(savedMs);
    disk.save(new WindowMemory(windows));

    const nowMs = savedMs - 600 * MINUTE;
    const after = new ScopeWindows(NEEDS, nowMs);
    const memory = new WindowMemory(after);
    expect(memory.restore(disk.entries(), nowMs)).toEqual({ savedMs: nowMs, unreadable: 0 });
    expect(toldBy(after, nowMs, NEEDS)).toEqual(toldBy(windows, savedMs, NEEDS));
    expect(coverageOf(after, nowMs)).toEqual(coverageOf(windows, savedMs));

    disk.save(memory);
    const again = new ScopeWindows(NEEDS, nowMs);
    new WindowMemory(again).restore(disk.entries(), nowMs);
    expect(toldBy(again, nowMs, NEEDS)).toEqual(toldBy(windows, savedMs, NEEDS));
  });

  it.each([
    ['a key that is none', 'elsewhere', []],
    ['a slot that is no list', 'window/fine/336000001', 7],
    ['a row that lacks a field', 'window/cells/336000001', [['shop', 'GET cart', '', 2, 1, 10, [10, 1]]]],
    ['a negative count', 'window/cells/336000001', [['shop', 'GET cart', '', 2, -1, 10, [10, 1], []]]],
    [
      'cells out of order',
      'window/cells/336000001',
      [['shop', 'GET cart', '', 2, 2, 30, [20, 1, 10, 1], []]],
    ],
    ['a text for a number', 'window/minutes/28000001', [[300], [['shop', null, null, '1', 0, 0, 0]]]],
    ['fewer counts than bounds', 'window/minutes/28000001', [[300], [['shop', null, null, 1, 0, 0]]]],
    ['a history without its end', 'window/history', [START, START, []]],
  ])('leaves out and deletes %s, and reads the rest', (_, key, value) => {
    const restarted = new Restarted();
    restarted.windows.add(START + 1, [sampleDelta({}, [10])], START + 1);
    restarted.windows.advance(START + 1);
    restarted.disk.save(restarted.memory);
    restarted.disk.put(key, value);
    const after = new ScopeWindows(NEEDS, START + 2);
    const memory = new WindowMemory(after);
    const { unreadable } = memory.restore(restarted.disk.entries(), START + 2);
    expect(unreadable).toBe(1);
    expect(after.view(SHOP, START + 2).counts(3 * MINUTE).requests).toBe(1);
    restarted.disk.save(memory);
    expect(restarted.disk.keys().includes(key)).toBe(key === 'window/history');
  });

  it('cannot say until when it was saved where nothing is left that says so', () => {
    const memory = new WindowMemory(new ScopeWindows(NEEDS, START));
    expect(memory.restore([], START)).toEqual({ savedMs: undefined, unreadable: 0 });
  });

  it('counts by a bound that was named while it was away, as far back as every time is kept', () => {
    const disk = new Disk();
    const windows = new ScopeWindows(
      needsOf([apdexRule({ targetMs: 100, windowMs: 10 * MINUTE })]),
      START - MINUTE,
    );
    windows.add(START, [sampleDelta({}, [90, 110, 190, 210, 500])], START);
    windows.advance(START);
    disk.save(new WindowMemory(windows));
    const after = new ScopeWindows(needsOf([apdexRule({ targetMs: 200, windowMs: 10 * MINUTE })]), START);
    new WindowMemory(after).restore(disk.entries(), START);
    const view = after.view(SHOP, START);
    expect(view.counts(10 * MINUTE).atMost(200)).toBe(3);
    expect(view.coverage(10 * MINUTE, 0, 200).lost).toBe(0);
  });
});
