// The producer's clock. The sidecar places intervals by their age at the moment of sending, so what matters is that two
// readings tell the time that passed between them, also where the system's clock was set in between.

const ORIGIN_MS = Date.now() - performance.now();

/** Unix ms, whole: the system's time when the process began, going on evenly. */
export function steadyNowMs(): number {
  return Math.floor(ORIGIN_MS + performance.now());
}
