// Envelopes as the SDK gives them to its transport.
import type { ClientReport, Envelope } from '@sentry/core';

/** 32 hexadecimal digits. */
export function idOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

export function eventEnvelope(number: number, message = ''): Envelope {
  const event = { event_id: idOf(number), timestamp: 1_772_359_200, platform: 'node', message } as const;
  return [{ event_id: event.event_id, sent_at: '2026-03-01T10:00:00.000Z' }, [[{ type: 'event' }, event]]];
}

export function transactionEnvelope(number: number): Envelope {
  const times = { start_timestamp: 1_772_359_200, timestamp: 1_772_359_201 };
  const trace = { trace_id: idOf(7), span_id: '00000000000000a1' };
  const span = {
    ...trace,
    ...times,
    span_id: '00000000000000a2',
    parent_span_id: trace.span_id,
    status: 'ok',
    data: {},
  } as const;
  return [
    { event_id: idOf(number), sent_at: '2026-03-01T10:00:00.000Z' },
    [
      [
        { type: 'transaction' },
        {
          type: 'transaction' as const,
          event_id: idOf(number),
          platform: 'node',
          transaction: 'GET route',
          contexts: { trace },
          spans: [span],
          ...times,
        },
      ],
    ],
  ];
}

export function checkInEnvelope(number: number): Envelope {
  const checkIn = { check_in_id: idOf(number), monitor_slug: 'rounds', status: 'ok' } as const;
  return [{ sent_at: '2026-03-01T10:00:00.000Z' }, [[{ type: 'check_in' }, checkIn]]];
}

export function reportEnvelope(...discarded: ClientReport['discarded_events']): Envelope {
  return [{}, [[{ type: 'client_report' }, { timestamp: 1_772_359_200, discarded_events: discarded }]]];
}
