// In: a status and a message. Out: the body and content type with which Kong itself answers, in its own wording and
// layout (the lengths are those of the recordings: 103 for the unmatched 404, 57 for a malformed request). Pure.
// Kong also has HTML and XML forms; who asks for these gets JSON here.

/** What the gateway itself sends. */
export interface GatewayAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Kong's words for what nginx could not do. */
export const NGINX_ERROR_MESSAGES = {
  400: 'Bad request',
  502: 'An invalid response was received from the upstream server',
  504: 'The upstream server is timing out',
} as const;

/** An error that Kong's own code answers with: JSON unless the client asks for plain text. */
export function kongError(
  status: number,
  message: string,
  id: string,
  accept: string | undefined,
): GatewayAnswer {
  return render(status, message, id, wantsPlainText(accept));
}

/** An error that nginx handed to Kong's error handler: without Accept or Content-Type it is plain text. */
export function nginxError(
  status: keyof typeof NGINX_ERROR_MESSAGES,
  id: string,
  acceptOrContentType: string | undefined,
): GatewayAnswer {
  const plain = acceptOrContentType === undefined || wantsPlainText(acceptOrContentType);
  return render(status, NGINX_ERROR_MESSAGES[status], id, plain);
}

/** What request-termination sends: its body as it is, or its message as JSON. */
export function terminationAnswer(config: Readonly<Record<string, unknown>>): GatewayAnswer {
  const status = typeof config.status_code === 'number' ? config.status_code : 503;
  if (typeof config.body === 'string') {
    const contentType =
      typeof config.content_type === 'string' ? config.content_type : 'application/json; charset=utf-8';
    return { status, contentType, body: config.body };
  }
  const message = typeof config.message === 'string' ? config.message : DEFAULT_TERMINATION[status];
  const body = message === undefined ? '' : JSON.stringify({ message });
  return { status, contentType: 'application/json; charset=utf-8', body };
}

const DEFAULT_TERMINATION: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  500: 'An unexpected error occurred',
  502: 'Bad gateway',
  503: 'Service unavailable',
};

function wantsPlainText(accept: string | undefined): boolean {
  return accept !== undefined && /^\s*text\/plain\b/i.test(accept);
}

function render(status: number, message: string, id: string, plain: boolean): GatewayAnswer {
  return plain
    ? { status, contentType: 'text/plain; charset=utf-8', body: `${message}\nrequest_id: ${id}\n` }
    : {
        status,
        contentType: 'application/json; charset=utf-8',
        body: `{\n  "message":"${message}",\n  "request_id":"${id}"\n}`,
      };
}
