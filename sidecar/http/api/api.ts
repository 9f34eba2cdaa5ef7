// The API for alerts, what happened to them, acknowledgements, silences and dead letters, under /api/v1. In: what a request asks for,
// behind the guard of guard-api.ts. Out: JSON, refusals too. What it changes is on disk before it is answered, unless the disk cannot be written.
import express, { Router, type ErrorRequestHandler, type Request, type Response } from 'express';
import type { Alert } from '../../alert/alert';
import type { Alerting } from '../../alerting';
import type { Clock } from '../../clock';
import type { LinkSettings } from '../../config/notification-policy';
import type { Refusal } from '../../exposition/refusal';
import { sendChunks } from '../send-chunks';
import { alertDocument, evidenceDocument, idOf, type AlertSurroundings } from './alert-document';
import type {
  AlertDetail,
  AlertDocument,
  DeadLetterDocument,
  ErrorDocument,
  EventDocument,
  SilenceDocument,
} from './answer-shapes';
import { ApiFault } from './api-fault';
import { API_ROOT, API_ROUTES, type OperationId } from './api-routes';
import { deadLetterDocument } from './dead-letter-document';
import { eventDocument } from './event-document';
import { openApiDocument } from './openapi-document';
import { parseBody, readBody, readQuery } from './read-request';
import { fieldFaults, readSilenceRequest } from './read-silence';
import { renderList } from './render-list';
import {
  MAX_API_BODY_BYTES,
  acknowledgeBody,
  alertsQuery,
  discardQuery,
  expireQuery,
  historyQuery,
  silencesQuery,
} from './request-shapes';
import { selectAlerts } from './select-alerts';
import { selectSilences, silenceDocument } from './silence-document';

export interface ApiParts {
  readonly alerting: Pick<
    Alerting,
    | 'alerts'
    | 'muteReasons'
    | 'evidenceOf'
    | 'events'
    | 'acknowledge'
    | 'silences'
    | 'silence'
    | 'expire'
    | 'deadLetters'
    | 'sendAgain'
    | 'discard'
  >;
  readonly links: () => LinkSettings;
  readonly version: string;
  readonly clock: Clock;
}

export interface ApiDoors {
  /** Bounds what all bodies together take of memory. */
  readonly watchBody: express.RequestHandler;
  /** Told of every request that was refused before it was read to its end. */
  readonly onRefused: (refusal: Refusal) => void;
}

type Handler = (request: Request, response: Response) => void | Promise<void>;

/** Of the alert that is asked for. */
const NEWEST_EVENTS = 20;

export function createApi(parts: ApiParts, { watchBody, onRefused }: ApiDoors): Router {
  const router = Router();
  const handlers = handlersOf(parts);
  const readBytes = express.raw({ type: () => true, limit: MAX_API_BODY_BYTES, inflate: false });
  const methodsOf = new Map<string, string[]>();

  for (const [operationId, { method, path, ...route }] of Object.entries(API_ROUTES)) {
    const address = path.replace(/\{(\w+)\}/g, ':$1');
    const handle = handlers[operationId as OperationId];
    if ('body' in route) router[method](address, watchBody, readBytes, handle);
    else router[method](address, handle);
    const methods = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()];
    methodsOf.set(address, [...(methodsOf.get(address) ?? []), ...methods]);
  }
  for (const [address, methods] of methodsOf) {
    router.all(address, ({ method, path }, response) => {
      onRefused('unknown_address');
      response.set('Allow', methods.join(', '));
      throw new ApiFault(405, `expected ${methods.join(' or ')} for ${path}, found ${method}`);
    });
  }
  router.use(API_ROOT, ({ method, originalUrl }) => {
    onRefused('unknown_address');
    const path = originalUrl.replace(/\?.*$/s, '');
    throw new ApiFault(
      404,
      `${method} ${path} is not an address of the API; /api/v1/openapi.json tells them`,
    );
  });
  router.use(answerFaults);
  return router;
}

