// What happens to a new service when there are as many as allowed: it becomes `__other__`. A service costs more than a series:
// each has windows of its own, and every rule is judged for each in every round.
import { OTHER } from '../../kong-plugin/contract/label-text';

/** Windows of five minutes with so many busy services take 120 MB, and a round of three rules 150 ms (measured). */
const SERVICES_OF_STANDARD_CAP = 2_500;
const STANDARD_SERIES_CAP = 50_000;
const LEAST_SERVICES = 100;

/** How many services are told apart under a series cap. */
export function serviceCapOf(seriesCap: number): number {
  return Math.max(LEAST_SERVICES, Math.floor((seriesCap * SERVICES_OF_STANDARD_CAP) / STANDARD_SERIES_CAP));
}

/**
 * The service under which to count `wanted`.
 *
 * @param exists whether a service is in the ledger already
 * @param serviceCount how many there are
 */
export function admitService(
  wanted: string,
  exists: (service: string) => boolean,
  serviceCount: number,
  seriesCap: number,
): string {
  return serviceCount < serviceCapOf(seriesCap) || exists(wanted) ? wanted : OTHER;
}
