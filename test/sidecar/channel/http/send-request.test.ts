import { postJson } from '../../../../sidecar/channel/http/post-json';
import { MAX_ANSWER_BYTES } from '../../../../sidecar/channel/http/send-request';
import { Secret } from '../../../../sidecar/config/secret';
import { WebhookReceiver } from '../../../support/webhook-receiver';

describe('a request', () => {
  it('keeps only the beginning of an answer that does not end', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.answer({ status: 200, flow: 'endless' });
    const answer = await postJson(new Secret(receiver.url()), {}, 20_000);
    expect(answer).toEqual({
      kind: 'answer',
      status: 200,
      retryAfter: undefined,
      body: 'x'.repeat(MAX_ANSWER_BYTES),
      broken: false,
    });
    await receiver.close();
  });
});
