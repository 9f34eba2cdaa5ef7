// When Kong's configuration changes, told from the hash that /status gives of it. Several Kongs take a new one over one after the
// other: it is news once, at the first that has it.
import type { KongFacts } from './kong-facts';

export interface ConfigurationChange {
  /** The Kong that was first seen with it. */
  readonly instance: string;
  readonly before: string;
  readonly after: string;
}

/** What is known of the configurations; plain data. */
export interface KnownConfigurations {
  /** Of the latest news, or of what was there first. */
  readonly latest: string | undefined;
  /** Instance -> its hash. */
  readonly hashes: Readonly<Record<string, string>>;
  /** Those that were news lately, the newest last. */
  readonly recent: readonly string[];
}

export const NO_CONFIGURATIONS: KnownConfigurations = { latest: undefined, hashes: {}, recent: [] };

const MOST_RECENT = 20;

/** What Kong has before it has any. */
const EMPTY_HASH = /^0*$/;

/** The same object where nothing changed. */
export function lookForChanges(
  known: KnownConfigurations,
  { instances }: KongFacts,
): { readonly known: KnownConfigurations; readonly changes: readonly ConfigurationChange[] } {
  const changes: ConfigurationChange[] = [];
  const hashes: Record<string, string> = {};
  let { latest, recent } = known;
  for (const { instance, configurationHash } of instances) {
    const before = known.hashes[instance];
    const after =
      configurationHash === undefined || EMPTY_HASH.test(configurationHash) ? before : configurationHash;
    if (after === undefined) continue;
    hashes[instance] = after;
    if (latest === undefined) latest = after;
    if (before === undefined || before === after || after === latest) continue;
    // One that comes behind goes through what others have had before it.
    if (before !== latest && recent.includes(after)) continue;
    changes.push({ instance, before, after });
    latest = after;
    recent = [...recent, after].slice(-MOST_RECENT);
  }
  const isSame =
    latest === known.latest &&
    Object.keys(hashes).length === Object.keys(known.hashes).length &&
    Object.entries(hashes).every(([instance, hash]) => known.hashes[instance] === hash);
  return { known: isSame ? known : { latest, hashes, recent }, changes };
}
