// In: how telling each member of a cluster ended. Out: how telling the cluster did. As with Prometheus, one member that took it is
// enough, since the members tell each other what was sent; those that did not are told of in a warning, and again with the next
// message. A member is named by its place in the configuration: its address is a secret.
import type { Outcome } from '../channel';

/** @param outcomes in the order of the configuration, at least one */
export function clusterOutcome(outcomes: readonly Outcome[]): Outcome {
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.result === 'sent' ? [] : [{ outcome, reason: nameOf(index, outcomes.length) + outcome.reason }],
  );
  const reason = failures.map((failure) => failure.reason).join('; ');
  if (failures.length === 0) return { result: 'sent' };
  if (failures.length < outcomes.length) return { result: 'sent', warning: reason };
  const retries = failures.flatMap(({ outcome }) => (outcome.result === 'retry' ? [outcome] : []));
  if (retries.length === 0) return { result: 'refused', reason };
  return { result: 'retry', reason, afterMs: soonest(retries.map(({ afterMs }) => afterMs)) };
}

function nameOf(index: number, count: number): string {
  return count === 1 ? '' : `urls[${index}]: `;
}

/** The wish of one member is no reason to keep another waiting. */
function soonest(waits: readonly (number | undefined)[]): number | undefined {
  const given = waits.filter((wait) => wait !== undefined);
  return given.length < waits.length ? undefined : Math.min(...given);
}
