import { alertId } from '../../../../sidecar/alert/alert-key';
import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { Channel, Outcome, Thread } from '../../../../sidecar/channel/channel';
import type { ChannelParts } from '../../../../sidecar/channel/channel-parts';
import type { Notification, NotificationItem } from '../../../../sidecar/notify/notification';
import { slackBotSettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
  SAMPLE_STARTED_MS,
  type SampleChanges,
} from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { SlackApiServer } from '../../../support/slack-api-server';
import { latencyRule } from '../../../support/sample-rules';

const clock = new ManualClock();
const PARTS: ChannelParts = { clock, project: NO_PROJECT, externalUrl: undefined };

const ACKNOWLEDGED: SampleChanges = {
  alert: {
    state: 'acknowledged',
    acknowledgement: { by: 'ann', comment: 'on it', atMs: SAMPLE_STARTED_MS + 60_000 },
  },
  item: { occasion: 'acknowledged' },
};

const WARNING: SampleChanges = { alert: { severity: 'warning' } };

let slack: SlackApiServer;

beforeEach(async () => {
  slack = await SlackApiServer.start();
});
afterEach(async () => {
  await slack.close();
  expect(slack.faults).toEqual([]);
});

function channel(others: Parameters<typeof slackBotSettings>[1] = {}): Channel {
  return createChannel(slackBotSettings(slack.url, others), PARTS);
}

/** Sends them one after the other, each with what was remembered before. */
async function tell(notifications: readonly Notification[], first?: Thread): Promise<Thread> {
  let thread = first;
  for (const notification of notifications) {
    const outcome: Outcome = await channel().send(notification, thread);
    expect(outcome).toMatchObject({ result: 'sent' });
    thread = outcome.thread ?? thread;
  }
  return thread ?? {};
}

function group(items: readonly NotificationItem[], message: Partial<Notification> = {}): Notification {
  return sampleGroup(items, { service: 'shop', message });
}

