// The sidecar's addresses, joined to what answers them, behind what guards them: a bearer token for what changes something,
// the web configuration for what is read, and either of them for what is read over the API. /-/healthy and /-/ready are open
// to the probes of whatever runs the sidecar.
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { BATCH_PATH, MAX_BODY_BYTES } from '../../kong-plugin/contract/batch';
import type { Fault } from '../../kong-plugin/contract/fault';
import type { Secret } from '../config/secret';
import type { WebConfig } from '../config/web-config';
import type { MetricFamily } from '../exposition/metric-family';
import { CONTENT_TYPES, renderFamilies } from '../exposition/render-families';
import type { Clock } from '../clock';
import { requireHost, wasCounted } from './answer-broken-requests';
import { createApi, type ApiParts } from './api/api';
import { API_ROOT, isApiPath } from './api/api-routes';
import { guardApi } from './api/guard-api';
import { MAX_API_BODY_BYTES } from './api/request-shapes';
import { requireBearerToken } from './bearer-token';
import { guardPages, judgePages } from './guard-pages';
import { admitNewcomer } from './limit-newcomers';
import { LimitedBodies, MAX_BODIES_BYTES } from './limit-bodies';
import type { Refusal } from '../exposition/refusal';
import { refuseBrowserPages } from './refuse-browser-pages';
import { RunningScrapes } from './running-scrapes';
import { sendChunks } from './send-chunks';

export interface AppParts {
  readonly token: () => Secret | undefined;
  readonly web: () => WebConfig | undefined;
  /** The listener is a unix socket, which no browser reaches. */
  readonly isSocket: boolean;
  readonly clock: Clock;
  readonly api: Omit<ApiParts, 'clock'>;
  readonly receiveBatch: RequestHandler;
  /** Told of every batch that was refused before it was read as one. */
  readonly onRefusedBatch: (fault: Fault) => void;
  /** Told of every request that was refused before it was read to its end, batches too. */
  readonly onRefused: (refusal: Refusal) => void;
  /** Told of every answer of /metrics that was ended because newer scrapes needed its place. */
  readonly onBrokenOffScrape: () => void;
  readonly families: () => Promise<readonly MetricFamily[]>;
  readonly statusPage: () => string;
  /** The configuration in force, without its secrets. */
  readonly configPage: () => string;
  /** Why the sidecar cannot take batches; `undefined` if it can. */
  readonly whyNotReady: () => string | undefined;
  /** Reads the configuration again; gives the faults, one a line, or none. */
  readonly reload: () => readonly string[];
  readonly logger: Logger;
  /** Told of what the sidecar itself got wrong, and at which of its addresses. */
  readonly onFault?: (error: unknown, place: string) => void;
}

const PLUGIN_REMEDY = "Set sidecar_token in the plugin's configuration to the sidecar's token";
const ADMIN_REMEDY = "Send the token of the sidecar's configuration, or its process the signal SIGHUP";

