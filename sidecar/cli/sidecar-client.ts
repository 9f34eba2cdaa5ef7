// Asks the sidecar's API. In: an address, a query, a body. Out: a document of the form that is expected, or a fault that says what to do
// about it. Redirects are not followed: what is shown to one server must not go to another. At most TIMEOUT_MS and MOST_BYTES.
import { Agent, request, type Dispatcher } from 'undici';
import type { z } from 'zod';
import { errorCodeOf } from '../error-code';
import { errorShape, type ErrorDocument } from '../http/api/answer-shapes';
import { CommandFault, UsageFault } from './command';
import type { Connection } from './connection';

const TIMEOUT_MS = 15_000;
/** Ten thousand alerts have some 10 MB. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** A list: the parameter is repeated. */
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: unknown;
}

export interface SidecarAnswer<Document> {
  readonly document: Document;
  /** What came, with whatever else a newer sidecar tells. */
  readonly raw: unknown;
}

/** The sidecar refused: its status, and its word. */
export class RefusedBySidecar extends CommandFault {
  constructor(
    readonly status: number,
    readonly answer: ErrorDocument,
  ) {
    super(answer.error);
  }
}

export class SidecarClient {
  readonly #agent: Agent;

  constructor(private readonly connection: Connection) {
    const { socketPath } = connection;
    this.#agent = new Agent({
      maxResponseSize: MOST_BYTES,
      ...(socketPath === undefined ? {} : { connect: { socketPath } }),
    });
  }

  /** @throws CommandFault; UsageFault where the sidecar takes nothing like it */
  async ask<Shape extends z.ZodType>(
    shape: Shape,
    { method = 'GET', path, query = {}, body }: Question,
  ): Promise<SidecarAnswer<z.output<Shape>>> {
    const { base, authorization } = this.connection;
    const url = new URL(`${base}${path}`);
    for (const [name, values] of Object.entries(query))
      for (const value of [values ?? []].flat()) url.searchParams.append(name, value);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    let answer: Dispatcher.ResponseData;
    let text: string;
    try {
      answer = await request(url, {
        method,
        headers: {
          'user-agent': 'gatewatch',
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        dispatcher: this.#agent,
        signal,
      });
      text = await answer.body.text();
    } catch (error) {
      throw new CommandFault(this.#explain(error, signal));
    }
    const raw = parse(text);
    if (answer.statusCode === 200) {
      const parsed = shape.safeParse(raw);
      if (parsed.success) return { document: parsed.data, raw };
    } else {
      const { data: refused } = errorShape.safeParse(raw);
      if (refused) throw this.#refusal(answer.statusCode, refused);
    }
    throw new CommandFault(
      `what answers at ${this.connection.name} is no Gatewatch sidecar, or one of another version ` +
        `(${method} ${path}: ${answer.statusCode}, ${describeType(answer.headers['content-type'])}). ` +
        'Name the sidecar with --url or GATEWATCH_URL',
    );
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #refusal(status: number, answer: ErrorDocument): Error {
    const { name, shows } = this.connection;
    if (status === 401) {
      if (shows === 'token') return new CommandFault(`the sidecar at ${name} does not take this token`);
      const what = shows === 'password' ? 'does not take this password' : 'asks who you are';
      return new CommandFault(
        `the sidecar at ${name} ${what}: ${answer.error}. Set GATEWATCH_TOKEN to its token, or name the token's file ` +
          'with --token-file',
      );
    }
    return new RefusedBySidecar(status, answer);
  }

  #explain(error: unknown, signal: AbortSignal): string {
    const { name, socketPath } = this.connection;
    const cannot = `cannot ask the sidecar at ${name}`;
    if (signal.aborted) return `${cannot}: it does not answer in ${TIMEOUT_MS / 1000} s`;
    const code = errorCodeOf(error);
    switch (code) {
      case 'ECONNREFUSED':
        return `${cannot}: nothing listens there. Start it, or name another with --url or GATEWATCH_URL`;
      case 'ENOENT':
        if (socketPath !== undefined) return `${cannot}: there is no such socket`;
        break;
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return `${cannot}: nobody knows a host of this name`;
      case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      case 'SELF_SIGNED_CERT_IN_CHAIN':
      case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
        return `${cannot}: its certificate is not trusted (${code}). NODE_EXTRA_CA_CERTS names a file with its authority`;
      case 'ERR_SSL_WRONG_VERSION_NUMBER':
      case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
        return `${cannot}: it does not speak TLS; its address begins with http:`;
    }
    return `${cannot}: ${code}`;
  }
}

/** What the sidecar names by its fields, by the flags that they came from: wrong usage where it is about those. */
export function inFlags(error: unknown, flagOf: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof RefusedBySidecar) || error.answer.faults === undefined) return error;
  const sentences = error.answer.faults.map(({ field, expected, found }) => {
    const [name = ''] = /^[^[.]*/.exec(field) ?? [];
    return `${flagOf[name] ?? field}: expected ${expected}, found ${found}`;
  });
  return new UsageFault(sentences.join('\n'));
}

function describeType(type: string | string[] | undefined): string {
  return type === undefined ? 'without a type' : String(type).replace(/[^ -~]/g, '?');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
