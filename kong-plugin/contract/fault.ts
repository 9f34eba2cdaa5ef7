// Why the sidecar refused a batch. `fault` tells the producer that this answer is the sidecar's own and not a proxy's page:
// only a final status together with one of these codes ends a batch's tries.

export const FAULT_CODES = [
  'unauthorized',
  'not_json',
  'wrong_version',
  'invalid_batch',
  'too_large',
  'sequence_conflict',
  'not_durable',
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

export interface Fault {
  fault: FaultCode;
  /** One sentence for a person: what was expected and what was found. */
  message: string;
}

/** Sending the same bytes again cannot change these answers. */
const FINAL_STATUSES = new Set([400, 413, 422]);

/** Whether an answer means that this batch will never be taken. Reads the body of an answer that is not a receipt. */
export function readFinalFault(status: number, body: string): Fault | undefined {
  if (!FINAL_STATUSES.has(status)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { fault, message } = value as Record<string, unknown>;
  const code = FAULT_CODES.find((known) => known === fault);
  return code && typeof message === 'string' ? { fault: code, message } : undefined;
}
