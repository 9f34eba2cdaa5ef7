// Alerting over restarts: what people are told does not depend on when the sidecar was stopped, killed and started again.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { checkMemory as CheckMemory } from '../../sidecar/memory/check-memory';
import { MEMORY_FILE_NAME } from '../../sidecar/memory/memory-store';
import { AlertingRun, briefOf } from '../support/alerting-run';
import { many } from '../support/engine-run';
import { settle } from '../support/manual-clock';
import { configOf } from '../support/read-config-text';
import { sampleDelta, sampleErrors } from '../support/sample-delta';
import { REFUSED, RETRY, SENT } from '../support/scripted-channel';

// It starts its child from where it is.
const { checkMemory } = jest.requireActual<{ checkMemory: typeof CheckMemory }>(
  '../../dist/sidecar/memory/check-memory.js',
);

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const FINE = many(sampleDelta({}, [20]), 10);
const FAILED = many(sampleErrors('shop', [20]), 10);

const RULE = 'name: errors, error_rate_threshold: 0.1, window: 1m, severity: critical';

function config(rule = `${RULE}, for: 20s, keep_firing_for: 20s`, more = ''): ReturnType<typeof configOf> {
  return configOf(
    [
      `rules: [{ ${rule} }]`,
      'channels: [{ name: slack, type: webhook, url: "http://127.0.0.1:1/" }, { name: phone, type: webhook, url: "http://127.0.0.1:1/" }]',
      'notifications:',
      '  group_interval: 0s',
      '  escalation: [{ after: 0s, channels: [slack] }, { after: 10m, channels: [phone] }]',
      more,
    ].join('\n'),
  );
}

let run: AlertingRun;

afterEach(async () => {
  expect(run.faults).toEqual([]);
  await run.end();
});

/** Every moment of an alert's life, told as what came before a restart. */
const MOMENTS: readonly (readonly [string, (run: AlertingRun) => Promise<void>])[] = [
  ['before anything happened', () => Promise.resolve()],
  ['while all is well', (run) => run.run(MINUTE_MS, [FINE])],
  ['while it is pending', (run) => run.run(10 * SECOND_MS, [FAILED])],
  ['just after it fired', (run) => run.run(25 * SECOND_MS, [FAILED])],
  ['long after it fired', (run) => run.run(5 * MINUTE_MS, [FAILED])],
  [
    'after it was acknowledged',
    async (run) => {
      await run.run(MINUTE_MS, [FAILED]);
      await run.alerting.acknowledge(idOf(run), 'ada', 'mine');
      await run.written();
    },
  ],
  [
    'while it is healthy and fires on',
    async (run) => {
      await run.run(MINUTE_MS, [FAILED]);
      await run.run(70 * SECOND_MS, [FINE]);
      expect(run.alert('errors')?.healthySinceMs).toBeDefined();
    },
  ],
  [
    'after it resolved',
    async (run) => {
      await run.run(MINUTE_MS, [FAILED]);
      await run.run(3 * MINUTE_MS, [FINE]);
      expect(run.alert('errors')?.state).toBe('resolved');
    },
  ],
];

function idOf({ alerting }: AlertingRun): string {
  const page = alerting.events({ kind: 'fired', limit: 1 });
  const [event] = page.events;
  return event && 'alertId' in event ? event.alertId : '';
}

/** From whatever is: it fires, if it did not, and resolves. */
async function finish(run: AlertingRun): Promise<void> {
  await run.run(2 * MINUTE_MS, [FAILED]);
  await run.run(3 * MINUTE_MS, [FINE]);
  await run.run(MINUTE_MS, [FINE]);
}

