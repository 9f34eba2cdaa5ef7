// In: the faults of a declarative file and a way from a path to its place. Out: one text with all of them, in the
// nested form in which Kong reports them, each with `file:line:column` and what was found there. Pure.
import { LineCounter, parseDocument, isNode, type Document } from 'yaml';
import type { FieldPath, SchemaFault } from './check-against-schema';

/** A declarative file that cannot be used; the message holds every fault. */
export class DeclarativeConfigFault extends Error {}

/** A parsed file that knows where each of its values stands. */
export interface LocatedDocument {
  readonly file: string;
  readonly content: unknown;
  readonly placeOf: (path: FieldPath) => string;
}

/**
 * Parses YAML (and so JSON).
 *
 * @throws DeclarativeConfigFault naming every syntax error
 */
export function parseLocated(text: string, file: string): LocatedDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    const list = document.errors.map(
      (error) => `${place(error.pos[0])}: expected YAML, found: ${error.message}`,
    );
    throw new DeclarativeConfigFault(`error parsing declarative config file ${file}:\n${list.join('\n')}`);
  }
  return { file, content: document.toJS(), placeOf: (path) => place(offsetOf(document, path)) };
}

/** Where the value stands, or, where there is none, the nearest mapping around it. */
function offsetOf(document: Document, path: FieldPath): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

interface Branch {
  readonly messages: string[];
  readonly children: Map<string | number, Branch>;
}

/** All faults as one message. */
export function describeConfigFaults(
  faults: readonly SchemaFault[],
  document: LocatedDocument,
): DeclarativeConfigFault {
  const root: Branch = { messages: [], children: new Map() };
  for (const fault of faults) {
    let branch = root;
    for (const key of fault.path) {
      let next = branch.children.get(key);
      if (next === undefined) {
        next = { messages: [], children: new Map() };
        branch.children.set(key, next);
      }
      branch = next;
    }
    const found = fault.found === undefined ? '' : `, found ${shorten(fault.found)}`;
    branch.messages.push(`${fault.message} (${document.placeOf(fault.path)}${found})`);
  }
  const lines = [`error parsing declarative config file ${document.file}:`, ...root.messages];
  renderChildren(root, '', '', lines);
  return new DeclarativeConfigFault(lines.join('\n'));
}

function renderChildren(branch: Branch, name: string, indent: string, lines: string[]): void {
  for (const [key, child] of branch.children) {
    const label = typeof key === 'number' ? `- in entry ${key + 1} of '${name}':` : `in '${key}':`;
    for (const message of child.messages) lines.push(`${indent}${label} ${message}`);
    if (child.children.size === 0) continue;
    lines.push(`${indent}${label}`);
    renderChildren(child, typeof key === 'number' ? '' : key, `${indent}  `, lines);
  }
}

/** Without the name and password of an address. */
function shorten(found: unknown): string {
  const text = JSON.stringify(found).replace(/\/\/[^/"\s]*@/g, '//<secret>@');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
