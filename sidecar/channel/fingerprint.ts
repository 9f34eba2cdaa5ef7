// By what it is seen that a reload has changed nothing of a channel: a hash, since secrets are in it.
import { createHash } from 'node:crypto';
import { Secret } from '../config/secret';
import type { ChannelSettings } from '../config/channel/channel-settings';
import type { ChannelParts } from './channel-parts';

/** The same for the same settings, and no other's. */
export function fingerprintOf(
  settings: ChannelSettings,
  { project, externalUrl }: Pick<ChannelParts, 'project' | 'externalUrl'>,
): string {
  return createHash('sha256')
    .update(JSON.stringify([settings, project, externalUrl ?? null], revealed))
    .digest('hex')
    .slice(0, 16);
}

/** A secret has made a mark of itself by now. */
function revealed(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const own = this[key];
  return own instanceof Secret ? own.reveal() : value;
}
