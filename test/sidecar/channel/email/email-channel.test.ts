// What is particular to mail: a server that fails in every way at every moment of one, TLS, several receivers, and replies.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Channel, Conversation, Outcome } from '../../../../sidecar/channel/channel';
import { createChannel } from '../../../../sidecar/channel/create-channels';
import type { EmailChannelSettings } from '../../../../sidecar/config/channel/email-settings';
import { Secret } from '../../../../sidecar/config/secret';
import { Authority, type Certificate } from '../../../support/certificates';
import { emailSettings } from '../../../support/channel-settings';
import { ManualClock } from '../../../support/manual-clock';
import { describeWith } from '../../../support/program';
import { SAMPLE_STARTED_MS, sampleNotification, sampleResolved } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { parseMail } from '../../../support/smtp-mail';
import {
  SMTP_MOMENTS,
  SmtpReceiver,
  USUAL_EXTENSIONS,
  type SmtpMoment,
  type SmtpReceiverOptions,
  type SmtpScript,
} from '../../../support/smtp-receiver';

jest.setTimeout(30_000);

const PASSWORD = 'open-sesame-7.2.9';
const PARTS = {
  clock: new ManualClock(SAMPLE_STARTED_MS),
  project: NO_PROJECT,
  externalUrl: undefined,
};
const authority = new Authority('Authority of the Tests');
const certificate = authority.issue('mail.example.com');

const receivers: SmtpReceiver[] = [];

afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});

async function startReceiver(options: SmtpReceiverOptions = { certificate }): Promise<SmtpReceiver> {
  const receiver = await SmtpReceiver.start(options);
  receivers.push(receiver);
  return receiver;
}

/** With STARTTLS and a login, unless `changes` say otherwise. */
function settingsOf(
  { port }: SmtpReceiver,
  changes: Partial<EmailChannelSettings> = {},
): EmailChannelSettings {
  return emailSettings(port, {
    tls: 'starttls',
    login: { username: 'gatewatch', password: new Secret(PASSWORD) },
    ca: { file: 'ca.pem', pem: authority.cert },
    timeoutMs: 20_000,
    ...changes,
  });
}

function channelOf(
  receiver: SmtpReceiver,
  changes: Partial<EmailChannelSettings> = {},
  conversation?: Conversation,
): Channel {
  return createChannel(settingsOf(receiver, changes), {
    ...PARTS,
    ...(conversation === undefined ? {} : { conversation }),
  });
}

/** Sends one mail to a server that says this at that moment, and waits until it has left. */
async function sendWith(
  moment: SmtpMoment,
  script: SmtpScript,
  changes: Partial<EmailChannelSettings> = {},
  options: SmtpReceiverOptions = { certificate },
): Promise<Outcome> {
  const receiver = await startReceiver(options);
  receiver.answer(moment, script);
  const outcome = await channelOf(receiver, changes).send(sampleNotification());
  await receiver.left();
  expect(receiver.connections).toBe(1);
  expect(receiver.mails).toEqual([]);
  return outcome;
}

/** What a no is about, and what an operator is told to do where it is for good. */
const NO: Readonly<Record<(typeof SMTP_MOMENTS)[number], [what: string, hint: string]>> = {
  greeting: ['any mail from here', ''],
  EHLO: ['EHLO', ''],
  STARTTLS: [
    'STARTTLS',
    ': the server offers no STARTTLS, and nothing is sent in plain text: check host, port and tls',
  ],
  AUTH: ['login', ': check username and password'],
  MAIL: ['sender', ': check from'],
  RCPT: ['receivers', ': check to'],
  DATA: ['mail', ''],
  mail: ['mail', ''],
};

const MISSING: Readonly<Record<(typeof SMTP_MOMENTS)[number], string>> = {
  greeting: 'no greeting',
  EHLO: 'no answer to EHLO',
  STARTTLS: 'no answer to STARTTLS',
  AUTH: 'no answer to the login',
  MAIL: 'no answer to the sender',
  RCPT: 'no answer to the receivers',
  DATA: 'no answer to the mail',
  mail: 'no answer to the mail',
};

/** Waits for the answer to each command before the next one. */
const STEP_BY_STEP: SmtpReceiverOptions = {
  certificate,
  extensions: USUAL_EXTENSIONS.filter((name) => name !== 'PIPELINING'),
};