describe('a restart', () => {
  describe.each(['stop', 'kill'] as const)('by a %s', (how) => {
    it.each(MOMENTS)('%s neither repeats a page nor forgets a resolve', async (_, live) => {
      run = new AlertingRun(config());
      await live(run);
      await run[how]();
      run.start();
      await run.settled();
      await finish(run);

      const undisturbed = new AlertingRun(config());
      try {
        await live(undisturbed);
        await finish(undisturbed);
        expect(run.told()).toEqual(undisturbed.told());
        expect(run.told().filter((text) => text.startsWith('fired'))).not.toEqual([]);
        expect(run.told().at(-1)).toBe('resolved errors shop critical');
        // The very same messages: numbers, moments and values.
        expect(run.channel('slack').tries).toEqual(undisturbed.channel('slack').tries);
        expect(run.alerting.alerts()).toEqual(undisturbed.alerting.alerts());
        expect(run.log.lines.filter((line) => /could not be read|cannot be written/.test(line))).toEqual([]);
      } finally {
        await undisturbed.end();
      }
    });
  });

  it('one after the other, at every round, changes nothing', async () => {
    run = new AlertingRun(config());
    const restart = async (): Promise<void> => {
      await run.kill();
      run.start();
      await run.settled();
    };
    for (let step = 0; step < 12; step += 1) {
      await run.run(5 * SECOND_MS, [FAILED]);
      await restart();
    }
    for (let step = 0; step < 24; step += 1) {
      await run.run(5 * SECOND_MS, [FINE]);
      await restart();
    }
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
  });

  it('before a page is on disk makes the page anew, once', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FINE]);
    run.commits = 'fail';
    run.channel('slack').otherwise = 'hang';
    await run.run(20 * SECOND_MS, [FAILED]);
    run.channel('slack').tries.length = 0;
    run.channel('slack').otherwise = { result: 'sent' };
    await run.kill();
    run.start();
    await run.settled();
    expect(run.told()).toEqual([]);
    // What was counted since the last write is lost; once that is too long ago to matter, the rule can tell.
    run.windows.known.delivered('producer-1');
    await run.run(2 * MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
  });

  it('between disk and channel sends the page, once', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FINE]);
    run.commits = 'are the last that is done';
    await run.run(5 * SECOND_MS, [many(FAILED, 10)]);
    expect(run.told()).toEqual([]);
    await run.kill();
    run.start();
    await run.settled();
    expect(run.told()).toEqual(['fired errors shop critical']);
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    await run.kill();
    run.start();
    await run.settled();
    expect(run.told()).toHaveLength(1);
  });

  it('before it is on disk that a page was sent sends it again, as the same message', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').answer('hang');
    await run.run(20 * SECOND_MS, [FAILED]);
    await run.kill();
    run.start();
    await run.settled();
    const [first, second, ...more] = run.channel('slack').tries;
    expect(more).toEqual([]);
    expect(second).toEqual(first);
    expect(run.told()).toHaveLength(2);
  });
});

describe('what waits for a channel', () => {
  it.each(['stop', 'kill'] as const)('is delivered after a %s, in its order', async (how) => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').otherwise = RETRY;
    await run.run(20 * SECOND_MS, [FAILED]);
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.alerting.outbox.status()[0]).toMatchObject({ name: 'slack', queued: 2 });
    expect(new Set(run.told())).toEqual(new Set(['fired errors shop critical']));
    const tried = run.channel('slack').tries.length;
    await run[how]();
    // At a stop all is tried once more.
    expect(run.channel('slack').tries.length - tried).toBe(how === 'stop' ? 1 : 0);
    run.channel('slack').tries.length = 0;
    run.channel('slack').otherwise = { result: 'sent' };
    run.start({ downMs: 10 * MINUTE_MS });
    await run.settled();
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
    const kinds = run.alerting.events({ limit: 100 }).events.map(({ kind }) => kind);
    expect(kinds).toEqual(['notification_sent', 'notification_sent', 'resolved', 'fired']);
  });

  it('stays in its order behind what waited longer, over as many restarts as it takes', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').otherwise = 'hang';
    await run.run(20 * SECOND_MS, [FAILED]);
    await run.kill();
    run.start();
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.alerting.outbox.status()[0]).toMatchObject({ queued: 2 });
    await run.kill();
    run.channel('slack').tries.length = 0;
    run.channel('slack').otherwise = { result: 'sent' };
    run.start();
    await run.settled();
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
  });

  it('is dropped and counted where its channel is no longer there', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').otherwise = RETRY;
    await run.run(20 * SECOND_MS, [FAILED]);
    await run.kill();
    run.channel('slack').tries.length = 0;
    const without = config(`${RULE}, for: 0s`);
    run.start({
      config: {
        ...without,
        channels: without.channels.filter(({ name }) => name !== 'slack'),
        notifications: {
          ...without.notifications,
          escalation: [
            { afterMs: 0, channels: ['phone'], severities: ['info', 'warning', 'error', 'critical'] },
          ],
        },
      },
    });
    await run.settled();
    expect(run.told()).toEqual([]);
    expect(run.alerting.outbox.counts().get('slack')).toMatchObject({ dropped: 1 });
    expect(run.alerting.events({ kind: 'notification_failed', limit: 9 }).events).toMatchObject([
      { channel: 'slack', reason: 'dropped: there is no such channel' },
    ]);
    // The channel that there is now is told, and nothing of it waits any more.
    await run.run(5 * SECOND_MS, [FAILED]);
    expect(run.told('phone')).toEqual(['fired errors shop critical']);
    await run.kill();
    run.start();
    await run.settled();
    expect(run.alerting.outbox.counts().get('slack')).toBeUndefined();
  });
});

