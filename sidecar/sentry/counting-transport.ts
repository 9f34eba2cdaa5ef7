// How the SDK's envelopes leave the sidecar: through the guard that knows the secrets, to the project and to Spotlight, with the
// end of each item counted. What the SDK's own transport does about Sentry's limits holds: 429 and X-Sentry-Rate-Limits stop a
// category for as long as they say, at most 64 envelopes are on their way (more fail at once), and none is tried twice.
import { createTransport, forEachEnvelopeItem, suppressTracing } from '@sentry/core';
import type { BaseTransportOptions, Envelope, Transport } from '@sentry/core';
import { SENTRY_ITEMS, type SentryItem, type SentryOutcome } from './own-sentry';
import { postEnvelope, showEnvelope } from './post-envelope';
import type { TransportLog } from './transport-log';

const TIMEOUT_MS = 10_000;

export interface TransportParts {
  /** `undefined`: only Spotlight gets what is sent. */
  readonly envelopeUrl: string | undefined;
  readonly spotlightUrl: string | undefined;
  readonly redact: (text: string) => string;
  readonly log: TransportLog;
  readonly onEnded: (item: SentryItem, outcome: SentryOutcome) => void;
}

export function countingTransport(parts: TransportParts): (options: BaseTransportOptions) => Transport {
  return (options) => {
    let kept = 0;
    const inner = createTransport(
      {
        ...options,
        // Told before `send` returns. Ends are counted below, where the item's own type is known.
        recordDroppedEvent: (...dropped) => {
          if (dropped[0] === 'ratelimit_backoff') kept += 1;
          options.recordDroppedEvent(...dropped);
        },
      },
      async ({ body }) => {
        const text = parts.redact(typeof body === 'string' ? body : Buffer.from(body).toString());
        return suppressTracing(() => deliver(parts, text));
      },
    );
    return {
      flush: (timeoutMs) => inner.flush(timeoutMs),
      send: async (envelope) => {
        const items = itemsOf(envelope);
        const end = (outcome: SentryOutcome): void => items.forEach((item) => parts.onEnded(item, outcome));
        try {
          const keptBefore = kept;
          const answering = inner.send(stamped(envelope));
          const untried = kept > keptBefore ? 'rate_limited' : 'failed';
          const answer = await answering;
          if (answer.statusCode !== undefined) parts.log.answered(answer.statusCode, typesOf(envelope));
          end(answer.statusCode === undefined ? untried : outcomeOf(answer.statusCode));
          return answer;
        } catch (error) {
          end('failed');
          throw error;
        }
      },
    };
  };
}

function outcomeOf(status: number): SentryOutcome {
  if (status === 429) return 'rate_limited';
  return status >= 200 && status < 300 ? 'sent' : 'failed';
}

async function deliver({ envelopeUrl, spotlightUrl, log }: TransportParts, text: string) {
  const shown = spotlightUrl && showEnvelope(spotlightUrl, text);
  const answer = await (envelopeUrl === undefined ? shown : postEnvelope(envelopeUrl, text, TIMEOUT_MS));
  if (!answer) return {};
  if (answer.kind === 'no_answer') {
    const reason = `no answer (${answer.code})`;
    log.notAnswered(reason);
    throw new Error(reason);
  }
  return {
    statusCode: answer.status,
    headers: {
      'retry-after': answer.retryAfter ?? null,
      'x-sentry-rate-limits': answer.rateLimits ?? null,
    },
  };
}

/** The SDK's client reports come without the time, by which Sentry corrects a clock. */
function stamped([header, items]: Envelope): Envelope {
  return [Object.assign({ sent_at: new Date().toISOString() }, header), items] as Envelope;
}

function typesOf(envelope: Envelope): string[] {
  const types: string[] = [];
  forEachEnvelopeItem(envelope, (_item, type) => void types.push(type));
  return types;
}

function itemsOf(envelope: Envelope): SentryItem[] {
  return typesOf(envelope).flatMap((type) => SENTRY_ITEMS.filter((item) => item === type));
}