function handlersOf({ alerting, links, version, clock }: ApiParts): Record<OperationId, Handler> {
  const surroundings = (): AlertSurroundings => ({
    muteReasons: alerting.muteReasons(),
    links: links(),
    nowMs: clock.nowMs(),
  });
  const find = (id: string): Alert | undefined => alerting.alerts().find((alert) => idOf(alert) === id);
  const silenceOf = (silence: Parameters<typeof silenceDocument>[0]): { silence: SilenceDocument } => ({
    silence: silenceDocument(silence, clock.nowMs()),
  });
  const findDeadLetter = (id: string): { dead_letter: DeadLetterDocument } => {
    const found = alerting.deadLetters().find(({ letter }) => letter.id === id);
    if (!found) throw new ApiFault(404, `there is no dead letter ${JSON.stringify(id)}`);
    return { dead_letter: deadLetterDocument(found) };
  };
  const document = JSON.stringify(openApiDocument(version), undefined, 2);

  return {
    listAlerts: async ({ query }, response) => {
      const { limit, ...filter } = readQuery(alertsQuery, query);
      const found = selectAlerts(alerting.alerts(), filter);
      const around = surroundings();
      const documents = mapped(found.slice(0, limit), (alert) => alertDocument(alert, around));
      await sendChunks(response.type('json'), renderList({ total: found.length }, 'alerts', documents));
    },

    listEvents: ({ query }, response) => {
      const { alert, rule, kind, since, until, limit, before } = readQuery(historyQuery, query);
      const page = alerting.events({
        alertId: alert,
        rule,
        kind,
        sinceMs: since,
        untilMs: until,
        limit,
        before,
      });
      const answer: { events: EventDocument[]; next: number | null } = {
        events: page.events.map(eventDocument),
        next: page.next ?? null,
      };
      response.json(answer);
    },

    getAlert: ({ params, query }, response) => {
      const id = idIn(params);
      readQuery(API_ROUTES.getAlert.query, query);
      const alert = find(id);
      if (!alert) throw noAlert(id);
      const answer: AlertDetail = {
        alert: alertDocument(alert, surroundings()),
        evidence: evidenceDocument(alerting.evidenceOf(alert)),
        events: alerting.events({ alertId: id, limit: NEWEST_EVENTS }).events.map(eventDocument),
      };
      response.json(answer);
    },

    acknowledgeAlert: async (request, response) => {
      const id = idIn(request.params);
      readQuery(API_ROUTES.acknowledgeAlert.query, request.query);
      const { by, comment } = readBody(acknowledgeBody, parseBody(request));
      const answer = await alerting.acknowledge(id, by.trim(), comment.trim());
      if (answer.outcome === 'not_found') throw noAlert(id);
      const alert = alertDocument(answer.alert, surroundings());
      if (answer.outcome === 'not_firing')
        throw new ApiFault(409, `the alert ${id} does not fire: it is ${alert.state}`);
      response.json({ alert } satisfies { alert: AlertDocument });
    },

    listSilences: ({ query }, response) => {
      const { state = ['active', 'pending'] } = readQuery(silencesQuery, query);
      const nowMs = clock.nowMs();
      const found = selectSilences(alerting.silences, state, nowMs);
      response.json({ silences: found.map((silence) => silenceDocument(silence, nowMs)) });
    },

    createSilence: async (request, response) => {
      readQuery(API_ROUTES.createSilence.query, request.query);
      const body = parseBody(request);
      const wanted = readSilenceRequest(body, alerting.silences, clock.nowMs());
      const made = await alerting.silence(wanted);
      if ('faults' in made) throw ApiFault.of(422, fieldFaults(made.faults, body, wanted));
      response.json(silenceOf(made));
    },

    expireSilence: async ({ params, query }, response) => {
      const id = idIn(params);
      const { by } = readQuery(expireQuery, query);
      const ended =
        (await alerting.expire(id, by.trim())) ?? alerting.silences.find((silence) => silence.id === id);
      if (!ended) throw new ApiFault(404, `there is no silence ${JSON.stringify(id)}`);
      response.json(silenceOf(ended));
    },

    listDeadLetters: async ({ query }, response) => {
      readQuery(API_ROUTES.listDeadLetters.query, query);
      const letters = alerting.deadLetters();
      const documents = mapped(letters, deadLetterDocument);
      await sendChunks(
        response.type('json'),
        renderList({ total: letters.length }, 'dead_letters', documents),
      );
    },

    sendDeadLetter: async ({ params, query }, response) => {
      const id = idIn(params);
      readQuery(API_ROUTES.sendDeadLetter.query, query);
      const answer = findDeadLetter(id);
      const outcome = await alerting.sendAgain(id);
      if (outcome === 'no_channel') {
        const channel = JSON.stringify(answer.dead_letter.channel);
        throw new ApiFault(409, `the channel ${channel} of the dead letter ${id} is not configured any more`);
      }
      if (outcome === 'obsolete')
        throw new ApiFault(
          409,
          `nothing of the dead letter ${id} holds any more, and its channel would never be told so: discard it`,
        );
      response.json(answer);
    },

    discardDeadLetter: async ({ params, query }, response) => {
      const id = idIn(params);
      const { by } = readQuery(discardQuery, query);
      const answer = findDeadLetter(id);
      await alerting.discard(id, by.trim());
      response.json(answer);
    },

    getDocument: ({ query }, response) => {
      readQuery(API_ROUTES.getDocument.query, query);
      response.type('json').send(document);
    },
  };
}

/** One after the other, as they are sent. */
function* mapped<From, To>(all: readonly From[], toDocument: (one: From) => To): Generator<To, void> {
  for (const one of all) yield toDocument(one);
}

function idIn({ id }: Request['params']): string {
  return typeof id === 'string' ? id : '';
}

function noAlert(id: string): ApiFault {
  return new ApiFault(404, `there is no alert ${JSON.stringify(id)}`);
}

const answerFaults: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (!(error instanceof ApiFault)) {
    next(error);
    return;
  }
  const { status, message, faults } = error;
  const answer: ErrorDocument = { error: message, ...(faults === undefined ? {} : { faults: [...faults] }) };
  response.status(status).json(answer);
};
