// In: a mail's bytes and for whom they are. Out: what the SMTP server did with them. One connection for one mail; all of it ends by
// the channel's timeout, but for the goodbye, which nobody waits for. nodemailer speaks the protocol (RFC 5321) from the greeting on
// (https://nodemailer.com/extras/smtp-connection); the connection to the server is made here, by the same look-up of names as
// everywhere else in the sidecar, since nodemailer's own does not ask /etc/hosts first and keeps what it finds for 5 minutes.
// Of what the server says only the numbers are kept.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { EmailChannelSettings } from '../../config/channel/email-settings';
import { errorCodeOf } from '../../error-code';
import type { Conversation } from '../channel';

/** What the server was told last, or is to do first. */
export type SmtpStage =
  'connection' | 'greeting' | 'hello' | 'starttls' | 'login' | 'sender' | 'recipient' | 'message';

/** A server's no. */
export interface SmtpReply {
  /** 400 to 599. */
  readonly code: number;
  /** RFC 3463, such as 5.1.1; `undefined`: it gave none. */
  readonly enhanced: string | undefined;
}

export type SmtpDelivery =
  | {
      readonly kind: 'taken';
      readonly by: readonly string[];
      /** One for each receiver for whom it was not taken; `undefined`: the answer was no SMTP. */
      readonly refusals: readonly (SmtpReply | undefined)[];
    }
  | { readonly kind: 'no'; readonly stage: SmtpStage; readonly replies: readonly (SmtpReply | undefined)[] }
  /** Nothing, or nothing that is SMTP. `code`: `timeout`, or such as ECONNREFUSED. */
  | { readonly kind: 'no_answer'; readonly stage: SmtpStage; readonly code: string }
  /** There is a user name to log in with, and the server does not ask for one. */
  | { readonly kind: 'no_login' }
  | { readonly kind: 'too_large' };

export interface SmtpEnvelope {
  readonly from: string;
  readonly to: readonly string[];
}

/** Of one answer: RFC 5321, 4.5.3.1.5, lets a line have 512 bytes. Longer ones are no SMTP. */
const MAX_ANSWER_BYTES = 65_536;

/** How long a server gets to say goodbye once it has done what it was to do. Nobody waits for it. */
const GOODBYE_MS = 2_000;

/** Never rejects. */
export async function deliverBySmtp(
  settings: EmailChannelSettings,
  envelope: SmtpEnvelope,
  mime: Buffer,
  conversation?: Conversation,
): Promise<SmtpDelivery> {
  const dialogue = new SmtpDialogue(settings, conversation);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<SmtpDelivery>((resolve) => {
    timer = setTimeout(() => resolve(dialogue.broken('timeout')), settings.timeoutMs);
  });
  const delivery = await Promise.race([dialogue.deliver(envelope, mime), late]);
  clearTimeout(timer);
  if (delivery.kind === 'no_answer') dialogue.destroy();
  else dialogue.sayGoodbye();
  if (delivery.kind === 'no_answer') conversation?.heard(`(no answer: ${delivery.code})`);
  return delivery;
}

class SmtpDialogue {
  #stage: SmtpStage = 'connection';
  #socket: Socket | undefined;
  #smtp: SMTPConnection | undefined;
  #isSecure: boolean;

  constructor(
    private readonly settings: EmailChannelSettings,
    private readonly conversation: Conversation | undefined,
  ) {
    this.#isSecure = settings.tls === 'implicit';
  }

  async deliver(envelope: SmtpEnvelope, mime: Buffer): Promise<SmtpDelivery> {
    try {
      const socket = await this.#connect();
      return await this.#speak(socket, envelope, mime);
    } catch (error) {
      return this.#deliveryOf(error);
    }
  }

  broken(code: string): SmtpDelivery {
    return { kind: 'no_answer', stage: this.#stage, code };
  }

  destroy(): void {
    this.#smtp?.close();
    this.#socket?.destroy();
  }

  /** RFC 5321, 4.1.1.10. */
  sayGoodbye(): void {
    this.#smtp?.quit();
    const socket = this.#smtp?._socket || this.#socket;
    socket?.unref();
    setTimeout(() => this.destroy(), GOODBYE_MS).unref();
  }

  #connect(): Promise<Socket> {
    const { host, port, tls } = this.settings;
    return new Promise((resolve, reject) => {
      const socket: Socket =
        tls === 'implicit'
          ? connectTls({ ...tlsOptions(this.settings), host, port }, () => resolve(socket))
          : connectTcp({ host, port }, () => resolve(socket));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
      this.#socket = socket;
    });
  }

  async #speak(socket: Socket, envelope: SmtpEnvelope, mime: Buffer): Promise<SmtpDelivery> {
    const { settings } = this;
    const { host, port, tls, timeoutMs, login } = settings;
    this.#stage = 'greeting';
    this.conversation?.said(`(connected${this.#isSecure ? ', in TLS' : ''})`);
    const smtp = new SMTPConnection({
      connection: socket,
      host,
      port,
      secure: tls === 'implicit',
      secured: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: tlsOptions(settings),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      socketCloseTimeout: 0,
      maxResponseSize: MAX_ANSWER_BYTES,
      logger: this.#listener(mime),
      transactionLog: true,
    });
    this.#smtp = smtp;
    const broken = new Promise<never>((_, reject) => {
      // Also later ones, which nobody waits for.
      smtp.on('error', reject);
      // After whatever nodemailer has to tell of its own step.
      smtp.on('end', () => setImmediate(() => reject(new Error('closed'))));
    });
    broken.catch(() => undefined);
    const step = <T>(
      take: (done: (error?: Error | null, result?: T) => void) => void,
    ): Promise<T | undefined> =>
      Promise.race([
        broken,
        new Promise<T | undefined>((resolve, reject) =>
          take((error, result) => (error ? reject(error) : resolve(result))),
        ),
      ]);

