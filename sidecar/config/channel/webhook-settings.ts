// A channel of the type webhook: a document by HTTP, in the form of Alertmanager's webhook, in one of our templates or in the user's.
import { z } from 'zod';
import { name, orEmpty, path, PATH_ERROR, url, URL_ERROR, YES_OR_NO_ERROR } from '../fields';
import { isGiven, type PlacedFault } from '../placed-fault';
import { Secret } from '../secret';
import {
  authorityOf,
  baseOf,
  deliveryKeys,
  type CertificateAuthority,
  type ChannelBase,
  type ChannelSources,
} from './channel-base';
import { checkOneOf } from './check-one-of';

export const WEBHOOK_METHODS = ['POST', 'PUT', 'PATCH'] as const;

/** Documents that we know how to write. */
export const WEBHOOK_FORMATS = ['alertmanager', 'teams', 'discord'] as const;

export interface WebhookChannelSettings extends ChannelBase {
  readonly type: 'webhook';
  /** A secret, since such addresses often carry a key. */
  readonly url: Secret;
  readonly method: (typeof WEBHOOK_METHODS)[number];
  /** By name, in lower case. Any may carry a key. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly content:
    | { readonly kind: 'format'; readonly format: (typeof WEBHOOK_FORMATS)[number] }
    | {
        readonly kind: 'template';
        /** As the configuration names it. */
        readonly file: string;
        /** Liquid. */
        readonly text: string;
        readonly contentType: string;
      };
  /** Of Standard Webhooks, whsec_...: each signs, so that a receiver may change from one to the next. None: not signed. */
  readonly signingSecrets: readonly Secret[];
  readonly allowsPrivateAddresses: boolean;
  /** PEM: only these authorities are trusted. `undefined`: those that Node.js knows. */
  readonly ca: CertificateAuthority | undefined;
}

export const DEFAULT_CONTENT_TYPE = 'application/json';

/** 24 to 64 bytes: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const SIGNING_SECRET_ERROR = 'a secret of Standard Webhooks: whsec_ and 24 to 64 bytes in Base64';
export const signingSecret = z.string({ error: SIGNING_SECRET_ERROR }).refine(isSigningSecret, {
  error: SIGNING_SECRET_ERROR,
});

function isSigningSecret(text: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (base64 === undefined) return false;
  const bytes = Buffer.from(base64, 'base64').length;
  return bytes >= 24 && bytes <= 64 && base64.length % 4 === 0;
}

/** What HTTP itself, the content or the signature says of a message. */
const OWN_HEADERS =
  /^(?:host|content-type|content-length|transfer-encoding|connection|te|trailer|upgrade|expect|webhook-.*)$/i;

const HEADERS_ERROR =
  'names and values of HTTP headers, except those of the connection, content-type (which is content_type, beside template_file), content-length and webhook-*';
const headers = z
  .record(
    z
      .string({ error: HEADERS_ERROR })
      .refine((key) => /^[\w!#$%&'*+.^`|~-]{1,100}$/.test(key) && !OWN_HEADERS.test(key), {
        error: HEADERS_ERROR,
      }),
    z.string({ error: HEADERS_ERROR }).regex(/^[\t -~\u00a0-\u00ff]{0,4096}$/, { error: HEADERS_ERROR }),
    { error: HEADERS_ERROR },
  )
  .default({});

const METHOD_ERROR = `one of ${WEBHOOK_METHODS.join(', ')}`;
const FORMAT_ERROR = `one of ${WEBHOOK_FORMATS.join(', ')}; or template_file in its place`;
const CONTENT_TYPE_ERROR = 'a media type, such as application/json';

export const webhookShape = z.strictObject({
  name,
  type: z.literal('webhook'),
  url: orEmpty(url, URL_ERROR),
  url_file: orEmpty(path, PATH_ERROR),
  method: z.enum(WEBHOOK_METHODS, { error: METHOD_ERROR }).default('POST'),
  headers,
  format: z.enum(WEBHOOK_FORMATS, { error: FORMAT_ERROR }).optional(),
  template_file: orEmpty(path, PATH_ERROR),
  content_type: z
    .string({ error: CONTENT_TYPE_ERROR })
    .regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w-]+)*$/, { error: CONTENT_TYPE_ERROR })
    .optional(),
  signing_secrets: z
    .array(signingSecret, { error: 'a list of secrets of Standard Webhooks' })
    .max(5, { error: 'at most five secrets' })
    .default([]),
  allow_private_addresses: z.boolean({ error: YES_OR_NO_ERROR }).default(false),
  ca_file: orEmpty(path, PATH_ERROR),
  ...deliveryKeys,
});

export function webhookOf(
  document: z.infer<typeof webhookShape>,
  sources: ChannelSources,
): WebhookChannelSettings {
  const template = document.template_file ? sources.file('template_file') : undefined;
  return {
    ...baseOf(document),
    type: 'webhook',
    url: sources.secret('url') ?? new Secret(''),
    method: document.method,
    headers: Object.fromEntries(
      Object.entries(document.headers).map(([key, value]) => [key.toLowerCase(), new Secret(value)]),
    ),
    content:
      template === undefined || !document.template_file
        ? { kind: 'format', format: document.format ?? 'alertmanager' }
        : {
            kind: 'template',
            file: document.template_file,
            text: template,
            contentType: document.content_type ?? DEFAULT_CONTENT_TYPE,
          },
    signingSecrets: document.signing_secrets.map((text) => new Secret(text)),
    allowsPrivateAddresses: document.allow_private_addresses,
    ca: authorityOf(document, sources),
  };
}

export function webhookDocument(settings: WebhookChannelSettings): object {
  const { content, ca, signingSecrets } = settings;
  const own = Object.entries(settings.headers).map(([key, value]) => [key, value.toString()]);
  return {
    url: settings.url.toString(),
    method: settings.method,
    ...(own.length === 0 ? {} : { headers: Object.fromEntries(own) as object }),
    ...(content.kind === 'format'
      ? { format: content.format }
      : { template_file: content.file, content_type: content.contentType }),
    ...(signingSecrets.length === 0 ? {} : { signing_secrets: signingSecrets.map(String) }),
    allow_private_addresses: settings.allowsPrivateAddresses,
    ...(ca === undefined ? {} : { ca_file: ca.file }),
  };
}

export function checkWebhook(
  channel: Record<string, unknown>,
  at: readonly (string | number)[],
): PlacedFault[] {
  const faults = checkOneOf(channel, at, ['url']);
  const hasTemplate = isGiven(channel['template_file']);
  if (hasTemplate && isGiven(channel['format']))
    faults.push({ path: [...at, 'template_file'], expected: 'format or template_file', found: 'both' });
  if (!hasTemplate && isGiven(channel['content_type']))
    faults.push({
      path: [...at, 'content_type'],
      expected: 'content_type only beside template_file',
      found: 'it alone',
    });
  return faults;
}
