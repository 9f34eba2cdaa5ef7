// In: the raw bytes that the HTTP parser stopped at. Out: as much of a request as can be told from them, for the log of
// the 400. nginx does the same: `GET /u` with a bad host is logged with its method, path and headers. Pure.
import type { ExchangeRequest } from './exchange';

/** Never fails: where nothing can be read, method and path are those that nginx shows, `GET` and `/`. */
export function readMalformedRequest(bytes: Buffer, clientIp: string, listenPort: number): ExchangeRequest {
  const text = bytes.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  const head = headEnd < 0 ? text : text.slice(0, headEnd + 4);
  const [requestLine = '', ...lines] = head.split(/\r?\n/);
  const match = /^([A-Z]{1,20}) (\S+)/.exec(requestLine);
  const headers = lines.flatMap((line) => {
    const header = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    return header === null ? [] : [header[1] ?? '', header[2] ?? ''];
  });
  return {
    method: match?.[1] ?? 'GET',
    uri: match?.[2] ?? '/',
    headers,
    clientIp,
    listenPort,
    headBytes: head.length,
  };
}
