// The sidecar's word that a batch is on its disk. It is the only answer that lets a producer forget a batch.

export interface Receipt {
  producer: string;
  sequence: number;
  /** `duplicate`: these bytes were on disk already, nothing was counted again. */
  result: 'applied' | 'duplicate';
}

/** Reads a receipt for exactly this batch out of an answer's body; anything else is `undefined`. */
export function readReceipt(body: string, producer: string, sequence: number): Receipt | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { producer: ofProducer, sequence: ofSequence, result } = value as Record<string, unknown>;
  if (ofProducer !== producer || ofSequence !== sequence) return undefined;
  return result === 'applied' || result === 'duplicate' ? { producer, sequence, result } : undefined;
}
