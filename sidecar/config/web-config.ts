// Who may look at the sidecar's pages and how the connection is protected: Prometheus' web configuration file after every
// check. Plain data; the files it names are read already.
import type { Secret } from './secret';

/** What a client must show of itself to read a page. */
export type ClientCertificate = 'none' | 'verified_if_given' | 'required';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsSettings {
  /** Absolute, as are the other paths: for `GET /-/config`. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | undefined;
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: Secret;
  /** PEM; there unless `clientCertificate` is `none`. */
  readonly clientCa: string | undefined;
  readonly clientCertificate: ClientCertificate;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
}

export interface WebConfig {
  /** Absolute. */
  readonly file: string;
  readonly tls: TlsSettings | undefined;
  /** Empty: no password is asked. Names are unique. */
  readonly users: readonly WebUser[];
  /** Set on every answer. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface WebUser {
  readonly name: string;
  /** bcrypt. */
  readonly hash: Secret;
}
