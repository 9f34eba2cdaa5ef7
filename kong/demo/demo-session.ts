// In: the plans of one run. Out: its programs started, watched, and stopped in order: traffic, gateway (which has its plugin
// server deliver what it holds), sidecar, Prometheus, Spotlight (which takes what both
// report to the last), upstreams. The run's folder goes last.
// A program that ends by itself rejects `broken`; nothing is restarted.
import { endLeftovers } from './end-leftovers';
import { removeRunDirectory } from './run-directory';
import { startProcess, type SupervisedProcess } from './supervised-process';
import { startTraffic, type Traffic } from './traffic';
import { waitUntilAnswers } from './wait-until-answers';
import type { ProgramPlan, ProgramPlans } from './process-plans';

/** A program that ended by itself, or did not become ready. */
export class ProgramFailure extends Error {
  constructor(
    message: string,
    readonly program: string,
    readonly lastLines: readonly string[],
  ) {
    super(message);
  }
}

/** What the session tells while it works. */
export interface SessionListener {
  started(name: string, url: string, seconds: number): void;
  line(name: string, line: string): void;
}

/** One run of the demo. */
export class DemoSession {
  /** Rejects with a ProgramFailure when a program ends by itself; never resolves. */
  readonly broken: Promise<never>;

  readonly #processes: SupervisedProcess[] = [];
  readonly #over = new AbortController();
  #break: (failure: ProgramFailure) => void = () => undefined;
  #traffic: Traffic | undefined;
  #stopped: Promise<void> | undefined;

  /** @param directory the run's folder, removed at the end */
  constructor(
    readonly directory: string,
    private readonly listener: SessionListener,
  ) {
    this.broken = new Promise((_resolve, reject) => {
      this.#break = reject;
    });
    // Whoever waits for `broken` gets the failure; before anybody does it must not end the process.
    this.broken.catch(() => undefined);
  }

  /**
   * Starts all programs at once and waits until each is ready.
   *
   * @param timeoutMs for all together
   * @throws ProgramFailure, or the reason of `stop`
   */
  async start(plans: ProgramPlans, timeoutMs: number): Promise<void> {
    const { gateway, sidecar, prometheus, spotlight, upstreams } = plans;
    const programs = [gateway, sidecar, prometheus, spotlight, upstreams].filter(
      (plan) => plan !== undefined,
    );
    await Promise.race([
      this.broken,
      Promise.all(programs.map((plan) => this.#startProgram(plan, timeoutMs))),
    ]);
  }

  /** Whether it is stopping or has stopped. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** @param origin the gateway's proxy */
  startTraffic(origin: string): void {
    if (!this.#over.signal.aborted) this.#traffic = startTraffic(origin);
  }

  /** Stops everything in order and removes the folder. Called again, it gives the same promise. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  /** SIGKILL for all, and the folder removed, before it returns: for a second Ctrl-C and for an unexpected end. */
  killNow(): void {
    this.#over.abort(new Error('stopped'));
    for (const process of this.#processes) process.killNow();
    endLeftovers(this.directory);
    removeRunDirectory(this.directory);
  }

  async #startProgram(plan: ProgramPlan, timeoutMs: number): Promise<void> {
    const startMs = performance.now();
    const process = startProcess(plan, (line) => this.listener.line(plan.name, line));
    this.#processes.push(process);
    void process.ended.then((how) => {
      if (this.#over.signal.aborted) return;
      this.#break(
        new ProgramFailure(`The ${plan.name} ${how}; the demo cannot go on.`, plan.name, process.lastLines()),
      );
    });
    try {
      await waitUntilAnswers(plan.readyUrl, timeoutMs, this.#over.signal);
    } catch (error) {
      this.#over.signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      throw new ProgramFailure(`The ${plan.name} did not start: ${message}.`, plan.name, process.lastLines());
    }
    this.listener.started(plan.name, plan.readyUrl, (performance.now() - startMs) / 1000);
  }

  async #stopInOrder(): Promise<void> {
    this.#over.abort(new Error('stopped'));
    try {
      await this.#traffic?.stop();
      for (const process of this.#processes) await process.stop();
    } finally {
      endLeftovers(this.directory);
      removeRunDirectory(this.directory);
    }
  }
}