describe('a dead letter', () => {
  async function withDeadLetter(): Promise<string> {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').answer(REFUSED);
    await run.run(20 * SECOND_MS, [FAILED]);
    const [dead] = run.alerting.deadLetters();
    expect(dead).toMatchObject({ isObsolete: false, letter: { channel: 'slack' } });
    return dead?.letter.id ?? '';
  }

  it('that is sent again is followed by its end, over a restart too', async () => {
    const id = await withDeadLetter();
    await expect(run.alerting.sendAgain(id)).resolves.toBe('posted');
    await run.written();
    expect(run.alerting.deadLetters()).toEqual([]);
    await run.kill();
    run.start();
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.told()).toEqual([
      'fired errors shop critical',
      'fired errors shop critical',
      'resolved errors shop critical',
    ]);
  });

  it('of an end is not sent again while the alert fires anew: it would close what fires', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').answer(SENT, REFUSED);
    await run.run(20 * SECOND_MS, [FAILED]);
    await run.run(3 * MINUTE_MS, [FINE]);
    const [dead] = run.alerting.deadLetters();
    expect(dead).toMatchObject({ isObsolete: false, letter: { items: [{ occasion: 'resolved' }] } });
    await run.run(2 * MINUTE_MS, [FAILED]);
    const before = run.told();
    expect(before.at(-1)).toBe('fired errors shop critical');
    expect(run.alerting.deadLetters()).toMatchObject([{ isObsolete: true }]);
    await expect(run.alerting.sendAgain(dead?.letter.id ?? '')).resolves.toBe('obsolete');
    await run.written();
    expect(run.told()).toEqual(before);
  });

  it('is not sent again once its alert is over: nobody would be told of that', async () => {
    const id = await withDeadLetter();
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.alerting.deadLetters()).toMatchObject([{ isObsolete: true }]);
    await expect(run.alerting.sendAgain(id)).resolves.toBe('obsolete');
    await run.written();
    expect(run.told()).toEqual(['fired errors shop critical']);
    expect(run.alerting.deadLetters()).toHaveLength(1);
  });
});

