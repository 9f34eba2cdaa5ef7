// What is remembered of one group's mails, so that they are one conversation for the reader, and so that a mail which only some
// of its receivers took is sent to the others alone.
import type { Thread } from '../channel';

export interface EmailThread {
  /** The Message-ID of the first mail, and of the latest one. */
  readonly rootId: string;
  readonly lastId: string;
  /** Of the first mail; all others are replies to it. */
  readonly subject: string;
  /** The latest notification, while there are receivers who do not have it, and who has it. */
  readonly unfinished: { readonly notificationId: string; readonly holders: readonly string[] } | undefined;
}

/** `undefined` where nothing was sent yet, or nothing that can be read. */
export function readThread(thread: Thread | undefined): EmailThread | undefined {
  const { root_id: rootId = '', last_id: lastId = '', subject = '', unfinished, holders } = thread ?? {};
  if (!isMessageId(rootId) || !isMessageId(lastId) || subject === '') return undefined;
  return {
    rootId,
    lastId,
    subject,
    unfinished:
      unfinished === undefined || holders === undefined
        ? undefined
        : { notificationId: unfinished, holders: holders.split(' ') },
  };
}

export function writeThread({ rootId, lastId, subject, unfinished }: EmailThread): Thread {
  return {
    root_id: rootId,
    last_id: lastId,
    subject,
    // A space stands in no address that the configuration takes.
    ...(unfinished === undefined
      ? {}
      : { unfinished: unfinished.notificationId, holders: unfinished.holders.join(' ') }),
  };
}

function isMessageId(text: string): boolean {
  return /^<[!-;=?-~]{1,400}>$/.test(text);
}
