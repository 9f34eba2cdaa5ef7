// An SMTP server on this machine that answers as the test tells it, on a bare socket, so that it can also break the protocol.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Certificate } from './certificates';
import { inPieces } from './in-pieces';

/** When a server can spoil the sending of a mail. `mail`: after the dot that ends one. */
export const SMTP_MOMENTS = ['greeting', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'mail'] as const;

export type SmtpMoment = (typeof SMTP_MOMENTS)[number] | 'QUIT';

export interface SmtpAnswer {
  /** Lines parted by \n. */
  readonly say: string;
  /** How it comes, if not at once. `pieces`: one after the other. `stops`: half of it, and then nothing. `breaks`: half of it, and then a reset. */
  readonly flow?: 'pieces' | 'stops' | 'breaks';
}

/**
 * `hang`: no answer at all. `huge`: one line of 5 MB that does not end. `endless`: one answer that goes on for as long as it is
 * read. `drip`: a byte now and then.
 */
export type SmtpScript = SmtpAnswer | 'hang' | 'reset' | 'close' | 'garbage' | 'huge' | 'endless' | 'drip';

export interface SmtpReceiverOptions {
  /** `starttls` unless it says otherwise. */
  readonly certificate?: Certificate;
  readonly tls?: 'starttls' | 'implicit';
  readonly extensions?: readonly string[];
  /** 127.0.0.1 unless it says otherwise. */
  readonly address?: string;
}

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was written, its lines ended by CR LF. */
  readonly data: string;
  /** What was said to log in, if anybody did, decoded. */
  readonly login: string | undefined;
  readonly isSecure: boolean;
}

/** PIPELINING, since most servers have it, and DATA then comes before the answers to what is before it. */
export const USUAL_EXTENSIONS = ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'AUTH PLAIN LOGIN'];

const USUAL: Readonly<Record<SmtpMoment, string>> = {
  greeting: '220 mail.example.com ESMTP',
  EHLO: '250 mail.example.com',
  STARTTLS: '220 2.0.0 Ready',
  AUTH: '235 2.7.0 Accepted',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 Go ahead',
  mail: '250 2.0.0 Ok: queued',
  QUIT: '221 2.0.0 Bye',
};

