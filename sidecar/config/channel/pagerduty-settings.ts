// A channel of the type pagerduty: an integration of the type Events API v2.
import { z } from 'zod';
import { name, orEmpty, path, PATH_ERROR, plainUrl, YES_OR_NO_ERROR } from '../fields';
import type { PlacedFault } from '../placed-fault';
import { Secret } from '../secret';
import { baseOf, deliveryKeys, type ChannelBase, type ChannelSources } from './channel-base';
import { checkOneOf } from './check-one-of';

export interface PagerDutyChannelSettings extends ChannelBase {
  readonly type: 'pagerduty';
  readonly routingKey: Secret;
  /** Such as https://events.pagerduty.com, without a slash at its end. */
  readonly apiUrl: string;
  /** Whether it is told when Kong's configuration changes. */
  readonly sendsChanges: boolean;
}

export const DEFAULT_PAGERDUTY_API_URL = 'https://events.pagerduty.com';

const ROUTING_KEY_ERROR = 'an integration key of the Events API v2: 32 letters and digits';
export const routingKey = z
  .string({ error: ROUTING_KEY_ERROR })
  .regex(/^[A-Za-z0-9]{32}$/, { error: ROUTING_KEY_ERROR });

export const pagerDutyShape = z.strictObject({
  name,
  type: z.literal('pagerduty'),
  routing_key: orEmpty(routingKey, ROUTING_KEY_ERROR),
  routing_key_file: orEmpty(path, PATH_ERROR),
  api_url: plainUrl.default(DEFAULT_PAGERDUTY_API_URL),
  change_events: z.boolean({ error: YES_OR_NO_ERROR }).default(true),
  ...deliveryKeys,
});

export function pagerDutyOf(
  document: z.infer<typeof pagerDutyShape>,
  { secret }: ChannelSources,
): PagerDutyChannelSettings {
  return {
    ...baseOf(document),
    type: 'pagerduty',
    routingKey: secret('routing_key') ?? new Secret(''),
    apiUrl: document.api_url.replace(/\/+$/, ''),
    sendsChanges: document.change_events,
  };
}

export function pagerDutyDocument({
  routingKey: key,
  apiUrl,
  sendsChanges,
}: PagerDutyChannelSettings): object {
  return { routing_key: key.toString(), api_url: apiUrl, change_events: sendsChanges };
}

export function checkPagerDuty(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
): PlacedFault[] {
  return checkOneOf(channel, at, ['routing_key']);
}
