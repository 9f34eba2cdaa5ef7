import { SEVERITIES } from '../../../kong-plugin/contract/severity';
import type { DailyTimes, Inhibition } from '../../../sidecar/config/notification-policy';
import type { Message } from '../../../sidecar/route/message';
import { EMPTY_ROUTE_STATE } from '../../../sidecar/route/route-state';
import type { Silence } from '../../../sidecar/route/silence';
import { leastCpuMs } from '../../support/cpu-time';
import { RoutingStory } from '../../support/routing-story';
import { ALERT_START_MS, firingAlert } from '../../support/sample-alerts';
import { errorRateRule, latencyRule } from '../../support/sample-rules';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MINUTES = 24 * 60;

const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Since the start, which is at 10:00. */
function quietFor(minutes: number): DailyTimes {
  return { days: EVERY_DAY, fromMinute: 600, toMinute: 600 + minutes, timeZone: 'UTC' };
}

function silenceOf(service: string, startsMinute: number, endsMinute: number): Silence {
  return {
    id: '00000000000000aa',
    matchers: [{ label: 'service', operator: '=', value: service }],
    startsMs: ALERT_START_MS + startsMinute * MINUTE_MS,
    endsMs: ALERT_START_MS + endsMinute * MINUTE_MS,
    createdBy: 'ada',
    comment: 'we move it',
    createdMs: ALERT_START_MS,
  };
}

describe('a channel', () => {
  it('is told in the same round that an alert fires, and once', () => {
    const story = new RoutingStory().fire('shop');
    expect(story.round(0)).toEqual(['slack: fired shop critical']);
    expect(story.rounds(1, 60)).toEqual([]);
  });

  it('is told that it is over, and once', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    expect(story.at(1).resolve('shop').round()).toEqual(['slack: resolved shop critical']);
    expect(story.rounds(2, 30)).toEqual([]);
    expect(story.state.ends.size + story.state.runs.size).toBe(0);
  });

  it('is told of a second run as of a new alert', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.at(1).resolve('shop').round();
    expect(story.at(2).fire('shop').round()).toEqual(['slack: fired shop critical']);
  });

  it('is told that a run is over before it is told of the next, where the end was missed', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    expect(story.at(2).fire('shop', 'warning').round()).toEqual([
      'slack: resolved shop critical',
      'slack: fired shop warning',
    ]);
    expect(story.messages[0]?.items[0]).toMatchObject({ endReason: 'forgotten' });
  });

  it('is told that an alert is over that is gone without a word', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    expect(story.at(1).lose('shop').round()).toEqual(['slack: resolved shop critical']);
    expect(story.messages[0]?.items[0]).toMatchObject({
      endReason: 'forgotten',
      alert: { state: 'resolved' },
    });
  });

  it('is told that an acknowledged alert is over that fires anew, and who had acknowledged it', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.at(1).acknowledge('shop').round();
    story.at(2).fire('shop').round();
    const [over] = story.messages.flatMap(({ items }) => items);
    expect(over).toMatchObject({ occasion: 'resolved', alert: { state: 'resolved' } });
    expect(over?.alert.acknowledgement?.by).toBe('ada');
    const [, fired] = story.messages.flatMap(({ items }) => items);
    expect(fired).toMatchObject({ occasion: 'fired', alert: { acknowledgement: undefined } });
  });

  it('is told why an alert ended', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.at(3).resolve('shop', 'rule_removed').lose('shop').round();
    expect(story.messages[0]?.items[0]).toMatchObject({
      endReason: 'rule_removed',
      atMs: ALERT_START_MS + 3 * MINUTE_MS,
    });
  });

  it('is told that an alert it knows got worse, at once and once', () => {
    const story = new RoutingStory({ groupIntervalMs: HOUR_MS }).fire('shop', 'warning');
    story.round(0);
    expect(story.at(1).worsen('shop', 'critical').round()).toEqual(['slack: worsened shop critical']);
    expect(story.rounds(2, 90)).toEqual([]);
  });

  it('is not told that an alert it knows has eased, but that it got worse after that, though no worse than it was', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.at(1).acknowledge('shop').round();
    story.at(20).ease('shop', 'warning');
    expect(story.rounds(20, 60)).toEqual([]);
    expect(story.at(61).worsen('shop', 'critical').round()).toEqual(['slack: worsened shop critical']);
    expect(story.rounds(62, 90)).toEqual([]);
  });

  it('is told so too where that came and went while the alert was muted', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.silences = [silenceOf('shop', 10, 40)];
    story.at(20).ease('shop', 'warning').round();
    expect(story.at(30).worsen('shop', 'error').round()).toEqual([]);
    expect(story.rounds(31, 60)).toEqual(['40 slack: worsened shop error']);
  });

  it('that is only for severe alerts hears of one that eased when it rises and when it ends, and nothing between', () => {
    const escalation = [
      { afterMs: 0, channels: ['slack'], severities: SEVERITIES },
      { afterMs: 0, channels: ['phone'], severities: ['critical'] },
    ] as const;
    const story = new RoutingStory({ escalation, repeatIntervalMs: HOUR_MS }).fire('shop');
    expect(story.round(0)).toEqual(['slack: fired shop critical', 'phone: fired shop critical']);
    story.at(20).ease('shop', 'warning');
    expect(story.rounds(20, 119)).toEqual(['60 slack: repeated shop warning (1)']);
    expect(story.at(120).worsen('shop', 'critical').round()).toEqual([
      'slack: worsened shop critical',
      'phone: worsened shop critical',
    ]);
    story.at(140).ease('shop', 'warning').round();
    expect(story.at(150).resolve('shop').round()).toEqual([
      'slack: resolved shop warning',
      'phone: resolved shop warning',
    ]);
  });

  it('is told who acknowledged, and of the next one who does', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    expect(story.at(1).acknowledge('shop').round()).toEqual(['slack: acknowledged shop critical']);
    expect(story.round(2)).toEqual([]);
    expect(story.at(3).acknowledge('shop', 'bob').round()).toEqual(['slack: acknowledged shop critical']);
  });

  it('is told again that somebody acknowledged what got worse after an acknowledgement', () => {
    const story = new RoutingStory().fire('shop', 'warning');
    story.round(0);
    story.at(1).acknowledge('shop').round();
    expect(story.at(2).worsen('shop', 'critical').round()).toEqual(['slack: worsened shop critical']);
    expect(story.at(3).acknowledge('shop').round()).toEqual(['slack: acknowledged shop critical']);
  });

  it('is forgotten with the configuration, and told anew where it comes back', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.channels = ['phone'];
    expect(story.round(1)).toEqual([]);
    story.channels = ['slack'];
    expect(story.round(2)).toEqual(['slack: fired shop critical']);
  });

  it('that no step names any more is still told that what it knows is over', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.policy = {
      ...story.policy,
      escalation: [{ afterMs: 0, channels: ['phone'], severities: SEVERITIES }],
    };
    expect(story.round(1)).toEqual(['phone: fired shop critical']);
    expect(story.at(2).resolve('shop').round()).toEqual([
      'slack: resolved shop critical',
      'phone: resolved shop critical',
    ]);
  });

  it('is not told again what it knows where the groups are formed another way', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    story.policy = { ...story.policy, groupBy: ['rule'] };
    expect(story.round(1)).toEqual([]);
  });
});