export class SmtpReceiver {
  readonly mails: ReceivedMail[] = [];
  /** Every line of every client, in order, but for those of mails. */
  readonly lines: string[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scripts = new Map<SmtpMoment, SmtpScript[]>();
  readonly #left: (() => void)[] = [];

  static async start(options: SmtpReceiverOptions = {}): Promise<SmtpReceiver> {
    const receiver = new SmtpReceiver(options);
    await new Promise<void>((resolve) => receiver.#server.listen(0, options.address ?? '127.0.0.1', resolve));
    return receiver;
  }

  private constructor(private readonly options: SmtpReceiverOptions) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (this.#sockets.size === 0) for (const tell of this.#left.splice(0)) tell();
      });
      new Session(this, socket, options).begin();
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Settles once no connection is open. */
  left(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((tell) => this.#left.push(tell));
  }

  /** The next answers at that moment, in order; then the usual one again. */
  answer(moment: SmtpMoment, ...scripts: SmtpScript[]): void {
    this.#scripts.set(moment, [...(this.#scripts.get(moment) ?? []), ...scripts]);
  }

  nextAnswer(moment: SmtpMoment, isSecure: boolean, usual?: SmtpScript): SmtpScript {
    const scripted = this.#scripts.get(moment)?.shift() ?? usual;
    if (scripted !== undefined) return scripted;
    if (moment !== 'EHLO') return { say: USUAL[moment] };
    const { certificate, tls = 'starttls', extensions = USUAL_EXTENSIONS } = this.options;
    const offers = [...extensions, ...(certificate && tls === 'starttls' && !isSecure ? ['STARTTLS'] : [])];
    const lines = [USUAL.EHLO.slice(4), ...offers];
    return {
      say: lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\n'),
    };
  }

  note(line: string): void {
    this.lines.push(line);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Session {
  #socket: Socket;
  #text = '';
  #isMail = false;
  #isSecure = false;
  #isOver = false;
  #login: string[] = [];
  #wantsLogin = 0;
  #from = '';
  #to: string[] = [];

  constructor(
    private readonly receiver: SmtpReceiver,
    private readonly raw: Socket,
    private readonly options: SmtpReceiverOptions,
  ) {
    this.#socket = raw;
  }

  begin(): void {
    if (this.options.certificate !== undefined && this.options.tls === 'implicit') this.#secure();
    this.#listen();
    this.#answer('greeting');
  }

  #secure(): void {
    const { certificate } = this.options;
    if (certificate === undefined) throw new Error('there is no certificate');
    this.raw.removeAllListeners('data');
    this.#text = '';
    this.#socket = new TLSSocket(this.raw, { isServer: true, ...certificate });
    this.#socket.on('error', () => this.raw.destroy());
    this.#socket.once('end', () => this.raw.destroy());
    this.#isSecure = true;
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#read();
    });
  }

  #read(): void {
    while (!this.#isOver) {
      const end = this.#isMail ? this.#text.indexOf('\r\n.\r\n') : this.#text.indexOf('\r\n');
      if (end < 0) return;
      const part = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + (this.#isMail ? 5 : 2));
      if (this.#isMail) this.#takeMail(`${part}\r\n`);
      else this.#obey(part);
    }
  }

  #takeMail(data: string): void {
    this.#isMail = false;
    if (this.#answer('mail')) {
      this.receiver.mails.push({
        from: this.#from,
        to: this.#to,
        data: data.replace(/^\./gm, ''),
        login: this.#login.length === 0 ? undefined : this.#login.join('\0'),
        isSecure: this.#isSecure,
      });
    }
    this.#to = [];
  }

  #obey(line: string): void {
    this.receiver.note(line);
    if (this.#wantsLogin > 0) {
      this.#login.push(Buffer.from(line, 'base64').toString());
      this.#wantsLogin -= 1;
      if (this.#wantsLogin > 0) this.#write('334 UGFzc3dvcmQ6');
      else this.#answer('AUTH');
      return;
    }
    const [verb = '', ...words] = line.split(' ');
    const path = /<([^>]*)>/.exec(line)?.[1] ?? '';
    switch (verb) {
      case 'EHLO':
      case 'HELO':
        this.#answer('EHLO');
        break;
      case 'STARTTLS':
        if (this.options.certificate === undefined) {
          this.#answer('STARTTLS', { say: '502 5.5.1 What is that?' });
        } else if (this.#answer('STARTTLS')) {
          this.#secure();
          this.#listen();
        }
        break;
      case 'AUTH':
        if (words[0] === 'PLAIN') {
          this.#login = Buffer.from(words[1] ?? '', 'base64')
            .toString()
            .split('\0')
            .slice(1);
          this.#answer('AUTH');
        } else {
          this.#wantsLogin = 2;
          this.#login = [];
          this.#write('334 VXNlcm5hbWU6');
        }
        break;
      case 'MAIL':
        this.#from = path;
        this.#answer('MAIL');
        break;
      case 'RCPT':
        if (this.#answer('RCPT')) this.#to.push(path);
        break;
      case 'DATA':
        if (this.#to.length === 0) this.#answer('DATA', { say: '503 5.5.1 For whom?' });
        else this.#isMail = this.#answer('DATA');
        break;
      case 'QUIT':
        if (this.#answer('QUIT')) this.#socket.end();
        this.#isOver = true;
        break;
      default:
        this.#write('502 5.5.2 What?');
    }
  }

  /** @returns whether it was a yes */
  #answer(moment: SmtpMoment, usual?: SmtpScript): boolean {
    const script = this.receiver.nextAnswer(moment, this.#isSecure, usual);
    if (typeof script === 'object') return this.#say(script);
    this.#isOver = script !== 'garbage';
    switch (script) {
      case 'hang':
        break;
      case 'reset':
        this.raw.resetAndDestroy();
        break;
      case 'close':
        this.#socket.end();
        break;
      case 'garbage':
        this.#write('this is not SMTP');
        break;
      case 'huge':
        this.#socket.write(`250-${'x'.repeat(5_000_000)}`);
        break;
      case 'endless': {
        const more = (error?: Error | null): void => {
          if (!error) this.#socket.write('250-more\r\n'.repeat(1_000), more);
        };
        more();
        break;
      }
      case 'drip': {
        const timer = setInterval(() => this.#socket.write('2'), 5);
        this.#socket.once('close', () => clearInterval(timer));
        break;
      }
    }
    return false;
  }

  /** @returns whether it was a whole yes */
  #say({ say, flow }: SmtpAnswer): boolean {
    const half = say.slice(0, Math.ceil(say.length / 2));
    switch (flow) {
      case undefined:
        this.#write(say);
        break;
      case 'pieces':
        void inPieces(`${say}\r\n`, (piece) => this.#socket.write(piece));
        break;
      case 'stops':
        this.#socket.write(half);
        break;
      case 'breaks':
        this.#socket.write(half, () => this.raw.resetAndDestroy());
        break;
    }
    return /^[23]/.test(say) && flow !== 'stops' && flow !== 'breaks';
  }

  #write(text: string): void {
    this.#socket.write(`${text.replaceAll('\n', '\r\n')}\r\n`);
  }
}
