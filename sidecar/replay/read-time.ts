// From a moment as people write it on a command line to Unix ms: an ISO date or time (UTC where no zone is told), Unix seconds, `now`,
// or a duration before now such as 7d.
import { parseDuration } from '../config/duration';

const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** `undefined` for a text that is no moment. */
export function readTime(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs;
  if (/^\d{9,10}(?:\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  const iso = ISO.exec(text.replace(' ', 'T'));
  if (iso) {
    const hasZone = iso[1] !== undefined || !iso[0].includes('T');
    const ms = Date.parse(hasZone ? iso[0] : `${iso[0]}Z`);
    return Number.isNaN(ms) ? undefined : ms;
  }
  const agoMs = parseDuration(text);
  return agoMs === undefined ? undefined : nowMs - agoMs;
}
