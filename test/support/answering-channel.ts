// A channel without a network that answers as a function says, at once or later. It keeps what it was given, in order, and how much of
// it was under way at a time.
import type { Channel, Outcome, Thread } from '../../sidecar/channel/channel';
import type { DeliverySettings } from '../../sidecar/config/channel/channel-base';
import type { ChangeNotice } from '../../sidecar/notify/letter';
import type { Notification } from '../../sidecar/notify/notification';
import { DELIVERY } from './channel-settings';
import { SENT } from './scripted-channel';

export interface Given {
  readonly letter: Notification;
  readonly thread: Thread | undefined;
}

/** May throw, and may never settle. */
export type Answering = (given: Given) => Outcome | Promise<Outcome>;

export class AnsweringChannel implements Channel {
  readonly type = 'answering';
  readonly delivery: DeliverySettings;
  /** Every try, in order. */
  readonly tries: Given[] = [];
  /** What it answered `sent` to, in the order of the answers. */
  readonly taken: Notification[] = [];
  readonly changes: ChangeNotice[] = [];
  answer: Answering = () => SENT;
  /** Of tries that are under way now. */
  underWay = 0;
  /** The most of them at a time. */
  mostUnderWay = 0;
  readonly sendChange?: NonNullable<Channel['sendChange']>;

  constructor(
    readonly name: string,
    delivery: Partial<DeliverySettings> = {},
    { takesChanges = false } = {},
  ) {
    this.delivery = { ...DELIVERY, ...delivery };
    if (takesChanges)
      this.sendChange = (change) => {
        this.changes.push(change);
        return Promise.resolve(SENT);
      };
  }

  answers(answer: Answering): this {
    this.answer = answer;
    return this;
  }

  async send(letter: Notification, thread?: Thread): Promise<Outcome> {
    const given = { letter, thread };
    this.tries.push(given);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      const outcome = await this.answer(given);
      if (outcome.result === 'sent') this.taken.push(letter);
      return outcome;
    } finally {
      this.underWay -= 1;
    }
  }
}

/** It never settles. */
export function hangs(): Promise<Outcome> {
  return new Promise(() => undefined);
}
