// From the text of a web configuration to who may read the pages and the TLS of the listener, or to everything that is wrong
// with it. Pure: the reading of the files it names is given. A fault never shows a hash, a path or what a file holds.
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { types } from 'node:util';
import { LineCounter } from 'yaml';
import type { z } from 'zod';
import type { ConfigFault } from './config-fault';
import {
  DocumentPlaces,
  SHOWABLE_KEY,
  renderPath,
  sortFaults,
  valueAt,
  type Finding,
  type Path,
} from './document-places';
import { nearestWord } from './nearest-word';
import { parseYaml } from './parse-yaml';
import { Secret } from './secret';
import type { ClientCertificate, TlsSettings, TlsVersion, WebConfig } from './web-config';
import {
  UNSUPPORTED_KEYS,
  USER_NAME,
  WEB_KEYS,
  WEB_SHOWN_KEYS,
  webShape,
  type WebDocument,
} from './web-shape';

export interface WebConfigSource {
  readonly text: string;
  /** Absolute; named in faults. */
  readonly file: string;
  /** An absolute path from one that is relative to the file. */
  readonly resolvePath: (path: string) => string;
  /** The content of a file by its absolute path. Throws if it cannot be read. */
  readonly readFile: (path: string) => string;
}

export type ReadWebConfig =
  | { readonly ok: true; readonly web: WebConfig }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

const CLIENT_CERTIFICATES: Readonly<Record<string, ClientCertificate>> = {
  NoClientCert: 'none',
  VerifyClientCertIfGiven: 'verified_if_given',
  RequireAndVerifyClientCert: 'required',
};

const TLS_VERSIONS: Readonly<Record<string, TlsVersion>> = { TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' };

/** Never throws. */
export function readWebConfig(source: WebConfigSource): ReadWebConfig {
  const lines = new LineCounter();
  const places = new DocumentPlaces(source.file, lines);
  const { document, faults: yamlFaults } = parseYaml(source.text, lines);
  if (yamlFaults.length > 0) {
    const faults = yamlFaults.map(({ offset, ...fault }) => ({ ...places.at(offset), path: '', ...fault }));
    return { ok: false, faults: sortFaults(faults) };
  }
  const failed = (findings: readonly Finding[]): ReadWebConfig => ({
    ok: false,
    faults: sortFaults(findings.map((finding) => places.faultOf(document, finding))),
  });
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch {
    return failed([{ path: [], expected: 'fewer aliases', found: 'too many' }]);
  }
  const parsed = webShape.safeParse(value);
  const tls = readTls(value, source);
  const issues = parsed.success ? [] : parsed.error.issues;
  const findings = [
    ...issues.flatMap((issue) => findingsOf(issue, value)),
    ...checkUserNames(value),
    ...tls.findings,
  ];
  if (!parsed.success || findings.length > 0) return failed(findings);
  return { ok: true, web: { file: source.file, tls: tls.settings, ...usersAndHeaders(parsed.data) } };
}

function usersAndHeaders({ basic_auth_users: users, http_server_config: http }: WebDocument) {
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(http?.headers ?? {})) if (text) headers[name] = text;
  return {
    users: Object.entries(users ?? {}).map(([name, hash]) => ({ name, hash: new Secret(hash) })),
    headers,
  };
}

