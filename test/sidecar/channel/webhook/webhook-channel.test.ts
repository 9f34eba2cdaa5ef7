import { createHmac } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Channel } from '../../../../sidecar/channel/channel';
import { webhookChannel } from '../../../../sidecar/channel/webhook/webhook-channel';
import type { WebhookChannelSettings } from '../../../../sidecar/config/channel/webhook-settings';
import { Secret } from '../../../../sidecar/config/secret';
import { Authority, type Certificate } from '../../../support/certificates';
import { webhookSettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import { sampleNotification } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { WebhookReceiver, type ReceivedRequest } from '../../../support/webhook-receiver';

const SECRET = 'T0SECRET-path-key';
const clock = new ManualClock(Date.parse('2026-03-01T10:00:00.900Z'));

let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});
afterEach(() => receiver.close());

const TEMPLATE: WebhookChannelSettings['content'] = {
  kind: 'template',
  file: 'chat.liquid',
  text: '{"text": {{ title | json }}}',
  contentType: 'application/json',
};

function channel(
  others: Partial<WebhookChannelSettings> = {},
  url = receiver.url(`/${SECRET}`),
  externalUrl?: string,
): Channel {
  const parts = { clock, project: NO_PROJECT, externalUrl };
  return webhookChannel(webhookSettings(url, others), parts);
}

async function sent(others: Partial<WebhookChannelSettings>): Promise<ReceivedRequest> {
  await expect(channel(others).send(sampleNotification())).resolves.toEqual({ result: 'sent' });
  const [request] = receiver.requests;
  if (!request) throw new Error('nothing came');
  return request;
}

