import { inspect } from 'node:util';
import fc from 'fast-check';
import { renderFault } from '../../../sidecar/config/config-fault';
import { readWebConfig } from '../../../sidecar/config/read-web-config';
import type { WebConfig } from '../../../sidecar/config/web-config';
import { Authority } from '../../support/certificates';

/** The example of Prometheus' documentation. */
const HASH = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';

const authority = new Authority('authority');
const server = authority.issue('server');
const FILES: Readonly<Record<string, string>> = {
  '/etc/web/server.crt': `${server.cert}${authority.cert}`,
  '/etc/web/server.key': server.key,
  '/etc/web/other.key': authority.key,
  '/etc/web/ca.crt': authority.cert,
  '/etc/web/note.txt': 'no certificate',
};

function read(text: string) {
  return readWebConfig({
    text,
    file: '/etc/web/web.yml',
    resolvePath: (path) => (path.startsWith('/') ? path : `/etc/web/${path}`),
    readFile: (path) => {
      const content = FILES[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}

function webOf(text: string): WebConfig {
  const result = read(text);
  if (!result.ok) throw new Error(result.faults.map(renderFault).join('\n'));
  return result.web;
}

function faultsOf(text: string): string[] {
  const result = read(text);
  return result.ok ? [] : result.faults.map(renderFault);
}

describe('a web configuration', () => {
  it('takes everything of the form that is supported', () => {
    const web = webOf(
      [
        'tls_server_config:',
        '  cert_file: server.crt',
        '  key_file: server.key',
        '  client_auth_type: RequireAndVerifyClientCert',
        '  client_ca_file: /etc/web/ca.crt',
        '  min_version: TLS13',
        '  max_version: TLS13',
        'http_server_config:',
        '  http2: false',
        '  headers:',
        '    X-Frame-Options: deny',
        '    X-Content-Type-Options: nosniff',
        "    X-XSS-Protection: ''",
        "    Content-Security-Policy: default-src 'none'",
        '    Strict-Transport-Security: max-age=1',
        'basic_auth_users:',
        `  alice: ${HASH}`,
        `  bob: "${HASH.replace('$2y$10', '$2b$04')}"`,
        '',
      ].join('\n'),
    );
    expect(web.tls).toMatchObject({
      certFile: '/etc/web/server.crt',
      keyFile: '/etc/web/server.key',
      clientCaFile: '/etc/web/ca.crt',
      cert: FILES['/etc/web/server.crt'],
      clientCa: authority.cert,
      clientCertificate: 'required',
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
    });
    expect(web.tls?.key.reveal()).toBe(server.key);
    expect(web.headers).toEqual({
      'X-Frame-Options': 'deny',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'",
      'Strict-Transport-Security': 'max-age=1',
    });
    expect(web.users.map(({ name, hash }) => [name, hash.reveal()])).toEqual([
      ['alice', HASH],
      ['bob', HASH.replace('$2y$10', '$2b$04')],
    ]);
  });

  it('asks for nothing where it says nothing', () => {
    const nothing = { file: '/etc/web/web.yml', tls: undefined, users: [], headers: {} };
    expect(webOf('')).toEqual(nothing);
    expect(webOf('tls_server_config: {}\nbasic_auth_users:\nhttp_server_config:\n  headers:\n')).toEqual(
      nothing,
    );
    expect(webOf('tls_server_config: { cert_file: server.crt, key_file: server.key }').tls).toMatchObject({
      clientCertificate: 'none',
      clientCa: undefined,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    });
  });

  const TLS = 'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n';
  const cases: [title: string, text: string, faults: string[]][] = [
    ['a list', '- a', ['1:1: expected keys and values, such as `basic_auth_users:`, found a list']],
    ['no YAML', 'a: [', [':1:5: expected YAML, found ']],
    [
      'an unknown key, with the one that was meant',
      'basic_auth_user: {}',
      [
        '1:1: basic_auth_user: expected one of the keys tls_server_config, http_server_config, basic_auth_users, found basic_auth_user (did you mean basic_auth_users?)',
      ],
    ],
    [
      'what the form has and the sidecar has not',
      `${TLS}  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n  client_allowed_sans: [a]\nrate_limit: { interval: 1s, burst: 2 }\n`,
      [
        "4:3: tls_server_config.cipher_suites: expected one of the keys cert_file, key_file, client_auth_type, client_ca_file, min_version, max_version, found cipher_suites, which is not supported here (the suites are OpenSSL's; min_version: TLS13 leaves only the newest)",
        '5:3: tls_server_config.client_allowed_sans: expected one of the keys',
        '6:1: rate_limit: expected one of the keys tls_server_config, http_server_config, basic_auth_users, found rate_limit, which is not supported here',
      ],
    ],
    [
      'certificates within the file',
      'tls_server_config: { cert: a, key: b }',
      [
        'found no cert_file',
        'found no key_file',
        'found cert, which is not supported here (put the',
        'found key, which is not',
      ],
    ],
    [
      'TLS without a key',
      'tls_server_config:\n  min_version: TLS12\n  cert_file: server.crt\n',
      ['2:3: tls_server_config: expected cert_file and key_file, found no key_file'],
    ],
    [
      'files that are not there, or are something else',
      'tls_server_config:\n  cert_file: note.txt\n  key_file: nowhere.key\n  client_ca_file: note.txt\n  client_auth_type: VerifyClientCertIfGiven\n',
      [
        '2:14: tls_server_config.cert_file: expected the path of a file with certificates in PEM, found one with another content',
        '3:13: tls_server_config.key_file: expected the path of a readable file, found one that is not (ENOENT)',
        '4:19: tls_server_config.client_ca_file: expected the path of a file with certificates',
      ],
    ],
    [
      'a key of another certificate',
      TLS.replace('server.key', 'other.key'),
      [
        '3:13: tls_server_config.key_file: expected the path of a file with the unencrypted private key of the certificate, in PEM, found one with another content',
      ],
    ],
    [
      'client certificates that nobody verifies',
      `${TLS}  client_auth_type: RequireAnyClientCert\n`,
      [
        '4:21: tls_server_config.client_auth_type: expected NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert (the others',
      ],
    ],
    [
      'client certificates without an authority',
      `${TLS}  client_auth_type: RequireAndVerifyClientCert\n`,
      [
        '4:21: tls_server_config.client_auth_type: expected client_ca_file beside RequireAndVerifyClientCert, found none',
      ],
    ],
    [
      'an authority that is not used',
      `${TLS}  client_ca_file: ca.crt\n`,
      [
        '4:19: tls_server_config.client_ca_file: expected client_auth_type: RequireAndVerifyClientCert beside client_ca_file, found NoClientCert',
      ],
    ],
    [
      'an old version of TLS',
      `${TLS}  min_version: TLS11\n`,
      [
        '4:16: tls_server_config.min_version: expected TLS12 or TLS13 (older ones are not supported), found "TLS11"',
      ],
    ],
    [
      'versions the wrong way round',
      `${TLS}  min_version: TLS13\n  max_version: TLS12\n`,
      [
        '5:16: tls_server_config.max_version: expected a max_version that is not below min_version, found TLS12',
      ],
    ],
    [
      'HTTP/2',
      'http_server_config:\n  http2: true\n',
      ['2:10: http_server_config.http2: expected false: the sidecar speaks HTTP/1.1 only, found true'],
    ],
    [
      'headers of its own',
      'http_server_config:\n  headers:\n    Server: a\n    X-Frame-Options: allow\n    Content-Security-Policy: "a\\r\\nb: c"\n',
      [
        '3:5: http_server_config.headers.Server: expected one of the keys Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security, found Server',
        '4:22: http_server_config.headers.X-Frame-Options: expected deny or sameorigin, found another text (not shown)',
        '5:30: http_server_config.headers.Content-Security-Policy: expected a text of printable ASCII, found another text (not shown)',
      ],
    ],
    [
      'a password that is not hashed, and a cost that would hold up everything',
      `basic_auth_users:\n  alice: wonderland\n  bob: ${HASH.replace('$10$', '$15$')}\n  carol:\n`,
      [
        '2:10: basic_auth_users.?: expected a bcrypt hash ($2a$, $2b$ or $2y$), as `htpasswd -nBC 10 "" | tr -d ":\\n"` makes one, with a cost of 4 to 14, found another text (not shown)',
        '3:8: basic_auth_users.?: expected a bcrypt hash',
        '4:9: basic_auth_users.?: expected a bcrypt hash',
      ],
    ],
    [
      'a name that no client could send',
      `basic_auth_users:\n  a:b: ${HASH}\n  ? ''\n  : ${HASH}\n`,
      [
        '2:3: basic_auth_users.?: expected a name of 1 to 128 characters without a colon, found another (not shown)',
        '3:5: basic_auth_users.?: expected a name of 1 to 128',
      ],
    ],
  ];
  it.each(cases)('is refused for %s, with place, expected and found', (_title, text, expected) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(expected.length);
    expected.forEach((fault, index) => expect(faults[index]).toContain(fault));
    for (const fault of faults) expect(fault).toMatch(/^\/etc\/web\/web\.yml:\d+:\d+: /);
  });

  it('is refused for two of one name', () => {
    expect(faultsOf(`basic_auth_users:\n  a: ${HASH}\n  a: ${HASH}\n`)).toEqual([
      expect.stringContaining('web.yml:3:3: expected YAML, found Map keys must be unique'),
    ]);
  });

  it('never throws, and never shows a name, a hash or a path, wherever a character of it is lost or added', () => {
    const secret = 'kwxqzjvhkwxqzjvhkwxqzjvh';
    const text = `${TLS.replace('server.key', `${secret}.key`)}basic_auth_users:\n  ${secret}: "${HASH}"\n  bob: ${secret}\n`;
    const edit = fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(2),
      put: fc.constantFrom(
        '',
        ' ',
        '\n',
        ':',
        '"',
        '{',
        '[',
        ']',
        '}',
        '&',
        '*',
        '!',
        '|',
        '%',
        '@',
        '#',
        ',',
        '- ',
        '\t',
      ),
    });
    fc.assert(
      fc.property(edit, ({ at, cut, put }) => {
        const result = read(text.slice(0, at) + put + text.slice(at + cut));
        // A user that has slipped under another key is one that is not known there, and told as such.
        const faults = result.ok
          ? []
          : result.faults.filter(({ expected }) => !expected.startsWith('one of the keys'));
        const shown = [inspect(result.ok ? result : faults, { depth: 9 }), ...faults.map(renderFault)].join();
        expect(shown).not.toContain('kwxqzjvhkwxqzjvh');
        expect(shown).not.toContain(HASH.slice(10, 40));
      }),
      { numRuns: 2_000, seed: 10 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (any) => {
        read(any);
        read(`basic_auth_users: ${any}`);
        read(`tls_server_config: ${any}`);
      }),
      { numRuns: 1_000, seed: 11 },
    );
  });
});
