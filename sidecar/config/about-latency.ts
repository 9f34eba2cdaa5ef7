// Whether a rule is about times: what is worst is then what is slowest.
import type { Rule } from './rule';

export function isAboutLatency({ kind }: Rule): boolean {
  return kind === 'latency' || kind === 'apdex';
}
