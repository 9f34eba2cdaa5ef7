// The host's parent: holds the socket, and keeps one worker on it. Small, so that there is little in it to fail.
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import type { PluginLog } from '../plugin-log';
import { WORKER_RESTARTS_VARIABLE } from '../worker-restarts';
import { BoundSocket, placeState } from './bound-socket';
import { descriptorLimit, mostConnections, WANTED_DESCRIPTORS } from './descriptor-limit';
import { endHungWorker } from './end-hung-worker';
import { MAX_INSTANCES, type InstanceStart, type ToParent, type ToWorker } from './worker-messages';

const WORKER = resolve(__dirname, 'worker-main.js');

/** How often the parent looks who has the path. */
const LOOK_INTERVAL_MS = 1_000;

/** A worker that dies sooner than this after its start is started again after a pause, doubled each time. */
const STABLE_AFTER_MS = 1_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

/**
 * So many workers in a row that end before the first one listens end the host: after 1.5 s of pauses, it is for Kong to start it
 * again. Once one has listened, connections wait in the socket's queue, and there is no bound.
 */
const MAX_FAILED_STARTS = 5;

export class PluginHost {
  readonly #path: string;
  readonly #log: PluginLog;
  #socket: BoundSocket | undefined;
  #worker: ChildProcess | undefined;
  #restarts = 0;
  /** Those that no plugin has counted yet. */
  #newRestarts = 0;
  /** By what they are, the one that was started last at the end. */
  readonly #instances = new Map<string, InstanceStart>();
  #pauseMs = 0;
  #leaving = false;
  /** Some worker has listened. */
  #hasListened = false;
  #tellFirstListening: (() => void) | undefined;
  readonly #firstListening = new Promise<void>((resolve) => (this.#tellFirstListening = resolve));
  #end: ((exitCode: number) => void) | undefined;
  /** The exit code, when the host has left. */
  readonly ended = new Promise<number>((resolve) => (this.#end = resolve));

  constructor(path: string, log: PluginLog) {
    this.#path = path;
    this.#log = log;
  }

  /** Resolves when Kong can connect, or the host has ended. @throws Error for the operator */
  async start(): Promise<void> {
    this.#socket = await BoundSocket.bindBeside(this.#path);
    const limit = descriptorLimit();
    if (limit < WANTED_DESCRIPTORS) {
      this.#log(
        'warn',
        'the limit of open files is low: above it, connections of Kong wait for others to end',
        {
          limit,
          connections: mostConnections(limit),
          wantedLimit: WANTED_DESCRIPTORS,
        },
      );
    }
    this.#startWorker(this.#socket);
    await Promise.race([this.#firstListening, this.ended]);
    if (!this.#hasListened) return;
    this.#socket.publish();
    this.#log('info', 'the plugin server listens', { socket: this.#path, worker: this.#worker?.pid });
    const timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    void this.ended.then(() => clearInterval(timer));
  }

  /** Lets the worker deliver what it has, and ends; called again, the worker ends at once. */
  stop(): void {
    this.#leaving = true;
    if (this.#worker) this.#worker.kill('SIGTERM');
    else this.#finish();
  }

  #startWorker(socket: BoundSocket): void {
    const startedAtMs = performance.now();
    let worker: ChildProcess;
    try {
      worker = spawn(process.execPath, [WORKER], {
        stdio: ['ignore', 'inherit', 'inherit', socket.fd, 'ipc'],
        env: { ...process.env, [WORKER_RESTARTS_VARIABLE]: String(this.#newRestarts) },
      });
    } catch (error) {
      this.#startAgain(socket, startedAtMs, { reason: String(error) });
      return;
    }
    this.#worker = worker;
    let isListening = false;
    worker.on('error', (error) => {
      // Without a process number the system could not start it, and no exit follows.
      if (worker.pid === undefined && this.#worker === worker)
        this.#startAgain(socket, startedAtMs, { reason: String(error) });
    });
    worker.on('message', (message: ToParent) => {
      if (message.kind === 'listening') {
        isListening = true;
        this.#hasListened = true;
        this.#tellFirstListening?.();
      } else if (message.kind === 'started') {
        this.#newRestarts = 0;
        this.#remember(message.start);
      }
    });
    worker.once('exit', (code, signal) => {
      // What it was to begin with may be what ended it.
      if (!isListening) this.#instances.clear();
      this.#startAgain(socket, startedAtMs, signal === null ? { exitCode: code } : { signal });
    });
    if (worker.pid === undefined) return;
    endHungWorker(worker, this.#log);
    tell(worker, { kind: 'begin', instances: [...this.#instances.values()], place: socket.place });
  }

  /** The worker that was started then has ended, so. */
  #startAgain(socket: BoundSocket, startedAtMs: number, end: Readonly<Record<string, unknown>>): void {
    this.#worker = undefined;
    if (this.#leaving) {
      this.#finish();
      return;
    }
    this.#restarts += 1;
    this.#newRestarts += 1;
    const lastedMs = Math.round(performance.now() - startedAtMs);
    if (!this.#hasListened && this.#restarts === MAX_FAILED_STARTS) {
      this.#log(
        'error',
        'no worker of the plugin server lived until it could listen; the plugin server ends',
        {
          ...end,
          lastedMs,
          failedStarts: this.#restarts,
        },
      );
      this.#finish(1);
      return;
    }
    this.#pauseMs =
      lastedMs >= STABLE_AFTER_MS
        ? 0
        : Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    this.#log('error', 'the worker of the plugin server ended; it is started again', {
      ...end,
      lastedMs,
      pauseMs: this.#pauseMs,
      restarts: this.#restarts,
    });
    setTimeout(() => {
      if (this.#leaving) this.#finish();
      else this.#startWorker(socket);
    }, this.#pauseMs);
  }

  #look(): void {
    if (this.#leaving || !this.#socket) return;
    const state = placeState(this.#socket.place);
    if (state === 'ours') return;
    this.#leaving = true;
    this.#log(
      state === 'gone' ? 'error' : 'info',
      state === 'gone'
        ? 'the socket was removed; this plugin server ends when its connections have'
        : 'another plugin server has taken the socket over; this one ends when its connections have',
      { socket: this.#path },
    );
    if (this.#worker) tell(this.#worker, { kind: 'finish' });
  }

  #remember(start: InstanceStart): void {
    const key = JSON.stringify([start.Name, start.Config]);
    this.#instances.delete(key);
    this.#instances.set(key, start);
    const [oldest] = this.#instances.keys();
    if (this.#instances.size > MAX_INSTANCES && oldest !== undefined) this.#instances.delete(oldest);
  }

  #finish(exitCode = 0): void {
    this.#socket?.close();
    this.#end?.(exitCode);
  }
}

/** A worker that is just dying cannot be told; its end is seen on its own. */
function tell(worker: ChildProcess, message: ToWorker): void {
  worker.send(message, () => undefined);
}