describe('over a restart', () => {
  const silence = async (forMs: number): Promise<string> => {
    const answer = await run.alerting.silence({
      matchers: [{ label: 'service', operator: '=', value: 'shop' }],
      startsMs: undefined,
      endsMs: run.clock.nowMs() + forMs,
      createdBy: 'ada',
      comment: 'the move',
    });
    if ('faults' in answer) throw new Error(JSON.stringify(answer.faults));
    return answer.id;
  };

  it.each(['stop', 'kill'] as const)('by a %s a silence stays, until its end', async (how) => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    const id = await silence(8 * MINUTE_MS);
    await run.run(MINUTE_MS, [FAILED]);
    await run[how]();
    run.start();
    await run.run(5 * MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual([]);
    expect([...run.alerting.muteReasons().values()]).toMatchObject([{ silences: [id] }]);
    await run.run(2 * MINUTE_MS + 5 * SECOND_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    expect(run.alerting.events({ limit: 9 }).events.map(({ kind }) => kind)).toEqual([
      ...['notification_sent', 'silence_expired', 'fired', 'silence_created'],
    ]);
  });

  it('a silence that was ended stays ended, and its end is told once', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    const id = await silence(HOUR_MS);
    await run.run(MINUTE_MS, [FAILED]);
    await run.alerting.expire(id, 'grace');
    await run.kill();
    run.start();
    await run.run(20 * SECOND_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    const ends = run.alerting.events({ kind: 'silence_expired', limit: 9 }).events;
    expect(ends).toMatchObject([{ silenceId: id, by: 'grace' }]);
    expect(await run.alerting.expire(id, 'grace')).toBeUndefined();
  });

  it('the end of a silence is told that came while nobody was there', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    const id = await silence(MINUTE_MS);
    await run.stop();
    run.start({ downMs: 2 * MINUTE_MS });
    await run.round();
    await run.round();
    expect(run.alerting.events({ kind: 'silence_expired', limit: 9 }).events).toMatchObject([
      { silenceId: id },
    ]);
  });

  it.each(['stop', 'kill'] as const)(
    'by a %s an acknowledgement stays, and stops the escalation',
    async (how) => {
      run = new AlertingRun(config(`${RULE}, for: 0s`));
      await run.run(9 * MINUTE_MS, [FAILED]);
      await run.alerting.acknowledge(idOf(run), 'ada', 'mine');
      await run.written();
      await run[how]();
      run.start();
      await run.run(5 * MINUTE_MS, [FAILED]);
      expect(run.alert('errors')).toMatchObject({
        state: 'acknowledged',
        acknowledgement: { by: 'ada', comment: 'mine' },
      });
      expect(run.told()).toEqual(['fired errors shop critical', 'acknowledged errors shop critical']);
      expect(run.told('phone')).toEqual([]);
    },
  );

  it('the escalation of what nobody acknowledged goes on by the time that it fires', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(9 * MINUTE_MS, [FAILED]);
    await run.kill();
    run.start();
    await run.run(55 * SECOND_MS, [FAILED]);
    expect(run.told('phone')).toEqual([]);
    await run.run(10 * SECOND_MS, [FAILED]);
    expect(run.told('phone')).toEqual(['escalated errors shop critical']);
    expect(run.told()).toEqual(['fired errors shop critical']);
  });

  it('what fires ends where the configuration no longer has its rule, once, and says so', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FAILED]);
    await run.kill();
    const other = config('name: other, p95_latency_ms: 500');
    run.start({ config: other });
    await run.run(MINUTE_MS, [FAILED]);
    await run.kill();
    run.start({ config: other });
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
    expect(run.channel('slack').tries.at(-1)?.items[0]?.endReason).toBe('rule_removed');
  });

  it('the history stays', async () => {
    run = new AlertingRun(config());
    await finish(run);
    const before = run.alerting.events({ limit: 100 });
    expect(before.events.map(({ kind }) => kind)).toEqual([
      ...['notification_sent', 'resolved', 'notification_sent', 'fired'],
    ]);
    await run.kill();
    run.start();
    expect(run.alerting.events({ limit: 100 })).toEqual(before);
  });

  it('a drop of traffic fires on while too little of the time before is known, and ends when it comes back', async () => {
    run = new AlertingRun(
      config(
        'name: drop, traffic_drop_threshold: 0.5, window: 1m, baseline: 10m, for: 0s, severity: critical',
      ),
    );
    await run.run(12 * MINUTE_MS, [FINE]);
    await run.run(2 * MINUTE_MS, []);
    expect(run.told()).toEqual(['fired drop shop critical']);
    // Nothing at all of the windows is known now: of two producers only one delivers what happened.
    run.producers = ['producer-1', 'producer-2'];
    await run.kill();
    run.start({ downMs: 12 * MINUTE_MS });
    const nowMs = run.alerting.clock.nowMs();
    run.windows.add(nowMs - 5 * MINUTE_MS, [FINE], nowMs);
    run.windows.known.delivered('producer-1');
    await run.round();
    await run.settled();
    expect(run.alert('drop')).toMatchObject({
      state: 'firing',
      verdict: { state: 'cannot_tell', doubt: 'gap' },
    });
    await run.kill();
    run.start();
    await run.round();
    expect(run.alert('drop')).toMatchObject({ state: 'firing' });
    expect(run.log.lines.filter((line) => line.includes('could not be read'))).toEqual([]);
    // After a while nothing more is awaited of the other one; then both windows must be known.
    await run.run(30 * MINUTE_MS, [FINE]);
    expect(run.told()).toEqual(['fired drop shop critical', 'resolved drop shop critical']);
  });
});

