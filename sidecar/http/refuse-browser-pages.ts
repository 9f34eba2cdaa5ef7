// Refuses what a page in somebody's browser sends on its own: a request that changes something and says that it comes from
// another site. Where no token is asked, which is on loopback only, the page's server could first have given its own name
// our address (DNS rebinding); then the site is the same, but the Host header names it, so the host must be this machine's.
// Programs send neither header, and call a loopback address by its own name. What only reads is not looked at.
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import type { Fault } from '../../kong-plugin/contract/fault';
import { isLoopbackHost } from '../config/loopback-host';
import type { Refusal } from '../exposition/refusal';
import { isApiPath } from './api/api-routes';

export interface BrowserGuardParts {
  /** Whether anybody who reaches the address may post: there is no token, and the address is no unix socket. */
  readonly isOpen: () => boolean;
  readonly onRefused: (refusal: Refusal) => void;
}

/** What a browser says of a request that its own page, or its user, made. */
const OWN_SITES = new Set(['same-origin', 'none']);

export function refuseBrowserPages({ isOpen, onRefused }: BrowserGuardParts): RequestHandler {
  return ({ method, headers, path }, response, next) => {
    const reads = method === 'GET' || method === 'HEAD';
    const message = reads
      ? undefined
      : (explainForeignSite(headers) ?? (isOpen() ? explainHost(headers) : undefined));
    if (message === undefined) {
      next();
      return;
    }
    onRefused('cross_site');
    const fault: Fault = { fault: 'unauthorized', message };
    response.status(403).json(isApiPath(path) ? { error: message } : fault);
  };
}

function explainForeignSite(headers: IncomingHttpHeaders): string | undefined {
  const site = headers['sec-fetch-site'];
  const isForeign = typeof site === 'string' && !OWN_SITES.has(site);
  const { origin, host } = headers;
  if (!isForeign && (origin === undefined || hostOf(origin) === host?.toLowerCase())) return undefined;
  return 'a page of another site may not send this; send it from a program or a command line';
}

/** `undefined` for `null` and whatever else is no address. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function explainHost({ host }: IncomingHttpHeaders): string | undefined {
  const name = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d+)?$/.exec(host ?? '');
  if (isLoopbackHost(name?.[1] ?? name?.[2] ?? '')) return undefined;
  return (
    'without a token the Host header must name this machine, as in 127.0.0.1 or localhost. ' +
    "Set a token here and as sidecar_token in the plugin's configuration, or send to the loopback address"
  );
}