describe('a message', () => {
  it('has an id that no other has', () => {
    const story = new RoutingStory({
      escalation: [{ afterMs: 0, channels: ['slack', 'phone'], severities: SEVERITIES }],
    });
    const ids: string[] = [];
    for (let minute = 0; minute < 20; minute++) {
      if (minute % 2 === 0) story.at(minute).fire('shop').fire('cart');
      else story.at(minute).resolve('shop').resolve('cart');
      story.round();
      ids.push(...story.messages.map(({ id }) => id));
    }
    expect(ids).toHaveLength(80);
    expect(new Set(ids).size).toBe(80);
    expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
  });

  it('tells the most severe first, and says what its alerts have in common', () => {
    const story = new RoutingStory({ groupBy: ['kind', 'level'] });
    story.fire('a', 'info').fire('b', 'critical').fire('c', 'warning').fire('d', 'error');
    expect(story.round(0)).toEqual(['slack: fired b critical, fired d error, fired c warning, fired a info']);
    expect(story.messages[0]).toMatchObject({
      kind: 'group',
      groupLabels: { kind: 'error_rate', level: 'service' },
      firing: 4,
      leftOut: 0,
      repeat: 0,
      createdMs: ALERT_START_MS,
    });
  });

  it('holds 50 items; what is new beyond them comes at once in further messages, the worst first', () => {
    const story = new RoutingStory({ groupBy: [] });
    for (let n = 0; n < 120; n++) story.fire(`s${n}`, n < 115 ? 'info' : 'critical');
    story.round(0);
    expect(story.messages.map(({ items }) => items.length)).toEqual([50, 50, 20]);
    for (const message of story.messages) expect(message).toMatchObject({ leftOut: 0, firing: 120 });
    const [first] = story.messages as [Message];
    expect(first.items.slice(0, 5).every(({ alert }) => alert.severity === 'critical')).toBe(true);
    const told = story.messages.flatMap(({ items }) => items.map(({ alert }) => alert.scope));
    expect(new Set(told).size).toBe(120);
    expect(story.round(1)).toEqual([]);
  });

  it('of a repeat holds 50 items, and counts the rest', () => {
    const story = new RoutingStory({ groupBy: [], repeatIntervalMs: HOUR_MS, mostRepeatsPerDay: 5 });
    for (let n = 0; n < 60; n++) story.fire(`s${n}`);
    story.round(0);
    story.round(60);
    expect(story.messages).toMatchObject([{ leftOut: 10, firing: 60, repeat: 1 }]);
    expect(story.messages[0]?.items).toHaveLength(50);
  });
});