describe('the email channel', () => {
  it.each<[string, Partial<EmailChannelSettings>, SmtpReceiverOptions, boolean]>([
    ['STARTTLS', { tls: 'starttls' }, { certificate }, true],
    ['TLS from the first byte', { tls: 'implicit' }, { certificate, tls: 'implicit' }, true],
    ['no TLS', { tls: 'none', login: undefined }, {}, false],
  ])('sends one mail for all receivers with %s', async (_, changes, options, isSecure) => {
    const receiver = await startReceiver(options);
    const to = ['On call <oncall@example.com>', 'boss@example.com', 'boss@example.com'];
    const outcome = await channelOf(receiver, { ...changes, to }).send(sampleNotification());
    expect(outcome).toMatchObject({ result: 'sent' });
    expect(receiver.mails).toMatchObject([
      {
        from: 'gatewatch@example.com',
        to: ['oncall@example.com', 'boss@example.com'],
        login: isSecure ? `gatewatch\0${PASSWORD}` : undefined,
        isSecure,
      },
    ]);
    await receiver.left();
    expect(receiver.lines.at(-1)).toBe('QUIT');
  });

  it.each(['AUTH PLAIN', 'AUTH LOGIN'])('logs in with %s', async (extension) => {
    const receiver = await startReceiver({ certificate, extensions: [extension] });
    await channelOf(receiver).send(sampleNotification());
    expect(receiver.mails.map(({ login }) => login)).toEqual([`gatewatch\0${PASSWORD}`]);
  });

  it('does not wait for the goodbye', async () => {
    const receiver = await startReceiver();
    receiver.answer('QUIT', 'hang');
    await expect(channelOf(receiver).send(sampleNotification())).resolves.toMatchObject({ result: 'sent' });
    await receiver.left();
  });

  describe.each([
    ['all at once', { certificate }],
    ['step by step', STEP_BY_STEP],
  ])('that says %s whom a mail is from and for', (_, options) => {
    it.each(SMTP_MOMENTS)('is retried on a 4yz: %s', async (moment) => {
      await expect(sendWith(moment, { say: '451 4.3.0 Later' }, {}, options)).resolves.toEqual({
        result: 'retry',
        reason: `${NO[moment][0]} put off (451 4.3.0)`,
        afterMs: undefined,
      });
    });

    it.each(SMTP_MOMENTS)('is refused on a 5yz: %s', async (moment) => {
      const [what, hint] = NO[moment];
      await expect(sendWith(moment, { say: '554 5.7.1 No' }, {}, options)).resolves.toEqual({
        result: 'refused',
        reason: `${what} refused (554 5.7.1)${hint}`,
      });
    });

    it.each(SMTP_MOMENTS)('is retried when the server is about to leave: %s', async (moment) => {
      await expect(sendWith(moment, { say: '421 4.3.2 Good night' }, {}, options)).resolves.toMatchObject({
        result: 'retry',
        // Of which of the commands that were said together nodemailer does not tell.
        reason: expect.stringMatching(/^[A-Za-z ]+ put off \(421 4\.3\.2\)$/) as string,
      });
    });
  });

  it.each(SMTP_MOMENTS)('is retried on garbage: %s', async (moment) => {
    await expect(sendWith(moment, 'garbage', {}, STEP_BY_STEP)).resolves.toEqual({
      result: 'retry',
      reason: moment === 'RCPT' ? 'receivers put off (not SMTP)' : `${MISSING[moment]} (not SMTP)`,
      afterMs: undefined,
    });
  });

  it.each(SMTP_MOMENTS)('is retried on an answer of 5 MB: %s', async (moment) => {
    await expect(sendWith(moment, 'huge', {}, STEP_BY_STEP)).resolves.toMatchObject({
      result: 'retry',
      reason: `${MISSING[moment]} (not SMTP)`,
    });
  });

  it.each(SMTP_MOMENTS)('is retried on an answer without an end: %s', async (moment) => {
    await expect(sendWith(moment, 'endless', {}, STEP_BY_STEP)).resolves.toMatchObject({
      result: 'retry',
      reason: `${MISSING[moment]} (not SMTP)`,
    });
  });

  it.each(SMTP_MOMENTS)('is retried after a reset: %s', async (moment) => {
    await expect(sendWith(moment, 'reset', {}, STEP_BY_STEP)).resolves.toMatchObject({
      result: 'retry',
      // Without a greeting it depends on who is faster.
      reason: expect.stringMatching(
        moment === 'greeting' ? /^no (?:connection|greeting) \(ECONNRESET\)$/ : MISSING[moment],
      ) as string,
    });
  });

  it.each(SMTP_MOMENTS)('is retried when the connection is closed: %s', async (moment) => {
    await expect(sendWith(moment, 'close', {}, STEP_BY_STEP)).resolves.toMatchObject({
      result: 'retry',
      reason: `${MISSING[moment]} (connection closed)`,
    });
  });

  it('gives up when its timeout is over, and leaves, at every moment', async () => {
    const all = SMTP_MOMENTS.flatMap((moment) => [[moment, 'hang'] as const, [moment, 'drip'] as const]);
    const outcomes = await Promise.all(
      all.map(([moment, script]) => sendWith(moment, script, { timeoutMs: 5_000 }, STEP_BY_STEP)),
    );
    expect(outcomes).toEqual(
      all.map(([moment]) => ({
        result: 'retry',
        reason: `${MISSING[moment]} (timeout)`,
        afterMs: undefined,
      })),
    );
  });

  it.each([...SMTP_MOMENTS.map((moment) => [moment, '535 5.7.8'] as const), ['AUTH', '454'] as const])(
    'tells nothing of what the server wrote but its numbers: %s',
    async (moment, numbers) => {
      const say = `${numbers} ${PASSWORD} is no password of gatewatch at 127.0.0.1, see https://example.com/${PASSWORD}`;
      const outcome = await sendWith(moment, { say });
      expect(outcome).toMatchObject({ reason: expect.stringContaining(`(${numbers})`) as string });
      for (const word of [PASSWORD, '127.0.0.1', 'example.com', '7.2.9'])
        expect(JSON.stringify(outcome)).not.toContain(word);
    },
  );

  it.each<[string, string]>([
    ['550-5.1.1 first\n550 5.1.1 last', 'receivers refused (550 5.1.1): check to'],
    ['550', 'receivers refused (550): check to'],
    ['550 5.1.1234 x', 'receivers refused (550): check to'],
    ['550 2.1.1 x', 'receivers refused (550): check to'],
    ['530 5.7.0 x', 'receivers refused (530 5.7.0): the server wants a login: set username and password'],
  ])('tells the numbers of %j', async (say, reason) => {
    await expect(sendWith('RCPT', { say })).resolves.toEqual({ result: 'refused', reason });
  });

  it.each(['200', '2ok', '250ok'])(
    'takes %j behind the mail for no yes unless it is an answer of SMTP',
    async (say) => {
      const receiver = await startReceiver();
      receiver.answer('mail', { say });
      const outcome = await channelOf(receiver).send(sampleNotification());
      expect(outcome).toMatchObject(
        say === '200' ? { result: 'sent' } : { result: 'retry', reason: 'no answer to the mail (not SMTP)' },
      );
    },
  );

  it('does not send a mail that is larger than the server takes', async () => {
    const receiver = await startReceiver({ certificate, extensions: ['SIZE 1000', 'AUTH PLAIN'] });
    await expect(channelOf(receiver).send(sampleNotification())).resolves.toEqual({
      result: 'refused',
      reason: 'the mail is larger than the server takes',
    });
    expect(receiver.lines.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  it('goes through without a login where none is configured', async () => {
    const receiver = await startReceiver();
    await channelOf(receiver, { login: undefined }).send(sampleNotification());
    expect(receiver.mails).toMatchObject([{ login: undefined, isSecure: true }]);
  });

  it('tells its whole conversation, but not what it logs in with', async () => {
    const receiver = await startReceiver(STEP_BY_STEP);
    const lines: string[] = [];
    const conversation: Conversation = {
      said: (line) => lines.push(`> ${line}`),
      heard: (line) => lines.push(`< ${line}`),
    };
    await channelOf(receiver, {}, conversation).send(sampleNotification());
    const [mail] = receiver.mails;
    const at = lines.indexOf('< 354 Go ahead');
    expect(lines.slice(0, at)).toEqual([
      '> (connected)',
      '< 220 mail.example.com ESMTP',
      expect.stringMatching(/^> EHLO /) as string,
      '< 250-mail.example.com',
      '< 250-SIZE 52428800',
      '< 250-8BITMIME',
      '< 250-AUTH PLAIN LOGIN',
      '< 250 STARTTLS',
      '> STARTTLS',
      '< 220 2.0.0 Ready',
      '> (in TLS from here on)',
      expect.stringMatching(/^> EHLO /) as string,
      '< 250-mail.example.com',
      '< 250-SIZE 52428800',
      '< 250-8BITMIME',
      '< 250 AUTH PLAIN LOGIN',
      `> AUTH PLAIN ${Buffer.from('\0gatewatch\0/* secret */').toString('base64')}`,
      '< 235 2.7.0 Accepted',
      expect.stringMatching(/^> MAIL FROM:<gatewatch@example\.com> SIZE=\d+$/) as string,
      '< 250 2.1.0 Ok',
      '> RCPT TO:<oncall@example.com>',
      '< 250 2.1.5 Ok',
      '> DATA',
    ]);
    const end = lines.indexOf('> .');
    expect(
      lines
        .slice(at + 1, end)
        .join('\r\n')
        .replace(/^> /gm, ''),
    ).toBe(mail?.data.replace(/\r\n$/, ''));
    expect(lines[end + 1]).toBe('< 250 2.0.0 Ok: queued');
    expect(lines.join('\n')).not.toContain(PASSWORD);
  });

  it('tells its conversation when no answer came', async () => {
    const receiver = await startReceiver();
    receiver.answer('EHLO', 'reset');
    const heard: string[] = [];
    const conversation: Conversation = { said: () => undefined, heard: (line) => heard.push(line) };
    await channelOf(receiver, {}, conversation).send(sampleNotification());
    expect(heard).toEqual(['220 mail.example.com ESMTP', '(no answer: ECONNRESET)']);
  });
});

describe('TLS of the email channel', () => {
  it.each(['502 5.5.1 What is that?', '500 What?', '220 2.0.0 Ready'])(
    'is not done without where the server offers none: it says %s to STARTTLS',
    async (say) => {
      const receiver = await startReceiver({});
      receiver.answer('STARTTLS', { say });
      const outcome = await channelOf(receiver, { timeoutMs: 2_000 }).send(sampleNotification());
      expect(outcome.result).toBe(say.startsWith('5') ? 'refused' : 'retry');
      await receiver.left();
      const verbs = receiver.lines.map((line) => line.split(' ')[0] ?? '');
      expect(verbs.filter((verb) => /^[A-Z]+$/.test(verb))).toEqual(['EHLO', 'STARTTLS']);
    },
  );

  const stranger = new Authority('Somebody Else');

  describe.each(['starttls', 'implicit'] as const)('%s', (tls) => {
    async function outcomeWith(
      shown: Certificate,
      changes: Partial<EmailChannelSettings>,
      address = '127.0.0.1',
    ) {
      const receiver = await startReceiver({ certificate: shown, tls, address });
      const outcome = await channelOf(receiver, { tls, host: address, ...changes }).send(
        sampleNotification(),
      );
      await receiver.left();
      expect(receiver.lines.some((line) => line.startsWith('AUTH'))).toBe(false);
      expect(receiver.mails).toEqual([]);
      return outcome;
    }

    it('is refused where the authority is not the one that is trusted', async () => {
      await expect(outcomeWith(stranger.issue('mail.example.com'), {})).resolves.toEqual({
        result: 'refused',
        reason:
          "the server's certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE): name its authority in ca_file",
      });
    });

    it('is refused where the certificate is its own authority', async () => {
      await expect(outcomeWith(stranger, { ca: undefined })).resolves.toMatchObject({
        result: 'refused',
        reason: expect.stringContaining(
          '(DEPTH_ZERO_SELF_SIGNED_CERT): name its authority in ca_file',
        ) as string,
      });
    });

    it('is refused where the certificate is for another name', async () => {
      await expect(outcomeWith(certificate, {}, '127.0.0.2')).resolves.toEqual({
        result: 'refused',
        reason: "the server's certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID): check host",
      });
    });

    it('is verified whatever the environment says', async () => {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        await expect(outcomeWith(stranger.issue('mail.example.com'), {})).resolves.toMatchObject({
          result: 'refused',
        });
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      }
    });

    describeWith('openssl', 'with a certificate of yesterday', (openssl) => {
      it('is retried, since it may be renewed', async () => {
        const expired = expiredCertificate(openssl);
        await expect(outcomeWith(expired, { ca: { file: 'ca.pem', pem: expired.cert } })).resolves.toEqual({
          result: 'retry',
          reason: "the server's certificate is not valid today (CERT_HAS_EXPIRED)",
          afterMs: undefined,
        });
      });
    });
  });

  it('is retried where a server does not speak it from the first byte', async () => {
    const receiver = await startReceiver({});
    const outcome = await channelOf(receiver, { tls: 'implicit' }).send(sampleNotification());
    expect(outcome).toMatchObject({
      result: 'retry',
      reason: expect.stringMatching(/^no connection \([A-Z0-9_]+\)$/) as string,
    });
  });

  it('finds the server by its name', async () => {
    const receiver = await startReceiver({ certificate, tls: 'implicit' });
    const outcome = await channelOf(receiver, { tls: 'implicit', host: 'localhost' }).send(
      sampleNotification(),
    );
    expect(outcome).toMatchObject({ result: 'sent' });
  });
});

describe('a mail that not all receivers take', () => {
  const to = ['a@example.com', 'b@example.com', 'c@example.com'];
  const yes = { say: '250 2.1.5 Ok' };
  const later = { say: '450 4.2.0 Later' };
  const no = { say: '550 5.1.1 No' };

  it.each<[string, SmtpScript[], object]>([
    [
      'one is put off',
      [yes, later, yes],
      { result: 'retry', reason: '1 of 3 receivers put off (450 4.2.0); the others have it' },
    ],
    [
      'one is put off and one refused',
      [no, later, yes],
      { result: 'retry', reason: '2 of 3 receivers put off (550 5.1.1, 450 4.2.0); the others have it' },
    ],
    [
      'two are refused',
      [no, yes, no],
      { result: 'sent', warning: '2 of 3 receivers refused (550 5.1.1); the others have it' },
    ],
    [
      'all are refused',
      [no, no, no],
      { result: 'refused', reason: 'receivers refused (550 5.1.1): check to' },
    ],
    [
      'all are refused, one of them for now',
      [no, later, no],
      { result: 'retry', reason: 'receivers put off (550 5.1.1, 450 4.2.0)' },
    ],
  ])('when %s', async (_, scripts, outcome) => {
    const receiver = await startReceiver();
    receiver.answer('RCPT', ...scripts);
    await expect(channelOf(receiver, { to }).send(sampleNotification())).resolves.toMatchObject(outcome);
    expect(receiver.mails.map((mail) => mail.to)).toEqual(
      scripts.includes(yes) ? [to.filter((_address, index) => scripts[index] === yes)] : [],
    );
  });

  it('goes to those alone who do not have it, as the same mail, until all have it', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver, { to });
    const notification = sampleNotification();
    receiver.answer('RCPT', later, yes, later);
    const first = await channel.send(notification);
    receiver.answer('RCPT', yes, later);
    const second = await channel.send(notification, first.thread);
    const third = await channel.send(notification, second.thread);
    const repeated = await channel.send(notification, third.thread);
    expect([first, second, third, repeated].map(({ result }) => result)).toEqual([
      'retry',
      'retry',
      'sent',
      'sent',
    ]);
    expect(receiver.mails.map((mail) => mail.to)).toEqual([
      ['b@example.com'],
      ['a@example.com'],
      ['c@example.com'],
      to,
    ]);
    expect(new Set(receiver.mails.map(({ data }) => data)).size).toBe(1);
    expect(third.thread).toEqual({
      root_id: first.thread?.['root_id'],
      last_id: first.thread?.['root_id'],
      subject: 'CRITICAL: High p95 latency: 812 ms on service slow',
    });
  });

  it('is sent, with a warning, once those who are left are refused for good', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver, { to });
    const notification = sampleNotification();
    receiver.answer('RCPT', yes, later, no);
    const first = await channel.send(notification);
    receiver.answer('RCPT', no, no);
    const second = await channel.send(notification, first.thread);
    expect(second).toEqual({
      result: 'sent',
      warning: '2 of 3 receivers refused (550 5.1.1); the others have it',
    });
    expect(receiver.mails).toHaveLength(1);
  });

  it('is refused for those who are left when it no longer gets that far', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver, { to });
    const notification = sampleNotification();
    receiver.answer('RCPT', yes, later, yes);
    const first = await channel.send(notification);
    receiver.answer('AUTH', { say: '535 5.7.8 No' });
    await expect(channel.send(notification, first.thread)).resolves.toEqual({
      result: 'refused',
      reason: 'login refused (535 5.7.8): check username and password',
    });
  });

  it('is sent again to those who were put off where it is a digest, too, and stands alone', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver, { to });
    receiver.answer('RCPT', yes, later, yes);
    const digest = sampleNotification({ message: { kind: 'digest', groupKey: 'digest', groupLabels: {} } });
    const half = await channel.send(digest);
    expect(half).toMatchObject({ result: 'retry' });
    await expect(channel.send(digest, half.thread)).resolves.toMatchObject({ result: 'sent' });
    expect(receiver.mails.map((mail) => mail.to)).toEqual([[to[0], to[2]], [to[1]]]);
    const ids = receiver.mails.map(({ data }) => parseMail(data).headers['message-id']);
    expect(ids[1]).toBe(ids[0]);
    expect(parseMail(receiver.mails[1]?.data ?? '').headers).not.toHaveProperty('references');
  });

  it('is nothing to send once the configuration has only those who have it', async () => {
    const receiver = await startReceiver();
    const notification = sampleNotification();
    receiver.answer('RCPT', yes, later, later);
    const first = await channelOf(receiver, { to }).send(notification);
    const second = await channelOf(receiver, { to: to.slice(0, 1) }).send(notification, first.thread);
    expect(second).toMatchObject({ result: 'sent' });
    expect(receiver.connections).toBe(1);
  });

  it('is answered by the next one for all, in the same conversation', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver, { to });
    receiver.answer('RCPT', no, yes, yes);
    const first = await channel.send(sampleNotification());
    await channel.send(sampleResolved(), first.thread);
    const [root, reply] = receiver.mails.map(({ data }) => parseMail(data).headers);
    expect(receiver.mails[1]?.to).toEqual(to);
    expect(reply).toMatchObject({ 'in-reply-to': root?.['message-id'], references: root?.['message-id'] });
  });
});

