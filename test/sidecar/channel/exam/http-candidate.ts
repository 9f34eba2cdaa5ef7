// A candidate that speaks HTTP, made of what is particular to it.
import type { Outcome } from '../../../../sidecar/channel/channel';
import { findFreePorts } from '../../../support/free-ports';
import { WebhookReceiver, type Script, type ScriptedAnswer } from '../../../support/webhook-receiver';
import { NOW_MS, UNKNOWN_HOST, type Candidate } from './candidate';
import { DEEDS, type Behaviour, type Deviations } from './expected';

export interface HttpCandidate {
  readonly name: string;
  readonly secrets: readonly string[];
  /** The last is the one whose answer is examined. */
  readonly calls: readonly string[];
  /** The answers to those before it. */
  readonly before?: readonly ScriptedAnswer[];
  readonly callsAfterYes?: readonly string[];
  /** What its receiver says to accept. */
  readonly yes: ScriptedAnswer;
  readonly deviations?: Deviations;
  /** @param base an address without a path @returns what sends a notification there */
  readonly open: (base: string, timeoutMs: number) => () => Promise<Outcome>;
}

export function httpCandidate({
  before = [],
  callsAfterYes = [],
  deviations = {},
  yes,
  open,
  ...others
}: HttpCandidate): Candidate {
  return {
    ...others,
    callsAfterYes,
    deviations,
    canMeet: () => true,
    sit: async (behaviour, timeoutMs) => {
      const receiver = await WebhookReceiver.start();
      const elsewhere = await WebhookReceiver.start();
      const echo = others.secrets.join(' ');
      const away = elsewhere.url(`/${encodeURIComponent(echo)}`);
      receiver.answer(...before, answerOf(behaviour, yes, echo, away));
      const base = await baseOf(behaviour, receiver.url(''));
      const { port = '' } = URL.canParse(base) ? new URL(base) : {};
      return {
        send: open(base, timeoutMs),
        calls: () => [...callsOf(receiver), ...callsOf(elsewhere, 'elsewhere: ')],
        address: new RegExp(`127\\.0\\.0\\.1|${UNKNOWN_HOST}${port === '' ? '' : `|\\b${port}\\b`}`),
        close: async () => {
          await receiver.close();
          await elsewhere.close();
        },
      };
    },
  };
}

function callsOf({ requests }: WebhookReceiver, where = ''): string[] {
  return requests.map(({ method, path }) => `${where}${method} ${path}`);
}

async function baseOf(behaviour: Behaviour, base: string): Promise<string> {
  switch (behaviour) {
    case 'does not listen':
      return `http://127.0.0.1:${await findFreePorts(1)}`;
    case 'has a name that nobody knows':
      return `http://${UNKNOWN_HOST}`;
    case 'has an address that is none':
      return 'not an address';
    case 'has an address of another protocol':
      return 'ftp://127.0.0.1';
    case 'has an address with a port that cannot be':
      return 'http://127.0.0.1:99999';
    default:
      return base;
  }
}

const MUCH = 'x'.repeat(5_000_000);

/** With a word in each place in which a channel may look for one. */
function documentOf(word: string): string {
  return JSON.stringify({
    ok: false,
    error: word,
    errors: [word, { [word]: word }],
    code: word,
    status: word,
    message: word,
    detail: word,
    needed: word,
    retry_after: word,
  });
}

function answerOf(behaviour: Behaviour, yes: ScriptedAnswer, echo: string, away: string): Script {
  const later: ScriptedAnswer = { status: 503 };
  const no: ScriptedAnswer = { status: 400 };
  const repeating = (answer: ScriptedAnswer): ScriptedAnswer => ({
    body: echo,
    ...answer,
    reasonPhrase: echo,
    headers: { ...answer.headers, 'retry-after': echo, 'x-echo': echo, location: echo },
  });
  const after = (retryAfter: string): ScriptedAnswer => ({
    ...later,
    headers: { 'retry-after': retryAfter },
  });
  switch (behaviour) {
    case 'accepts in pieces':
      return { ...yes, flow: 'pieces' };
    case 'accepts, and repeats every secret':
      return repeating(yes);
    case 'accepts, and says 5 MB':
      return { ...yes, body: `${yes.body ?? ''}${MUCH}` };
    case 'accepts, and never stops talking':
      return { ...yes, flow: 'endless' };
    case 'accepts, and breaks off in the middle of it':
      return { ...yes, flow: 'breaks' };
    case 'accepts, and falls silent in the middle of it':
      return { ...yes, flow: 'stops' };
    case 'asks to come later':
      return later;
    case 'asks to come later, and repeats every secret':
      return repeating(later);
    case 'asks to come later, and repeats every secret in a document':
      return repeating({ ...later, body: documentOf(echo) });
    case 'asks to come later, and says 5 MB':
      return { ...later, body: MUCH };
    case 'asks to come in 30 seconds':
      return after('30');
    case 'asks to come at a time, in two minutes':
      return after(new Date(NOW_MS + 120_000).toUTCString());
    case 'asks to come at a time that is past':
      return after(new Date(NOW_MS - 3_600_000).toUTCString());
    case 'asks to come at what is no time':
      return after('-3 soon');
    case 'refuses':
      return no;
    case 'refuses, and repeats every secret':
      return repeating(no);
    case 'refuses, and repeats every secret in a document':
      return repeating({ ...no, body: documentOf(echo) });
    case 'refuses, and says 5 MB':
      return { ...no, body: MUCH };
    case 'does not answer':
      return 'hang';
    case 'resets the connection':
      return 'reset';
    case 'talks garbage':
      return 'garbage';
    default:
      if (behaviour in DEEDS) return yes;
      // With the words of a yes, since only the status may say no, and with the way elsewhere, whether it is asked for or not.
      return { ...yes, status: Number(behaviour.slice('answers '.length)), headers: { location: away } };
  }
}
