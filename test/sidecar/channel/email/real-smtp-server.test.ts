// The channel against a mail server of Debian, over a network that is real as far as 127.0.0.1 goes.
import { emailChannel } from '../../../../sidecar/channel/email/email-channel';
import type { Conversation, Outcome } from '../../../../sidecar/channel/channel';
import type { EmailChannelSettings } from '../../../../sidecar/config/channel/email-settings';
import { Secret } from '../../../../sidecar/config/secret';
import { Authority } from '../../../support/certificates';
import { emailSettings } from '../../../support/channel-settings';
import { describeAsRoot } from '../../../support/describe-as-root';
import { ManualClock } from '../../../support/manual-clock';
import { describeWith } from '../../../support/program';
import { SAMPLE_STARTED_MS, sampleNotification, sampleResolved } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { Exim, EXIM_LOGIN } from '../../../support/smtp-exim';

// Each starts a server, which then delivers in its own time.
jest.setTimeout(60_000);

const authority = new Authority('Mail Authority of the Tests');
const PARTS = {
  clock: new ManualClock(SAMPLE_STARTED_MS),
  project: NO_PROJECT,
  externalUrl: 'https://gatewatch.example.com',
};

describeWith('exim4', 'the email channel and Exim', (program) => {
  describeAsRoot('as its server', () => {
    let exim: Exim;

    beforeEach(async () => {
      exim = await Exim.start(program, authority.issue('mail.example.com'));
    });
    afterEach(() => exim.end());

    function settingsOf(
      tls: EmailChannelSettings['tls'],
      changes: Partial<EmailChannelSettings> = {},
    ): EmailChannelSettings {
      return emailSettings(tls === 'implicit' ? exim.implicitTlsPort : exim.startTlsPort, {
        tls,
        login: { username: EXIM_LOGIN.username, password: new Secret(EXIM_LOGIN.password) },
        ca: { file: 'ca.pem', pem: authority.cert },
        timeoutMs: 30_000,
        ...changes,
      });
    }

    it.each(['starttls', 'implicit'] as const)(
      'delivers to every receiver what a person can read: %s',
      async (tls) => {
        const settings = settingsOf(tls, { to: ['On call <oncall@example.com>', 'boss@example.com'] });
        const outcome = await emailChannel(settings, PARTS).send(sampleNotification());
        expect(outcome).toMatchObject({ result: 'sent' });
        const mails = await exim.mails(2);
        expect(mails.map(({ headers }) => headers['envelope-to']).sort()).toEqual([
          'boss@example.com',
          'oncall@example.com',
        ]);
        const [mail] = mails;
        expect(mail?.headers).toMatchObject({
          'return-path': '<gatewatch@example.com>',
          from: 'Gatewatch <gatewatch@example.com>',
          to: 'On call <oncall@example.com>, boss@example.com',
          subject: 'CRITICAL: High p95 latency: 812 ms on service slow',
          date: 'Sun, 01 Mar 2026 10:00:00 +0000',
          'auto-submitted': 'auto-generated',
          'message-id': outcome.thread?.['root_id'],
        });
        // With TLS and a login: "esmtpsa".
        expect(mail?.headers['received']).toContain('with esmtpsa');
        for (const part of [mail?.text, mail?.html])
          expect(part).toContain('The p95 latency of service slow is 812 ms in the last 5 minutes');
      },
    );

    it('makes one conversation of the mails of one group', async () => {
      const channel = emailChannel(settingsOf('starttls'), PARTS);
      const first = await channel.send(sampleNotification());
      const second = await channel.send(sampleNotification({ message: { repeat: 1 } }), first.thread);
      const third = await channel.send(sampleResolved(), second.thread);
      expect([first.result, second.result, third.result]).toEqual(['sent', 'sent', 'sent']);
      const mails = await exim.mails(3);
      const bySubject = (wanted: string): Record<string, string>[] =>
        mails.map(({ headers }) => headers).filter(({ subject }) => subject === wanted);
      const title = 'CRITICAL: High p95 latency: 812 ms on service slow';
      const [root] = bySubject(title);
      const replies = bySubject(`Re: ${title}`);
      expect(replies).toHaveLength(2);
      const reminder = replies.find(({ from }) => from === '"Gatewatch (critical)" <gatewatch@example.com>');
      const resolved = replies.find(({ from }) => from === '"Gatewatch (resolved)" <gatewatch@example.com>');
      expect(root).not.toHaveProperty('in-reply-to');
      expect(reminder).toMatchObject({
        'in-reply-to': root?.['message-id'],
        references: root?.['message-id'],
      });
      expect(resolved).toMatchObject({
        'in-reply-to': reminder?.['message-id'],
        references: `${root?.['message-id']} ${reminder?.['message-id']}`,
      });
    });

    it('sends what some receivers were put off for to these alone, and to those who were refused never', async () => {
      const to = ['oncall@example.com', 'busy@example.com', 'nobody@example.com'];
      const notification = sampleNotification();
      const first = await emailChannel(settingsOf('starttls', { to }), PARTS).send(notification);
      expect(first).toMatchObject({
        result: 'retry',
        reason: '2 of 3 receivers put off (451, 550); the others have it',
      });
      const again = await emailChannel(settingsOf('starttls', { to }), PARTS).send(
        notification,
        first.thread,
      );
      expect(again).toMatchObject({
        result: 'retry',
        reason: '2 of 3 receivers put off (451, 550); the others have it',
      });
      const mails = await exim.mails(1);
      expect(mails).toHaveLength(1);
      expect(mails[0]?.headers['envelope-to']).toBe('oncall@example.com');
      expect(mails[0]?.headers['to']).toBe(to.join(', '));
    });

    it('is refused where the password is wrong, without a word of it', async () => {
      const said: string[] = [];
      const conversation: Conversation = {
        said: (line) => said.push(line),
        heard: (line) => said.push(line),
      };
      const login = { username: EXIM_LOGIN.username, password: new Secret('not-the-password') };
      const channel = emailChannel(settingsOf('starttls', { login }), { ...PARTS, conversation });
      await expect(channel.send(sampleNotification())).resolves.toEqual({
        result: 'refused',
        reason: 'login refused (535): check username and password',
      });
      expect(said.join('\n')).toContain('AUTH PLAIN');
      expect(said.join('\n')).not.toContain(Buffer.from('\0gatewatch\0not-the-password').toString('base64'));
    });

    it.each<[string, (settings: EmailChannelSettings) => EmailChannelSettings, Outcome]>([
      [
        'who does not log in',
        (settings) => ({ ...settings, login: undefined }),
        { result: 'refused', reason: 'receivers refused (550): check to' },
      ],
      [
        'who logs in without TLS',
        (settings) => ({ ...settings, tls: 'none' }),
        {
          result: 'refused',
          reason:
            'the server offers no login, or none without TLS: check port and tls, or remove username and password',
        },
      ],
      [
        'who does not know the authority',
        (settings) => ({ ...settings, ca: undefined }),
        {
          result: 'refused',
          reason:
            "the server's certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE): name its authority in ca_file",
        },
      ],
    ])('takes nothing from one %s', async (_, change, outcome) => {
      await expect(
        emailChannel(change(settingsOf('starttls')), PARTS).send(sampleNotification()),
      ).resolves.toEqual(outcome);
    });

    it('puts nothing hostile into a header, whatever names there are', async () => {
      const service =
        'x\r\nBcc: everybody@example.com\r\n\r\n<script>alert(1)</script> \u202eevil "ü" =?utf-8?Q?=0D=0A?=';
      const settings = settingsOf('implicit', { from: 'Wächter <gatewatch@example.com>' });
      await emailChannel(settings, PARTS).send(sampleNotification({ service }));
      const [mail] = await exim.mails(1);
      expect(mail?.headers['from']).toBe('Wächter <gatewatch@example.com>');
      expect(mail?.headers['subject']).toContain('on service x Bcc: everybody@example.com <script>');
      expect(mail?.names.filter((name) => !EXPECTED_HEADERS.includes(name))).toEqual([]);
      expect(mail?.html).not.toContain('<script');
    });
  });
});

/** Ours, and those that Exim adds. */
const EXPECTED_HEADERS = [
  ...['from', 'to', 'subject', 'message-id', 'date', 'mime-version', 'content-type'],
  ...['auto-submitted', 'x-auto-response-suppress', 'list-id', 'importance'],
  ...['x-gatewatch-state', 'x-gatewatch-severity'],
  ...['return-path', 'envelope-to', 'received'],
];
