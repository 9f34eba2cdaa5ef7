// From a path in a YAML document to the place in its text, and to how a fault names it. Shared by gatewatch.yml and the web
// configuration, so that the faults of both read alike.
import { isMap, isNode, isScalar, isSeq, type Document, type LineCounter, type YAMLMap } from 'yaml';
import type { ConfigFault } from './config-fault';
import type { PlacedFault } from './placed-fault';

export type Path = readonly (string | number)[];

export interface Finding extends PlacedFault {
  /** Told of the key and not of its value. */
  readonly ofKey?: boolean;
  /** How the path is written, where it differs from where the fault stands. */
  readonly shownPath?: Path;
}

/** A key longer than any of ours may be a value in the wrong place. */
export const SHOWABLE_KEY = /^(?:[A-Za-z0-9_.-]{1,24}|<<)$/;

/** Finds the places of one document. Offsets are those of its text. */
export class DocumentPlaces {
  readonly #file: string;
  readonly #lines: LineCounter;
  /** Looked up once for each fault: a file may have as many keys as faults. */
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<unknown, YAMLMap['items'][number]>>();

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  /** The place of an offset. */
  at(offset: number): Pick<ConfigFault, 'file' | 'line' | 'column'> {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  faultOf(document: Document.Parsed, { path, expected, found, ofKey, shownPath }: Finding): ConfigFault {
    return {
      ...this.at(this.#offsetOf(document, path, ofKey ?? false)),
      path: renderPath(shownPath ?? path),
      expected,
      found,
    };
  }

  /** Where a path stands in the text: its key or its value, else what would hold it. */
  #offsetOf(document: Document.Parsed, path: Path, ofKey: boolean): number {
    let offset = document.contents?.range[0] ?? document.range[0];
    let holder: unknown = document.contents;
    for (const [index, step] of path.entries()) {
      const pair = isMap(holder) ? this.#pairsOf(holder).get(step) : undefined;
      if (ofKey && index === path.length - 1 && isNode(pair?.key) && pair.key.range) return pair.key.range[0];
      const node: unknown = isSeq(holder) ? holder.items[Number(step)] : pair?.value;
      if (!isNode(node) || !node.range) return offset;
      [offset] = node.range;
      holder = node;
    }
    return offset;
  }

  #pairsOf(map: YAMLMap): ReadonlyMap<unknown, YAMLMap['items'][number]> {
    let pairs = this.#pairs.get(map);
    if (!pairs) {
      pairs = new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : pair.key, pair]));
      this.#pairs.set(map, pairs);
    }
    return pairs;
  }
}

/** `rules[0].window`; a key that may be a secret in the wrong place is `?`. */
export function renderPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = SHOWABLE_KEY.test(step) ? step : '?';
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** In the order of the file. */
export function sortFaults(faults: readonly ConfigFault[]): ConfigFault[] {
  return [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
}

export function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}