/** Looks at the values as they stand in the file, so that these faults are told together with those of single keys. */
function readTls(
  value: unknown,
  { resolvePath, readFile }: WebConfigSource,
): { settings: TlsSettings | undefined; findings: readonly Finding[] } {
  const section = valueAt(value, ['tls_server_config']);
  if (!isMap(section) || Object.keys(section).length === 0) return { settings: undefined, findings: [] };
  const findings: Finding[] = [];
  const inSection = (key: string): Path => ['tls_server_config', key];
  const textOf = (key: string): string | undefined => {
    const text = section[key];
    return typeof text === 'string' && text !== '' ? text : undefined;
  };
  const read = (key: string): { file: string; text: string } | undefined => {
    const path = textOf(key);
    if (path === undefined || path.startsWith('~') || path.includes('\0')) return undefined;
    const file = resolvePath(path);
    try {
      return { file, text: readFile(file) };
    } catch (error) {
      const code = types.isNativeError(error) && 'code' in error ? String(error.code) : 'an error';
      findings.push({
        path: inSection(key),
        expected: 'the path of a readable file',
        found: `one that is not (${code})`,
      });
      return undefined;
    }
  };
  for (const key of ['cert_file', 'key_file']) {
    if (key in section) continue;
    findings.push({ path: ['tls_server_config'], expected: 'cert_file and key_file', found: `no ${key}` });
  }
  const cert = read('cert_file');
  const key = read('key_file');
  const clientCa = read('client_ca_file');
  if (cert && !holdsCertificates(cert.text)) findings.push(notCertificate(inSection('cert_file')));
  else if (cert && key && !fit(cert.text, key.text)) {
    findings.push({
      path: inSection('key_file'),
      expected: 'the path of a file with the unencrypted private key of the certificate, in PEM',
      found: 'one with another content',
    });
  }
  if (clientCa && !holdsCertificates(clientCa.text))
    findings.push(notCertificate(inSection('client_ca_file')));

  const authType = textOf('client_auth_type') ?? 'NoClientCert';
  const clientCertificate = CLIENT_CERTIFICATES[authType] ?? 'none';
  const hasClientCa = textOf('client_ca_file') !== undefined;
  if (clientCertificate !== 'none' && !hasClientCa) {
    findings.push({
      path: inSection('client_auth_type'),
      expected: `client_ca_file beside ${authType}`,
      found: 'none',
    });
  }
  if (authType === 'NoClientCert' && hasClientCa) {
    findings.push({
      path: inSection('client_ca_file'),
      expected: 'client_auth_type: RequireAndVerifyClientCert beside client_ca_file',
      found: 'NoClientCert',
    });
  }
  if (section['min_version'] === 'TLS13' && section['max_version'] === 'TLS12') {
    findings.push({
      path: inSection('max_version'),
      expected: 'a max_version that is not below min_version',
      found: 'TLS12',
    });
  }
  if (!cert || !key) return { settings: undefined, findings };
  const settings: TlsSettings = {
    certFile: cert.file,
    keyFile: key.file,
    clientCaFile: clientCa?.file,
    cert: cert.text,
    key: new Secret(key.text),
    clientCa: clientCa?.text,
    clientCertificate,
    minVersion: TLS_VERSIONS[textOf('min_version') ?? 'TLS12'] ?? 'TLSv1.2',
    maxVersion: TLS_VERSIONS[textOf('max_version') ?? 'TLS13'] ?? 'TLSv1.3',
  };
  return { settings, findings };
}

function notCertificate(path: Path): Finding {
  return {
    path,
    expected: 'the path of a file with certificates in PEM',
    found: 'one with another content',
  };
}

function holdsCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
    return blocks.length > 0;
  } catch {
    return false;
  }
}

function fit(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}

function checkUserNames(value: unknown): Finding[] {
  const users = valueAt(value, ['basic_auth_users']);
  if (!isMap(users)) return [];
  return Object.keys(users)
    .filter((name) => !USER_NAME.test(name))
    .map((name) => ({
      path: ['basic_auth_users', name],
      shownPath: HIDDEN_USER,
      expected: 'a name of 1 to 128 characters without a colon',
      found: 'another (not shown)',
      ofKey: true,
    }));
}

/** Whoever writes name and hash the wrong way round has a secret for a name. */
const HIDDEN_USER: Path = ['basic_auth_users', '?'];

/** zod's word on one place; its message is what was expected. */
function findingsOf(issue: z.core.$ZodIssue, value: unknown): Finding[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code !== 'unrecognized_keys') {
    const isUser = path[0] === 'basic_auth_users' && path.length > 1;
    return [
      {
        path,
        expected: issue.message,
        found: show(path, value),
        ...(isUser ? { shownPath: HIDDEN_USER } : {}),
      },
    ];
  }
  const known = WEB_KEYS[renderPath(path)] ?? [];
  return issue.keys.map((key) => ({
    path: [...path, key],
    expected: `one of the keys ${known.join(', ')}`,
    found: showKey(key, known),
    ofKey: true,
  }));
}

function showKey(key: string, known: readonly string[]): string {
  const instead = Object.hasOwn(UNSUPPORTED_KEYS, key) ? UNSUPPORTED_KEYS[key] : undefined;
  if (instead !== undefined) return `${key}, which is not supported here (${instead})`;
  if (!SHOWABLE_KEY.test(key)) return 'another key (not shown)';
  const meant = nearestWord(key, known);
  return meant === undefined ? key : `${key} (did you mean ${meant}?)`;
}

function show(path: Path, value: unknown): string {
  const found = valueAt(value, path);
  if (found === undefined || found === null) return 'nothing';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'keys and values';
  if (found === '') return 'an empty text';
  const text = JSON.stringify(found);
  if (WEB_SHOWN_KEYS.includes(String(path.at(-1))) && text.length <= 40) return text;
  return `another ${typeof found === 'string' ? 'text' : 'value'} (not shown)`;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
