// The form of the web configuration, key by key: that of Prometheus' exporter-toolkit
// (github.com/prometheus/exporter-toolkit, docs/web-configuration.md), as far as it is supported. What is not is refused by
// name. A message is what was expected.
import { z } from 'zod';

/** A hash of 14 takes about a second of this process for each new password; each more doubles it. 4 is the least of bcrypt. */
const MAX_BCRYPT_COST = 14;

const PATH_ERROR = 'a path, relative to this file';
const path = z.string({ error: PATH_ERROR }).regex(/^[^~\0][^\0]*$/, { error: PATH_ERROR });

const CLIENT_AUTH_ERROR =
  'NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert (the others of the form take any certificate ' +
  'unverified, and are not supported)';
const clientAuthType = z.enum(['NoClientCert', 'VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'], {
  error: CLIENT_AUTH_ERROR,
});

const VERSION_ERROR = 'TLS12 or TLS13 (older ones are not supported)';
const tlsVersion = z.enum(['TLS12', 'TLS13'], { error: VERSION_ERROR });

const tls = z.strictObject(
  {
    cert_file: path.optional(),
    key_file: path.optional(),
    client_auth_type: clientAuthType.default('NoClientCert'),
    client_ca_file: path.optional(),
    min_version: tlsVersion.default('TLS12'),
    max_version: tlsVersion.default('TLS13'),
  },
  { error: 'keys and values, such as `cert_file: server.crt`' },
);

const HTTP2_ERROR = 'false: the sidecar speaks HTTP/1.1 only';

const HEADER_ERROR = 'a text of printable ASCII';
const header = z.string({ error: HEADER_ERROR }).regex(/^[ -~]*$/, { error: HEADER_ERROR });
const FRAME_ERROR = 'deny or sameorigin';
const TYPE_ERROR = 'nosniff';

const http = z.strictObject(
  {
    http2: z.literal(false, { error: HTTP2_ERROR }).optional(),
    headers: z
      .strictObject(
        {
          'Content-Security-Policy': header.optional(),
          'X-Frame-Options': z.enum(['', 'deny', 'sameorigin'], { error: FRAME_ERROR }).optional(),
          'X-Content-Type-Options': z.enum(['', 'nosniff'], { error: TYPE_ERROR }).optional(),
          'X-XSS-Protection': header.optional(),
          'Strict-Transport-Security': header.optional(),
        },
        { error: 'names and values of headers' },
      )
      .nullish(),
  },
  { error: 'keys and values, such as `headers:`' },
);

const HASH_ERROR =
  'a bcrypt hash ($2a$, $2b$ or $2y$), as `htpasswd -nBC 10 "" | tr -d ":\\n"` makes one, ' +
  `with a cost of 4 to ${MAX_BCRYPT_COST}`;
const hash = z.string({ error: HASH_ERROR }).refine(isHash, { error: HASH_ERROR });

function isHash(text: string): boolean {
  const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1]);
  return cost >= 4 && cost <= MAX_BCRYPT_COST;
}

/** A colon ends the name in the header of basic authentication, so no client could send one. */
export const USER_NAME = /^[^:\p{Cc}]{1,128}$/u;

export const webShape = z.strictObject(
  {
    tls_server_config: tls.nullish(),
    http_server_config: http.nullish(),
    basic_auth_users: z
      .record(z.string(), hash, { error: 'names of users, each with a bcrypt hash' })
      .nullish(),
  },
  { error: 'keys and values, such as `basic_auth_users:`' },
);

export type WebDocument = z.infer<typeof webShape>;

/** The known keys of every place that has keys of ours. */
export const WEB_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(webShape.shape),
  tls_server_config: Object.keys(tls.shape),
  http_server_config: Object.keys(http.shape),
  'http_server_config.headers': Object.keys(http.shape.headers.unwrap().unwrap().shape),
};

/** Keys that Prometheus' form has and this sidecar does not, and what to do instead. */
export const UNSUPPORTED_KEYS: Readonly<Record<string, string>> = {
  cert: 'put the certificate into a file and name it in cert_file',
  key: 'put the key into a file and name it in key_file',
  client_ca: 'put the certificate into a file and name it in client_ca_file',
  client_allowed_sans: 'let client_ca_file be an authority that only signs for clients that may read',
  cipher_suites: "the suites are OpenSSL's; min_version: TLS13 leaves only the newest",
  prefer_server_cipher_suites: "the server's order is always used",
  curve_preferences: "the curves are OpenSSL's",
  rate_limit: 'connections and the time of a request are bounded anyway',
};

/** The keys whose values a fault may show. */
export const WEB_SHOWN_KEYS: readonly string[] = ['client_auth_type', 'min_version', 'max_version', 'http2'];
