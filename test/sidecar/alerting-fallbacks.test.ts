// Alerting as a whole where channels fail and others are told in their place: whoever was told of an alert is told how it ends, and nobody
// else is.
import { DELIVERY } from '../support/channel-settings';
import { AlertingRun } from '../support/alerting-run';
import { many } from '../support/engine-run';
import { configOf } from '../support/read-config-text';
import { sampleDelta, sampleErrors } from '../support/sample-delta';
import { REFUSED, SENT } from '../support/scripted-channel';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const FINE = [many(sampleDelta({}, [20]), 10)];
const FAILED = [many(sampleErrors('shop', [20]), 10)];

const CONFIG_TEXT = `
rules: [{ name: errors, error_rate_threshold: 0.1, window: 1m, severity: critical, for: 0s, keep_firing_for: 20s }]
channels:
  - { name: slack, type: webhook, url: "http://127.0.0.1:1/", fallback: pager }
  - { name: pager, type: webhook, url: "http://127.0.0.1:1/" }
notifications:
  group_interval: 0s
  escalation: [{ after: 0s, channels: [slack] }]
`;
const CONFIG = configOf(CONFIG_TEXT);

/** In the place of slack. */
const WITH_CHAT = configOf(CONFIG_TEXT.replaceAll('slack', 'chat'));

let run: AlertingRun;
beforeEach(() => {
  run = new AlertingRun(CONFIG);
  run.channel('slack').delivery = { ...DELIVERY, fallback: 'pager' };
  run.reconfigure(CONFIG);
});
afterEach(() => run.end());

function answer(outcome: typeof SENT, ...names: readonly string[]): void {
  for (const name of names) run.channel(name).otherwise = outcome;
}

/** What was tried on a channel from now on. */
function toldFromNow(name: string): () => string[] {
  const before = run.told(name).length;
  return () => run.told(name).slice(before);
}

describe('a fallback', () => {
  it('that was told of an alert is told its end too, though nobody took that at first', async () => {
    answer(REFUSED, 'slack');
    await run.run(MINUTE_MS, FAILED);
    answer(REFUSED, 'slack', 'pager');
    await run.run(3 * MINUTE_MS, FINE);
    answer(SENT, 'slack', 'pager');
    const [bySlack, byPager] = [toldFromNow('slack'), toldFromNow('pager')];
    await run.run(2 * HOUR_MS, FINE, MINUTE_MS);
    expect([bySlack(), byPager()]).toEqual([
      ['resolved errors shop critical'],
      ['resolved errors shop critical'],
    ]);
  });

  it('that took nothing of an alert is not told of it once the first channel is', async () => {
    answer(REFUSED, 'slack', 'pager');
    await run.run(MINUTE_MS, FAILED);
    answer(SENT, 'slack', 'pager');
    const [bySlack, byPager] = [toldFromNow('slack'), toldFromNow('pager')];
    await run.run(70 * MINUTE_MS, FAILED, 10_000);
    expect([bySlack(), byPager()]).toEqual([['fired errors shop critical'], []]);
  });

  it.each(['a reload', 'a restart'])(
    'that was told of an alert is told its end after %s in which the first channel was replaced',
    async (how) => {
      answer(REFUSED, 'slack');
      await run.run(MINUTE_MS, FAILED);
      expect(run.told('pager')).toEqual(['fired errors shop critical']);
      if (how === 'a reload') run.reconfigure(WITH_CHAT);
      else {
        await run.stop();
        run.start({ config: WITH_CHAT });
      }
      await run.run(MINUTE_MS, FAILED);
      await run.run(3 * MINUTE_MS, FINE);
      expect([run.told('chat'), run.told('pager')]).toEqual([
        ['fired errors shop critical', 'resolved errors shop critical'],
        ['fired errors shop critical', 'resolved errors shop critical'],
      ]);
    },
  );

  it('that took an end in the place of its channel hears it once, and that channel as soon as it can', async () => {
    await run.run(MINUTE_MS, FAILED);
    expect(run.told('slack')).toEqual(['fired errors shop critical']);
    answer(REFUSED, 'slack');
    await run.run(3 * MINUTE_MS, FINE);
    expect(run.told('pager')).toEqual(['resolved errors shop critical']);
    const bySlack = toldFromNow('slack');
    await run.run(3 * HOUR_MS, FINE, MINUTE_MS);
    // It is asked again once an hour, and nobody hears of that.
    expect(bySlack().length).toBeGreaterThan(1);
    expect([run.told('pager').length, run.alerting.deadLetters()]).toEqual([1, []]);
    answer(SENT, 'slack');
    await run.run(2 * HOUR_MS, FINE, MINUTE_MS);
    const again = bySlack();
    await run.run(2 * HOUR_MS, FINE, MINUTE_MS);
    expect([bySlack(), run.told('pager').length]).toEqual([again, 1]);
    // The next run is told as ever.
    await run.run(MINUTE_MS, FAILED);
    expect(run.told('slack').at(-1)).toBe('fired errors shop critical');
  });
});
