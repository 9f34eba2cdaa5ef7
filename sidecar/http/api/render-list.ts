// A long list as JSON in parts, so that others have their turn between two of them and the whole is never in memory.

/** Of a list, in one part. */
const PART = 100;

/** @param beside what stands beside the list @param items worked out one by one, when they are asked for */
export function* renderList(
  beside: Readonly<Record<string, unknown>>,
  name: string,
  items: Iterable<unknown>,
): Generator<string> {
  let part = `${JSON.stringify(beside).slice(0, -1)},${JSON.stringify(name)}:[`;
  let count = 0;
  for (const item of items) {
    part += `${count > 0 ? ',' : ''}${JSON.stringify(item)}`;
    count += 1;
    if (count % PART > 0) continue;
    yield part;
    part = '';
  }
  yield `${part}]}`;
}
