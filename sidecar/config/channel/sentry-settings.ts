// A channel of the type sentry: an issue in the project of `sentry.dsn`, resolved when the alert ends.
import { z } from 'zod';
import { DEFAULT_SENTRY_API_URL } from '../default-config';
import { name, orEmpty, path, PATH_ERROR, plainUrl, slug, SLUG_ERROR, token, TOKEN_ERROR } from '../fields';
import { isGiven, type PlacedFault } from '../placed-fault';
import type { Secret } from '../secret';
import { baseOf, deliveryKeys, type ChannelBase, type ChannelSources } from './channel-base';
import { checkNotBoth } from './check-one-of';

/** Sentry's web API, which resolves issues. */
export interface SentryApiSettings {
  readonly authToken: Secret;
  readonly organization: string;
  readonly project: string;
  /** Such as https://sentry.io, without a slash at its end. */
  readonly apiUrl: string;
}

export interface SentryChannelSettings extends ChannelBase {
  readonly type: 'sentry';
  /** `undefined`: the issue stays until somebody resolves it. */
  readonly resolving: SentryApiSettings | undefined;
}

export const sentryChannelShape = z.strictObject({
  name,
  type: z.literal('sentry'),
  auth_token: orEmpty(token, TOKEN_ERROR),
  auth_token_file: orEmpty(path, PATH_ERROR),
  organization: orEmpty(slug, SLUG_ERROR),
  project: orEmpty(slug, SLUG_ERROR),
  api_url: plainUrl.default(DEFAULT_SENTRY_API_URL),
  ...deliveryKeys,
});

export function sentryChannelOf(
  document: z.infer<typeof sentryChannelShape>,
  { secret }: ChannelSources,
): SentryChannelSettings {
  const authToken = secret('auth_token');
  const { organization, project } = document;
  const apiUrl = document.api_url.replace(/\/+$/, '');
  const resolving =
    authToken && organization && project ? { authToken, organization, project, apiUrl } : undefined;
  return { ...baseOf(document), type: 'sentry', resolving };
}

export function sentryChannelDocument({ resolving }: SentryChannelSettings): object {
  if (resolving === undefined) return {};
  const { authToken, organization, project, apiUrl } = resolving;
  return { auth_token: authToken.toString(), organization, project, api_url: apiUrl };
}

/** Who resolves needs to know where. */
export function checkSentryChannel(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
): PlacedFault[] {
  const both = checkNotBoth(channel, at, 'auth_token');
  if (both.length > 0) return both;
  if (!isGiven(channel['auth_token']) && !isGiven(channel['auth_token_file'])) return [];
  const missing = ['organization', 'project'].filter((key) => !isGiven(channel[key]));
  if (missing.length === 0) return [];
  const expected = 'organization and project beside auth_token';
  return [{ path: at, expected, found: `no ${missing.join(', no ')}` }];
}
