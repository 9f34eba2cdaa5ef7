// The whole sidecar in the test's process, with its real listener on a port that the system chose and files of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SENT_AT_HEADER, encodeBatch } from '../../kong-plugin/contract/batch';
import type { Delta } from '../../kong-plugin/contract/delta';
import { systemClock } from '../../sidecar/clock';
import { renderFault } from '../../sidecar/config/config-fault';
import { loadConfig } from '../../sidecar/config/load-config';
import { NO_SENTRY } from '../../sidecar/sentry/own-sentry';
import { startSidecar, type Sidecar } from '../../sidecar/sidecar';
import { batchOf } from './batches';
import { captureLog } from './captured-log';
import { ask } from './http-answer';

/** By the clock of the producer of `batchOf`: its interval has just ended. */
const SENT_MS = 1_700_000_001_000;

export interface InProcessOptions {
  /** Lines of gatewatch.yml, without the address and the data directory. */
  readonly settings?: string;
  /** The web configuration; none if empty. */
  readonly web?: string;
  /** Further files beside it, by their names. */
  readonly files?: Readonly<Record<string, string>>;
  /** For TLS: the authority that the server's certificate is checked with. */
  readonly ca?: string;
}

export class SidecarInProcess {
  static async start(options: InProcessOptions = {}): Promise<SidecarInProcess> {
    const started = new SidecarInProcess(options);
    await started.#open();
    return started;
  }

  readonly directory = mkdtempSync(join(tmpdir(), 'gatewatch-in-process-'));
  readonly log = captureLog();
  readonly #file = join(this.directory, 'gatewatch.yml');
  readonly #ca: string | undefined;
  #sidecar: Sidecar | undefined;
  #scheme = 'http';
  #sequence = 0;

  private constructor({ settings = '', web = '', files = {}, ca }: InProcessOptions) {
    this.#ca = ca;
    for (const [name, content] of Object.entries({ ...files, 'web.yml': web }))
      writeFileSync(join(this.directory, name), content);
    writeFileSync(
      this.#file,
      [
        'listen: 127.0.0.1:0',
        `data_dir: ${join(this.directory, 'data')}`,
        `web_config_file: ${web === '' ? '""' : 'web.yml'}`,
        settings,
        '',
      ].join('\n'),
    );
  }

  get url(): string {
    if (!this.#sidecar) throw new Error('the sidecar is not started');
    return `${this.#scheme}://${this.#sidecar.address}`;
  }

  /** Takes in one batch of a producer that is always the same. @throws unless it is applied */
  async post(deltas: readonly Delta[], headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const body = encodeBatch(batchOf(deltas, ++this.#sequence));
    const sentAt = { [SENT_AT_HEADER]: String(SENT_MS) };
    const options = {
      method: 'POST',
      body,
      headers: { ...sentAt, ...headers },
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    };
    const answer = await ask(`${this.url}/v1/batches`, options);
    if (answer.status !== 200) throw new Error(`the batch was not taken: ${answer.status} ${answer.body}`);
  }

  /** Ends it and starts it again on the same data. */
  async restart(): Promise<void> {
    await this.#sidecar?.stop(1_000);
    await this.#open();
  }

  async remove(): Promise<void> {
    await this.#sidecar?.stop(0);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    const loaded = loadConfig(this.#file);
    if (!loaded.ok) throw new Error(loaded.faults.map(renderFault).join('\n'));
    const { config } = loaded;
    mkdirSync(config.dataDirectory, { recursive: true });
    this.#scheme = config.web?.tls ? 'https' : 'http';
    this.#sidecar = await startSidecar({
      config,
      configFile: this.#file,
      readAgain: () => config,
      version: '1.2.3',
      clock: systemClock,
      logger: this.log.logger,
      sentry: NO_SENTRY,
    });
  }
}
