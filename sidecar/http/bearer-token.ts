// Lets a request pass that carries the bearer token. Both sides are hashed first, so that the comparison takes the same time
// whatever was sent, its length included.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Fault } from '../../kong-plugin/contract/fault';
import type { Secret } from '../config/secret';

/**
 * @param token read for every request; `undefined` lets all pass, which the configuration allows on loopback only
 * @param remedy a sentence that tells who asks for this address where the token belongs
 */
export function requireBearerToken(
  token: () => Secret | undefined,
  remedy: string,
  onRefused: (fault: Fault) => void,
): RequestHandler {
  return (request, response, next) => {
    const expected = token();
    if (expected === undefined || carriesToken(request.headers.authorization, expected)) {
      next();
      return;
    }
    const fault: Fault = {
      fault: 'unauthorized',
      message:
        request.headers.authorization === undefined
          ? `expected the header "Authorization: Bearer <token>", found none. ${remedy}`
          : `the token is not the sidecar's. ${remedy}`,
    };
    onRefused(fault);
    response.status(401).set('WWW-Authenticate', 'Bearer').json(fault);
  };
}

/** @param header the value of `Authorization` */
export function carriesToken(header: string | undefined, expected: Secret): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(expected.reveal()));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
