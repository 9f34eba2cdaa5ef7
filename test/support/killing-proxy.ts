// Stands between producers and a sidecar that is killed, and hands everything on. In: when to kill. Out: what the killed sidecar
// was at, told by what its successor says of the same batch: `applied` if it had not been committed, `duplicate` if it had.
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BATCH_PATH, type BatchDocument } from '../../kong-plugin/contract/batch';

/** A moment in the life of a batch that was not sent before. */
export type Moment =
  /** The sidecar has been given it, and so many ms have passed. */
  | { readonly kind: 'given'; readonly afterMs: number }
  /** The sidecar's answer begins. */
  | { readonly kind: 'answered' };

interface Trap {
  readonly moment: Moment;
  readonly spring: () => void;
}

export class KillingProxy {
  /** Kills between commit and answer, and before the commit. */
  readonly kills = { committed: 0, uncommitted: 0 };
  /** Receipts of the sidecar that said so. */
  duplicates = 0;
  readonly #server: Server;
  readonly #sidecarUrl: string;
  /** Batches that the sidecar was given and has not answered. */
  readonly #given = new Set<string>();
  /** Those of them at whose time it was killed. */
  readonly #broken = new Set<string>();
  readonly #seen = new Set<string>();
  #trap: Trap | undefined;

  static async start(sidecarUrl: string): Promise<KillingProxy> {
    const proxy = new KillingProxy(sidecarUrl);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(sidecarUrl: string) {
    this.#sidecarUrl = sidecarUrl;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once the next new batch is at the moment, when `kill` was called. */
  killAt(moment: Moment, kill: () => void): Promise<void> {
    return new Promise((resolve) => {
      const spring = (): void => {
        this.#trap = undefined;
        kill();
        this.killed();
        resolve();
      };
      this.#trap = { moment, spring };
    });
  }

  /** The sidecar was killed; whether it was at a batch shows later. */
  killed(): void {
    for (const batch of this.#given) this.#broken.add(batch);
    this.#given.clear();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const { producer, sequence } = JSON.parse(bytes.toString()) as BatchDocument;
    const batch = `${producer}/${sequence}`;
    const trap = this.#seen.has(batch) ? undefined : this.#trap;
    const answer = await this.#give(batch, bytes, trap);
    const text = await textOf(answer);
    this.#given.delete(batch);
    this.#tell(batch, text);
    response.writeHead(answer.statusCode ?? 0, { 'content-type': 'application/json' }).end(text);
  }

  /** Resolves when the answer begins; rejects where there is none. */
  #give(batch: string, bytes: Buffer, trap: Trap | undefined): Promise<IncomingMessage> {
    const isSet = (): boolean => trap !== undefined && this.#trap === trap;
    return new Promise((resolve, reject) => {
      const request = send(`${this.#sidecarUrl}${BATCH_PATH}`, { method: 'POST', agent: false });
      request.once('error', reject);
      request.once('response', (answer) => {
        if (trap?.moment.kind !== 'answered' || !isSet()) {
          resolve(answer);
          return;
        }
        trap.spring();
        reject(new Error('the sidecar was killed'));
      });
      // Nobody was given anything where nobody listens.
      request.once('socket', (socket) => socket.once('connect', () => this.#given.add(batch)));
      request.end(bytes, () => {
        this.#seen.add(batch);
        if (trap?.moment.kind !== 'given') return;
        void delay(trap.moment.afterMs).then(() => {
          if (isSet()) trap.spring();
        });
      });
    });
  }

  #tell(batch: string, receipt: string): void {
    const isDuplicate = receipt.includes('"duplicate"');
    if (isDuplicate) this.duplicates += 1;
    if (!this.#broken.delete(batch)) return;
    if (isDuplicate) this.kills.committed += 1;
    else if (receipt.includes('"applied"')) this.kills.uncommitted += 1;
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
