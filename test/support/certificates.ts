// Certificates for tests, made anew in each run: an authority, and what it signs for servers on 127.0.0.1 and for clients.
// X.509 version 3 in DER by hand (RFC 5280), with EC keys on P-256 and SHA-256; valid from yesterday for a week.
import { createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export class Authority implements Certificate {
  readonly cert: string;
  readonly key: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = privateKey;
    this.key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    this.cert = certificate(name, privateKey, name, privateKey, true);
  }

  /** For a server on 127.0.0.1 and localhost, or for a client. */
  issue(name: string): Certificate {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      cert: certificate(name, privateKey, this.#name, this.#key, false),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }
}

const DAY_MS = 86_400_000;

function certificate(
  subject: string,
  subjectKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  isAuthority: boolean,
): string {
  const algorithm = sequence(objectId('2a8648ce3d040302'));
  const extensions = [
    // basicConstraints, critical.
    sequence(
      objectId('551d13'),
      der(0x01, Buffer.from([0xff])),
      octets(isAuthority ? sequence(TRUE) : sequence()),
    ),
    // subjectAltName: 127.0.0.1 and localhost.
    sequence(
      objectId('551d11'),
      octets(sequence(der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')))),
    ),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    commonName(issuer),
    sequence(time(Date.now() - DAY_MS), time(Date.now() + 7 * DAY_MS)),
    commonName(subject),
    createPublicKey(subjectKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, issuerKey)]);
  const base64 = sequence(body, algorithm, der(0x03, signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

const TRUE = der(0x01, Buffer.from([0xff]));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(name)))));
}

/** UTCTime. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