describe('time that nobody saw', () => {
  it('makes a rule that it cannot tell, and pages nobody', async () => {
    run = new AlertingRun(
      configOf(
        [
          'rules:',
          '  - { name: errors, error_rate_threshold: 0.1, window: 5m, for: 0s }',
          '  - { name: drop, traffic_drop_threshold: 0.5, window: 5m, baseline: 10m, for: 0s }',
          '  - { name: absence, traffic_absence: true, window: 5m, baseline: 10m, minimum_requests: 10, for: 0s }',
          'channels: [{ name: slack, type: webhook, url: "http://127.0.0.1:1/" }]',
        ].join('\n'),
      ),
    );
    await run.run(20 * MINUTE_MS, [FINE]);
    for (const rule of ['errors', 'drop', 'absence']) expect(run.alert(rule)?.state).toBe('inactive');
    await run.kill();
    run.start({ downMs: 2 * MINUTE_MS });
    await run.run(2 * MINUTE_MS, [FINE]);
    for (const rule of ['errors', 'drop'])
      expect(run.alert(rule)).toMatchObject({
        state: 'unknown',
        verdict: { state: 'cannot_tell', doubt: 'gap' },
      });
    await run.run(20 * MINUTE_MS, [FINE]);
    for (const rule of ['errors', 'drop', 'absence']) expect(run.alert(rule)?.state).toBe('inactive');
    expect(run.told()).toEqual([]);
  });

  it('and in which traffic would have stopped pages nobody, until it has been seen for as long as it must', async () => {
    run = new AlertingRun(
      config(
        'name: absence, traffic_absence: true, window: 5m, baseline: 10m, minimum_requests: 10, for: 0s',
      ),
    );
    await run.run(20 * MINUTE_MS, [FINE]);
    await run.kill();
    run.start({ downMs: 6 * MINUTE_MS });
    await run.run(4 * MINUTE_MS);
    expect(run.alert('absence')?.verdict).toMatchObject({ state: 'cannot_tell', doubt: 'gap' });
    expect(run.told()).toEqual([]);
  });

  it('is known again once every producer has delivered all that it had', async () => {
    run = new AlertingRun(config('name: errors, error_rate_threshold: 0.1, window: 5m, for: 0s'));
    run.producers = ['producer-1', 'producer-2'];
    await run.run(10 * MINUTE_MS, [FINE]);
    await run.stop();
    run.start({ downMs: 2 * MINUTE_MS });
    const state = async (): Promise<string | undefined> => {
      await run.run(5 * SECOND_MS, [FINE]);
      return run.alert('errors')?.state;
    };
    expect(await state()).toBe('unknown');
    const { known } = run.windows;
    known.delivered('producer-3');
    known.delivered('producer-1');
    expect(await state()).toBe('unknown');
    // What the producers still await is remembered, too.
    await run.kill();
    run.producers = ['producer-2'];
    run.start();
    expect(await state()).toBe('unknown');
    run.windows.known.delivered('producer-2');
    expect(await state()).toBe('inactive');
    expect(run.told()).toEqual([]);
  });

  it.each([
    ['stop', 'inactive'],
    ['kill', 'unknown'],
  ] as const)(
    'begins with the last write where it was killed, for what was counted since is lost: by a %s it is %s',
    async (how, state) => {
      run = new AlertingRun(config(`${RULE}, for: 0s`));
      await run.run(2 * MINUTE_MS, [FINE]);
      await run.clock.advanceAndSettle(10 * SECOND_MS);
      run.deliver([FINE]);
      await run[how]();
      run.start();
      // It has a receipt, so that nobody delivers it again.
      run.windows.known.delivered('producer-1');
      await run.run(5 * SECOND_MS, [FINE]);
      expect(run.alert('errors')?.state).toBe(state);
      await run.run(MINUTE_MS, [FINE]);
      expect(run.alert('errors')?.state).toBe('inactive');
    },
  );

  it('holds what fires, and neither ends nor repeats it', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FAILED]);
    await run.kill();
    run.start({ downMs: 5 * MINUTE_MS });
    await run.run(50 * SECOND_MS, [FINE]);
    expect(run.alert('errors')).toMatchObject({ state: 'firing', verdict: { doubt: 'gap' } });
    expect(run.told()).toEqual(['fired errors shop critical']);
    await run.run(MINUTE_MS, [FINE]);
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
  });
});