describe('what a webhook is sent', () => {
  it('goes by the method, with the headers, that are configured', async () => {
    const headers = { authorization: new Secret('Bearer key'), 'x-team': new Secret('caf\u00e9') };
    const request = await sent({ method: 'PUT', headers });
    expect(request).toMatchObject({
      method: 'PUT',
      path: `/${SECRET}`,
      headers: {
        authorization: 'Bearer key',
        'x-team': 'caf\u00e9',
        'content-type': 'application/json',
        'user-agent': 'gatewatch',
      },
    });
  });

  it('is what the template writes, of its own media type', async () => {
    const content = { ...TEMPLATE, text: 'Alert: {{ title }}', contentType: 'text/plain; charset=utf-8' };
    const request = await sent({ content });
    expect(request.body).toBe('Alert: CRITICAL: High p95 latency: 812 ms on service slow');
    expect(request.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it.each([undefined, 'https://gatewatch.example'])(
    'says where people reach the sidecar: %s',
    async (externalUrl) => {
      await channel({}, receiver.url(), externalUrl).send(sampleNotification());
      expect(JSON.parse(receiver.requests[0]?.body ?? '')).toMatchObject({ externalURL: externalUrl ?? '' });
    },
  );

  it('has in every try the id of the notification, and the second in which it is tried', async () => {
    const notification = sampleNotification();
    await channel().send(notification);
    clock.pass(5_000);
    await channel().send(notification);
    const metadata = receiver.requests.map(({ headers }) => [
      headers['webhook-id'],
      headers['webhook-timestamp'],
    ]);
    expect(metadata).toEqual([
      [notification.id, '1772359200'],
      [notification.id, '1772359205'],
    ]);
    expect(receiver.requests[0]?.headers).not.toHaveProperty('webhook-signature');
  });
});

describe('the signature of Standard Webhooks', () => {
  const OLD = `whsec_${Buffer.from('the old secret of 24 bytes').toString('base64')}`;
  const NEW = `whsec_${Buffer.from('a new secret of 24 bytes or more').toString('base64')}`;

  it('is one for each secret, over id, time and body as they are sent', async () => {
    const { headers, body } = await sent({ signingSecrets: [new Secret(NEW), new Secret(OLD)] });
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const expected = [NEW, OLD].map((secret) => {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    });
    expect(headers['webhook-signature']).toBe(expected.join(' '));
  });

  it.each([
    ['the old secret', OLD],
    ['the new secret', NEW],
  ])("is verified by a receiver's library that knows %s", async (_, secret) => {
    // The library looks at the time of day.
    const parts = { clock: new ManualClock(Date.now()), project: NO_PROJECT, externalUrl: undefined };
    const signingSecrets = [new Secret(NEW), new Secret(OLD)];
    const notification = sampleNotification({ service: 'M\u00fcnchen \ud800 "quoted"' });
    await webhookChannel(webhookSettings(receiver.url(), { signingSecrets }), parts).send(notification);
    const { headers, body } = receiver.requests[0] as ReceivedRequest;
    const given = headers as Record<string, string>;
    expect(new Webhook(secret).verify(body, given)).toMatchObject({ version: '4' });
    expect(() => new Webhook(secret).verify(`${body} `, given)).toThrow('No matching signature');
  });
});

describe('a webhook of Discord', () => {
  const content = { kind: 'format', format: 'discord' } as const;

  it('waits until the message is saved, unless the address says otherwise', async () => {
    await channel({ content }, receiver.url('/hook?thread_id=7')).send(sampleNotification());
    await channel({ content }, receiver.url('/hook?wait=false')).send(sampleNotification());
    expect(receiver.requests.map(({ path }) => path)).toEqual([
      '/hook?thread_id=7&wait=true',
      '/hook?wait=false',
    ]);
  });

  it('waits as long as the answer says, to the millisecond', async () => {
    const body = JSON.stringify({
      message: 'You are being rate limited.',
      retry_after: 64.57,
      global: false,
    });
    receiver.answer({ status: 429, headers: { 'retry-after': '65' }, body });
    await expect(channel({ content }).send(sampleNotification())).resolves.toEqual({
      result: 'retry',
      reason: 'answered 429',
      afterMs: 64_570,
    });
  });

  it.each([
    [404, 10015, 'unknown webhook'],
    [401, 50027, "the webhook's token is not valid"],
    [400, 50035, 'the form of the message is not valid'],
    [400, 220001, 'a forum, which needs ?thread_id= in the address'],
  ])('says in words what a %i of code %i means', async (status, code, words) => {
    receiver.answer({ status, body: JSON.stringify({ message: SECRET, code }) });
    await expect(channel({ content }).send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: `answered ${status}: ${words}`,
    });
  });

  it('says nothing of a code that it does not know', async () => {
    receiver.answer({ status: 400, body: JSON.stringify({ code: 123456 }) });
    await expect(channel({ content }).send(sampleNotification())).resolves.toMatchObject({
      reason: 'answered 400',
    });
  });
});

describe('a webhook whose address leads into a private network', () => {
  it('is refused with the key that opens it, and opened by it', async () => {
    await expect(channel({ allowsPrivateAddresses: false }).send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'the address leads into a private network, which only allow_private_addresses: true opens',
    });
    expect(receiver.requests).toEqual([]);
    await expect(channel({ allowsPrivateAddresses: true }).send(sampleNotification())).resolves.toEqual({
      result: 'sent',
    });
  });

  it('is refused by its name too', async () => {
    const url = receiver.url().replace('127.0.0.1', 'localhost');
    const outcome = await channel({ allowsPrivateAddresses: false }, url).send(sampleNotification());
    expect([outcome.result, receiver.requests]).toEqual(['refused', []]);
  });
});

describe('a webhook', () => {
  it('goes past the proxy that the environment names', async () => {
    const proxy = await WebhookReceiver.start();
    const before = { ...process.env };
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'])
      process.env[name] = proxy.url();
    try {
      await expect(channel().send(sampleNotification())).resolves.toEqual({ result: 'sent' });
    } finally {
      process.env = before;
      await proxy.close();
    }
    expect([receiver.requests.length, proxy.requests.length]).toEqual([1, 0]);
  });

  it('tells what is said and answered, and why a message was not sent', async () => {
    const lines: string[] = [];
    const conversation = {
      said: (line: string) => lines.push(`> ${line}`),
      heard: (line: string) => lines.push(`< ${line}`),
    };
    const parts = { clock, project: NO_PROJECT, externalUrl: undefined, conversation };
    const settings = webhookSettings(receiver.url('/hook'), { content: TEMPLATE });
    await webhookChannel(settings, parts).send(sampleNotification());
    await webhookChannel({ ...settings, content: { ...TEMPLATE, text: '{{ x }}' } }, parts).send(
      sampleNotification(),
    );
    expect(lines).toContain(`> POST ${receiver.url('/hook')}`);
    expect(lines).toContain('> {"text": "CRITICAL: High p95 latency: 812 ms on service slow"}');
    expect(lines).toContain('< 200');
    expect(lines.at(-1)).toBe(
      '< (not sent: the template chat.liquid: line 1, column 4: there is no variable x)',
    );
  });
});

describe('a webhook over TLS', () => {
  const authority = new Authority('Gatewatch test authority');
  let server: ReturnType<typeof createServer>;
  let came: string[];

  async function listen({ cert, key }: Certificate): Promise<string> {
    came = [];
    server = createServer({ cert, key }, (request, response) => {
      came.push(String(request.headers['webhook-id']));
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `https://localhost:${(server.address() as AddressInfo).port}/`;
  }
  afterEach(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  it('trusts the authority of ca_file', async () => {
    const url = await listen(authority.issue('localhost'));
    const ca = { file: 'ca.pem', pem: authority.cert };
    const notification = sampleNotification();
    await expect(channel({ ca }, url).send(notification)).resolves.toEqual({ result: 'sent' });
    expect(came).toEqual([notification.id]);
  });

  it.each([
    ['one that Node.js does not know', undefined],
    ['another than that of ca_file', new Authority('another').cert],
  ])('trusts no authority but it: %s', async (_, pem) => {
    const url = await listen(authority.issue('localhost'));
    const ca = pem === undefined ? undefined : { file: 'ca.pem', pem };
    const outcome = await channel({ ca }, url).send(sampleNotification());
    expect(outcome).toMatchObject({
      result: 'refused',
      reason: expect.stringMatching(
        /^the receiver's certificate is not trusted \([A-Z_]+\): name its authority in ca_file/,
      ) as string,
    });
    expect(came).toEqual([]);
  });

  it('talks to nobody who has a certificate for another name', async () => {
    const url = (await listen(authority.issue('localhost'))).replace('localhost', '127.0.0.2');
    const ca = { file: 'ca.pem', pem: authority.cert };
    server.close();
    await new Promise<void>((resolve) => server.listen(Number(new URL(url).port), '127.0.0.2', resolve));
    await expect(channel({ ca }, url).send(sampleNotification())).resolves.toMatchObject({
      result: 'refused',
      reason:
        "the receiver's certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID): check its address",
    });
    expect(came).toEqual([]);
  });
});
