// What a receiver can do, in words above those of any protocol, and what has to become of a notification then, whatever the channel.
import type { Outcome } from '../../../../sidecar/channel/channel';

export interface Expected {
  readonly result: Outcome['result'];
  /** How the reason ends; `undefined` where there is none. */
  readonly reason?: RegExp;
  /** Of a retry. */
  readonly afterMs?: number;
  /** What it asks of receivers, where that is not what it usually does. */
  readonly calls?: readonly string[];
}

export const SENT: Expected = { result: 'sent' };

export function refused(reason: RegExp): Expected {
  return { result: 'refused', reason };
}

export function retried(reason: RegExp, afterMs?: number): Expected {
  return afterMs === undefined ? { result: 'retry', reason } : { result: 'retry', reason, afterMs };
}

const LATER = /(?:answered 503|put off \(451 4\.3\.0\))$/;
const NO = /(?:answered 400|refused \(554 5\.7\.1\))$/;
const UNUSABLE = {
  ...refused(/the address cannot be used \((?:ERR_INVALID_URL|UND_ERR_INVALID_ARG)\)$/),
  calls: [],
};

export const DEEDS = {
  accepts: SENT,
  'accepts in pieces': SENT,
  'accepts, and repeats every secret': SENT,
  // The head of an answer is all that most wait for.
  'accepts, and says 5 MB': SENT,
  'accepts, and never stops talking': SENT,
  'accepts, and breaks off in the middle of it': SENT,
  'accepts, and falls silent in the middle of it': SENT,
  'asks to come later': retried(LATER),
  'asks to come later, and repeats every secret': retried(LATER),
  'asks to come later, and repeats every secret in a document': retried(LATER),
  'asks to come later, and says 5 MB': retried(LATER),
  'asks to come in 30 seconds': retried(LATER, 30_000),
  'asks to come at a time, in two minutes': retried(LATER, 120_000),
  'asks to come at a time that is past': retried(LATER, 0),
  'asks to come at what is no time': retried(LATER),
  refuses: refused(NO),
  'refuses, and repeats every secret': refused(NO),
  'refuses, and repeats every secret in a document': refused(NO),
  'refuses, and says 5 MB': refused(NO),
  'does not answer': retried(/\(timeout\)$/),
  'resets the connection': retried(/\(ECONNRESET\)$/),
  'talks garbage': retried(/no answer.* \(not (?:HTTP|SMTP)\)$/),
  'does not listen': { ...retried(/\(ECONNREFUSED\)$/), calls: [] },
  'has a name that nobody knows': { ...retried(/\((?:ENOTFOUND|EAI_AGAIN|timeout)\)$/), calls: [] },
  'has an address that is none': UNUSABLE,
  'has an address of another protocol': UNUSABLE,
  'has an address with a port that cannot be': UNUSABLE,
} satisfies Record<string, Expected>;

/** Redirects lead elsewhere, where nothing may ever come. */
const STATUSES: Readonly<Record<Outcome['result'], readonly number[]>> = {
  sent: [200, 201, 202, 204],
  retry: [408, 425, 429, 500, 501, 502, 503, 504, 511, 599],
  refused: [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 422, 451],
};

export type Behaviour = keyof typeof DEEDS | `answers ${number}`;

export type Deviations = Partial<Readonly<Record<Behaviour, Expected>>>;

export const EXPECTED: ReadonlyMap<Behaviour, Expected> = new Map([
  ...(Object.entries(DEEDS) as [Behaviour, Expected][]),
  ...(Object.entries(STATUSES) as [Outcome['result'], readonly number[]][]).flatMap(([result, statuses]) =>
    statuses.map((status): [Behaviour, Expected] => [`answers ${status}`, expectedOf(result, status)]),
  ),
]);

function expectedOf(result: Outcome['result'], status: number): Expected {
  if (result === 'sent') return SENT;
  const isRedirect = status >= 300 && status < 400;
  const reason = new RegExp(`answered ${status}${isRedirect ? ', a redirect, which is not followed' : ''}$`);
  return { result, reason };
}
