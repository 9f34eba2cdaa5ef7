// A unix socket that is bound and not yet listening: the parent holds it, and every worker in turn listens on it. What
// connects while no worker lives waits in the kernel's queue.
import { renameSync, statSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';

interface PipeHandle {
  readonly fd: number;
  bind(path: string): number;
  close(): void;
}

/** Node has no public way to bind without accepting; the class of the handle under a net.Server has. */
type PipeConstructor = new (type: number) => PipeHandle;

/** Of a socket's path on Linux; the system would cut it off in silence. */
const MAX_PATH_BYTES = 107;

/** In Node's pipe_wrap a socket is type 0, a server type 1; both may be bound. */
const SERVER_TYPE = 1;

/** Where Kong finds a socket, and which of the files that may be there is this socket's. */
export interface SocketPlace {
  readonly path: string;
  /** In decimal digits. No other file gets it while the socket is open. */
  readonly inode: string;
}

/** Who is found at the place: this socket, another or nobody. */
export function placeState({ path, inode }: SocketPlace): 'ours' | 'replaced' | 'gone' {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!found) return 'gone';
  return String(found.ino) === inode ? 'ours' : 'replaced';
}

export class BoundSocket {
  readonly place: SocketPlace;
  readonly #handle: PipeHandle;

  private constructor(path: string, handle: PipeHandle) {
    // A renamed file keeps its inode.
    this.place = { path, inode: String(statSync(asidePath(path), { bigint: true }).ino) };
    this.#handle = handle;
  }

  /**
   * Binds beside `path`; `publish` puts it in its place, so that nobody ever finds a socket on which nobody listens.
   *
   * @throws Error for the operator, where the path cannot be taken
   */
  static async bindBeside(path: string): Promise<BoundSocket> {
    requireUsable(path);
    const Pipe = await pipeClass();
    const handle = new Pipe(SERVER_TYPE);
    const aside = asidePath(path);
    removeIfThere(aside);
    const status = handle.bind(aside);
    if (status !== 0) {
      handle.close();
      throw new Error(
        `the socket ${path} cannot be made (error ${status}): its directory must be there and be writable for this user`,
      );
    }
    return new BoundSocket(path, handle);
  }

  /** For a worker's stdio. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** Takes the path, from a dead host's socket or a living one's, without a moment in between. @throws Error */
  publish(): void {
    const { path } = this.place;
    requireUsable(path);
    renameSync(asidePath(path), path);
  }

  /** Leaves no file, published or not. */
  close(): void {
    const { path } = this.place;
    if (placeState(this.place) === 'ours') removeIfThere(path);
    removeIfThere(asidePath(path));
    this.#handle.close();
  }
}

/** @throws Error for the operator */
function requireUsable(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket())
    throw new Error(`${path} is there and is no socket: name another path, or remove it`);
  const room = MAX_PATH_BYTES - Buffer.byteLength(asidePath(''));
  if (Buffer.byteLength(path) > room)
    throw new Error(`the path of the socket is too long: expected at most ${room} bytes, found ${path}`);
}

function asidePath(path: string): string {
  return `${path}.${process.pid}`;
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** From a server on an abstract address, which leaves no file. */
async function pipeClass(): Promise<PipeConstructor> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(`\0gatewatch-${process.pid}`, resolve);
  });
  const { _handle: handle } = server as unknown as { _handle: { constructor: PipeConstructor } };
  const { constructor } = handle;
  server.close();
  return constructor;
}
