import { outcomeOfDelivery } from '../../../../sidecar/channel/email/smtp-outcome';

describe('a certificate', () => {
  // https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes
  it.each([
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_CRL',
    'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
    'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
    'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
    'CERT_SIGNATURE_FAILURE',
    'CRL_SIGNATURE_FAILURE',
    'CRL_NOT_YET_VALID',
    'CRL_HAS_EXPIRED',
    'ERROR_IN_CERT_NOT_BEFORE_FIELD',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'ERROR_IN_CRL_LAST_UPDATE_FIELD',
    'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERT_CHAIN_TOO_LONG',
    'CERT_REVOKED',
    'INVALID_CA',
    'PATH_LENGTH_EXCEEDED',
    'INVALID_PURPOSE',
    'CERT_UNTRUSTED',
    'CERT_REJECTED',
  ])('that nobody trusts is refused: %s', (code) => {
    expect(outcomeOfDelivery({ kind: 'no_answer', stage: 'connection', code })).toEqual({
      result: 'refused',
      reason: `the server's certificate is not trusted (${code}): name its authority in ca_file`,
    });
  });

  it.each(['HOSTNAME_MISMATCH', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'for another name is refused: %s',
    (code) => {
      expect(outcomeOfDelivery({ kind: 'no_answer', stage: 'starttls', code })).toEqual({
        result: 'refused',
        reason: `the server's certificate is for another name (${code}): check host`,
      });
    },
  );

  it.each(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])('that is not valid today is retried: %s', (code) => {
    expect(outcomeOfDelivery({ kind: 'no_answer', stage: 'starttls', code })).toEqual({
      result: 'retry',
      reason: `the server's certificate is not valid today (${code})`,
      afterMs: undefined,
    });
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'timeout'])(
    'is not what is wrong where nobody answers: %s',
    (code) => {
      expect(outcomeOfDelivery({ kind: 'no_answer', stage: 'connection', code })).toEqual({
        result: 'retry',
        reason: `no connection (${code})`,
        afterMs: undefined,
      });
    },
  );
});
