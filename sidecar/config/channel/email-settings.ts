// A channel of the type email: one SMTP server that takes our mail.
import { z } from 'zod';
import { name, orEmpty, path, PATH_ERROR, wholeNumber } from '../fields';
import { isGiven, type PlacedFault } from '../placed-fault';
import type { Secret } from '../secret';
import {
  authorityOf,
  baseOf,
  deliveryKeys,
  type CertificateAuthority,
  type ChannelBase,
  type ChannelSources,
} from './channel-base';
import { checkNotBoth } from './check-one-of';

/** `starttls`: begun in plain text and refused where the server offers no TLS. `implicit`: TLS from the first byte. */
export const EMAIL_TLS = ['starttls', 'implicit', 'none'] as const;

export interface EmailChannelSettings extends ChannelBase {
  readonly type: 'email';
  readonly host: string;
  readonly port: number;
  readonly tls: (typeof EMAIL_TLS)[number];
  /** `undefined`: the server asks for none. */
  readonly login: { readonly username: string; readonly password: Secret } | undefined;
  /** An address, or a name and an address: Gatewatch <gatewatch@example.com>. */
  readonly from: string;
  readonly to: readonly string[];
  /** PEM; `undefined`: the authorities that Node.js knows. */
  readonly ca: CertificateAuthority | undefined;
}

const HOST_ERROR = 'the name or address of a mail server, such as smtp.example.com';
const host = z.string({ error: HOST_ERROR }).regex(/^[A-Za-z0-9.:_-]{1,253}$/, { error: HOST_ERROR });

const ADDRESS_ERROR = 'a mail address, such as oncall@example.com or On call <oncall@example.com>';
/** RFC 5321, 4.5.3.1, without quoted names and addresses of the network; with letters of any script (RFC 6531). */
const BARE = /^[^\s\p{C}@<>(),;:"[\]\\]{1,64}@[^\s\p{C}@<>(),;:"[\]\\]{1,190}$/u;
const address = z.string({ error: ADDRESS_ERROR }).refine(isAddress, { error: ADDRESS_ERROR });

function isAddress(text: string): boolean {
  const named = /^[^\p{C}<>",;@]{1,100} <([^<>]+)>$/u.exec(text);
  return BARE.test(named?.[1] ?? text);
}

const TLS_ERROR = `one of ${EMAIL_TLS.join(', ')}`;
export const emailPassword = z
  .string({ error: 'a password' })
  .min(1, { error: 'a password' })
  .max(500, { error: 'a password of at most 500 characters' });
const USERNAME_ERROR = 'a user name';

/** RFC 8314: 465 for TLS from the first byte, 587 for STARTTLS; 25 is between servers. */
const PORTS = { starttls: 587, implicit: 465, none: 25 } as const;

export const emailShape = z.strictObject({
  name,
  type: z.literal('email'),
  host,
  port: wholeNumber(1, 65_535).optional(),
  tls: z.enum(EMAIL_TLS, { error: TLS_ERROR }).default('starttls'),
  username: orEmpty(z.string({ error: USERNAME_ERROR }).max(320, { error: USERNAME_ERROR }), USERNAME_ERROR),
  password: orEmpty(emailPassword, 'a password'),
  password_file: orEmpty(path, PATH_ERROR),
  from: address,
  to: z
    .array(address, { error: 'a list of mail addresses' })
    .min(1, { error: 'at least one mail address' })
    .max(50, { error: 'at most 50 mail addresses' }),
  ca_file: orEmpty(path, PATH_ERROR),
  ...deliveryKeys,
});

export function emailOf(document: z.infer<typeof emailShape>, sources: ChannelSources): EmailChannelSettings {
  const password = sources.secret('password');
  return {
    ...baseOf(document),
    type: 'email',
    host: document.host,
    port: document.port ?? PORTS[document.tls],
    tls: document.tls,
    login: document.username && password ? { username: document.username, password } : undefined,
    from: document.from,
    to: document.to,
    ca: authorityOf(document, sources),
  };
}

export function emailDocument(settings: EmailChannelSettings): object {
  const { host: ownHost, port, tls, login, from, to, ca } = settings;
  return {
    host: ownHost,
    port,
    tls,
    ...(login === undefined ? {} : { username: login.username, password: login.password.toString() }),
    from,
    to: [...to],
    ...(ca === undefined ? {} : { ca_file: ca.file }),
  };
}

export function checkEmail(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
): PlacedFault[] {
  const faults = checkNotBoth(channel, at, 'password');
  const hasPassword = isGiven(channel['password']) || isGiven(channel['password_file']);
  const hasName = isGiven(channel['username']);
  if (hasName !== hasPassword)
    faults.push({
      path: at,
      expected: 'username and password (or password_file), or neither',
      found: hasName ? 'username alone' : 'a password alone',
    });
  if (hasPassword && channel['tls'] === 'none')
    faults.push({
      path: [...at, 'tls'],
      expected: 'starttls or implicit beside a password, which would be sent in plain text',
      found: 'none',
    });
  return faults;
}