describe("the system's clock", () => {
  it.each([
    ['back by an hour', -HOUR_MS],
    ['back by days', -72 * HOUR_MS],
    ['forward by 20 seconds', 20 * SECOND_MS],
    ['forward by an hour', HOUR_MS],
    ['forward by days', 72 * HOUR_MS],
  ])('set %s while the sidecar was down pages nobody twice, and forgets nothing', async (_, setMs) => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FAILED]);
    await run.stop();
    run.start({ setMs, downMs: 5 * SECOND_MS });
    await run.run(2 * MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(expect.arrayContaining(['fired errors shop critical']));
    expect(run.told().filter((text) => !text.startsWith('repeated'))).toEqual(['fired errors shop critical']);
    expect(run.told('phone')).toEqual(setMs >= HOUR_MS ? ['escalated errors shop critical'] : []);
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.told().at(-1)).toBe('resolved errors shop critical');
    expect(run.alert('errors')?.state).toBe('resolved');
    // It ended now, as people tell the time.
    const resolvedMs = run.alert('errors')?.resolvedMs ?? 0;
    expect(run.clock.nowMs() - resolvedMs).toBeLessThan(3 * MINUTE_MS);
    expect(resolvedMs).toBeLessThanOrEqual(run.clock.nowMs());
  });

  it.each([
    ['back by an hour', -HOUR_MS],
    ['forward by an hour', HOUR_MS],
    ['forward by days', 72 * HOUR_MS],
  ])('set %s while it runs changes nothing that is told, but how its moments are named', async (_, setMs) => {
    run = new AlertingRun(config());
    await run.run(10 * SECOND_MS, [FAILED]);
    run.clock.setBack(-setMs);
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    const firedMs = run.alert('errors')?.firedMs ?? 0;
    expect(run.clock.nowMs() - firedMs).toBeLessThan(MINUTE_MS);
    expect(run.channel('slack').tries[0]?.items[0]?.alert.firedMs).toBe(firedMs);
    const events = run.alerting.events({ limit: 9 }).events;
    expect(events.map(({ kind, atMs }) => [kind, atMs])).toEqual([
      ['notification_sent', firedMs],
      ['fired', firedMs],
    ]);
    run.clock.setBack(setMs);
    await run.run(3 * MINUTE_MS, [FINE]);
    await run.kill();
    run.start();
    await run.run(MINUTE_MS, [FINE]);
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
    expect(run.told('phone')).toEqual([]);
  });

  it('set while it runs goes on over a restart as it is', async () => {
    run = new AlertingRun(config());
    await run.run(MINUTE_MS, [FAILED]);
    run.clock.setBack(HOUR_MS);
    await run.run(MINUTE_MS, [FAILED]);
    const { sinceMs, firedMs, firings } = run.alert('errors') ?? {};
    await run.stop();
    run.start();
    expect(run.alert('errors')).toMatchObject({ state: 'firing', sinceMs, firedMs, firings });
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
  });
});

