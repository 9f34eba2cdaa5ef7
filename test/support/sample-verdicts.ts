// What a latency rule may say in a round, by a short word; the verdict is one on p95 times in ms.
import type { Verdict } from '../../sidecar/rule/verdict';

const BASE = { severity: undefined, doubt: undefined, value: 812, threshold: 500, samples: 100 } as const;

export const VERDICTS = {
  /** Breached, and how badly. */
  info: { ...BASE, state: 'breached', severity: 'info' },
  warn: { ...BASE, state: 'breached', severity: 'warning' },
  err: { ...BASE, state: 'breached', severity: 'error' },
  bad: { ...BASE, state: 'breached', severity: 'critical' },
  between: { ...BASE, state: 'between', value: 450 },
  good: { ...BASE, state: 'healthy', value: 80 },
  few: { ...BASE, state: 'cannot_tell', doubt: 'too_few_requests', samples: 1 },
  none: { ...BASE, state: 'cannot_tell', doubt: 'no_requests', value: undefined, samples: 0 },
  gap: { ...BASE, state: 'cannot_tell', doubt: 'gap' },
} as const satisfies Record<string, Verdict>;

export type VerdictWord = keyof typeof VERDICTS;

/** @throws Error for a word that is none */
export function verdictOf(word: string): Verdict {
  const verdict = (VERDICTS as Record<string, Verdict>)[word];
  if (!verdict) throw new Error(`no verdict "${word}"`);
  return verdict;
}