export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  const { token, web, clock, isSocket, onRefused, onRefusedBatch, onBrokenOffScrape } = parts;

  app.use(requireHost(onRefused));
  app.use((_request, response, next) => {
    response.set({ ...web()?.headers });
    next();
  });
  app.use(API_ROOT, (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.use(refuseBrowserPages({ isOpen: () => token() === undefined && !isSocket, onRefused }));

  const bodies = new LimitedBodies(MAX_BODIES_BYTES, () => onRefused('too_many_bodies'));
  app.post(
    BATCH_PATH,
    requireBearerToken(token, PLUGIN_REMEDY, (fault) => {
      onRefused('bearer_token');
      onRefusedBatch(fault);
    }),
    admitNewcomer,
    bodies.watch,
    express.raw({ type: () => true, limit: MAX_BODY_BYTES, inflate: false }),
    bodies.during(parts.receiveBatch),
  );

  app.get('/-/healthy', (_request, response) => {
    response.type('text/plain').send('healthy\n');
  });

  app.get('/-/ready', (_request, response) => {
    const reason = parts.whyNotReady();
    response
      .status(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(reason === undefined ? 'ready\n' : `not ready: ${reason}\n`);
  });

  const authorized = requireBearerToken(token, ADMIN_REMEDY, () => onRefused('bearer_token'));
  app.post('/-/reload', authorized, admitNewcomer, (_request, response) => {
    const faults = parts.reload();
    response
      .status(faults.length === 0 ? 200 : 422)
      .type('text/plain')
      .send(
        faults.length === 0
          ? 'reloaded\n'
          : `the configuration was not changed; the file has faults:\n${faults.join('\n')}\n`,
      );
  });

  const judgePage = judgePages(web, clock);
  app.use(API_ROOT, guardApi({ token, web, judgePage, onRefused }), admitNewcomer);
  app.use(createApi({ ...parts.api, clock }, { watchBody: bodies.watch, onRefused }));

  // Whatever is added below asks for what the web configuration asks for.
  app.use(guardPages(judgePage, onRefused), admitNewcomer);

  const scrapes = new RunningScrapes();
  app.get('/metrics', async (request, response) => {
    const format = request.accepts([
      'text/plain; version=0.0.4',
      'application/openmetrics-text; version=1.0.0',
    ]);
    const chosen = format && format.startsWith('application/openmetrics-text') ? 'openmetrics' : 'text';
    if (scrapes.begin(response)) onBrokenOffScrape();
    const chunks = renderFamilies(await parts.families(), chosen);
    await sendChunks(response.set('Content-Type', CONTENT_TYPES[chosen]), chunks);
  });

  app.get('/', (_request, response) => {
    response.type('text/plain').send(parts.statusPage());
  });

  app.get('/-/config', (_request, response) => {
    response.type('text/plain').send(parts.configPage());
  });

  app.use((request, response) => {
    onRefused('unknown_address');
    response
      .status(404)
      .type('text/plain')
      .send(
        `${request.method} ${request.path} is not an address of the sidecar. ` +
          'There are GET /, /metrics, /api/v1/alerts, /api/v1/openapi.json, /-/config, /-/healthy, /-/ready and ' +
          `POST ${BATCH_PATH}, /-/reload\n`,
      );
  });
  app.use(answerErrors(parts, bodies));
  return app;
}

/** What express and its body parser throw; `status` is theirs. */
function answerErrors(
  { logger, onRefusedBatch, onRefused, onFault }: AppParts,
  bodies: LimitedBodies,
): ErrorRequestHandler {
  return (error: Error & { status?: number; type?: string }, request, response, next) => {
    const isOwnFault = (error.status ?? 500) >= 500 && !bodies.hasBrokenOff(request);
    if (isOwnFault) onFault?.(error, placeOf(request));
    if (response.headersSent || bodies.hasBrokenOff(request)) {
      next(error);
      return;
    }
    const tell = (status: number, sentence: string): void => {
      if (isApiPath(request.path)) response.status(status).json({ error: sentence });
      else response.status(status).type('text/plain').send(`${sentence}\n`);
    };
    if (error.type === 'entity.too.large' && isApiPath(request.path)) {
      onRefused('body_too_large');
      tell(413, `expected at most ${MAX_API_BODY_BYTES} bytes, found more`);
      return;
    }
    if (error.type === 'entity.too.large') {
      const fault: Fault = {
        fault: 'too_large',
        message: `expected at most ${MAX_BODY_BYTES} bytes, found more`,
      };
      onRefusedBatch(fault);
      response.status(413).json(fault);
      return;
    }
    const status = error.status ?? 500;
    if (status >= 500) logger.error({ err: error, path: request.path }, 'a request failed');
    else if (error.type === 'encoding.unsupported') onRefused('encoded_body');
    else if (error.type !== 'request.aborted') onRefused('malformed');
    else if (!wasCounted(request.socket)) onRefused('aborted');
    tell(status, status >= 500 ? 'the sidecar failed to answer; its log says why' : error.message);
  };
}

/** Such as `GET /metrics`: the address as it stands above, never the client's. */
function placeOf({ method, route }: Request): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? `${method} ${path}` : 'before any address';
}
