// Where Spotlight takes envelopes. In: the key `spotlight` and the variable SENTRY_SPOTLIGHT, as texts; the key goes first, and
// each may be a word for yes or no, or an address. Out: the address, or `undefined` for no.
import { DEFAULT_SPOTLIGHT_URL } from './default-config';

/** Those of the SDK for its own option. */
const YES = /^(?:true|t|yes|y|on|1)$/i;
const NO = /^(?:false|f|no|n|off|0)$/i;

export const SPOTLIGHT_ERROR = 'true, false or the http address of a Spotlight';

export function isSpotlight(text: string): boolean {
  return YES.test(text) || NO.test(text) || isHttpAddress(text);
}

/**
 * A variable that is neither is taken for no: other programs read it too.
 *
 * @param key empty where it is not given
 */
export function spotlightUrlOf(key: string, variable: string): string | undefined {
  if (NO.test(key)) return undefined;
  const address = isHttpAddress(variable) ? variable : undefined;
  if (YES.test(key)) return address ?? DEFAULT_SPOTLIGHT_URL;
  if (key !== '') return key;
  return YES.test(variable) ? DEFAULT_SPOTLIGHT_URL : address;
}

function isHttpAddress(text: string): boolean {
  return /^https?:\/\/[!-~]+$/.test(text) && URL.canParse(text);
}
