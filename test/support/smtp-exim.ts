// Exim of Debian (https://www.exim.org/exim-html-current/doc/html/spec_html/) as the mail server of a test: two ports of 127.0.0.1,
// one that offers STARTTLS, one that is TLS from the first byte; no mail without a login, which only TLS offers; everybody's mail
// in one Maildir, but for `nobody`, whom it refuses, and `busy`, whom it puts off. All of it in a folder of its own. Needs root,
// since Exim starts as no one else.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from './certificates';
import { eventually } from './eventually';
import { findFreePorts } from './free-ports';
import { RunningProgram } from './running-program';
import { parseMail, type ParsedMail } from './smtp-mail';

export const EXIM_LOGIN = { username: 'gatewatch', password: 'open-sesame' } as const;

/** Debian's, made with the package. */
const USER = 'Debian-exim';

export class Exim {
  private constructor(
    private readonly program: RunningProgram,
    private readonly folder: string,
    readonly startTlsPort: number,
    readonly implicitTlsPort: number,
  ) {}

  /** Settles once it takes connections. */
  static async start(exim: string, certificate: Certificate): Promise<Exim> {
    const folder = mkdtempSync(join(tmpdir(), 'gatewatch-exim-'));
    chmodSync(folder, 0o755);
    const port = await findFreePorts(2);
    writeFileSync(join(folder, 'cert.pem'), certificate.cert);
    writeFileSync(join(folder, 'key.pem'), certificate.key);
    for (const name of ['spool', 'log', 'mail']) mkdirSync(join(folder, name));
    execFileSync('chown', ['-R', USER, folder]);
    // Its own configuration must be root's.
    execFileSync('chown', ['root', folder]);
    writeFileSync(join(folder, 'exim.conf'), configuration(folder, port));
    const program = new RunningProgram(exim, ['-C', join(folder, 'exim.conf'), '-bdf']);
    const started = new Exim(program, folder, port, port + 1);
    const ended = program.ended.then(() => {
      throw new Error(`Exim has ended: ${program.output}`);
    });
    await Promise.race([ended, eventually(() => accepts(port + 1))]);
    ended.catch(() => undefined);
    return started;
  }

  /** Waits until so many mails have been delivered; gives all of them, in the order of their delivery. */
  mails(count: number): Promise<ParsedMail[]> {
    const box = join(this.folder, 'mail', 'new');
    return eventually(() => {
      // Names begin with the time of delivery.
      const files = readdirSync(box).sort();
      if (files.length < count)
        return Promise.reject(new Error(`${files.length} mails of ${count} came: ${this.log()}`));
      const texts = files.map((file) => readFileSync(join(box, file), 'latin1'));
      return Promise.resolve(texts.map((text) => parseMail(text.replace(/\r?\n/g, '\r\n'))));
    });
  }

  log(): string {
    const folder = join(this.folder, 'log');
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('\n');
  }

  async end(): Promise<void> {
    await this.program.end();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

function configuration(folder: string, port: number): string {
  return `
primary_hostname = mail.example.com
qualify_domain = example.com
keep_environment =
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port} : ${port + 1}
tls_on_connect_ports = ${port + 1}
tls_advertise_hosts = *
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/key.pem
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/exim.pid
acl_smtp_rcpt = receivers

begin acl
receivers:
  deny
    local_parts = nobody
    message = There is nobody of that name
  defer
    local_parts = busy
    message = Come again
  accept
    authenticated = *
  deny
    message = Who are you?

begin routers
everybody:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  user = ${USER}
  directory = ${folder}/mail
  maildir_format
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{${EXIM_LOGIN.username}}}{eq{$auth3}{${EXIM_LOGIN.password}}}}}
  server_set_id = $auth2
`;
}
