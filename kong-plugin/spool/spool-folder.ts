// Where the spools of the plugin servers that report to one sidecar are: a folder of one user's own. A spool is named after
// its producer and its owner, `<producer>.<owner>.spool`; the owner is one process, and shows that it lives by listening on
// `<owner>.sock`. A process number would not do: it may be another process's after a restart or in another container.
// Adopting a spool is renaming it, which succeeds for exactly one process.
import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SealedBatch } from '../seal-batches';
import type { SidecarAddress } from '../sidecar-address';

/** Linux takes no longer path for a socket; Node would cut it off in silence. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Of spools that cannot be read, and of batches that were refused, so many are kept. */
const MOST_KEPT = 10;

const SPOOL_NAME = /^([0-9a-f-]{36})\.([0-9a-f]{16})\.spool$/;
const UNFINISHED_NAME = /^[0-9a-f-]{36}\.([0-9a-f]{16})\.unfinished$/;

export interface FoundSpool {
  readonly producer: string;
  /** Under this process's name. */
  readonly path: string;
  /** Or why it cannot be read. */
  readonly bytes: Buffer | Error;
}

export class SpoolFolder {
  /** What is its own in the folder. */
  readonly #owner = randomBytes(8).toString('hex');
  readonly path: string;
  #server: Server | undefined;

  /** @param base the setting spool_dir */
  constructor(base: string | undefined, address: SidecarAddress) {
    this.path = join(
      base ?? defaultBase(),
      createHash('sha256').update(address.text).digest('hex').slice(0, 12),
    );
  }

  spoolPath(producer: string): string {
    return join(this.path, `${producer}.${this.#owner}.spool`);
  }

  /** For a file that is renamed to `spoolPath` when it is whole. */
  unfinishedPath(producer: string): string {
    return join(this.path, `${producer}.${this.#owner}.unfinished`);
  }

  /**
   * Makes the folder where it is missing, and shows that its owner lives. Must come before the first file.
   *
   * @throws Error where that is not possible, or where others could write into the folder
   */
  hold(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    requireOwn(this.path);
    const socketPath = this.#socketPath(this.#owner);
    if (this.#server?.listening && lstatSync(socketPath, { throwIfNoEntry: false })) return;
    if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
      throw new Error(`the path is too long: ${socketPath} may have ${MAX_SOCKET_PATH_BYTES} bytes at most`);
    }
    this.#server?.close();
    // A socket binds at once, so whoever looks for the owner of a file finds it.
    const server = createServer((socket) => socket.destroy());
    let reason = 'it cannot listen on a socket there';
    server.on('error', (error) => (reason = error.message));
    server.listen(socketPath).unref();
    if (!server.listening) throw new Error(reason);
    this.#server = server;
  }

  /** Takes the spools whose owners are dead, and reads them. @throws Error where the folder cannot be read */
  async adopt(): Promise<FoundSpool[]> {
    const names = readdirSync(this.path);
    const found: FoundSpool[] = [];
    const alive = new Map<string, boolean>([[this.#owner, true]]);
    for (const name of names) {
      const owner = SPOOL_NAME.exec(name)?.[2] ?? UNFINISHED_NAME.exec(name)?.[1];
      if (owner === undefined) continue;
      if (!alive.has(owner)) alive.set(owner, await answers(this.#socketPath(owner)));
      if (alive.get(owner)) continue;
      const producer = SPOOL_NAME.exec(name)?.[1];
      if (producer === undefined) rmSync(join(this.path, name), { force: true });
      else {
        const path = this.spoolPath(producer);
        if (renameIfThere(join(this.path, name), path))
          found.push({ producer, path, bytes: readOrError(path) });
      }
    }
    for (const [owner, lives] of alive) if (!lives) rmSync(this.#socketPath(owner), { force: true });
    return found;
  }

  /** Puts a spool that cannot be read where a person finds it. @returns its path: the old one where that is not possible */
  setAside({ producer, path }: FoundSpool): string {
    return this.#keep(`${producer}.damaged`, (aside) => renameSync(path, aside)) ?? path;
  }

  /** The same with a copy, of one that cannot be read to its end. @returns its path, or `undefined` where none can be made */
  copyAside({ producer, path }: FoundSpool): string | undefined {
    return this.#keep(`${producer}.damaged`, (aside) => copyFileSync(path, aside));
  }

  /**
   * Keeps a batch that the sidecar refused for good, for a person to look at: as it was sent, at most 1 MB.
   *
   * @returns its path, or `undefined` where it cannot be written
   */
  keepRefused({ producer, sequence, bytes }: SealedBatch): string | undefined {
    return this.#keep(`${producer}.${sequence}.refused`, (aside) =>
      writeFileSync(aside, bytes, { mode: 0o600 }),
    );
  }

  /** Never throws: it is gone already, or is looked at again by the next owner. */
  discard({ path }: FoundSpool): void {
    try {
      rmSync(path, { force: true });
    } catch {
      // Nothing is in it.
    }
  }

  /** Whoever looks now finds no owner. An empty folder goes. */
  release(): void {
    this.#server?.close();
    this.#server = undefined;
    try {
      rmdirSync(this.path);
    } catch {
      // Others have something in it, or it is gone.
    }
  }

  #keep(name: string, put: (aside: string) => void): string | undefined {
    try {
      const aside = join(this.path, `${Date.now()}.${name}`);
      put(aside);
      const suffix = name.slice(name.lastIndexOf('.'));
      const kept = readdirSync(this.path).filter((one) => one.endsWith(suffix));
      // Their names begin with the time: the oldest go.
      for (const one of kept.sort().slice(0, -MOST_KEPT)) rmSync(join(this.path, one), { force: true });
      return aside;
    } catch {
      return undefined;
    }
  }

  #socketPath(owner: string): string {
    return join(this.path, `${owner}.sock`);
  }
}

function defaultBase(): string {
  return join(tmpdir(), `gatewatch-${process.getuid?.() ?? 'spool'}`);
}

/** What lies in a folder of others, such as /tmp, may have been put there by them. */
function requireOwn(folder: string): void {
  const found = lstatSync(folder);
  const own = process.getuid?.();
  if ((own !== undefined && found.uid !== own) || !found.isDirectory()) {
    throw new Error(`${folder} must be a folder of the plugin server's user (id ${own ?? 'unknown'})`);
  }
  if ((found.mode & 0o022) !== 0) throw new Error(`${folder} may be written to by others: chmod 700 it`);
}

/** Only a refusal shows that nobody is there; whatever else goes wrong does not. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function readOrError(path: string): Buffer | Error {
  try {
    return readFileSync(path);
  } catch (error) {
    return error as Error;
  }
}

/** Whether it was there to be renamed: another process may have been faster. */
function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