    await step((done) => smtp.connect(done));
    if (login !== undefined) {
      if (!smtp.allowsAuth) return { kind: 'no_login' };
      await step((done) => smtp.login({ user: login.username, pass: login.password.reveal() }, done));
    }
    const info = await step<SMTPConnection.SentMessageInfo>((done) =>
      smtp.send({ from: envelope.from, to: [...envelope.to], size: mime.length }, mime, done),
    );
    // nodemailer takes whatever begins with a 2 for a yes.
    if (info === undefined || !/^2\d\d(?:[ -]|$)/.test(info.response)) return this.broken('not SMTP');
    return { kind: 'taken', by: info.accepted, refusals: refusalsOf(info.rejectedErrors ?? []) };
  }

  /**
   * What nodemailer logs of the dialogue: each command and answer, but for what a login says, in whose place it puts a mark. The
   * mail itself is told from here.
   */
  #listener(mime: Buffer) {
    const hear = (entry: object, message: string): void => {
      const what = 'tnx' in entry ? entry.tnx : undefined;
      if (what === 'client') {
        this.#stage = STAGE_OF[message.split(' ', 1)[0] ?? ''] ?? this.#stage;
        if (this.#smtp?.secure === true && !this.#isSecure) {
          this.#isSecure = true;
          this.conversation?.said('(in TLS from here on)');
        }
        this.conversation?.said(message);
      } else if (what === 'server') {
        for (const line of message.split('\n')) this.conversation?.heard(line);
      } else if (what === 'message' && this.conversation) {
        for (const line of mime.toString().replace(/\r\n$/, '').split('\r\n')) this.conversation.said(line);
        this.conversation.said('.');
      }
    };
    const ignore = (): void => undefined;
    return {
      level: ignore,
      trace: ignore,
      debug: hear,
      info: hear,
      warn: ignore,
      error: ignore,
      fatal: ignore,
    };
  }

  #deliveryOf(error: unknown): SmtpDelivery {
    const found = readError(error);
    const stage = stageOfCommand(found.command) ?? this.#stage;
    if (found.code === 'EMESSAGE' && found.response === undefined) return { kind: 'too_large' };
    if (found.rejectedErrors !== undefined)
      return { kind: 'no', stage, replies: refusalsOf(found.rejectedErrors) };
    const reply = readReply(found.response);
    if (reply !== undefined) return { kind: 'no', stage, replies: [reply] };
    if (found.response !== undefined) return { kind: 'no_answer', stage, code: 'not SMTP' };
    return { kind: 'no_answer', stage, code: codeOf(found) };
  }
}

function tlsOptions({ host, ca }: EmailChannelSettings): ConnectionOptions {
  return {
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca === undefined ? {} : { ca: ca.pem }),
  };
}

const STAGE_OF: Readonly<Record<string, SmtpStage>> = {
  EHLO: 'hello',
  HELO: 'hello',
  STARTTLS: 'starttls',
  AUTH: 'login',
  MAIL: 'sender',
  RCPT: 'recipient',
  DATA: 'message',
};

function stageOfCommand(command: string | undefined): SmtpStage | undefined {
  return STAGE_OF[command?.split(' ', 1)[0] ?? ''];
}

interface FoundError {
  readonly code: string;
  readonly originalCode: string | undefined;
  readonly command: string | undefined;
  readonly response: string | undefined;
  readonly rejectedErrors: readonly unknown[] | undefined;
}

/** What nodemailer puts on its errors. */
function readError(error: unknown): FoundError {
  const found = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const text = (key: string): string | undefined => {
    const value = found[key];
    return typeof value === 'string' ? value : undefined;
  };
  const { rejectedErrors } = found;
  return {
    code: errorCodeOf(error),
    originalCode: text('originalCode'),
    command: text('command'),
    response: text('response'),
    rejectedErrors: Array.isArray(rejectedErrors) ? rejectedErrors : undefined,
  };
}

/** `undefined` for what is neither 4yz nor 5yz. */
function readReply(response: string | undefined): SmtpReply | undefined {
  const [, code, enhanced] =
    /^([45]\d\d)(?:[ -](?:([45]\.\d{1,3}\.\d{1,3})(?![^\s]))?|$)/.exec(response ?? '') ?? [];
  return code === undefined ? undefined : { code: Number(code), enhanced };
}

function refusalsOf(errors: readonly unknown[]): (SmtpReply | undefined)[] {
  return errors.map((error) => readReply(readError(error).response));
}

/** nodemailer's own words for what has no code of the system. */
const OWN_CODES: Readonly<Record<string, string>> = {
  ECONNECTION: 'connection closed',
  'unknown error': 'connection closed',
  ETIMEDOUT: 'timeout',
  EPROTOCOL: 'not SMTP',
};

function codeOf({ code, originalCode }: FoundError): string {
  return originalCode ?? OWN_CODES[code] ?? code;
}
