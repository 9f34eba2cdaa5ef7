// One item of what the SDK gives to its transport, as it waits and is sent: its bytes, made once, and the header of its envelope,
// which is written anew with the time of each try. Each item has an envelope of its own, so that a pause of one category does
// not keep another (https://develop.sentry.dev/sdk/foundations/data-model/envelopes/).
import type { Envelope } from '@sentry/core';

/** Sentry's data categories, by which it limits and counts; `other`: what we do not send ourselves. */
export type ItemCategory = 'error' | 'transaction' | 'monitor' | 'profile_chunk' | 'internal' | 'other';

/** What a client report tells of: so many of a category were dropped for a reason. */
export interface Discarded {
  readonly reason: string;
  readonly category: string;
  readonly quantity: number;
}

export interface EnvelopeItem {
  readonly category: ItemCategory;
  /** 32 hexadecimal digits; empty where it is no event. */
  readonly eventId: string;
  /** Spans of a transaction, itself among them; otherwise 0. */
  readonly spans: number;
  /** Of a client report. */
  readonly discarded: readonly Discarded[];
  readonly envelopeHeader: Readonly<Record<string, unknown>>;
  /** The item's header line and its payload; `undefined`: it cannot be written as JSON. */
  readonly bytes: Buffer | undefined;
}

const CATEGORIES: Readonly<Record<string, ItemCategory>> = {
  event: 'error',
  transaction: 'transaction',
  check_in: 'monitor',
  profile_chunk: 'profile_chunk',
  client_report: 'internal',
};

export function itemsOf([envelopeHeader, items]: Envelope): EnvelopeItem[] {
  return items.map(([itemHeader, payload]) => {
    const category = CATEGORIES[itemHeader.type] ?? 'other';
    const fields: Readonly<Record<string, unknown>> =
      typeof payload === 'object' && !(payload instanceof Uint8Array) ? { ...payload } : {};
    const eventId = envelopeHeader['event_id'] ?? fields['event_id'];
    return {
      category,
      eventId: typeof eventId === 'string' ? eventId : '',
      spans:
        category === 'transaction' ? 1 + (Array.isArray(fields['spans']) ? fields['spans'].length : 0) : 0,
      discarded: category === 'internal' ? ((fields['discarded_events'] ?? []) as Discarded[]) : [],
      envelopeHeader: { ...envelopeHeader },
      bytes: encodeItem({ ...itemHeader }, payload),
    };
  });
}

function encodeItem(itemHeader: Record<string, unknown>, payload: unknown): Buffer | undefined {
  try {
    const body =
      typeof payload === 'string' || payload instanceof Uint8Array
        ? Buffer.from(payload)
        : Buffer.from(JSON.stringify(payload));
    return Buffer.concat([
      Buffer.from(`${JSON.stringify({ ...itemHeader, length: body.length })}\n`),
      body,
      Buffer.from('\n'),
    ]);
  } catch {
    return undefined;
  }
}

/**
 * The whole envelope of an item that could be written.
 *
 * @param sentAtMs Unix ms of this try: Sentry takes the time up to the arrival for a difference of the clocks, and moves the event by it
 */
export function encodeEnvelope({ envelopeHeader, bytes }: EnvelopeItem, sentAtMs: number): Buffer {
  const header = { ...envelopeHeader, sent_at: new Date(sentAtMs).toISOString() };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes ?? Buffer.alloc(0)]);
}