describe('one alert in a Slack channel', () => {
  it('begins with a message of its own', async () => {
    await tell([sampleNotification()]);
    const item = sampleItem();
    expect(slack.transcript()).toBe(
      [
        '# CRITICAL: High p95 latency: 812 ms on service slow',
        'The p95 latency of service slow is 812 ms in the last 5 minutes (1,204 requests), over the threshold of ' +
          '500 ms. It has been so since 2026-03-01 10:00:00 UTC.',
        'Rule slow, severity critical.',
        `To acknowledge it: gatewatch ack ${alertId(item.alertKey)}`,
      ].join('\n'),
    );
  });

  it('shows in the first message how it stands, and in the thread what has changed', async () => {
    const story = [
      sampleNotification(WARNING),
      sampleNotification({ item: { occasion: 'worsened' } }),
      sampleNotification(ACKNOWLEDGED),
      sampleResolved(),
    ];
    const titles: (string | undefined)[] = [];
    let thread: Thread | undefined;
    for (const notification of story) {
      thread = (await channel().send(notification, thread)).thread;
      titles.push(slack.transcript().split('\n')[0]);
    }
    expect(titles).toEqual([
      '# WARNING: High p95 latency: 812 ms on service slow',
      '# CRITICAL: High p95 latency: 812 ms on service slow',
      '# Acknowledged: High p95 latency: 812 ms on service slow',
      '# Resolved: p95 latency 120 ms on service slow',
    ]);
    expect(slack.roots).toMatchObject([{ edits: 3 }]);
    const replies = slack.repliesTo(slack.roots[0]?.ts ?? '');
    expect(replies.map(({ text }) => text.split('\n')[0])).toEqual([
      'CRITICAL: High p95 latency: 812 ms on service slow',
      'Acknowledged: High p95 latency: 812 ms on service slow',
      'Resolved: p95 latency 120 ms on service slow',
    ]);
    expect(slack.transcript()).toContain('>> It got worse, and is critical now.');
    expect(slack.transcript()).toContain('> Acknowledged by ann at 2026-03-01 10:01:00 UTC: on it.');
  });

  it('changes the words for notifications with the blocks', async () => {
    await tell([sampleNotification(), sampleResolved()]);
    expect(slack.roots[0]?.text).toMatch(/^Resolved: p95 latency 120 ms on service slow\n/);
  });

  it.each([
    ['fired', true],
    ['worsened', true],
    ['escalated', true],
    ['repeated', true],
    ['acknowledged', false],
  ] as const)('shows a reply that it has %s in the channel too: %s', async (occasion, isBroadcast) => {
    await tell([sampleNotification(), sampleNotification({ item: { occasion } })]);
    expect(slack.messages[1]).toMatchObject({ threadTs: slack.messages[0]?.ts, isBroadcast });
  });

  it('does not show in the channel that it is over: the message does', async () => {
    await tell([sampleNotification(), sampleResolved()]);
    expect(slack.messages[1]).toMatchObject({ isBroadcast: false });
  });

  it('begins anew when it fires again later', async () => {
    await tell([sampleNotification(), sampleResolved()]);
    await tell([sampleNotification()]);
    expect(slack.roots.map(({ text }) => text.split(':')[0])).toEqual(['Resolved', 'CRITICAL']);
  });

  it('shows at once that somebody acknowledged it before the channel was told', async () => {
    await tell([sampleNotification({ ...ACKNOWLEDGED, item: { occasion: 'fired' } })]);
    expect(slack.transcript()).toMatch(/^# Acknowledged: .*\n[^]*\nAcknowledged by ann /);
  });

  it('is told of even where only its end is', async () => {
    await tell([sampleResolved()]);
    expect(slack.transcript()).toMatch(/^# Resolved: /);
  });
});

describe('a group of alerts in a Slack channel', () => {
  const first = sampleItem({ service: 'a' });
  const second = sampleItem({ service: 'b', ...WARNING });

  it('shows all of it in the first message, what fires first', async () => {
    const thread = await tell([group([first]), group([second], { firing: 2 })]);
    expect(slack.transcript().split('\n')[0]).toBe('# CRITICAL: 2 alerts fire (rule slow, service shop)');
    await tell([group([sampleResolvedItem({ service: 'a' })], { firing: 1 })], thread);
    const [title, ...lines] = (slack.transcript().split('\n>')[0] ?? '').split('\n');
    expect(title).toBe('# WARNING: 1 alert fires, 1 resolved (rule slow, service shop)');
    expect(lines.filter((line) => / on service [ab]$/.test(line))).toEqual([
      'WARNING: High p95 latency: 812 ms on service b',
      'Resolved: p95 latency 120 ms on service a',
    ]);
  });

  it('keeps the details of an alert when another joins it', async () => {
    await tell([group([first]), group([second], { firing: 2 })]);
    const root = slack.transcript().split('\n>')[0];
    expect(root).toContain('The p95 latency of service a is 812 ms');
    expect(root).toContain('The p95 latency of service b is 812 ms');
  });

  it('replies only with what is new', async () => {
    await tell([group([first]), group([second])]);
    expect(slack.messages[1]?.text).toMatch(/^WARNING: High p95 latency: 812 ms on service b\n/);
    expect(slack.messages[1]?.text).not.toContain('service a');
  });

  it('says that some are acknowledged', async () => {
    const acknowledged = sampleItem({ service: 'a', ...ACKNOWLEDGED });
    const thread = await tell([group([first, second]), group([acknowledged], { firing: 2 })]);
    expect(slack.transcript()).toMatch(/^# WARNING: 1 alert fires, 1 acknowledged \(/);
    await tell([group([sampleItem({ service: 'b', ...ACKNOWLEDGED })], { firing: 2 })], thread);
    expect(slack.transcript()).toMatch(/^# Acknowledged: 2 acknowledged \(/);
  });

  it('shows none as firing once none fires, whoever was not told of its end', async () => {
    await tell([group([first, second]), group([sampleResolvedItem({ service: 'a' })], { firing: 0 })]);
    expect(slack.transcript()).toMatch(/^# Resolved: 2 resolved \(/);
    expect(slack.transcript()).toContain('\nResolved: High p95 latency: 812 ms on service b\n');
  });

  it('lets go what has ended unseen, as by a digest, and counts what fires', async () => {
    await tell([group([first, second]), group([sampleItem({ service: 'c' })], { firing: 1 })]);
    expect(slack.transcript().split('\n')[0]).toBe('# CRITICAL: High p95 latency: 812 ms on service c');
    expect(slack.transcript()).not.toContain('service a');
  });

  it('says how many more of the group fire than it knows', async () => {
    await tell([group([first], { firing: 3 })]);
    expect(slack.transcript()).toMatch(/^# CRITICAL: High p95 latency: 812 ms on service a\n/);
    expect(slack.transcript()).toContain('2 more of this group fire.');
  });

  it('says how many had no room', async () => {
    await tell([group([first], { leftOut: 7, firing: 8 })]);
    expect(slack.transcript()).toContain('7 more had no room in this message.');
  });

  it('fits whatever Slack takes, with 120 alerts in three messages', async () => {
    const items = Array.from({ length: 120 }, (_, index) => sampleItem({ service: `service-${index}` }));
    const parts = [0, 40, 80].map((from) => group(items.slice(from, from + 40), { firing: 120 }));
    await tell(parts);
    expect(slack.roots).toHaveLength(1);
    expect(slack.transcript()).toMatch(/^# CRITICAL: 120 alerts fire \(/);
  });

  it('remembers of so many alerts no more than fits on the disk', async () => {
    const items = Array.from({ length: 400 }, (_, index) =>
      sampleItem({ service: `${index}${'&'.repeat(90)}` }),
    );
    const parts = [0, 100, 200, 300].map((from) => group(items.slice(from, from + 100), { firing: 400 }));
    const thread = await tell(parts);
    expect(JSON.stringify(thread).length).toBeLessThan(80_000);
    expect(slack.transcript()).toContain('Only 200 alerts are counted here.');
  });
});

describe('what is no news of a group', () => {
  it('is for a digest a message of its own, and nothing to remember', async () => {
    const outcome = await channel().send(
      group([sampleItem(), sampleResolvedItem({ service: 'b' })], { kind: 'digest', groupLabels: {} }),
    );
    expect(outcome).toEqual({ result: 'sent' });
    expect(slack.transcript()).toMatch(/^# Digest: 1 alert fires, 1 resolved\n/);
  });

  it('changes the first message and adds no reply when the state is only told again', async () => {
    const standing = { kind: 'standing' } as const;
    await tell([sampleNotification({ message: standing }), sampleNotification({ message: standing })]);
    expect(slack.messages).toMatchObject([{ edits: 1 }]);
  });
});

describe('a message that can take no more', () => {
  it.each<[string, () => void]>([
    ['was deleted', () => slack.delete(slack.roots[0]?.ts ?? '')],
    ['may not be changed any more', () => (slack.isEditClosed = true)],
    ['is of another app', () => slack.refuseNext('cant_update_message', 'chat.update')],
    ['takes no replies', () => (slack.isFlat = true)],
    ['has a locked thread', () => slack.refuseNext('restricted_action_thread_locked', 'chat.postMessage')],
    ['does not take our blocks', () => slack.refuseNext('invalid_blocks', 'chat.update')],
  ])('and %s is followed by a new one, with all that is known', async (_, happen) => {
    const thread = await tell([group([sampleItem({ service: 'a' })])]);
    const old = slack.roots[0]?.ts;
    happen();
    const after = await tell([group([sampleItem({ service: 'b' })], { firing: 2 })], thread);
    const newest = slack.roots.at(-1);
    expect(newest?.ts).not.toBe(old);
    expect(newest?.text).toMatch(/^CRITICAL: 2 alerts fire/);
    expect(after).toMatchObject({ ts: newest?.ts });
    expect(slack.messages.filter(({ threadTs }) => threadTs !== undefined)).toEqual([]);
  });

  it('is followed by a new one when the channel is set to another', async () => {
    const thread = await tell([sampleNotification()]);
    const elsewhere = { ...thread, conversation: 'C9999999999', channel: 'C9999999999' };
    await tell([sampleNotification({ item: { occasion: 'worsened' } })], elsewhere);
    expect(slack.roots).toHaveLength(2);
  });

  it.each<[string, Thread]>([
    ['nothing', {}],
    ['half of it', { conversation: 'C0123456789', channel: 'C0123456789' }],
  ])('is followed by a new one where %s was remembered', async (_, thread) => {
    await tell([sampleNotification()], thread);
    expect(slack.roots).toHaveLength(1);
  });

  it.each(['', '{', '[[1]]', '{"a":1}', 'null'])(
    'is changed by what is new alone where its alerts are kept as %j',
    async (alerts) => {
      const thread = await tell([sampleNotification()]);
      await tell([sampleNotification({ item: { occasion: 'worsened' } })], { ...thread, alerts });
      expect(slack.roots).toMatchObject([{ edits: 1 }]);
      expect(slack.transcript()).toContain('It got worse');
    },
  );
});

describe('a notification of which only a part was told', () => {
  it('replies only, where the message was changed before', async () => {
    const thread = await tell([sampleNotification(WARNING)]);
    const worse = sampleNotification({ item: { occasion: 'worsened' } });
    slack.refuseNext('ratelimited', 'chat.postMessage');
    const half = await channel().send(worse, thread);
    expect(half).toMatchObject({
      result: 'retry',
      reason: 'chat.postMessage: Slack says ratelimited',
      thread: { ts: slack.roots[0]?.ts, shownId: worse.id },
    });
    await tell([worse], half.thread);
    expect(slack.roots).toMatchObject([{ edits: 1 }]);
    expect(slack.messages).toHaveLength(2);
  });

  it('changes the message again for the next notification', async () => {
    const thread = await tell([sampleNotification(WARNING)]);
    slack.refuseNext('restricted_action', 'chat.postMessage');
    const half = await channel().send(sampleNotification({ item: { occasion: 'worsened' } }), thread);
    expect(half).toMatchObject({ result: 'refused' });
    await tell([sampleResolved()], half.thread);
    expect(slack.transcript()).toMatch(/^# Resolved: /);
  });

  it('changes nothing in what is remembered where the message was not changed', async () => {
    const thread = await tell([sampleNotification(WARNING)]);
    slack.refuseNext('internal_error', 'chat.update');
    const outcome = await channel().send(sampleNotification({ item: { occasion: 'worsened' } }), thread);
    expect(outcome).toEqual({
      result: 'retry',
      reason: 'chat.update: Slack says internal_error',
      afterMs: undefined,
    });
    expect(slack.messages).toHaveLength(1);
  });
});

describe('what Slack is asked', () => {
  it('says the token in its header alone', async () => {
    await tell([sampleNotification(), sampleResolved()]);
    expect(slack.calls.map(({ method }) => method)).toEqual([
      'chat.postMessage',
      'chat.update',
      'chat.postMessage',
    ]);
    for (const { headers, body } of slack.calls) {
      expect(headers.authorization).toBe('Bearer xoxb-sample-bot-token');
      expect(body).not.toContain('xoxb');
    }
  });

  it('unfurls nothing, parses nothing and links no names', async () => {
    await tell([sampleNotification(), sampleResolved()]);
    for (const { method, document } of slack.calls) {
      expect(document).toMatchObject({ parse: 'none', link_names: false });
      if (method === 'chat.postMessage')
        expect(document).toMatchObject({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
    }
  });

  it.each([
    ['a mention', '<!channel>'],
    ['a mention with words', '<!here|x>'],
    ['a person', '<@U0123456>'],
    ['a channel', '<#C0123456>'],
    ['a link', '<https://evil.example|click>'],
    ['an escaped mention', '&lt;!everyone&gt;'],
    ['markup', '*bold* _it_ `code` ~x~ ```pre```'],
    ['a quote', '> quote'],
    ['control characters', '\u202eevil\u0000\n\n*x*'],
    ['200 emoji', '😀'.repeat(200)],
    ['3,000 halves of a character', '\ud83d'.repeat(3_000)],
  ])(
    'can be made by the name of a service neither to mention nor to link nor to format: %s',
    async (_, service) => {
      const changes = { service, rule: latencyRule({ name: service }) };
      await tell([
        sampleNotification(changes),
        sampleNotification({ ...changes, item: { occasion: 'worsened' } }),
      ]);
      expect(slack.calls).toHaveLength(3);
      for (const { document } of slack.calls) {
        expect(JSON.stringify(document)).not.toMatch(/[<>]/);
        for (const block of document['blocks'] as { type: string; text: { type: string } }[])
          expect(block.text.type).toBe('plain_text');
      }
    },
  );

  it('is the same without blocks where Slack does not take them', async () => {
    slack.refuseNext('msg_blocks_too_long');
    const thread = await tell([sampleNotification()]);
    expect(slack.transcript()).toMatch(
      /^CRITICAL: High p95 latency: 812 ms on service slow\nThe p95 latency/,
    );
    expect(thread).toMatchObject({ ts: slack.roots[0]?.ts });
  });

  it('is not asked a third time where it does not take the text either', async () => {
    slack.refuseNext('invalid_blocks');
    slack.refuseNext('msg_too_long');
    await expect(channel().send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'chat.postMessage: Slack says msg_too_long',
    });
    expect(slack.calls).toHaveLength(2);
  });

  it('is heard, with every answer, by whoever listens', async () => {
    const lines: string[] = [];
    const conversation = {
      said: (line: string) => lines.push(`> ${line}`),
      heard: (line: string) => lines.push(`< ${line}`),
    };
    await createChannel(slackBotSettings(slack.url), { ...PARTS, conversation }).send(sampleNotification());
    expect(lines[0]).toBe(`> POST ${slack.url}/chat.postMessage`);
    expect(lines).toContain('> authorization: Bearer xoxb-sample-bot-token');
    expect(lines.some((line) => line.startsWith('< {"ok":true'))).toBe(true);
  });
});

describe('what somebody has to do', () => {
  it.each<[string, string, () => Parameters<typeof slackBotSettings>[1]]>([
    [
      'the bot is not in the channel',
      'not_in_channel (invite the bot into the channel: /invite and its name)',
      () => {
        slack.hasBot = false;
        return {};
      },
    ],
    [
      'the scope is missing',
      'missing_scope (give the app the scope chat:write and install it again)',
      () => {
        slack.refuseNext('missing_scope');
        return {};
      },
    ],
    [
      'the channel is archived',
      'is_archived (the channel is archived; bring it back or set another)',
      () => {
        slack.isArchived = true;
        return {};
      },
    ],
  ])('is said where %s', async (_, word, happen) => {
    await expect(channel(happen()).send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: `chat.postMessage: Slack says ${word}`,
    });
  });

  it('is said where the token is wrong, without the token', async () => {
    await slack.close();
    slack = await SlackApiServer.start('xoxb-another-token');
    await expect(channel().send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'chat.postMessage: Slack says invalid_auth (check bot_token)',
    });
  });
});
