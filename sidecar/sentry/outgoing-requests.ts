// Under what name an outgoing request of undici goes: that of the work it is made in. Its address, which is a secret, is taken
// from what the SDK notes of it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { Breadcrumb, BreadcrumbHint, Span } from '@sentry/core';

const UNNAMED = 'an outgoing request';
/** Of requests that are made all the time: they would leave no room for others among the breadcrumbs. */
const ROUTINE = 'a routine request';

const work = new AsyncLocalStorage<string>();
const names = new WeakMap<object, string>();

/** @param name such as `deliver to oncall` */
export function during<Result>(name: string, run: () => Result): Result {
  return work.run(name, run);
}

/** Requests that leave no breadcrumb. */
export function routinely<Result>(run: () => Result): Result {
  return work.run(ROUTINE, run);
}

/** From now on requests get their names. The channel is told in the context of whoever makes the request. */
export function nameRequests(): void {
  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: object };
    names.set(request, work.getStore() ?? UNNAMED);
  });
}

/** The same breadcrumb with name, method and status only; every other kind is dropped, and those of routine requests. */
export function withoutAddress(breadcrumb: Breadcrumb, hint: BreadcrumbHint | undefined): Breadcrumb | null {
  if (breadcrumb.category !== 'http') return null;
  const { status_code: status, 'http.request.method': method } = breadcrumb.data ?? {};
  const request: unknown = hint?.['request'];
  const name = typeof request === 'object' && request !== null ? names.get(request) : undefined;
  if (name === ROUTINE) return null;
  return {
    type: 'http',
    category: 'http',
    level: breadcrumb.level ?? 'info',
    ...(breadcrumb.timestamp === undefined ? {} : { timestamp: breadcrumb.timestamp }),
    message: name ?? UNNAMED,
    data: { method: String(method), status_code: Number(status) },
  };
}

/** Attributes of a client span that tell nothing of the address. */
const KEPT_ATTRIBUTES = new Set([
  'sentry.op',
  'sentry.kind',
  'sentry.origin',
  'http.request.method',
  'http.response.status_code',
]);

/** The data of a span without the address. */
export function keepHarmless(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([key]) => KEPT_ATTRIBUTES.has(key)));
}

/** Called by the SDK where the request is made. */
export function renameSpan(span: Span, { method }: { method?: string | undefined }): void {
  span.updateName(`${method ?? 'GET'} ${work.getStore() ?? UNNAMED}`);
}
