// The plugin server as a child process. In: the start command. Out: a process that is started again when it ends, not
// sooner than 1 s after its last start, as Kong's plugin_servers/process.lua has it; its output goes to the log.
// It leads a process group of its own, so that a terminal's Ctrl-C reaches it through the gateway's stop only.
import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pluginServerEnvironment } from './plugin-server-environment';

const RESPAWN_INTERVAL_MS = 1000;

/** How long a plugin server may take to end after SIGTERM: gatewatch's defaults for Sentry and for its last delivery, and 1 s more. */
export const STOP_TIMEOUT_MS = 8_000;

/** One plugin server that this gateway runs. */
export class PluginServerProcess {
  private child: ChildProcess | undefined;
  private stopping = false;
  private readonly respawnTimer = new AbortController();
  private readonly onExit = (): void => this.killNow();

  constructor(
    private readonly name: string,
    private readonly command: string,
    private readonly socketPath: string,
    private readonly environment: Readonly<Record<string, string | undefined>>,
    private readonly log: (line: string) => void,
  ) {}

  /** The running process, or nothing between two. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts it and keeps it running; should this process end without stop(), it is killed. */
  start(): void {
    process.on('exit', this.onExit);
    this.spawn();
  }

  private spawn(): void {
    const startedAt = performance.now();
    // `exec` replaces the shell, so that the process id is the plugin server's.
    const child = spawn('/bin/sh', ['-c', `exec ${this.command}`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: pluginServerEnvironment(this.environment),
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) =>
        this.log(`[${this.name}:${child.pid ?? 0}] ${line}`),
      );
    }
    child.once('error', (error) =>
      this.log(`external pluginserver '${this.name}' cannot be started: ${error.message}`),
    );
    // Its end, and not that of its output: what it started may live on.
    child.once('exit', (code, signal) => {
      this.child = undefined;
      if (this.stopping) return;
      const hint = code === 127 ? ' ("command not found")' : '';
      this.log(`external pluginserver '${this.name}' terminated: ${signal ?? `exit ${code ?? 0}`}${hint}`);
      const waitMs = Math.max(0, RESPAWN_INTERVAL_MS - (performance.now() - startedAt));
      sleep(waitMs, undefined, { signal: this.respawnTimer.signal }).then(
        () => this.spawn(),
        () => undefined,
      );
    });
  }

  /** SIGTERM, then the end of the process or, after 8 s, SIGKILL to its group; then its socket is removed. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.respawnTimer.abort();
    const { child } = this;
    if (child !== undefined) {
      const closed = new Promise<true>((resolve) => child.once('close', () => resolve(true)));
      child.kill('SIGTERM');
      const timeout = new AbortController();
      const inTime = await Promise.race([
        closed,
        sleep(STOP_TIMEOUT_MS, false, { signal: timeout.signal, ref: true }),
      ]);
      timeout.abort();
      if (!inTime) {
        this.log(`external pluginserver '${this.name}' did not end within ${STOP_TIMEOUT_MS} ms: killing it`);
        this.killNow();
        await closed;
      }
    }
    process.off('exit', this.onExit);
    await rm(this.socketPath, { force: true });
  }

  /** SIGKILL to the whole group, without waiting. */
  private killNow(): void {
    this.stopping = true;
    const pid = this.child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
