// From one Kong log to one observation: what Gatewatch counts of a request. Label values come from Kong's entities, never
// from a raw path or header. Every log gives an observation, whatever it lacks.
import { labelText } from './contract/label-text';
import type { Severity } from './contract/severity';
import type { Source } from './contract/source';
import type { NamedStatus } from './error-type';
import { classify } from './error-type';
import { failedAddressesOf } from './failed-addresses';
import { fairTimes } from './fair-times';
import { knownMethod } from './http-method';
import { readKongLog, type KongLog } from './kong-log';

export interface Observation {
  service: string;
  operation: string;
  /** 0 where the log had none. */
  status: number;
  source: Source;
  errorType: string;
  severity: Severity;
  /** Whole ms, `undefined` where no upstream was reached. */
  upstreamMs: number | undefined;
  gatewayMs: number;
  /** Codes of the failed tries, in order: 0 to 999, 0 where the log had none. */
  failedTryCodes: number[];
  /** One for each failed try and each answer with an error, where the log had it: see `contract/failed-address.ts`. */
  failedAddresses: string[];
  clockFault: boolean;
  /** The log could not be read, lacked its status, or had a failed try without a code. */
  malformed: boolean;
}

const UNREADABLE: Observation = {
  service: '',
  operation: '',
  status: 0,
  source: 'gateway',
  errorType: '',
  severity: 'info',
  upstreamMs: undefined,
  gatewayMs: 0,
  failedTryCodes: [],
  failedAddresses: [],
  clockFault: false,
  malformed: true,
};

/** `text` is what `kong.log.serialize()` resolved to. Never throws. */
export function observe(text: unknown, namedStatuses: readonly NamedStatus[] = []): Observation {
  const log = readKongLog(text);
  if (!log) return UNREADABLE;
  const status = log.status !== undefined && isStatus(log.status) ? log.status : undefined;
  const known = status === log.status ? log : { ...log, status };
  const outcome = classify(known, namedStatuses);
  const codes = (log.tries ?? []).filter((entry) => entry.failed).map((entry) => entry.code);
  return {
    service: labelText(log.service.name ?? log.service.host ?? ''),
    operation: operationOf(log),
    status: status ?? 0,
    ...outcome,
    ...fairTimes(known),
    failedTryCodes: codes.map((code) => code ?? 0),
    failedAddresses: failedAddressesOf(log, outcome),
    malformed: status === undefined || codes.includes(undefined),
  };
}

function operationOf(log: KongLog): string {
  const route = log.route.name ?? log.route.id;
  if (route === undefined) return '';
  return labelText(`${knownMethod(log.method)} ${route}`);
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 999;
}
