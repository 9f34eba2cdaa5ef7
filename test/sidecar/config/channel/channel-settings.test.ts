// Channels as gatewatch.yml has them: what each key becomes, what is refused and how, and back to the file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { renderConfig } from '../../../../sidecar/config/render-config';
import { Secret } from '../../../../sidecar/config/secret';
import { Authority } from '../../../support/certificates';
import { configOf, faultsOf } from '../../../support/read-config-text';

const SHIPPED = readFileSync(join(__dirname, '../../../../sidecar/gatewatch.yml'), 'utf8');
const CA = new Authority('the test').cert;
const KEY = '0123456789abcdef0123456789abcdef';
const SIGNING = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

const ENVIRONMENT = {
  SLACK_BOT_TOKEN: 'xoxb-1234567890-abcdef',
  SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x',
  PAGERDUTY_ROUTING_KEY: KEY,
  SMTP_PASSWORD: 'a password: with #signs',
  TICKETS_TOKEN: 'ticket-token',
  WEBHOOK_SECRET: SIGNING,
  SENTRY_SPOTLIGHT: '1',
};

function examples() {
  const text = SHIPPED.slice(SHIPPED.indexOf('# channels:\n')).replace(/^# ?/gm, '');
  const files = { '/etc/ssl/mail-ca.pem': CA, '/etc/ssl/tickets-ca.pem': CA };
  return configOf(text, ENVIRONMENT, files);
}

function channels(...lines: string[]): string {
  return `channels:\n${lines.map((line) => `  - { ${line} }\n`).join('')}`;
}

describe('the examples of channels in the shipped gatewatch.yml', () => {
  it('are right when the comment is taken away, and say the defaults', () => {
    const found = examples().channels.map(({ name, type, timeoutMs, delivery }) => [
      name,
      type,
      timeoutMs,
      delivery,
    ]);
    const usual = { deadlineMs: 3_600_000, fallback: undefined, maxInFlight: 4 };
    expect(found).toEqual([
      ['oncall', 'slack', 10_000, { ...usual, deadlineMs: 300_000, fallback: 'phone', maxPerMinute: 60 }],
      ['team', 'slack', 10_000, { ...usual, maxPerMinute: 60 }],
      ['phone', 'pagerduty', 10_000, { ...usual, maxPerMinute: 120 }],
      ['mail', 'email', 10_000, { ...usual, maxPerMinute: 60 }],
      ['tickets', 'webhook', 10_000, { ...usual, maxPerMinute: 600 }],
      ['cluster', 'alertmanager', 10_000, { ...usual, maxPerMinute: 600 }],
      ['issues', 'sentry', 10_000, { ...usual, maxPerMinute: 600 }],
    ]);
  });

  it('become settings in which every secret is one', () => {
    const config = examples();
    const [oncall, , phone, mail, tickets] = config.channels;
    expect(oncall).toMatchObject({ through: { kind: 'bot', conversation: 'C0123456789' } });
    expect(phone?.type === 'pagerduty' && phone.routingKey.reveal()).toBe(KEY);
    expect(mail?.type === 'email' && mail.login?.password.reveal()).toBe(ENVIRONMENT.SMTP_PASSWORD);
    expect(mail).toMatchObject({ port: 587, tls: 'starttls', to: ['oncall@example.com'], ca: { pem: CA } });
    if (tickets?.type !== 'webhook') throw new Error('no webhook');
    expect(tickets.headers['authorization']?.reveal()).toBe('Bearer ticket-token');
    expect(tickets.signingSecrets.map((secret) => secret.reveal())).toEqual([SIGNING]);
    const shown = renderConfig(config);
    for (const secret of Object.values(ENVIRONMENT))
      if (secret.length > 1)
        expect({ secret, isShown: shown.includes(secret) }).toEqual({ secret, isShown: false });
  });

  it('are written as they are read, with a mark in the place of each secret', () => {
    const [document] = renderConfig(examples()).split('---\n');
    const { channels: written } = parse(document ?? '') as { channels: unknown[] };
    const mark = new Secret('').toString();
    expect(written).toMatchObject([
      { bot_token: mark, channel: 'C0123456789', deadline: '5m', fallback: 'phone' },
      { webhook_url: mark },
      { routing_key: mark, change_events: true },
      { host: 'smtp.example.com', tls: 'starttls', password: mark, ca_file: '/etc/ssl/mail-ca.pem' },
      { url: mark, method: 'POST', headers: { authorization: mark }, signing_secrets: [mark] },
      { urls: [mark, mark], resend_interval: '1m' },
      { type: 'sentry' },
    ]);
  });
});

describe('who is told where there is no escalation', () => {
  it('is every channel but an Alertmanager and those that are told in the place of another', () => {
    const { notifications } = configOf(
      channels(
        'name: a, type: webhook, url: "https://a.example", fallback: b',
        'name: b, type: webhook, url: "https://b.example"',
        'name: c, type: webhook, url: "https://c.example"',
        'name: am, type: alertmanager, urls: ["http://am:9093"]',
      ),
    );
    expect(notifications.escalation.map((step) => step.channels)).toEqual([['a', 'c']]);
  });
});

describe('a channel is refused for', () => {
  const SLACK = 'name: a, type: slack';
  const HOOK = 'name: a, type: webhook, url: "https://a.example"';
  const MAIL = 'name: a, type: email, host: h, from: a@b.example, to: [c@d.example]';
  it.each<[what: string, text: string, fault: string]>([
    [
      'two ways into Slack',
      channels(
        `${SLACK}, webhook_url: "https://x.example/y", bot_token: xoxb-12345678, channel: C0123456789`,
      ),
      'channels[0].bot_token: expected webhook_url or bot_token, found both',
    ],
    [
      'no way into Slack',
      channels(SLACK),
      'webhook_url, webhook_url_file, bot_token or bot_token_file, found none of them',
    ],
    [
      'a bot without a channel',
      channels(`${SLACK}, bot_token: xoxb-12345678`),
      'channel beside bot_token, found none',
    ],
    [
      "a channel's name in the place of its id",
      channels(`${SLACK}, bot_token: xoxb-12345678, channel: "#alerts"`),
      'channels[0].channel: expected the id of a channel, such as C0123456789',
    ],
    [
      'a token of another kind',
      channels(`${SLACK}, bot_token: xoxp-12345678, channel: C0123456789`),
      'xoxb-',
    ],
    ['a short routing key', channels('name: a, type: pagerduty, routing_key: abc'), '32 letters and digits'],
    ['a password without a name', channels(`${MAIL}, password: x`), 'username and password'],
    [
      'a password in plain text',
      channels(`${MAIL}, username: u, password: x, tls: none`),
      'channels[0].tls: expected starttls or implicit beside a password',
    ],
    [
      'an address that breaks a header',
      channels(MAIL.replace('c@d.example', '"c@d.example\\r\\nBcc: x@y.example"')),
      'a mail address',
    ],
    ['nobody to write to', channels(MAIL.replace('[c@d.example]', '[]')), 'at least one mail address'],
    [
      'a format and a template',
      channels(`${HOOK}, format: teams, template_file: /t`),
      'format or template_file, found both',
    ],
    [
      'a media type without a template',
      channels(`${HOOK}, content_type: text/plain`),
      'content_type only beside template_file',
    ],
    [
      'a header of the connection',
      channels(`${HOOK}, headers: { Host: x }`),
      'names and values of HTTP headers',
    ],
    [
      'a header that breaks the request',
      channels(`${HOOK}, headers: { X-A: "a\\r\\nb: c" }`),
      'names and values of HTTP headers',
    ],
    [
      'a short signing secret',
      channels(`${HOOK}, signing_secrets: [whsec_YWJj]`),
      '24 to 64 bytes in Base64',
    ],
    [
      'a file of certificates that is none',
      channels(`${HOOK}, ca_file: /ca`),
      'the path of a file with certificates in PEM',
    ],
    [
      'a template that cannot be read',
      channels(`${HOOK}, template_file: /t`),
      'the path of a file with a Liquid template without mistakes (line 1',
    ],
    [
      'a file that there is not',
      channels(`${HOOK}, template_file: /nowhere`),
      'the path of a readable file, found one that is not (ENOENT)',
    ],
    ['no Alertmanager', channels('name: a, type: alertmanager, urls: []'), 'a list of addresses'],
    [
      'a fallback that there is not',
      channels(`${HOOK}, fallback: b`),
      'channels[0].fallback: expected the name of another channel, found "b"',
    ],
    [
      'itself as its fallback',
      channels(`${HOOK}, fallback: a`),
      'whose own fallbacks do not come back to it',
    ],
    [
      'fallbacks that go round',
      channels(`${HOOK}, fallback: b`, `${HOOK.replace('name: a', 'name: b')}, fallback: a`),
      'whose own fallbacks do not come back to it',
    ],
    [
      'too many fallbacks',
      channels(
        ...['a', 'b', 'c', 'd', 'e'].map((name, index, names) => {
          const next = names[index + 1];
          return `${HOOK.replace('name: a', `name: ${name}`)}${next ? `, fallback: ${next}` : ''}`;
        }),
      ),
      'at most 3 fallbacks',
    ],
    [
      'an Alertmanager as fallback',
      channels(`${HOOK}, fallback: b`, 'name: b, type: alertmanager, urls: ["http://am:9093"]'),
      'no Alertmanager',
    ],
    [
      'an Alertmanager in a step of the escalation',
      `${channels('name: b, type: alertmanager, urls: ["http://am:9093"]')}notifications:\n  escalation: [{ after: 0s, channels: [b] }]\n`,
      'the name of a channel, of which there is none, found "b"',
    ],
    ['a type that every object knows', channels('name: a, type: constructor'), 'slack, email, pagerduty'],
    ['a deadline of a day', channels(`${HOOK}, deadline: 1d`), 'a duration from 10s to 1h'],
  ])('%s, and says what is right', (_, text, fault) => {
    const faults = faultsOf(text, {}, { '/ca': 'not a certificate', '/t': '{% if %}' });
    expect(faults.join('\n')).toContain(fault);
  });

  it('the whole address of the API of an Alertmanager, to which it is added', () => {
    expect(faultsOf(channels('name: a, type: alertmanager, urls: ["http://am:9093/api/v2/alerts"]'))).toEqual(
      [expect.stringContaining('expected the address of an Alertmanager without /api/v2/alerts')],
    );
  });

  it('nothing, with its secret shown, where the secret is in a list or a header', () => {
    const secret = 'planted-secret-value';
    const faults = [
      channels(`${HOOK}, headers: { X-Key: "${secret}\\n" }`),
      channels(`${HOOK}, signing_secrets: [${secret}]`),
      channels(`name: a, type: alertmanager, urls: ["ftp://${secret}"]`),
      channels(`name: a, type: alertmanager, urls: ["http://x/\${KEY}", 5]`),
    ].flatMap((text) => faultsOf(text, { KEY: secret }));
    expect(faults).toHaveLength(4);
    expect(faults.join('\n')).not.toContain(secret);
  });
});
