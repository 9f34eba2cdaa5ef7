// Why a request was refused at the door, before anything was read of it: the `reason` of gatewatch_http_refused_requests_total.

export const REFUSALS = [
  'bearer_token',
  'basic_auth',
  'basic_auth_busy',
  'client_certificate',
  'cross_site',
] as const;

export type Refusal = (typeof REFUSALS)[number];
