// Where the tries of a request go. In: a service. Out: peers, one for each try, or why there are none.
// A service's host is the name of an upstream (weighted targets) or a host name (its addresses in turn). Names are
// looked up with the system's resolver once for each request, before the first try, as Kong does in its access phase.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Service, Target, Upstream } from './kong-entities';
import { TargetRing } from './target-ring';

/** One address to try. */
export interface Peer {
  readonly ip: string;
  readonly port: number;
  /** What the upstream is told in Host, unless the route preserves the client's. */
  readonly hostHeader: string;
}

/** Peers for the tries of one request, or the message with which Kong answers 503. */
export type PeerChoice =
  { readonly kind: 'peers'; readonly next: () => Peer } | { readonly kind: 'none'; readonly message: string };

/** What is known of a target for the health metric: its addresses, or none when its name did not resolve. */
export interface TargetState {
  readonly upstream: string;
  readonly target: Target;
  readonly addresses: readonly string[];
}

/** Looks a name up; fails where it does not resolve. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** The system's resolver; an address resolves to itself. */
export async function resolveHost(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/** Holds the rings between requests. */
export class Balancer {
  private readonly upstreams: ReadonlyMap<string, { upstream: Upstream; ring: TargetRing }>;
  private turn = 0;

  constructor(
    upstreams: readonly Upstream[],
    private readonly resolve: ResolveHost = resolveHost,
  ) {
    this.upstreams = new Map(
      upstreams.map((upstream) => [upstream.name, { upstream, ring: new TargetRing(upstream.targets) }]),
    );
  }

  /** Never fails: what goes wrong is the choice `none`. */
  async choose(service: Service): Promise<PeerChoice> {
    const pool = this.upstreams.get(service.host);
    return pool === undefined ? this.chooseAddress(service) : this.chooseTarget(service, pool);
  }

  /** The targets of every upstream, looked up anew. */
  async targetStates(): Promise<TargetState[]> {
    const states: Promise<TargetState>[] = [];
    for (const { upstream } of this.upstreams.values()) {
      for (const target of upstream.targets) {
        states.push(
          this.addressesOf(target.host).then((addresses) => ({ upstream: upstream.name, target, addresses })),
        );
      }
    }
    return Promise.all(states);
  }

  private async chooseAddress(service: Service): Promise<PeerChoice> {
    const addresses = await this.addressesOf(service.host);
    if (addresses.length === 0) return { kind: 'none', message: 'name resolution failed' };
    const next = (): Peer => ({
      ip: this.inTurn(addresses),
      port: service.port,
      hostHeader: hostHeader(service, service.host, service.port),
    });
    return { kind: 'peers', next };
  }

  private async chooseTarget(
    service: Service,
    { upstream, ring }: { upstream: Upstream; ring: TargetRing },
  ): Promise<PeerChoice> {
    const addresses = new Map<string, readonly string[]>();
    for (const { host } of upstream.targets) {
      if (!addresses.has(host)) addresses.set(host, await this.addressesOf(host));
    }
    const usable = upstream.targets.filter(
      ({ host, weight }) => weight > 0 && (addresses.get(host)?.length ?? 0) > 0,
    );
    const [fallback] = usable;
    if (fallback === undefined)
      return { kind: 'none', message: 'failure to get a peer from the ring-balancer' };
    const next = (): Peer => {
      const target = ring.next((candidate) => usable.includes(candidate)) ?? fallback;
      return {
        ip: this.inTurn(addresses.get(target.host) ?? []),
        port: target.port,
        hostHeader: upstream.hostHeader ?? hostHeader(service, target.host, target.port),
      };
    };
    return { kind: 'peers', next };
  }

  private inTurn(addresses: readonly string[]): string {
    this.turn += 1;
    const address = addresses[this.turn % addresses.length];
    if (address === undefined) throw new RangeError('a peer was asked for without addresses');
    return address;
  }

  private async addressesOf(host: string): Promise<readonly string[]> {
    try {
      return await this.resolve(host);
    } catch {
      return [];
    }
  }
}

function hostHeader(service: Service, host: string, port: number): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === (service.protocol === 'https' ? 443 : 80) ? bracketed : `${bracketed}:${port}`;
}