describe('a memory', () => {
  it('that is damaged is set aside, and alerting begins anew', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FAILED]);
    await run.stop();
    writeFileSync(join(run.directory, MEMORY_FILE_NAME), 'no memory'.repeat(10_000));
    expect(checkMemory(run.directory, run.clock.nowMs())).toEqual([
      expect.stringMatching(/cannot be used[^]*The alerts begin anew/),
    ]);
    run.start();
    expect(run.alerting.alerts()).toEqual([]);
    await run.run(MINUTE_MS, [FAILED]);
    // Nobody knows any more that it was told.
    expect(run.told()).toEqual(['fired errors shop critical', 'fired errors shop critical']);
    await run.kill();
    run.start();
    expect(run.alert('errors')?.state).toBe('firing');
  });

  it('of which single records are not as they were written loses only these, and says how many', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FAILED]);
    const { store, entries } = run.memory;
    expect(entries.size).toBe(0);
    await store.commit({
      puts: [
        { key: 'clock', value: { steadyMs: 'late', wallMs: null } },
        { key: 'alert/nonsense', value: 7 },
        { key: 'silence/0123456789abcdef', value: {} },
        { key: 'delivery/0000000000009999', value: { id: 'x' } },
        { key: 'window/fine/1', value: 'nothing' },
        { key: 'event/0000000000000001', value: [] },
      ],
      deletes: [],
    });
    await run.kill();
    run.start();
    await run.settled();
    expect(run.log.lines.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ unreadable: expect.any(Number) as number, level: 50 }),
    );
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
    // They have left the disk.
    const before = run.log.lines.length;
    await run.kill();
    run.start();
    expect(run.log.lines.slice(before).filter((line) => line.includes('could not be read'))).toEqual([]);
  });

  it('that cannot be written does not hold up alerts, is complained of once, and is whole when it can', async () => {
    run = new AlertingRun(config());
    run.commits = 'fail';
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    await run.run(5 * SECOND_MS, [FINE]);
    run.commits = 'as they are';
    await run.run(3 * MINUTE_MS, [FINE]);
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
    await run.kill();
    run.start();
    await run.settled();
    expect(run.told()).toHaveLength(2);
    expect(run.alert('errors')?.state).toBe('resolved');
  });

  it('that hangs keeps nobody from being told for longer than 2 s, in order', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    await run.run(MINUTE_MS, [FINE]);
    run.commits = 'are the last that is done';
    await run.run(5 * SECOND_MS, [many(FAILED, 10)]);
    expect(run.told()).toEqual([]);
    await run.clock.advanceAndSettle(2 * SECOND_MS - 101);
    expect(run.told()).toEqual([]);
    await run.clock.advanceAndSettle(1);
    expect(run.told()).toEqual(['fired errors shop critical']);
    await run.run(3 * MINUTE_MS, [many(FINE, 10)]);
    expect(run.told()).toEqual(['fired errors shop critical', 'resolved errors shop critical']);
  });

  it('that is closed is not written any more, and nobody complains of that', async () => {
    run = new AlertingRun(config(`${RULE}, for: 0s`));
    run.channel('slack').answer(RETRY);
    await run.run(5 * SECOND_MS, [FAILED]);
    await run.stop();
    expect(run.told()).toHaveLength(2);
    await run.clock.advanceAndSettle(MINUTE_MS);
    await settle();
    expect(run.log.lines.filter((line) => line.includes('cannot be written'))).toEqual([]);
    run.start();
    await run.settled();
    expect(run.told()).toHaveLength(2);
  });

  it('that is gone while the sidecar runs is written again', async () => {
    run = new AlertingRun(config());
    await run.run(MINUTE_MS, [FAILED]);
    rmSync(join(run.directory, MEMORY_FILE_NAME));
    await run.run(10 * SECOND_MS, [FAILED]);
    await run.kill();
    run.start();
    await run.run(30 * SECOND_MS, [FAILED]);
    expect(run.told()).toEqual(['fired errors shop critical']);
    expect(run.alert('errors')?.state).toBe('firing');
  });
});

describe('the rules without a channel', () => {
  it('are judged, and each alert that fires is counted as untold', async () => {
    run = new AlertingRun(configOf(`rules: [{ ${RULE}, for: 0s }]`));
    await run.run(MINUTE_MS, [FAILED]);
    expect(run.alert('errors')?.state).toBe('firing');
    expect(run.alerting.untold).toBe(1);
    // A channel that is added is told of what fires.
    run.reconfigure(config(`${RULE}, for: 0s`));
    await run.run(5 * SECOND_MS, [FAILED]);
    await settle();
    expect(run.channel('slack').tries.map(briefOf)).toEqual([['fired errors shop critical']]);
  });
});
