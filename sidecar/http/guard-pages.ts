// Lets a request pass that may read pages, as the web configuration says: a client certificate where one is required, and a
// user's name and password where there are users. What comes in with the bearer token, and /-/healthy and /-/ready, stand
// before this guard.
import type { TLSSocket } from 'node:tls';
import type { Request, RequestHandler } from 'express';
import type { Clock } from '../clock';
import type { WebConfig } from '../config/web-config';
import { PasswordCheck } from './password-check';
import type { Refusal } from '../exposition/refusal';

export interface PageGuardParts {
  readonly web: () => WebConfig | undefined;
  readonly clock: Clock;
  readonly onRefused: (refusal: Refusal) => void;
}

export function guardPages({ web, clock, onRefused }: PageGuardParts): RequestHandler {
  const passwords = new PasswordCheck(clock);
  return async (request, response, next) => {
    const config = web();
    const refuse = (refusal: Refusal, status: number, sentence: string): void => {
      onRefused(refusal);
      response.status(status).type('text/plain').send(`${sentence}\n`);
    };
    if (config?.tls?.clientCertificate === 'required' && !showsCertificate(request)) {
      refuse(
        'client_certificate',
        403,
        'expected a client certificate that client_ca_file verifies, found none',
      );
      return;
    }
    if (config === undefined || config.users.length === 0) {
      next();
      return;
    }
    const given = readBasicAuthorization(request.headers.authorization);
    const answer = given && (await passwords.check(config.users, given.name, given.password));
    if (answer === 'right') {
      next();
    } else if (answer === 'busy') {
      response.set('Retry-After', '1');
      refuse('basic_auth_busy', 429, 'too many passwords are being checked; try again');
    } else {
      response.set('WWW-Authenticate', 'Basic realm="gatewatch", charset="UTF-8"');
      refuse('basic_auth', 401, 'expected the name and password of a user of the web configuration');
    }
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
