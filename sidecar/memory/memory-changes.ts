// What the alerts' memory is to keep and to forget: the one form in which windows, alerts, routing and the log of events give
// it. A value is plain data (see memory-record.ts), and is not changed while it is on its way to the disk.

export interface MemoryPut {
  /** Begins with one of MEMORY_KEYS. */
  readonly key: string;
  readonly value: unknown;
}

/** No key twice, in neither of them. */
export interface MemoryChanges {
  readonly puts: readonly MemoryPut[];
  readonly deletes: readonly string[];
}

/** What each key begins with. One that does not end with a slash is a whole key. */
export const MEMORY_KEYS = {
  clock: 'clock',
  window: 'window/',
  alert: 'alert/',
  route: 'route',
  silence: 'silence/',
  event: 'event/',
  delivery: 'delivery/',
  thread: 'thread/',
  standIn: 'stand-in/',
  standing: 'standing',
  deadLetter: 'dead-letter/',
  kongConfiguration: 'kong-configuration',
} as const;

/** Of several owners, none of which has a key of another. */
export function joinChanges(all: readonly MemoryChanges[]): MemoryChanges {
  return { puts: all.flatMap(({ puts }) => puts), deletes: all.flatMap(({ deletes }) => deletes) };
}
