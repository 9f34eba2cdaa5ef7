// What is wrong with a receiver's certificate, by the code of the error. Only a person can change that nobody trusts it or that it is
// for another name, and another channel can tell people meanwhile; one that has expired is renewed within the hour by most who notice.

export type TlsFault = 'for another name' | 'not trusted' | 'not valid today';

/** https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes; those of Node.js itself begin with ERR_TLS_CERT. */
const UNTRUSTED =
  /^(?:UNABLE_TO_.*|CERT_.*|CRL_.*|ERROR_IN_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|ERR_TLS_CERT_.*)$/;

/** `undefined` where it is not about a certificate. */
export function tlsFaultOf(code: string): TlsFault | undefined {
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
    case 'HOSTNAME_MISMATCH':
      return 'for another name';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'not valid today';
    default:
      return UNTRUSTED.test(code) ? 'not trusted' : undefined;
  }
}
