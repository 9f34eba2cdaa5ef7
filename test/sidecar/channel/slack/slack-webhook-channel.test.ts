import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { Channel } from '../../../../sidecar/channel/channel';
import { slackWebhookSettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import { sampleNotification } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver } from '../../../support/webhook-receiver';

const clock = new ManualClock();

let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});
afterEach(() => receiver.close());

function channel(timeoutMs = 5_000): Channel {
  const parts = { clock, project: NO_PROJECT, externalUrl: undefined };
  return createChannel(slackWebhookSettings(receiver.url('/services/T0/B0/x'), { timeoutMs }), parts);
}

function documents(): Record<string, unknown>[] {
  return receiver.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
}

describe('the incoming webhook of Slack', () => {
  it('is asked to unfurl and format nothing', async () => {
    await expect(channel().send(sampleNotification())).resolves.toEqual({ result: 'sent' });
    expect(documents()).toMatchObject([{ mrkdwn: false, unfurl_links: false, unfurl_media: false }]);
  });

  it.each(['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long'])(
    'is told the same without blocks where it does not take them: %s',
    async (body) => {
      receiver.answer({ status: 400, body });
      await expect(channel().send(sampleNotification())).resolves.toEqual({ result: 'sent' });
      const [first, second] = documents();
      expect(first).toHaveProperty('blocks');
      expect(second).not.toHaveProperty('blocks');
      expect(second).toMatchObject({ text: first?.['text'], mrkdwn: false, unfurl_links: false });
    },
  );

  it('is refused where it does not take the text either', async () => {
    receiver.answer({ status: 400, body: 'invalid_blocks' }, { status: 400, body: 'invalid_payload' });
    await expect(channel().send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'answered 400: invalid_payload',
    });
    expect(receiver.requests).toHaveLength(2);
  });

  it('ends within the time of one try, however often it is asked', async () => {
    receiver.answer({ status: 400, body: 'invalid_blocks' }, 'hang');
    void receiver.received(1).then(() => clock.pass(20_000 - 50));
    const startedMs = performance.now();
    await expect(channel(20_000).send(sampleNotification())).resolves.toMatchObject({
      result: 'retry',
      reason: 'no answer (timeout)',
    });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it.each([
    [400, 'invalid_payload'],
    [403, 'action_prohibited'],
    [404, 'no_service'],
    [410, 'channel_is_archived'],
  ])("tells Slack's own word for a %i: %s", async (status, body) => {
    receiver.answer({ status, body });
    await expect(channel().send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: `answered ${status}: ${body}`,
    });
  });

  it('is refused by a page that answers 200 in the place of Slack', async () => {
    receiver.answer({ status: 200, body: '<html>Please log in</html>' });
    await expect(channel().send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'answered 200, but not with Slack\'s "ok"',
    });
  });

  it.each(['T012SECRET', 'no such hook', 'a_b-c', 'x'.repeat(60)])(
    'is told no more than the status where the answer is no word of Slack: %s',
    async (body) => {
      receiver.answer({ status: 403, body });
      await expect(channel().send(sampleNotification())).resolves.toEqual({
        result: 'refused',
        reason: 'answered 403',
      });
    },
  );
});