describe('the mails of one group', () => {
  it('are replies to the first and to the latest one, which a mail that was not taken never is', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver);
    const first = await channel.send(sampleNotification());
    receiver.answer('mail', { say: '554 5.7.1 No' });
    const refused = await channel.send(sampleNotification({ message: { repeat: 1 } }), first.thread);
    expect(refused).not.toHaveProperty('thread');
    const second = await channel.send(sampleNotification({ message: { repeat: 2 } }), first.thread);
    const third = await channel.send(sampleResolved(), second.thread);
    const [root, reminder, resolved] = receiver.mails.map(({ data }) => parseMail(data).headers);
    expect(reminder).toMatchObject({ references: root?.['message-id'], subject: `Re: ${root?.['subject']}` });
    expect(resolved).toMatchObject({
      'in-reply-to': reminder?.['message-id'],
      references: `${root?.['message-id']} ${reminder?.['message-id']}`,
      subject: `Re: ${root?.['subject']}`,
    });
    expect(third.thread).toEqual({
      root_id: root?.['message-id'],
      last_id: resolved?.['message-id'],
      subject: root?.['subject'],
    });
  });

  it('are the same mail when one is sent again after a crash', async () => {
    const receiver = await startReceiver();
    const channel = channelOf(receiver);
    const notification = sampleNotification();
    await channel.send(notification);
    await channel.send(notification);
    const [first, second] = receiver.mails.map(({ data }) => data);
    expect(second).toBe(first);
  });

  it('begin anew where nothing is remembered that can be read', async () => {
    const receiver = await startReceiver();
    const thread = { root_id: '<a@b>\r\nBcc: everybody@example.com', last_id: '<a@b>', subject: 'x' };
    await channelOf(receiver).send(sampleNotification(), thread);
    const { headers, names } = parseMail(receiver.mails[0]?.data ?? '');
    expect(headers['subject']).toBe('CRITICAL: High p95 latency: 812 ms on service slow');
    expect(names).not.toContain('references');
    expect(names).not.toContain('bcc');
  });
});

/** Its own authority; it ended a day ago. */
function expiredCertificate(openssl: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'gatewatch-certificate-'));
  try {
    const run = (...args: string[]): void => void execFileSync(openssl, args, { cwd: folder, stdio: 'pipe' });
    run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'key.pem');
    run('req', '-new', '-key', 'key.pem', '-subj', '/CN=127.0.0.1', '-out', 'request.pem');
    run('x509', '-req', '-in', 'request.pem', '-signkey', 'key.pem', '-days', '-1', '-out', 'cert.pem');
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    return { cert: read('cert.pem'), key: read('key.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
