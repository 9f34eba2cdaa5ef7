// Every address of the API, as data: the router answers these and the document tells of these, so neither has one that the other
// lacks. A path is written as in the document: {id}.
import type { AnswerName } from './answer-shapes';
import type { Shape } from './read-request';
import {
  alertsQuery,
  discardQuery,
  expireQuery,
  historyQuery,
  noQuery,
  silencesQuery,
  type BodyName,
} from './request-shapes';

/** Whatever is below asks for what the API asks for. */
export const API_ROOT = '/api';

/** Whether a path is below it, as the router sees it. */
export function isApiPath(path: string): boolean {
  return /^\/api(?:\/|$)/i.test(path);
}

export interface ApiRoute {
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly query: Shape;
  readonly body?: BodyName;
  /** `undefined`: the document itself. */
  readonly answer: AnswerName | undefined;
  /** What it refuses besides a wrong form: status -> why. */
  readonly refuses: Readonly<Record<number, string>>;
}

const UNKNOWN_ALERT = 'There is no alert of this id';

const UNKNOWN_DEAD_LETTER = 'There is no dead letter of this id';

/** One that leads elsewhere stands before one that its path fits as well. */
export const API_ROUTES = {
  listAlerts: {
    method: 'get',
    path: '/api/v1/alerts',
    summary: 'The alerts there are: what fires first, and of that the most severe',
    query: alertsQuery,
    answer: 'AlertList',
    refuses: {},
  },
  listEvents: {
    method: 'get',
    path: '/api/v1/alerts/history',
    summary: 'What happened to alerts and silences: the newest 10,000 events of the last 90 days',
    query: historyQuery,
    answer: 'EventList',
    refuses: {},
  },
  getAlert: {
    method: 'get',
    path: '/api/v1/alerts/{id}',
    summary: 'One alert, where it fails, and what happened to it lately',
    query: noQuery,
    answer: 'AlertDetail',
    refuses: { 404: UNKNOWN_ALERT },
  },
  acknowledgeAlert: {
    method: 'post',
    path: '/api/v1/alerts/{id}/acknowledge',
    summary:
      'Somebody knows of an alert: it is neither repeated nor escalated any more. The latest word holds',
    query: noQuery,
    body: 'AcknowledgeRequest',
    answer: 'Acknowledged',
    refuses: { 404: UNKNOWN_ALERT, 409: 'The alert does not fire' },
  },
  listSilences: {
    method: 'get',
    path: '/api/v1/silences',
    summary: 'The silences there are: those in force first',
    query: silencesQuery,
    answer: 'SilenceList',
    refuses: {},
  },
  createSilence: {
    method: 'post',
    path: '/api/v1/silences',
    summary: 'Alerts that match are not told of until an end',
    query: noQuery,
    body: 'SilenceRequest',
    answer: 'OneSilence',
    refuses: {},
  },
  expireSilence: {
    method: 'delete',
    path: '/api/v1/silences/{id}',
    summary: 'Ends a silence now; one that has ended stays as it is',
    query: expireQuery,
    answer: 'OneSilence',
    refuses: { 404: 'There is no silence of this id' },
  },
  listDeadLetters: {
    method: 'get',
    path: '/api/v1/dead-letters',
    summary: 'Messages that no channel took, of the last seven days: the newest first, at most 500',
    query: noQuery,
    answer: 'DeadLetterList',
    refuses: {},
  },
  sendDeadLetter: {
    method: 'post',
    path: '/api/v1/dead-letters/{id}/send',
    summary:
      'Sends what still holds of one again, to its own channel and with a new deadline; it is a dead letter no longer',
    query: noQuery,
    answer: 'OneDeadLetter',
    refuses: {
      404: UNKNOWN_DEAD_LETTER,
      409: 'Its channel is not configured any more, or nothing of it holds any more',
    },
  },
  discardDeadLetter: {
    method: 'delete',
    path: '/api/v1/dead-letters/{id}',
    summary: 'Discards one: nobody is told of it any more',
    query: discardQuery,
    answer: 'OneDeadLetter',
    refuses: { 404: UNKNOWN_DEAD_LETTER },
  },
  getDocument: {
    method: 'get',
    path: '/api/v1/openapi.json',
    summary: 'This document',
    query: noQuery,
    answer: undefined,
    refuses: {},
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;

export type OperationId = keyof typeof API_ROUTES;