describe('a group', () => {
  it('is told in one message, other groups in others', () => {
    const story = new RoutingStory().fire('shop').fire('cart', 'warning');
    story.fire('slow', 'error', { rule: latencyRule(), scope: { level: 'service', service: 'shop' } });
    expect(story.round(0)).toEqual([
      'slack: fired shop critical, fired shop error',
      'slack: fired cart warning',
    ]);
  });

  it('waits for others with its first message', () => {
    const story = new RoutingStory({ groupBy: [], groupWaitMs: 2 * MINUTE_MS }).fire('shop');
    expect(story.round(0)).toEqual([]);
    expect(story.at(1).fire('cart').round()).toEqual([]);
    expect(story.round(1.99)).toEqual([]);
    expect(story.round(2)).toEqual(['slack: fired shop critical, fired cart critical']);
  });

  it('tells nobody of an alert that is over before it has waited', () => {
    const story = new RoutingStory({ groupWaitMs: 2 * MINUTE_MS }).fire('shop');
    story.round(0);
    expect(story.at(1).resolve('shop').round()).toEqual([]);
    expect(story.rounds(2, 10)).toEqual([]);
  });

  it('waits anew after that', () => {
    const story = new RoutingStory({ groupWaitMs: 2 * MINUTE_MS }).fire('shop');
    story.round(0);
    story.at(1).resolve('shop').round();
    story.at(10).fire('shop');
    expect(story.rounds(10, 15)).toEqual(['12 slack: fired shop critical']);
  });

  it('is told news no more often than the interval', () => {
    const story = new RoutingStory({ groupBy: [], groupIntervalMs: 5 * MINUTE_MS }).fire('shop');
    expect(story.round(0)).toEqual(['slack: fired shop critical']);
    story.at(1).fire('cart');
    expect(story.rounds(1, 2)).toEqual([]);
    story.at(3).resolve('shop');
    expect(story.rounds(3, 20)).toEqual(['5 slack: fired cart critical, resolved shop critical']);
  });

  it('does not wait for the interval with what is more severe than all that is known', () => {
    const story = new RoutingStory({ groupBy: [], groupIntervalMs: 5 * MINUTE_MS }).fire('shop', 'warning');
    story.round(0);
    expect(story.at(1).fire('cart', 'warning').round()).toEqual([]);
    expect(story.at(2).fire('till', 'critical').round()).toEqual([
      'slack: fired till critical, fired cart warning',
    ]);
  });

  it('tells nobody that an alert was away for less than the interval, but that it came back', () => {
    const story = new RoutingStory({ groupIntervalMs: 5 * MINUTE_MS }).fire('shop');
    story.round(0);
    expect(story.at(1).resolve('shop').round()).toEqual([]);
    expect(story.at(2).fire('shop').round()).toEqual([]);
    expect(story.rounds(3, 6)).toEqual(['5 slack: resolved shop critical', '5 slack: fired shop critical']);
  });

  it('begins anew once all of it is over', () => {
    const story = new RoutingStory({ groupIntervalMs: 5 * MINUTE_MS }).fire('shop');
    story.round(0);
    story.at(6).resolve('shop').round();
    expect(story.at(7).fire('shop').round()).toEqual(['slack: fired shop critical']);
  });
});

