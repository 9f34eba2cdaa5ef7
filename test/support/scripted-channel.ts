// A channel without a network: it keeps what it was given and answers as the test tells it.
import type { Channel, Outcome } from '../../sidecar/channel/channel';
import { DELIVERY } from './channel-settings';
import type { Notification } from '../../sidecar/notify/notification';

export const SENT: Outcome = { result: 'sent' };
export const RETRY: Outcome = { result: 'retry', reason: 'answered 503', afterMs: undefined };
/** A failure after which the receiver wants to be left alone for so long. */
export function retryAfter(afterMs: number): Outcome {
  return { result: 'retry', reason: 'answered 503', afterMs };
}

export const REFUSED: Outcome = { result: 'refused', reason: 'answered 404' };

export class ScriptedChannel implements Channel {
  readonly type = 'scripted';
  delivery = DELIVERY;
  /** Every try, in order. */
  readonly tries: Notification[] = [];
  /** How it answers once the script has ended; `hang` for never. */
  otherwise: Outcome | 'hang' | 'throw' = SENT;
  readonly #script: (Outcome | 'hang' | 'throw')[] = [];
  #settleHanging: ((outcome: Outcome) => void)[] = [];

  constructor(readonly name: string) {}

  /** The next answers, in order. */
  answer(...script: (Outcome | 'hang' | 'throw')[]): this {
    this.#script.push(...script);
    return this;
  }

  /** What hangs ends so. */
  release(outcome: Outcome): void {
    for (const settle of this.#settleHanging.splice(0)) settle(outcome);
  }

  send(notification: Notification): Promise<Outcome> {
    this.tries.push(notification);
    const answer = this.#script.shift() ?? this.otherwise;
    if (answer === 'throw') return Promise.reject(new Error('a secret may be in here'));
    if (answer === 'hang') return new Promise((resolve) => this.#settleHanging.push(resolve));
    return Promise.resolve(answer);
  }
}
