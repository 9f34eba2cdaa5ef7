// Looks for changes of Kong's configuration, and remembers over restarts what was known of it.
import { z } from 'zod';
import { MEMORY_KEYS, type MemoryChanges } from '../memory/memory-changes';
import {
  lookForChanges,
  NO_CONFIGURATIONS,
  type ConfigurationChange,
  type KnownConfigurations,
} from './configuration-change';
import type { KongFacts } from './kong-facts';

const knownShape = z.object({
  latest: z.string().nullish(),
  hashes: z.record(z.string(), z.string()),
  recent: z.array(z.string()),
});

export class ConfigurationWatch {
  #known: KnownConfigurations = NO_CONFIGURATIONS;
  #written = this.#known;

  look(facts: KongFacts): readonly ConfigurationChange[] {
    const { known, changes } = lookForChanges(this.#known, facts);
    this.#known = known;
    return changes;
  }

  takeDirty(): MemoryChanges {
    const isNew = this.#known !== this.#written;
    this.#written = this.#known;
    const value = { ...this.#known };
    return { puts: isNew ? [{ key: MEMORY_KEYS.kongConfiguration, value }] : [], deletes: [] };
  }

  /** What cannot be read is as if it were not there. @param value `undefined`: nothing was written */
  restore(value: unknown): void {
    const { data } = knownShape.safeParse(value);
    if (!data) return;
    this.#known = { ...data, latest: data.latest ?? undefined };
    this.#written = this.#known;
  }
}
