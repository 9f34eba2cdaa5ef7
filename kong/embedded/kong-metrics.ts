// The metric families of Kong's prometheus plugin (names, labels, help and bounds as recorded from 3.9.3), as far as
// this gateway can truly know them: nothing of Lua memory and nginx timers. In: log documents and counts.
// Out: the text of /metrics. Requests without a service are left out, as Kong leaves them out.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { TargetState } from './balancer';
import type { Exchange } from './exchange';
import { GATEWAY_NAME } from './forwarded-headers';
import type { LogDocument } from './log-document';
import type { ConnectionCounts } from './proxy-listener';

const KONG_BOUNDS_MS = [1, 2, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 750, 1000, 3000, 6000];
const UPSTREAM_BOUNDS_MS = [25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10_000, 30_000, 60_000];
const HEALTH_STATES = ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'] as const;

/** What is read at the time of a scrape. */
export interface ScrapeCounts {
  readonly connections: ConnectionCounts;
  readonly requests: number;
  /** Events on their way to a plugin server. */
  readonly eventsInProgress: number;
  /** Empty where no prometheus plugin asks for upstream_health_metrics. */
  readonly targets: readonly TargetState[];
}

/** The families and their values. */
export class KongMetrics {
  private readonly registry = new Registry();
  private readonly bandwidth = new Counter({
    name: 'kong_bandwidth_bytes',
    help: 'Total bandwidth (ingress/egress) throughput in bytes',
    labelNames: ['service', 'route', 'direction', 'workspace', 'consumer'],
    registers: [this.registry],
  });
  private readonly requests = new Counter({
    name: 'kong_http_requests_total',
    help: 'HTTP status codes per consumer/service/route in Kong',
    labelNames: ['service', 'route', 'code', 'source', 'workspace', 'consumer'],
    registers: [this.registry],
  });
  private readonly kongLatency = this.latency(
    'kong_kong_latency_ms',
    'Latency added by Kong and enabled plugins for each service/route in Kong',
    KONG_BOUNDS_MS,
  );
  private readonly requestLatency = this.latency(
    'kong_request_latency_ms',
    'Total latency incurred during requests for each service/route in Kong',
    UPSTREAM_BOUNDS_MS,
  );
  private readonly upstreamLatency = this.latency(
    'kong_upstream_latency_ms',
    'Latency added by upstream response for each service/route in Kong',
    UPSTREAM_BOUNDS_MS,
  );
  private readonly connections = new Gauge({
    name: 'kong_nginx_connections_total',
    help: 'Number of connections by subsystem',
    labelNames: ['node_id', 'subsystem', 'state'],
    registers: [this.registry],
  });
  private readonly nginxRequests = new Gauge({
    name: 'kong_nginx_requests_total',
    help: 'Number of requests total',
    labelNames: ['node_id', 'subsystem'],
    registers: [this.registry],
  });
  private readonly nginxTimers = new Gauge({
    name: 'kong_nginx_timers',
    help: 'Number of nginx timers',
    labelNames: ['state'],
    registers: [this.registry],
  });
  private readonly targetHealth = new Gauge({
    name: 'kong_upstream_target_health',
    help: 'Health status of targets of upstream. States = healthchecks_off|healthy|unhealthy|dns_error, value is 1 when state is populated.',
    labelNames: ['upstream', 'target', 'address', 'state', 'subsystem'],
    registers: [this.registry],
  });

  constructor(private readonly nodeId: string) {
    new Gauge({
      name: 'kong_datastore_reachable',
      help: 'Datastore reachable from Kong, 0 is unreachable',
      registers: [this.registry],
    }).set(1);
    new Gauge({
      name: 'kong_node_info',
      help: 'Kong Node metadata information',
      labelNames: ['node_id', 'version'],
      registers: [this.registry],
    }).set({ node_id: nodeId, version: GATEWAY_NAME }, 1);
    new Counter({
      name: 'kong_nginx_metric_errors_total',
      help: 'Number of nginx-lua-prometheus errors',
      registers: [this.registry],
    });
  }

  /** Counts one request as the prometheus plugin with this configuration does. */
  observe(exchange: Exchange, document: LogDocument, config: Readonly<Record<string, unknown>>): void {
    if (exchange.service === undefined) return;
    const scope = {
      service: exchange.service.name ?? exchange.service.host,
      route: exchange.route?.name ?? exchange.route?.id ?? '',
      workspace: 'default',
    };
    if (config.status_code_metrics === true) {
      const source = document.source === 'upstream' ? 'service' : 'kong';
      this.requests.inc({ ...scope, code: String(document.response.status), source, consumer: '' });
    }
    if (config.bandwidth_metrics === true) {
      const sizes = { ingress: document.request.size, egress: document.response.size };
      for (const [direction, bytes] of Object.entries(sizes)) {
        if (bytes > 0) this.bandwidth.inc({ ...scope, direction, consumer: '' }, bytes);
      }
    }
    if (config.latency_metrics === true) {
      const { request, proxy, kong } = document.latencies;
      this.requestLatency.observe(scope, request);
      if (proxy >= 0) this.upstreamLatency.observe(scope, proxy);
      if (kong >= 0) this.kongLatency.observe(scope, kong);
    }
  }

  /** The text exposition; a request whose header is still coming counts as `waiting`. */
  async render(counts: ScrapeCounts): Promise<string> {
    const { accepted, active, writing } = counts.connections;
    // In Kong each event on its way to a plugin server is a running timer.
    this.nginxTimers.set({ state: 'running' }, counts.eventsInProgress);
    this.nginxTimers.set({ state: 'pending' }, 0);
    const states = {
      accepted,
      active,
      handled: accepted,
      reading: 0,
      total: counts.requests,
      waiting: Math.max(0, active - writing),
      writing,
    };
    for (const [state, value] of Object.entries(states)) {
      this.connections.set({ node_id: this.nodeId, subsystem: 'http', state }, value);
    }
    this.nginxRequests.set({ node_id: this.nodeId, subsystem: 'http' }, counts.requests);
    this.targetHealth.reset();
    for (const { upstream, target, addresses } of counts.targets) {
      const name = `${target.host}:${target.port}`;
      const current = addresses.length > 0 ? 'healthchecks_off' : 'dns_error';
      for (const address of addresses.length > 0 ? addresses.map((ip) => `${ip}:${target.port}`) : ['']) {
        for (const state of HEALTH_STATES) {
          const labels = { upstream, target: name, address, state, subsystem: 'http' };
          this.targetHealth.set(labels, state === current ? 1 : 0);
        }
      }
    }
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  private latency(
    name: string,
    help: string,
    buckets: number[],
  ): Histogram<'service' | 'route' | 'workspace'> {
    const labelNames = ['service', 'route', 'workspace'] as const;
    return new Histogram({ name, help, buckets, labelNames, registers: [this.registry] });
  }
}
