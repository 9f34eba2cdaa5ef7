import { outcomeOf } from '../../../../sidecar/channel/http/outcome-of-answer';

describe('a receiver whose certificate', () => {
  it.each([
    ['nobody trusts', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['nobody trusts', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['is for another name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['is for another name', 'HOSTNAME_MISMATCH'],
  ])('%s is refused at once, so that another channel tells people: %s', (_, code) => {
    expect(outcomeOf({ kind: 'no_answer', code }, 0)).toMatchObject({
      result: 'refused',
      reason: expect.stringContaining(code) as string,
    });
  });

  it.each(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])('is not valid today is tried again: %s', (code) => {
    expect(outcomeOf({ kind: 'no_answer', code }, 0)).toMatchObject({ result: 'retry' });
  });
});
