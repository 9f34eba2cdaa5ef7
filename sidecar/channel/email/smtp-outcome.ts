// In: what an SMTP server did with a mail. Out: what to do next. A 2yz for all receivers is sent; 5yz is refused; 4yz, nonsense
// and no answer may go better later (RFC 5321, 4.2.1). Where only some receivers were taken the others are tried again for as long
// as one of them may be; then it is sent, with a warning that names how many have no mail: people know of the alert, and a wrong
// address among many need not send each one through a fallback. The caller remembers who has it: nobody gets it again because of the
// others.
// A certificate that nobody trusts or that is for another name is refused at once, and one that has expired is not: see
// tls-faults.ts.
// Only numbers, codes and our own words are in a reason, never what the server wrote.
import type { Outcome } from '../channel';
import { tlsFaultOf, type TlsFault } from '../tls-faults';
import type { SmtpDelivery, SmtpReply, SmtpStage } from './smtp-delivery';

/** @param holders how many receivers have it from an earlier try */
export function outcomeOfDelivery(delivery: SmtpDelivery, holders = 0): Outcome {
  switch (delivery.kind) {
    case 'taken':
      return outcomeOfSome(delivery.refusals, holders + delivery.by.length);
    case 'no':
      return holders > 0 && delivery.stage === 'recipient'
        ? outcomeOfSome(delivery.replies, holders)
        : outcomeOfReplies(delivery.replies, WORDS[delivery.stage].refused, hintOf(delivery));
    case 'no_answer':
      return outcomeOfSilence(delivery.stage, delivery.code);
    case 'no_login':
      return {
        result: 'refused',
        reason:
          'the server offers no login, or none without TLS: check port and tls, or remove username and password',
      };
    case 'too_large':
      return { result: 'refused', reason: 'the mail is larger than the server takes' };
  }
}

/** @param holders who have it, one at least */
function outcomeOfSome(refusals: readonly (SmtpReply | undefined)[], holders: number): Outcome {
  if (refusals.length === 0) return { result: 'sent' };
  const what = `${refusals.length} of ${holders + refusals.length} receivers`;
  const outcome = outcomeOfReplies(refusals, what, '; the others have it');
  return outcome.result === 'refused' ? { result: 'sent', warning: outcome.reason } : outcome;
}

interface StageWords {
  /** What a no is about. */
  readonly refused: string;
  /** What did not come. */
  readonly missing: string;
}

const WORDS: Readonly<Record<SmtpStage, StageWords>> = {
  connection: { refused: 'any mail from here', missing: 'no connection' },
  greeting: { refused: 'any mail from here', missing: 'no greeting' },
  hello: { refused: 'EHLO', missing: 'no answer to EHLO' },
  starttls: { refused: 'STARTTLS', missing: 'no answer to STARTTLS' },
  login: { refused: 'login', missing: 'no answer to the login' },
  sender: { refused: 'sender', missing: 'no answer to the sender' },
  recipient: { refused: 'receivers', missing: 'no answer to the receivers' },
  message: { refused: 'mail', missing: 'no answer to the mail' },
};

/** One that is not for good is enough to try again. */
function outcomeOfReplies(replies: readonly (SmtpReply | undefined)[], what: string, rest: string): Outcome {
  const isLater = replies.some((reply) => reply === undefined || reply.code < 500);
  const numbers = [...new Set(replies.map(numbersOf))];
  const reason = `${what} ${isLater ? 'put off' : 'refused'} (${numbers.join(', ')})${rest}`;
  return isLater ? { result: 'retry', reason, afterMs: undefined } : { result: 'refused', reason };
}

function numbersOf(reply: SmtpReply | undefined): string {
  if (reply === undefined) return 'not SMTP';
  return reply.enhanced === undefined ? String(reply.code) : `${reply.code} ${reply.enhanced}`;
}

/** What an operator can do about it. */
function hintOf({ stage, replies }: Extract<SmtpDelivery, { kind: 'no' }>): string {
  const codes = replies.map((reply) => reply?.code ?? 0);
  if (codes.some((code) => code < 500)) return '';
  // RFC 4954, 6: the server wants a login first.
  if (codes.includes(530) && stage !== 'starttls')
    return ': the server wants a login: set username and password';
  switch (stage) {
    case 'starttls':
      return ': the server offers no STARTTLS, and nothing is sent in plain text: check host, port and tls';
    case 'login':
      return ': check username and password';
    case 'sender':
      return ': check from';
    case 'recipient':
      return ': check to';
    default:
      return '';
  }
}

function outcomeOfSilence(stage: SmtpStage, code: string): Outcome {
  const fault = tlsFaultOf(code);
  const reason =
    fault === undefined
      ? `${WORDS[stage].missing} (${code})`
      : `the server's certificate is ${fault} (${code})${TLS_HINTS[fault]}`;
  if (fault === 'for another name' || fault === 'not trusted') return { result: 'refused', reason };
  return { result: 'retry', reason, afterMs: undefined };
}

const TLS_HINTS: Readonly<Record<TlsFault, string>> = {
  'for another name': ': check host',
  'not trusted': ': name its authority in ca_file',
  'not valid today': '',
};
