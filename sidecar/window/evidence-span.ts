// How far back the worst operations, error types and addresses are looked at: as far as the rule judged, but no further than every
// upstream time can be kept. What is read is what is kept, so both ask here. An hour of it is dear (docs/alerts.md has numbers);
// only a rule that looks back so far has it kept.
import type { Rule } from '../config/rule';
import { MOST_FINE_MS } from './slots';

type Judged = Pick<Rule, 'kind' | 'windowMs'>;
type Windows = { readonly shortMs: number } | undefined;

/** 0 where a rule is not about requests that fare badly. @param windows of the verdict, of a burn rate */
export function evidenceMsOf(rule: Judged, windows?: Windows): number {
  return Math.min(MOST_FINE_MS, judgedMs(rule, windows));
}

/** Whether a rule judged more than is looked at. */
export function isEvidenceCut(rule: Judged, windows?: Windows): boolean {
  return judgedMs(rule, windows) > MOST_FINE_MS;
}

function judgedMs({ kind, windowMs }: Judged, windows: Windows): number {
  switch (kind) {
    case 'latency':
    case 'error_rate':
    case 'apdex':
      return windowMs;
    case 'burn_rate':
      // What is worst in the short window is what burns now.
      return windows?.shortMs ?? windowMs;
    default:
      return 0;
  }
}
