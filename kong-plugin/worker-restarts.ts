// How the host tells the plugin in its worker how often the worker was started again: the plugin counts that for its sidecars.

/** In the environment of the worker. Kong clears that of its plugin server, so under the stock server there is none. */
export const WORKER_RESTARTS_VARIABLE = 'GATEWATCH_WORKER_RESTARTS';

/** Since the last worker in which the plugin was started. */
export function readWorkerRestarts(env: NodeJS.ProcessEnv): number {
  const text = env[WORKER_RESTARTS_VARIABLE] ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