describe('a repeat', () => {
  const policy = { repeatIntervalMs: HOUR_MS, repeatFactor: 2, mostRepeatsPerDay: 10 };

  it('comes after a pause that grows, up to a day', () => {
    const story = new RoutingStory(policy).fire('shop');
    expect(story.rounds(0, 5 * DAY_MINUTES, 30)).toEqual([
      '0 slack: fired shop critical',
      '60 slack: repeated shop critical (1)',
      '180 slack: repeated shop critical (2)',
      '420 slack: repeated shop critical (3)',
      '900 slack: repeated shop critical (4)',
      '1860 slack: repeated shop critical (5)',
      '3300 slack: repeated shop critical (6)',
      '4740 slack: repeated shop critical (7)',
      '6180 slack: repeated shop critical (8)',
    ]);
  });

  it('comes no more than so often in a day', () => {
    const story = new RoutingStory({ ...policy, repeatFactor: 1, mostRepeatsPerDay: 2 }).fire('shop');
    expect(story.rounds(0, 27 * 60, 30).filter((text) => text.includes('repeated'))).toEqual([
      '60 slack: repeated shop critical (1)',
      '120 slack: repeated shop critical (2)',
      `${DAY_MINUTES + 60} slack: repeated shop critical (3)`,
      `${DAY_MINUTES + 120} slack: repeated shop critical (4)`,
    ]);
  });

  it('comes no more often where the alert ends and fires again', () => {
    const story = new RoutingStory({ ...policy, mostRepeatsPerDay: 1 }).fire('shop');
    expect(story.rounds(0, 60, 30)).toHaveLength(2);
    story.at(61).resolve('shop').round();
    story.at(62).fire('shop');
    expect(story.rounds(62, 1_000, 10)).toEqual(['62 slack: fired shop critical']);
  });

  it('never comes where none is wanted', () => {
    const never = new RoutingStory({ ...policy, repeatIntervalMs: undefined }).fire('shop');
    const none = new RoutingStory({ ...policy, mostRepeatsPerDay: 0 }).fire('shop');
    expect([...never.rounds(1, 3_000, 60), ...none.rounds(1, 3_000, 60)]).toEqual([
      '1 slack: fired shop critical',
      '1 slack: fired shop critical',
    ]);
  });

  it('comes of what still fires and nobody has acknowledged', () => {
    const story = new RoutingStory({ ...policy, groupBy: [] }).fire('shop').fire('cart').fire('till');
    story.round(0);
    story.at(10).acknowledge('cart').resolve('till').round();
    expect(story.rounds(11, 80)).toEqual(['70 slack: repeated shop critical (1)']);
    expect(story.messages).toEqual([]);
  });

  it('begins to count anew once something new fires', () => {
    const story = new RoutingStory({ ...policy, groupBy: [] }).fire('shop');
    expect(story.rounds(0, 70, 10)).toHaveLength(2);
    story.at(80).fire('cart');
    expect(story.rounds(80, 150, 10)).toEqual([
      '80 slack: fired cart critical',
      '140 slack: repeated shop critical, repeated cart critical (1)',
    ]);
  });

  it('does not come while the alert is silenced, and then does', () => {
    const story = new RoutingStory(policy).fire('shop');
    story.silences = [silenceOf('shop', 10, 200)];
    expect(story.rounds(0, 210, 10)).toEqual([
      '0 slack: fired shop critical',
      '200 slack: repeated shop critical (1)',
    ]);
  });
});

