// Who caused the outcome of a request: the caller, the gateway itself, or the service behind it. A request without an
// error has the source that answered it: upstream or gateway.

export const SOURCES = ['client', 'gateway', 'upstream'] as const;

export type Source = (typeof SOURCES)[number];
