// Why a request was refused before it was read to its end: the `reason` of gatewatch_http_refused_requests_total.

export const REFUSALS = [
  /** A batch without the sidecar's token, or with another. */
  'bearer_token',
  'basic_auth',
  'basic_auth_busy',
  'client_certificate',
  'cross_site',
  /** No page has this address, or not for this method. */
  'unknown_address',
  /** A compressed body: 415. */
  'encoded_body',
  /** What is no HTTP, or lacks its Host: 400. */
  'malformed',
  'headers_too_large',
  /** Of the API; a batch that is too large is counted among the batches: 413. */
  'body_too_large',
  /** Headers or body did not come in time: 408. */
  'timeout',
  /** All bodies together took too much memory, and this one had been on its way for the longest: 503. */
  'too_many_bodies',
  /** The client left before the end of its request. */
  'aborted',
] as const;

export type Refusal = (typeof REFUSALS)[number];
