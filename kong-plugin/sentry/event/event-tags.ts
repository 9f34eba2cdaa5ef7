// What events can be searched by: values of low cardinality, from the observation and from Kong's entities. The same words
// are the labels of metrics. An empty value is no tag.
import { UNMATCHED } from '../../contract/unmatched';
import type { Observation } from '../../observation';
import type { RequestFacts } from './request-facts';
import { shortText } from './short-text';

/** @param more in place of the event's own of the same name */
export function eventTags(
  observation: Observation,
  facts: RequestFacts,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const own = {
    service: observation.service,
    operation: observation.operation,
    error_type: observation.errorType,
    status: observation.status === 0 ? '' : String(observation.status),
    grpc_status: facts.grpcStatus === undefined ? '' : String(facts.grpcStatus),
    source: observation.source,
    severity: observation.severity,
    route: facts.route.name ?? facts.route.id ?? '',
    workspace: facts.workspace ?? '',
  };
  return Object.fromEntries(
    Object.entries({ ...own, ...more })
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, shortText(value)]),
  );
}

/** What Sentry shows as an issue's culprit and as a transaction's name. */
export function transactionName({ operation }: Observation): string {
  return operation === '' ? UNMATCHED : shortText(operation);
}
