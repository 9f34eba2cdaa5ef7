// What a template writes as JSON must be JSON: a receiver would only say that it is not, if it says anything.

const JSON_TYPE = /^(?:application|text)\/(?:[\w.+-]+\+)?json(?:;|$)/i;

/**
 * What is wrong with a text of this media type, without anything of the text: the parser's message shows what it read, so only
 * the place is taken from it. `undefined`: nothing, or it is not to be JSON.
 */
export function jsonProblem(text: string, contentType: string): string | undefined {
  if (!JSON_TYPE.test(contentType)) return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const offset = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
    const lines = offset === undefined ? undefined : text.slice(0, Number(offset)).split('\n');
    const place = lines && ` from line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1} of it on`;
    return `what it writes is not JSON${place ?? ''}. Does every text go through the filter json, as in {{ title | json }}?`;
  }
}
