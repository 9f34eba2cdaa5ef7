// How a producer shows that it lives.

/** With nothing to tell, a batch of nothing is sent this often, so that an idle gateway does not look dead. */
export const HEARTBEAT_MS = 10_000;

/** Two heartbeats did not come. */
export const SILENT_AFTER_MS = 25_000;