describe('an escalation', () => {
  const escalation = [
    { afterMs: 0, channels: ['slack'], severities: SEVERITIES },
    { afterMs: 15 * MINUTE_MS, channels: ['phone'], severities: ['critical'] },
  ] as const;

  it('tells the next when it is their turn', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    expect(story.rounds(0, 60)).toEqual([
      '0 slack: fired shop critical',
      '15 phone: escalated shop critical',
    ]);
  });

  it('is stopped by an acknowledgement, which only those are told that know', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    story.round(0);
    expect(story.at(14.9).acknowledge('shop').round()).toEqual(['slack: acknowledged shop critical']);
    expect(story.rounds(15, 60)).toEqual([]);
  });

  it('is stopped by the end', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    story.round(0);
    story.at(14).resolve('shop');
    expect(story.rounds(14, 60)).toEqual(['14 slack: resolved shop critical']);
  });

  it('leaves out severities that the step does not have, and counts from when the alert gets so bad', () => {
    const story = new RoutingStory({ escalation }).fire('shop', 'warning');
    expect(story.rounds(0, 30)).toEqual(['0 slack: fired shop warning']);
    story.at(31).worsen('shop', 'critical');
    expect(story.rounds(31, 90)).toEqual([
      '31 slack: worsened shop critical',
      '46 phone: escalated shop critical',
    ]);
  });

  it('comes no nearer while nobody can be told: a silence that ends begins with the first step', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    story.silences = [silenceOf('shop', 0, 120)];
    expect(story.rounds(0, 200)).toEqual([
      '120 slack: fired shop critical',
      '135 phone: escalated shop critical',
    ]);
  });

  it('waits for as long as a silence lasts that comes in between', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    story.silences = [silenceOf('shop', 10, 60)];
    expect(story.rounds(0, 200)).toEqual([
      '0 slack: fired shop critical',
      '65 phone: escalated shop critical',
    ]);
  });

  it('comes in its time though the severity goes up and down among those of the step', () => {
    const steps = [
      { afterMs: 0, channels: ['slack'], severities: SEVERITIES },
      { afterMs: 120 * MINUTE_MS, channels: ['phone'], severities: ['error', 'critical'] },
    ] as const;
    const story = new RoutingStory({ escalation: steps }).fire('shop');
    const said: string[] = [];
    for (let minute = 0; minute <= 300; minute += 1) {
      story.at(minute);
      if (minute % 17 === 16) story.ease('shop', 'error');
      if (minute % 17 === 0 && minute > 0) story.worsen('shop', 'critical');
      said.push(...story.round().flatMap((text) => (text.startsWith('phone') ? [`${minute} ${text}`] : [])));
    }
    expect(said[0]).toBe('120 phone: escalated shop critical');
  });

  describe('of an alert whose cause comes and goes', () => {
    const inhibitions: Inhibition[] = [
      {
        source: [{ label: 'service', operator: '=', value: 'gate' }],
        target: [{ label: 'service', operator: '=', value: 'shop' }],
        equal: [],
      },
    ];
    const rule = errorRateRule({ windowMs: 5 * MINUTE_MS, keepFiringForMs: 5 * MINUTE_MS });

    /** The cause fires in one minute of ten, from `first` on. */
    function saidOfShop(first: number, shopFires: number): string[] {
      const story = new RoutingStory({ escalation, inhibitions });
      const said: string[] = [];
      for (let minute = 0; minute <= 120; minute += 1) {
        story.at(minute);
        if (minute >= first && (minute - first) % 10 === 0) story.fire('gate');
        if (minute > first && (minute - first) % 10 === 1) story.resolve('gate');
        if (minute === shopFires) story.fire('shop', 'critical', { rule });
        said.push(...story.round().flatMap((text) => (text.includes('shop') ? [`${minute} ${text}`] : [])));
      }
      return said;
    }

    it('comes later by as long as it hid the alert', () => {
      expect(saidOfShop(9, 0)).toEqual(['0 slack: fired shop critical', '16 phone: escalated shop critical']);
    });

    it('comes though the alert began under the cause, which hides it for no longer than it can explain', () => {
      const said = saidOfShop(0, 0);
      expect(said.map((text) => text.replace(/^\d+ /, ''))).toEqual([
        'slack: fired shop critical',
        'phone: escalated shop critical',
      ]);
      const [told = 0, escalated = 0] = said.map((text) => Number.parseInt(text, 10));
      expect(told).toBeLessThanOrEqual(13);
      expect(escalated).toBeLessThanOrEqual(told + 18);
    });
  });

  it('goes no further than the first step where somebody acknowledged before anybody was told', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    story.silences = [silenceOf('shop', 0, 120)];
    story.rounds(0, 29);
    story.at(30).acknowledge('shop');
    expect(story.rounds(30, 300)).toEqual(['120 slack: fired shop critical']);
  });

  it('gives them their time again where the alert got worse after an acknowledgement', () => {
    const story = new RoutingStory({ escalation }).fire('shop', 'warning');
    story.round(0);
    story.at(5).acknowledge('shop').round();
    story.at(40).worsen('shop', 'critical');
    expect(story.rounds(40, 60)).toEqual([
      '40 slack: worsened shop critical',
      '55 phone: escalated shop critical',
    ]);
  });

  it('tells everybody who was told that it is over', () => {
    const story = new RoutingStory({ escalation }).fire('shop');
    story.rounds(0, 20);
    expect(story.at(21).resolve('shop').round()).toEqual([
      'slack: resolved shop critical',
      'phone: resolved shop critical',
    ]);
  });
});

