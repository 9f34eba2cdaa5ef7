// A mail over SMTP, in TLS and with a login. What the server does, it does once it has the mail; every other moment is in
// email-channel.test.ts.
import { createChannel } from '../../../../sidecar/channel/create-channels';
import { Secret } from '../../../../sidecar/config/secret';
import { Authority } from '../../../support/certificates';
import { emailSettings } from '../../../support/channel-settings';
import { findFreePorts } from '../../../support/free-ports';
import { ManualClock } from '../../../support/manual-clock';
import { sampleNotification } from '../../../support/sample-notification';
import { NO_PROJECT } from '../../../support/sentry-project';
import { SmtpReceiver, type SmtpScript } from '../../../support/smtp-receiver';
import { NOW_MS, UNKNOWN_HOST, type Candidate } from './candidate';
import { retried, type Behaviour } from './expected';

const PASSWORD = 'open-sesame-7.2.9';
const SECRETS = [PASSWORD, Buffer.from(`\0gatewatch\0${PASSWORD}`).toString('base64')];
const ECHO = `${SECRETS.join(' ')} of 127.0.0.1`;

const authority = new Authority('Authority of the Tests');
const certificate = authority.issue('mail.example.com');

const YES = '250 2.0.0 Ok: queued';
const LATER = '451 4.3.0';
const NO = '554 5.7.1';
const MUCH = 'x'.repeat(5_000_000);

const SCRIPTS: Partial<Record<Behaviour, SmtpScript>> = {
  accepts: { say: YES },
  'accepts in pieces': { say: YES, flow: 'pieces' },
  'accepts, and repeats every secret': { say: `${YES} ${ECHO}` },
  'accepts, and says 5 MB': { say: `${YES} ${MUCH}` },
  'accepts, and never stops talking': 'endless',
  'accepts, and breaks off in the middle of it': { say: YES, flow: 'breaks' },
  'accepts, and falls silent in the middle of it': { say: YES, flow: 'stops' },
  'asks to come later': { say: LATER },
  'asks to come later, and repeats every secret': { say: `${LATER} ${ECHO}` },
  'asks to come later, and says 5 MB': { say: `${LATER} ${MUCH}` },
  refuses: { say: NO },
  'refuses, and repeats every secret': { say: `554-5.7.1 ${ECHO}\n${NO} ${ECHO}` },
  'refuses, and says 5 MB': { say: `${NO} ${MUCH}` },
  'does not answer': 'hang',
  'resets the connection': 'reset',
  'talks garbage': 'garbage',
};

const AWAY: readonly Behaviour[] = ['does not listen', 'has a name that nobody knows'];

// RFC 5321 lets a line have 512 bytes: what says so much is no server of mail.
const NOT_SMTP = retried(/^no answer to the mail \(not SMTP\)$/);

export const EMAIL: Candidate = {
  name: 'a mail',
  secrets: SECRETS,
  calls: ['connection'],
  callsAfterYes: [],
  deviations: {
    'accepts, and says 5 MB': NOT_SMTP,
    'accepts, and never stops talking': NOT_SMTP,
    'asks to come later, and says 5 MB': NOT_SMTP,
    'refuses, and says 5 MB': NOT_SMTP,
    // TLS may have it that it was only closed.
    'resets the connection': retried(/^no answer to the mail \((?:ECONNRESET|connection closed)\)$/),
    // A yes ends with its line.
    'accepts, and breaks off in the middle of it': retried(
      /^no answer to the mail \((?:ECONNRESET|connection closed)\)$/,
    ),
    'accepts, and falls silent in the middle of it': retried(/^no answer to the mail \(timeout\)$/),
  },
  canMeet: (behaviour) => behaviour in SCRIPTS || AWAY.includes(behaviour),
  sit: async (behaviour, timeoutMs) => {
    const receiver = await SmtpReceiver.start({ certificate });
    const script = SCRIPTS[behaviour];
    if (script !== undefined) receiver.answer('mail', script);
    const port = behaviour === 'does not listen' ? await findFreePorts(1) : receiver.port;
    const host = behaviour === 'has a name that nobody knows' ? UNKNOWN_HOST : '127.0.0.1';
    const settings = emailSettings(port, {
      host,
      tls: 'starttls',
      login: { username: 'gatewatch', password: new Secret(PASSWORD) },
      ca: { file: 'ca.pem', pem: authority.cert },
      timeoutMs,
    });
    const parts = { clock: new ManualClock(NOW_MS), project: NO_PROJECT, externalUrl: undefined };
    const channel = createChannel(settings, parts);
    return {
      send: () => channel.send(sampleNotification()),
      calls: () => Array.from({ length: receiver.connections }, () => 'connection'),
      address: new RegExp(`${host}|\\b${port}\\b`),
      close: async () => {
        // It leaves, however the mail ended.
        await receiver.left();
        await receiver.close();
      },
    };
  },
};
