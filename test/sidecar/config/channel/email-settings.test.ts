// Email in gatewatch.yml: what each key becomes, what is refused and how.
import { parse } from 'yaml';
import type { EmailChannelSettings } from '../../../../sidecar/config/channel/email-settings';
import { renderConfig } from '../../../../sidecar/config/render-config';
import { Authority } from '../../../support/certificates';
import { configOf, faultsOf } from '../../../support/read-config-text';

const CA = new Authority('the test').cert;
const REST = 'from: gatewatch@example.com, to: [oncall@example.com]';

function textOf(keys: string): string {
  return `channels:\n  - { name: mail, type: email, ${keys} }\n`;
}

function settingsOf(keys: string, files: Readonly<Record<string, string>> = {}): EmailChannelSettings {
  const [channel] = configOf(textOf(keys), { SMTP_PASSWORD: 'p:#"ä' }, files).channels;
  if (channel?.type !== 'email') throw new Error('there is no email channel');
  return channel;
}

describe('an email channel', () => {
  it.each([
    ['', { tls: 'starttls', port: 587 }],
    ['tls: starttls, ', { tls: 'starttls', port: 587 }],
    ['tls: implicit, ', { tls: 'implicit', port: 465 }],
    ['tls: none, ', { tls: 'none', port: 25 }],
    ['tls: implicit, port: 2465, ', { tls: 'implicit', port: 2465 }],
  ])('takes the port that goes with its TLS, unless there is one: %s', (keys, expected) => {
    expect(settingsOf(`host: smtp.example.com, ${keys}${REST}`)).toMatchObject(expected);
  });

  it('logs in with a password of the environment, or of a file without its last line break', () => {
    const keys = `host: smtp.example.com, username: gatewatch, ${REST}`;
    const fromEnvironment = settingsOf(`${keys}, password: "\${SMTP_PASSWORD}"`);
    const fromFile = settingsOf(`${keys}, password_file: /run/secrets/smtp`, {
      '/run/secrets/smtp': 'from a file\n',
    });
    expect(fromEnvironment.login?.password.reveal()).toBe('p:#"ä');
    expect(fromFile.login?.password.reveal()).toBe('from a file');
    expect(settingsOf(`host: smtp.example.com, username: "", password: "", ${REST}`).login).toBeUndefined();
  });

  it('is written as it is read, with a mark for its password', () => {
    const keys = [
      'host: "2001:db8::25", port: 2525, username: gatewatch, password: "${SMTP_PASSWORD}"',
      'from: "Gatewatch <gatewatch@example.com>", to: ["On call <oncall@example.com>", jörg@bücher.example]',
      'ca_file: /etc/ssl/mail-ca.pem',
    ].join(', ');
    const config = configOf(textOf(keys), { SMTP_PASSWORD: 'p:#"ä' }, { '/etc/ssl/mail-ca.pem': CA });
    const [document] = renderConfig(config).split('---\n');
    const { channels } = parse(document ?? '') as { channels: unknown[] };
    expect(channels).toMatchObject([
      {
        ...{ name: 'mail', type: 'email', host: '2001:db8::25', port: 2525, tls: 'starttls' },
        ...{ username: 'gatewatch', password: '<secret>', ca_file: '/etc/ssl/mail-ca.pem' },
        from: 'Gatewatch <gatewatch@example.com>',
        to: ['On call <oncall@example.com>', 'jörg@bücher.example'],
      },
    ]);
    expect(renderConfig(config)).not.toContain('p:#');
  });

  it.each([
    [`host: smtp.example.com, ${REST}, username: gatewatch`, 'found username alone'],
    [`host: smtp.example.com, ${REST}, password: "\${SMTP_PASSWORD}"`, 'found a password alone'],
    [
      `host: smtp.example.com, ${REST}, username: a, password: "\${SMTP_PASSWORD}", password_file: /x`,
      'expected password or password_file, found both',
    ],
    [
      `host: smtp.example.com, ${REST}, tls: none, username: a, password: "\${SMTP_PASSWORD}"`,
      'channels[0].tls: expected starttls or implicit beside a password, which would be sent in plain text, found none',
    ],
    [
      `host: smtp.example.com, ${REST}, tls: ssl`,
      'channels[0].tls: expected one of starttls, implicit, none',
    ],
    [`host: smtp.example.com, ${REST}, port: 0`, 'channels[0].port: expected a whole number from 1 to 65535'],
    [
      `host: "smtp.example.com/x", ${REST}`,
      'channels[0].host: expected the name or address of a mail server',
    ],
    [`host: "a\\r\\nb", ${REST}`, 'channels[0].host: expected the name or address of a mail server'],
    ['host: a, from: gatewatch@example.com, to: []', 'channels[0].to: expected at least one mail address'],
    [
      `host: a, from: gatewatch@example.com, to: [${'a@b.example, '.repeat(51)}]`,
      'expected at most 50 mail addresses',
    ],
    [
      'host: a, from: gatewatch@example.com, to: oncall@example.com',
      'channels[0].to: expected a list of mail addresses',
    ],
    [`host: a, ${REST}, ca_file: /ca.pem`, 'ca_file'],
  ])('with %s is refused', (keys, fault) => {
    const faults = faultsOf(
      textOf(keys),
      { SMTP_PASSWORD: 'sesame' },
      { '/ca.pem': 'no certificate', '/x': 'x' },
    );
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
    expect(faults[0]).not.toContain('sesame');
  });

  it.each([
    'oncall',
    '@example.com',
    'oncall@',
    'a b@example.com',
    'a@b@example.com',
    'a@example.com, b@example.com',
    '<a@example.com>',
    'On call <a@example.com',
    'On, call <a@example.com>',
    'On call <a@example.com>\\r\\nBcc: b@example.com',
    'On\\ncall <a@example.com>',
    'On\\0call <a@example.com>',
    'On\\u202Ecall <a@example.com>',
    'a\\0@example.com',
    'a@example.com\\u2028',
  ])('does not take %s for an address', (address) => {
    for (const keys of [
      `host: a, from: "${address}", to: [a@example.com]`,
      `host: a, from: a@example.com, to: ["${address}"]`,
    ]) {
      const faults = faultsOf(textOf(keys));
      expect(faults).toHaveLength(1);
      expect(faults[0]).toContain(
        'expected a mail address, such as oncall@example.com or On call <oncall@example.com>',
      );
    }
  });
});