describe('a muted alert', () => {
  it('is not told while it is silenced, and told in the end', () => {
    const story = new RoutingStory().fire('shop').fire('cart');
    story.silences = [silenceOf('shop', 0, 30)];
    expect(story.rounds(0, 60)).toEqual(['0 slack: fired cart critical', '30 slack: fired shop critical']);
  });

  it('that is over before its silence is told to nobody', () => {
    const story = new RoutingStory().fire('shop');
    story.silences = [silenceOf('shop', 0, 30)];
    story.round(0);
    story.at(5).resolve('shop');
    expect(story.rounds(5, 60)).toEqual([]);
  });

  it('is told as over to those who know it', () => {
    const story = new RoutingStory().fire('shop');
    story.silences = [silenceOf('shop', 5, 30)];
    story.round(0);
    expect(story.at(10).acknowledge('shop').round()).toEqual([]);
    expect(story.at(20).resolve('shop').round()).toEqual(['slack: resolved shop critical']);
  });

  it('is told as over where a new run begins that nobody is told of', () => {
    const story = new RoutingStory().fire('shop');
    story.silences = [silenceOf('shop', 5, 30)];
    story.round(0);
    story.at(10).resolve('shop').round();
    expect(story.at(11).fire('shop').round()).toEqual([]);
    expect(story.rounds(12, 40)).toEqual(['30 slack: fired shop critical']);
  });

  it('is not told in maintenance', () => {
    const story = new RoutingStory({
      maintenance: [
        {
          name: 'nightly',
          matchers: [{ label: 'service', operator: '=', value: 'shop' }],
          times: quietFor(20),
          untilDay: '2026-03-03',
          comment: 'reports',
        },
      ],
    }).fire('shop');
    expect(story.rounds(0, 60)).toEqual(['20 slack: fired shop critical']);
    story.at(61).resolve('shop').round();
    story.at(DAY_MINUTES).fire('shop');
    expect(story.rounds(DAY_MINUTES, DAY_MINUTES + 30)).toEqual([
      `${DAY_MINUTES + 20} slack: fired shop critical`,
    ]);
    story
      .at(DAY_MINUTES + 31)
      .resolve('shop')
      .round();
    story.at(2 * DAY_MINUTES).fire('shop');
    expect(story.round()).toEqual(['slack: fired shop critical']);
  });

  it('is not told while another explains it', () => {
    const inhibitions: Inhibition[] = [
      {
        source: [{ label: 'kind', operator: '=', value: 'error_rate' }],
        target: [{ label: 'kind', operator: '=', value: 'latency' }],
        equal: ['service'],
      },
    ];
    const story = new RoutingStory({ inhibitions }).fire('shop');
    story.fire('slow', 'warning', { rule: latencyRule(), scope: { level: 'service', service: 'shop' } });
    expect(story.round(0)).toEqual(['slack: fired shop critical']);
    expect(story.at(1).acknowledge('shop').round()).toEqual(['slack: acknowledged shop critical']);
    expect(story.at(2).resolve('shop').round()).toEqual(['slack: resolved shop critical']);
    // Its own window, of a minute, may still hold what both were about.
    expect(story.rounds(2.5, 10, 0.5)).toEqual(['3 slack: fired shop warning']);
  });

  it('is not told of what is left in its window once what explained it is over, unless it gets worse', () => {
    const inhibitions: Inhibition[] = [
      {
        source: [{ label: 'kind', operator: '=', value: 'error_rate' }],
        target: [{ label: 'kind', operator: '=', value: 'latency' }],
        equal: [],
      },
    ];
    const rule = latencyRule({ windowMs: 5 * MINUTE_MS, keepFiringForMs: MINUTE_MS });
    const story = new RoutingStory({ inhibitions }).fire('all');
    for (const name of ['ends', 'stays', 'worsens'])
      story.fire(name, 'warning', { rule, scope: { level: 'service', service: name } });
    expect(story.round(0)).toEqual(['slack: fired all critical']);
    expect(story.at(10).resolve('all').round()).toEqual(['slack: resolved all critical']);
    expect(story.at(12).worsen('worsens', 'error').round()).toEqual(['slack: fired worsens error']);
    expect(story.at(14).resolve('ends').round()).toEqual([]);
    expect(story.rounds(15, 60)).toEqual(['16 slack: fired stays warning']);
  });
});

