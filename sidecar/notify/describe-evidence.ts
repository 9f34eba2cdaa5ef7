// Where it fails and how, as sentences: the worst operations, the error types, the upstream addresses. Nothing of what there is
// none of.
import { formatValue } from '../rule/format-value';
import type { Rule } from '../config/rule';
import type { Evidence } from '../window/evidence';
import { isAboutLatency } from '../config/about-latency';
import { describeDuration } from './describe-duration';
import { showName } from './describe-subject';

export function describeErrors(evidence: Evidence, rule: Rule): string[] {
  const operations = evidence.operations.map(({ operation, requests, errors, p95Ms }) => {
    const name = operation === '' ? 'requests without a route' : showName(operation);
    if (isAboutLatency(rule)) {
      return `${name} (p95 ${p95Ms === undefined ? 'unknown' : formatValue('latency', p95Ms)}, ${count(requests)} requests)`;
    }
    return `${name} (${count(errors)} of ${count(requests)} failed)`;
  });
  const errorTypes = evidence.errorTypes
    .filter(({ errors }) => errors > 0 || rule.each === 'error_type')
    .map(({ errorType, requests }) => `${count(requests)} ${showName(errorType)}`);
  const addresses = evidence.addresses.map(
    ({ address, failures }) => `${showName(address)} (${count(failures)})`,
  );
  // Else it is of what the measurement is of, which stands before it.
  const span =
    evidence.lastMs === undefined ? '' : ` in the last ${oneOf(describeDuration(evidence.lastMs))}`;
  return [
    sentence(`Worst operations${span}`, operations),
    sentence(`Errors${span}`, errorTypes),
    sentence(`Failed upstream addresses${span}`, addresses),
  ].flat();
}

/** The last hour, and not the last 1 hour. */
function oneOf(duration: string): string {
  return duration.replace(/^1 (\w+)$/, '$1');
}

function sentence(what: string, parts: readonly string[]): string[] {
  return parts.length === 0 ? [] : [`${what}: ${parts.join(', ')}.`];
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
