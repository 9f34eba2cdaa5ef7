// Lets a request pass that may use the API. Writing takes the bearer token, as /-/reload does; without one in the configuration, which is
// on loopback and unix sockets only, anybody may, but no page in a browser (see refuse-browser-pages.ts). Reading takes the
// token too, or what the web configuration asks for; where it asks for nothing and there is a token, reading takes the token.
// A client certificate that is only asked for, and not required, is no reason to leave out the token.
import type { RequestHandler } from 'express';
import type { Secret } from '../../config/secret';
import type { WebConfig } from '../../config/web-config';
import type { Refusal } from '../../exposition/refusal';
import { carriesToken } from '../bearer-token';
import type { JudgePage } from '../guard-pages';
import type { ErrorDocument } from './answer-shapes';

export interface ApiGuardParts {
  readonly token: () => Secret | undefined;
  readonly web: () => WebConfig | undefined;
  /** The one of the pages: guesses at passwords are slowed down together. */
  readonly judgePage: JudgePage;
  readonly onRefused: (refusal: Refusal) => void;
}

const REMEDY = "Send the token of the sidecar's configuration";

export function guardApi({ token, web, judgePage, onRefused }: ApiGuardParts): RequestHandler {
  return async (request, response, next) => {
    const expected = token();
    const { authorization } = request.headers;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const asksPages = isRead && (expected === undefined || asksForSomething(web()));
    if (expected === undefined ? !asksPages : carriesToken(authorization, expected)) {
      next();
      return;
    }
    const refuse = (refusal: Refusal, status: number, error: string): void => {
      onRefused(refusal);
      response.status(status).json({ error } satisfies ErrorDocument);
    };
    if (!asksPages) {
      response.set('WWW-Authenticate', 'Bearer');
      const found = authorization === undefined ? 'found none' : 'found another header or another token';
      refuse('bearer_token', 401, `expected the header "Authorization: Bearer <token>", ${found}. ${REMEDY}`);
      return;
    }
    const refused = await judgePage(request);
    if (refused === undefined) {
      next();
      return;
    }
    response.set(refused.headers);
    if (refused.status === 401 && expected !== undefined) response.append('WWW-Authenticate', 'Bearer');
    const orToken = expected === undefined ? '' : ', or the bearer token';
    refuse(refused.refusal, refused.status, `${refused.sentence}${refused.status === 429 ? '' : orToken}`);
  };
}

/** Of whoever reads a page. */
function asksForSomething(web: WebConfig | undefined): boolean {
  return web !== undefined && (web.users.length > 0 || web.tls?.clientCertificate === 'required');
}