describe('quiet hours', () => {
  const quietHours = { severities: ['info', 'warning'], times: quietFor(60) } as const;

  it('gather what is mild until they end, and let the rest through', () => {
    const story = new RoutingStory({ quietHours }).fire('shop', 'warning').fire('cart', 'error');
    expect(story.round(0)).toEqual(['slack: fired cart error']);
    story.at(10).fire('till', 'info').round();
    story.at(20).resolve('shop').round();
    expect(story.rounds(21, 90)).toEqual([
      '60 slack: digest: fired shop warning, resolved shop warning, fired till info',
    ]);
    expect(story.at(91).resolve('till').round()).toEqual(['slack: resolved till info']);
  });

  it('let an alert through that is no longer mild, as one that fires', () => {
    const story = new RoutingStory({ quietHours }).fire('shop', 'warning');
    story.round(0);
    expect(story.at(10).worsen('shop', 'critical').round()).toEqual(['slack: fired shop critical']);
    expect(story.rounds(11, 90)).toEqual([]);
  });

  it('tell the end of what was told as severe at once, though it has eased', () => {
    const story = new RoutingStory({ quietHours }).fire('shop', 'error').fire('cart', 'warning');
    expect(story.round(0)).toEqual(['slack: fired shop error']);
    story.at(20).ease('shop', 'warning').round();
    expect(story.at(30).resolve('shop').resolve('cart').round()).toEqual(['slack: resolved shop warning']);
    expect(story.rounds(31, 90)).toEqual(['60 slack: digest: fired cart warning, resolved cart warning']);
  });

  it('do not let a severe run follow a mild one that was told and not ended', () => {
    const story = new RoutingStory({
      quietHours: { ...quietHours, times: { ...quietFor(60), fromMinute: 605 } },
    });
    story.fire('shop', 'warning');
    expect(story.round(0)).toEqual(['slack: fired shop warning']);
    expect(story.at(10).resolve('shop').round()).toEqual([]);
    expect(story.at(20).fire('shop').round()).toEqual([
      'slack: resolved shop warning',
      'slack: fired shop critical',
    ]);
    expect(story.rounds(21, 90)).toEqual([]);
  });

  it('tell the end of a severe run at once, though a mild one has begun', () => {
    const story = new RoutingStory({ quietHours, groupIntervalMs: 5 * MINUTE_MS }).fire('shop');
    story.round(0);
    story.at(1).resolve('shop').round();
    story.at(2).fire('shop', 'warning');
    expect(story.rounds(2, 90)).toEqual([
      '5 slack: resolved shop critical',
      '60 slack: digest: fired shop warning',
    ]);
  });

  it('count the runs that are left out of the digest because a later one was told at once', () => {
    const story = new RoutingStory({ quietHours, groupBy: [] }).fire('shop', 'warning').fire('cart', 'info');
    story.round(0);
    story.at(1).resolve('shop').round();
    story.at(2).fire('shop', 'warning').round();
    expect(story.at(3).worsen('shop', 'error').round()).toEqual(['slack: fired shop error']);
    expect(story.rounds(4, 90)).toEqual(['60 slack: digest: fired cart info and 2 more']);
  });

  it('repeat nothing that is mild', () => {
    const story = new RoutingStory({ quietHours, repeatIntervalMs: 10 * MINUTE_MS, repeatFactor: 1 });
    story.policy = {
      ...story.policy,
      quietHours: { ...quietHours, times: { ...quietFor(60), fromMinute: 605 } },
    };
    story.fire('shop', 'warning');
    expect(story.rounds(0, 60)).toEqual([
      '0 slack: fired shop warning',
      '60 slack: repeated shop warning (1)',
    ]);
  });
});

