// Batches that a test posts to a sidecar itself, and what the sidecar then tells of its ledger.
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { SOURCES } from '../../kong-plugin/contract/source';
import { batchOf, deltaOf } from './batches';
import { seededRandom } from './seeded-random';

/** The bytes of one of a producer's batches: some forty requests over a few hundred series, the same each time. */
export function postedBatch(sequence: number, producer = 'producer-1'): Buffer {
  const random = seededRandom(sequence);
  const upTo = (count: number): number => Math.floor(random() * count);
  const deltas = new Map(
    Array.from({ length: 20 }, () => {
      const isError = random() < 0.2;
      const series = {
        service: `service-${upTo(5)}`,
        operation: `GET route-${upTo(60)}`,
        status: isError ? 502 : 200,
        source: SOURCES[upTo(SOURCES.length)] ?? 'upstream',
        errorType: isError ? 'upstream_unreachable' : '',
      };
      const delta = deltaOf(series, [upTo(12_000), random() < 0.1 ? undefined : upTo(300)]);
      if (isError) {
        const tries = 1 + upTo(3);
        delta.failedTries.set(502, tries);
        delta.failedAddresses.set(`10.0.0.${tries}:80`, tries);
      }
      return [JSON.stringify(series), delta];
    }),
  );
  return encodeBatch(batchOf([...deltas.values()], sequence, producer));
}

export interface PostedAnswer {
  readonly status: number;
  /** Of a receipt. */
  readonly result?: string;
  /** Of a refusal. */
  readonly fault?: string;
  readonly message?: string;
}

export async function post(url: string, bytes: Uint8Array): Promise<PostedAnswer> {
  const answer = await fetch(`${url}/v1/batches`, { method: 'POST', body: bytes });
  return { ...((await answer.json()) as Omit<PostedAnswer, 'status'>), status: answer.status };
}

/** @throws unless each is applied */
export async function postAll(url: string, fromSequence: number, toSequence: number): Promise<void> {
  for (let sequence = fromSequence; sequence <= toSequence; sequence++) {
    const { status, result } = await post(url, postedBatch(sequence));
    if (result !== 'applied') throw new Error(`batch ${sequence}: ${status} ${result ?? ''}`);
  }
}

/** Every line of /metrics that comes out of the ledger, sorted: texts are equal where all numbers are. */
export async function ledgerLines(url: string): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) =>
      /^(external_request|application_errors|gatewatch_(requests|upstream_failed_tries|plugin|series))/.test(
        line,
      ),
    )
    .sort()
    .join('\n');
}

/** `ready`, or why not. */
export async function readiness(url: string): Promise<string> {
  const answer = await fetch(`${url}/-/ready`);
  const text = (await answer.text()).trim();
  return `${answer.status} ${text}`;
}
