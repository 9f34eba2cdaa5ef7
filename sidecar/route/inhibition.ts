// Which alerts are hidden by which others: while an alert fires that matches `source`, those are not told that match `target`
// and have the same `equal` labels (a label that both lack is the same).
// An alert hides neither itself nor a more severe one. As in Alertmanager one that matches both sides is not hidden by one that
// does too. A hidden alert hides others, but two that would hide each other, and nothing else hides, are both told.
import { type Severity, severityRank } from '../../kong-plugin/contract/severity';
import { matchesAll } from '../config/matcher';
import type { AlertLabels, Inhibition } from '../config/notification-policy';
import { labelsKey } from './alert-labels';

/** An alert that fires or is acknowledged. */
export interface Firing {
  readonly key: string;
  readonly severity: Severity;
  readonly labels: AlertLabels;
}

interface Member {
  readonly firing: Firing;
  readonly rank: number;
  /** It matches both sides. */
  readonly isBoth: boolean;
}

/** Alerts on the two sides of one inhibition that agree in its `equal` labels. */
interface Circle {
  readonly sources: Member[];
  readonly targets: Member[];
}

/** An alert as a source of one circle. */
interface Part {
  readonly circle: Circle;
  readonly member: Member;
}

/** Key of an alert that is hidden -> key of one that hides it. */
export function inhibitedAlerts(
  inhibitions: readonly Inhibition[],
  alerts: readonly Firing[],
): ReadonlyMap<string, string> {
  const circles = inhibitions.flatMap((inhibition) => circlesOf(inhibition, alerts));
  if (circles.length === 0) return new Map();
  const parts = new Map<string, Part[]>();
  for (const circle of circles)
    for (const member of circle.sources) {
      const own = parts.get(member.firing.key);
      if (own) own.push({ circle, member });
      else parts.set(member.firing.key, [{ circle, member }]);
    }
  return spread(alerts, coveredKeys(circles), parts);
}

function circlesOf({ source, target, equal }: Inhibition, alerts: readonly Firing[]): Circle[] {
  const circles = new Map<string, Circle>();
  for (const firing of alerts) {
    const isSource = matchesAll(source, firing.labels);
    const isTarget = matchesAll(target, firing.labels);
    if (!isSource && !isTarget) continue;
    const key = labelsKey(firing.labels, equal);
    const circle = circles.get(key) ?? { sources: [], targets: [] };
    circles.set(key, circle);
    const member = { firing, rank: severityRank(firing.severity), isBoth: isSource && isTarget };
    if (isSource) circle.sources.push(member);
    if (isTarget) circle.targets.push(member);
  }
  return [...circles.values()].filter(({ sources, targets }) => sources.length > 0 && targets.length > 0);
}

/** From the alerts that nothing hides to those that they hide, to those that these hide, and so on. */
function spread(
  alerts: readonly Firing[],
  covered: ReadonlySet<string>,
  parts: ReadonlyMap<string, readonly Part[]>,
): ReadonlyMap<string, string> {
  const hidden = new Map<string, string>();
  // The first of a rank and side says all that the next could.
  const done = new Map<Circle, { both: number; oneSide: number }>();
  const queue = alerts.filter(({ key }) => parts.has(key) && !covered.has(key));
  for (const source of queue)
    for (const { circle, member } of parts.get(source.key) ?? []) {
      const { rank, isBoth } = member;
      const ranks = done.get(circle) ?? { both: -1, oneSide: -1 };
      if (rank <= (isBoth ? ranks.both : ranks.oneSide)) continue;
      done.set(circle, isBoth ? { ...ranks, both: rank } : { ...ranks, oneSide: rank });
      for (const target of circle.targets) {
        if (target.rank > rank || (isBoth && target.isBoth) || hidden.has(target.firing.key)) continue;
        hidden.set(target.firing.key, source.key);
        if (parts.has(target.firing.key)) queue.push(target.firing);
      }
    }
  return hidden;
}

/** The alerts that at least one other would hide. */
function coveredKeys(circles: readonly Circle[]): Set<string> {
  const covered = new Set<string>();
  for (const { sources, targets } of circles) {
    const worst = (members: readonly Member[]): number => Math.max(-1, ...members.map(({ rank }) => rank));
    const anySource = worst(sources);
    const oneSideSource = worst(sources.filter(({ isBoth }) => !isBoth));
    for (const { firing, rank, isBoth } of targets)
      if (rank <= (isBoth ? oneSideSource : anySource)) covered.add(firing.key);
  }
  return covered;
}
