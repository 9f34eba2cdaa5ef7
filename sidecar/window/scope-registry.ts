// The scopes that anything is known of, each with what its windows hold now. A scope is here as long as a tier of slots holds it.
import type { Histogram } from '../../kong-plugin/contract/histogram';
import type { Counts } from './counts';
import type { Scope } from './scope';
import type { WindowLevel } from './window-needs';

/** What tells requests apart. `undefined` where it was not kept. */
export interface RequestLabels {
  readonly service: string;
  readonly operation: string | undefined;
  /** Empty for requests without an error. */
  readonly errorType: string | undefined;
}

/** One text for one set of labels. No label holds a control character: see `label-text.ts`. */
export function labelsText({ service, operation, errorType }: RequestLabels): string {
  return `${service}\0${operation ?? '\x01'}\0${errorType ?? '\x01'}`;
}

/** One scope; for each window of a tier the running sum, `undefined` where no rule reads that window of this level. */
export interface ScopeNode {
  readonly level: WindowLevel;
  /** Its key among those of its level. */
  readonly text: string;
  readonly scope: Scope;
  latency: (Histogram | undefined)[];
  fine: (Counts | undefined)[];
  minutes: (Counts | undefined)[];
  /** How many holders it has. */
  holders: number;
}

export class ScopeRegistry {
  readonly #nodesOf: Readonly<Record<WindowLevel, Map<string, ScopeNode>>> = {
    gateway: new Map(),
    service: new Map(),
    operation: new Map(),
    error_type: new Map(),
  };

  *scopes(level: WindowLevel): Generator<Scope> {
    for (const { scope } of this.#nodesOf[level].values()) yield scope;
  }

  find(scope: Scope): ScopeNode | undefined {
    switch (scope.level) {
      case 'gateway':
        return this.#nodesOf.gateway.get('');
      case 'service':
        return this.#nodesOf.service.get(scope.service);
      case 'operation':
        return this.#nodesOf.operation.get(pairText(scope.service, scope.operation));
      case 'error_type':
        return this.#nodesOf.error_type.get(pairText(scope.service, scope.errorType));
      case 'instance':
      case 'target':
        return undefined;
    }
  }

  /** The scopes of some levels that requests with these labels belong to. Each answer is to be released once. */
  hold(labels: RequestLabels, levels: readonly WindowLevel[]): ScopeNode[] {
    return levels.flatMap((level) => {
      const place = placeOf(labels, level);
      if (!place) return [];
      let node = this.#nodesOf[level].get(place.text);
      if (!node) {
        node = { level, ...place, latency: [], fine: [], minutes: [], holders: 0 };
        this.#nodesOf[level].set(place.text, node);
      }
      node.holders += 1;
      return node;
    });
  }

  release(nodes: readonly ScopeNode[]): void {
    for (const node of nodes) {
      node.holders -= 1;
      if (node.holders === 0) this.#nodesOf[node.level].delete(node.text);
    }
  }
}

function placeOf(
  { service, operation, errorType }: RequestLabels,
  level: WindowLevel,
): { readonly text: string; readonly scope: Scope } | undefined {
  switch (level) {
    case 'gateway':
      return { text: '', scope: { level } };
    case 'service':
      return { text: service, scope: { level, service } };
    case 'operation':
      if (operation === undefined) return undefined;
      return { text: pairText(service, operation), scope: { level, service, operation } };
    case 'error_type':
      if (errorType === undefined || errorType === '') return undefined;
      return { text: pairText(service, errorType), scope: { level, service, errorType } };
  }
}

function pairText(service: string, other: string): string {
  return `${service}\0${other}`;
}
