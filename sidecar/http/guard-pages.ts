// Lets a request pass that may read pages, as the web configuration says: a client certificate where one is required, and a
// user's name and password where there are users. What comes in with the bearer token, and /-/healthy and /-/ready, stand
// before this guard.
import type { TLSSocket } from 'node:tls';
import type { Request, RequestHandler } from 'express';
import type { Clock } from '../clock';
import type { WebConfig } from '../config/web-config';
import { PasswordCheck } from './password-check';
import type { Refusal } from '../exposition/refusal';

export interface PageRefusal {
  readonly refusal: Refusal;
  readonly status: number;
  /** What was expected. */
  readonly sentence: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why a request may not read pages; `undefined` where it may. */
export type JudgePage = (request: Request) => Promise<PageRefusal | undefined>;

export function judgePages(web: () => WebConfig | undefined, clock: Clock): JudgePage {
  const passwords = new PasswordCheck(clock);
  return async (request) => {
    const config = web();
    if (config?.tls?.clientCertificate === 'required' && !showsCertificate(request)) {
      const sentence = 'expected a client certificate that client_ca_file verifies, found none';
      return { refusal: 'client_certificate', status: 403, sentence, headers: {} };
    }
    if (config === undefined || config.users.length === 0) return undefined;
    const given = readBasicAuthorization(request.headers.authorization);
    const answer = given && (await passwords.check(config.users, given.name, given.password));
    if (answer === 'right') return undefined;
    if (answer === 'busy') {
      const sentence = 'too many passwords are being checked; try again';
      return { refusal: 'basic_auth_busy', status: 429, sentence, headers: { 'Retry-After': '1' } };
    }
    return {
      refusal: 'basic_auth',
      status: 401,
      sentence: 'expected the name and password of a user of the web configuration',
      headers: { 'WWW-Authenticate': 'Basic realm="gatewatch", charset="UTF-8"' },
    };
  };
}

export function guardPages(judge: JudgePage, onRefused: (refusal: Refusal) => void): RequestHandler {
  return async (request, response, next) => {
    const refused = await judge(request);
    if (refused === undefined) {
      next();
      return;
    }
    const { refusal, status, sentence, headers } = refused;
    onRefused(refusal);
    response.status(status).set(headers).type('text/plain').send(`${sentence}\n`);
  };
}

/** An unverified one has not come this far: the listener ended its connection. */
function showsCertificate({ socket }: Request): boolean {
  return 'authorized' in socket && (socket as TLSSocket).authorized;
}

function readBasicAuthorization(header: string | undefined): { name: string; password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
