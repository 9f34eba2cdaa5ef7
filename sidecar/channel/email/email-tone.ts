// What a mail looks like at a glance: a word, a mark and a colour for each severity and for what is over. The word always stands
// beside the colour. White on each colour has a contrast of more than 4.5, each colour on white and on a dark page more than 3
// (WCAG 2.2, 1.4.3: for small and for large text); a test computes them.
import { severityRank, type Severity } from '../../../kong-plugin/contract/severity';
import type { NotificationItem } from '../../notify/notification';

export interface Tone {
  readonly word: string;
  readonly mark: string;
  /** #RRGGBB */
  readonly colour: string;
}

const FIRING: Readonly<Record<Severity, Tone>> = {
  critical: { word: 'Critical', mark: '▲', colour: '#CF222E' },
  error: { word: 'Error', mark: '▲', colour: '#BC4C00' },
  warning: { word: 'Warning', mark: '▲', colour: '#9A6700' },
  info: { word: 'Info', mark: '●', colour: '#0969DA' },
};
const ACKNOWLEDGED: Tone = { word: 'Acknowledged', mark: '◆', colour: '#64748B' };
const RESOLVED: Tone = { word: 'Resolved', mark: '✓', colour: '#1A7F37' };

export const TONES: readonly Tone[] = [...Object.values(FIRING), ACKNOWLEDGED, RESOLVED];

export function toneOf({ occasion, alert }: NotificationItem): Tone {
  if (occasion === 'resolved') return RESOLVED;
  return occasion === 'acknowledged' ? ACKNOWLEDGED : FIRING[alert.severity];
}

/** Of all that is told: the worst that fires, else what somebody knows of, else that it is over. */
export function toneOfAll(items: readonly NotificationItem[]): Tone {
  const worst = (some: readonly NotificationItem[]): Tone | undefined => {
    const [first] = [...some].sort((a, b) => severityRank(b.alert.severity) - severityRank(a.alert.severity));
    return first && toneOf(first);
  };
  return (
    worst(items.filter(({ occasion }) => occasion !== 'resolved' && occasion !== 'acknowledged')) ??
    worst(items.filter(({ occasion }) => occasion === 'acknowledged')) ??
    RESOLVED
  );
}