describe('a digest', () => {
  const digest = { severities: ['info'], everyMs: HOUR_MS } as const;

  it('comes so long after the first that it tells', () => {
    const story = new RoutingStory({ digest });
    story.at(10).fire('shop', 'info');
    story.rounds(10, 20);
    story.at(30).resolve('shop').fire('cart', 'info').fire('till', 'warning');
    expect(story.rounds(30, 69)).toEqual(['30 slack: fired till warning']);
    expect(story.rounds(70, 200)).toEqual([
      '70 slack: digest: fired shop info, resolved shop info, fired cart info',
    ]);
    expect(story.messages).toEqual([]);
  });

  it('has neither group nor repeats', () => {
    const story = new RoutingStory({ digest, repeatIntervalMs: HOUR_MS, mostRepeatsPerDay: 100 }).fire(
      'shop',
      'info',
    );
    story.round(0);
    story.round(60);
    expect(story.messages[0]).toMatchObject({ kind: 'digest', groupLabels: {}, firing: 1, repeat: 0 });
    expect(story.rounds(61, 3_000, 60)).toEqual([]);
  });

  it('waits for the end of the quiet hours', () => {
    const quietHours = { severities: ['info'], times: quietFor(90) } as const;
    const story = new RoutingStory({ digest, quietHours }).fire('shop', 'info');
    expect(story.rounds(0, 200)).toEqual(['90 slack: digest: fired shop info']);
  });

  it('is sent at once where the policy has none any more', () => {
    const story = new RoutingStory({ digest }).fire('shop', 'info');
    story.round(0);
    story.policy = { ...story.policy, digest: undefined };
    expect(story.round(1)).toEqual(['slack: digest: fired shop info']);
  });

  it('holds 200, tells them by fifty, and what had no room in the next: each once, and each end', () => {
    const story = new RoutingStory({ digest });
    const names = Array.from({ length: 230 }, (_, index) => `s${index}`);
    const told: [minute: number, items: number, leftOut: number][] = [];
    const services = new Set<string>();
    const rounds = (from: number, to: number): void => {
      for (let minute = from; minute <= to; minute += 1) {
        story.round(minute);
        for (const { items, leftOut } of story.messages) {
          told.push([minute, items.length, leftOut]);
          for (const { occasion, alert } of items) services.add(`${occasion} ${JSON.stringify(alert.scope)}`);
        }
      }
    };
    for (const name of names) story.fire(name, 'info');
    rounds(0, 200);
    const byFifty = [50, 50, 50];
    expect(told).toEqual([...byFifty.map((items) => [60, items, 0]), [60, 50, 0], [120, 30, 0]]);
    for (const name of names) story.at(201).resolve(name);
    rounds(201, 400);
    expect(told.slice(5)).toEqual([...byFifty.map((items) => [261, items, 0]), [261, 50, 0], [321, 30, 0]]);
    expect(services.size).toBe(2 * 230);
    expect(story.state.channels.get('slack')?.notes.size).toBe(0);
  });

  it('tells the end of an earlier run though the next is silenced, and nothing changes in between', () => {
    const story = new RoutingStory({ digest }).fire('shop', 'info');
    story.rounds(0, 61);
    story.at(62).resolve('shop').round();
    story.at(64).fire('shop', 'info');
    story.silences = [silenceOf('shop', 64, 300)];
    expect(story.rounds(64, 130)).toEqual(['122 slack: digest: resolved shop info']);
    const before = story.state;
    expect(story.rounds(131, 299)).toEqual([]);
    expect(story.state).toBe(before);
    expect(story.rounds(300, 400)).toEqual(['360 slack: digest: fired shop info']);
  });

  it('leaves out what is silenced meanwhile, which is told when the silence ends', () => {
    const story = new RoutingStory({ digest }).fire('shop', 'info').fire('cart', 'info');
    story.round(0);
    story.silences = [silenceOf('shop', 10, 200)];
    expect(story.rounds(10, 300)).toEqual([
      '60 slack: digest: fired cart info',
      '260 slack: digest: fired shop info',
    ]);
  });

  it('that waits is not told twice of an alert that got worse while its group waits', () => {
    const story = new RoutingStory({ digest, groupWaitMs: 10 * MINUTE_MS }).fire('shop', 'info');
    story.round(0);
    story.at(55).worsen('shop', 'critical');
    expect(story.rounds(55, 90)).toEqual([
      '60 slack: digest: fired shop info',
      '65 slack: worsened shop critical',
    ]);
  });

  it('tells of an alert that got worse and ended before anybody was told', () => {
    const story = new RoutingStory({ digest, groupWaitMs: 10 * MINUTE_MS }).fire('shop', 'info');
    story.round(0);
    story.at(30).worsen('shop', 'critical').round();
    story.at(35).resolve('shop').round();
    expect(story.rounds(36, 90)).toEqual(['60 slack: digest: fired shop info, resolved shop critical']);
  });
});

describe('the state', () => {
  it('is the same object where nothing changed', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    const { state } = story;
    story.round(1);
    expect(story.state).toBe(state);
    const quiet = new RoutingStory();
    quiet.round(0);
    expect(quiet.state).toBe(EMPTY_ROUTE_STATE);
  });

  it('takes no alert for a new run because the clock was set back', () => {
    const story = new RoutingStory().fire('shop');
    story.round(0);
    // What the life of an alert does: nothing begins in the future.
    story.at(-60).alerts.set('shop', firingAlert({ sinceMs: story.nowMs }));
    expect(story.rounds(-60, 30)).toEqual([]);
    expect(story.at(31).resolve('shop').round()).toEqual(['slack: resolved shop critical']);
  });

  it('costs nothing to speak of for alerts that do not fire, and little for a thousand that do', () => {
    const idle = new RoutingStory();
    for (let n = 0; n < 10_000; n++) idle.fire(`s${n}`, 'info', { state: 'inactive', sinceMs: undefined });
    idle.round(0);
    expect(leastCpuMs(() => idle.round())).toBeLessThan(10);
    const busy = new RoutingStory({ groupBy: ['service'], repeatIntervalMs: HOUR_MS });
    for (let n = 0; n < 1_000; n++) busy.fire(`s${n}`, 'warning');
    busy.round(0);
    expect(busy.messages).toHaveLength(1_000);
    expect(leastCpuMs(() => busy.round())).toBeLessThan(50);
  });
});
