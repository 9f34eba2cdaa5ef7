// From the text of Kong's /metrics (its prometheus plugin, checked with 3.9.3) to what the watch needs of it, in one pass
// over pieces of any size. Two families of what may be 50 MB are read, so every other line is only skipped over: parsers
// of the whole format want all of the text in memory, and make objects of all of it.
//
// kong_http_requests_total{service,route,code,...}: requests that had a service; those that matched no route, or a route
// without a service, are not in it. With `status_code_metrics`, and absent before the first such request since Kong's
// start. kong_upstream_target_health{upstream,target,address,state,subsystem}: 1 at the state that holds, 0 at the
// others. With `upstream_health_metrics`. Of streams, which Gatewatch does not cover, nothing is read.
//
// Lines that cannot be read are left out, but a sum lacking some of its series would be taken for fewer requests: then
// the whole is `isDamaged`.
import type { TargetFacts } from './kong-facts';

export interface KongMetrics {
  /** Since Kong's start; `undefined` where the family is absent. */
  readonly requests: number | undefined;
  readonly targets: readonly TargetFacts[];
  /** Not one line is of a family of Kong: something else has answered. */
  readonly isForeign: boolean;
  /** A line of the requests could not be read. */
  readonly isDamaged: boolean;
}

/** A longer line is no sample of Kong's: names of entities have no limit, but these come with few of them. */
const MOST_LINE_LENGTH = 65_536;
/** Further addresses are left out: each becomes something that can be alerted on. */
const MOST_ADDRESSES = 10_000;

const KONG = 'kong_';
const REQUESTS = 'kong_http_requests_total';
const HEALTH = 'kong_upstream_target_health';

/** Kong sends to an address that is not checked as it does to a healthy one. */
const HEALTHY_STATES: readonly string[] = ['healthy', 'healthchecks_off'];
/** The name has no address: there is none to show. */
const DNS_ERROR = 'dns_error';

interface FoundTarget {
  readonly upstream: string;
  readonly target: string;
  readonly healthyAddresses: string[];
  readonly unhealthyAddresses: string[];
}

export class MetricsReader {
  /** The beginning of a line whose end has not come. */
  #rest = '';
  #isInLongLine = false;
  #requests: number | undefined;
  #isForeign = true;
  #isDamaged = false;
  readonly #targets = new Map<string, FoundTarget>();
  #addresses = 0;

  add(piece: string): void {
    let text = this.#rest + piece;
    if (this.#isInLongLine) {
      const end = text.indexOf('\n');
      text = end < 0 ? '' : text.slice(end + 1);
      this.#isInLongLine = end < 0;
    }
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#readLine(text, start, end);
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length <= MOST_LINE_LENGTH) return;
    if (this.#rest.startsWith(REQUESTS)) this.#isDamaged = true;
    this.#rest = '';
    this.#isInLongLine = true;
  }

  /** Call it once, after the last piece. */
  end(): KongMetrics {
    this.#readLine(this.#rest, 0, this.#rest.length);
    return {
      requests: this.#requests,
      targets: [...this.#targets.values()],
      isForeign: this.#isForeign,
      isDamaged: this.#isDamaged,
    };
  }

  #readLine(text: string, start: number, end: number): void {
    if (!text.startsWith(KONG, start)) return;
    this.#isForeign = false;
    if (text.startsWith(REQUESTS, start)) this.#readRequests(text.slice(start + REQUESTS.length, end));
    else if (text.startsWith(HEALTH, start)) this.#readHealth(text.slice(start + HEALTH.length, end));
  }

  #readRequests(afterName: string): void {
    if (!/^[\s{]/.test(afterName)) return;
    const value = readSample(afterName)?.value ?? -1;
    if (value >= 0) this.#requests = (this.#requests ?? 0) + value;
    else this.#isDamaged = true;
  }

  #readHealth(afterName: string): void {
    const sample = afterName.startsWith('{') ? readSample(afterName) : undefined;
    if (sample?.value !== 1) return;
    const { upstream, target, address, state, subsystem = 'http' } = readLabels(sample.labels);
    if (upstream === undefined || target === undefined || subsystem !== 'http') return;
    if (this.#addresses === MOST_ADDRESSES) return;
    const key = JSON.stringify([upstream, target]);
    const found = this.#targets.get(key) ?? {
      upstream,
      target,
      healthyAddresses: [],
      unhealthyAddresses: [],
    };
    if (state === DNS_ERROR) found.unhealthyAddresses.push(DNS_ERROR);
    else if (state === 'unhealthy') found.unhealthyAddresses.push(address ?? '');
    else if (state !== undefined && HEALTHY_STATES.includes(state))
      found.healthyAddresses.push(address ?? '');
    else return;
    this.#addresses += 1;
    this.#targets.set(key, found);
  }
}

/** `{labels} value` or ` value`, perhaps with a timestamp; `undefined` where there is no finite value. */
function readSample(afterName: string): { readonly labels: string; readonly value: number } | undefined {
  const end = afterName.lastIndexOf('}');
  if (afterName.startsWith('{') && end < 0) return undefined;
  const [word = ''] = afterName
    .slice(end + 1)
    .trim()
    .split(/\s+/);
  const value = word === '' ? NaN : Number(word);
  return Number.isFinite(value) ? { labels: afterName.slice(1, Math.max(1, end)), value } : undefined;
}

const UNESCAPED: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

function readLabels(text: string): Partial<Record<string, string>> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', escaped = '']) => [
      name,
      escaped.replace(/\\[n"\\]/g, (pair) => UNESCAPED[pair] ?? pair),
    ]),
  );
}
