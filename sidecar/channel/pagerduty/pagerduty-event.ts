// One alert as an event of PagerDuty's Events API v2, and a change of Kong's configuration as a change event. Their fields:
// https://github.com/PagerDuty/developer-docs/blob/main/docs/events-API-v2/02-Trigger-Events.md and 03-Change-Events.md, and
// https://github.com/PagerDuty/api-schema/blob/main/reference/events-v2/openapiv3.json. `dedup_key` is the alert's identity, so that
// whatever happens to it happens to one incident.
// Names may hold anything: what is not a character becomes a space, and what is longer than PagerDuty takes ends in an ellipsis.
// An event over MOST_EVENT_BYTES, which only names of a length nobody reads can make, is sent without what makes it long.
import { alertId } from '../../alert/alert-key';
import { alertIdentity } from '../../notify/alert-identity';
import { describeAlert, valuesOf } from '../../notify/describe-alert';
import { describeScope, labelsInBrackets } from '../../notify/describe-subject';
import type { ChangeNotice } from '../../notify/letter';
import type { Link, NotificationItem } from '../../notify/notification';
import { alertLabels } from '../../route/alert-labels';
import type { Scope } from '../../window/scope';
import { MOST_EVENT_BYTES, MOST_FIELD_CHARACTERS, MOST_SUMMARY_CHARACTERS } from './pagerduty-limits';

export type EventAction = 'trigger' | 'acknowledge' | 'resolve';

/** A document without its `routing_key`, which is added where it is sent. */
export type PagerDutyDocument = Readonly<Record<string, unknown>>;

/** @param clientUrl where people reach the sidecar @param notes on the message that it comes with */
export function alertEvent(
  item: NotificationItem,
  action: EventAction,
  clientUrl: string | undefined,
  notes: readonly string[] = [],
): PagerDutyDocument {
  const { alert, atMs, links } = item;
  const payload = {
    summary: cut(plain(describeAlert(item).title), MOST_SUMMARY_CHARACTERS),
    severity: alert.severity,
    timestamp: new Date(atMs).toISOString(),
    ...placeOf(alert.scope),
    class: alert.rule.kind,
  };
  const event = {
    event_action: action,
    dedup_key: alertIdentity(item),
    // Of any use with a trigger only.
    ...(action === 'trigger'
      ? { client: 'Gatewatch', ...(clientUrl === undefined ? {} : { client_url: clientUrl }) }
      : {}),
  };
  const linked = action === 'trigger' && links.length > 0 ? { links: links.map(linkOf) } : {};
  const details = detailsOf(item, notes);
  return smallest([
    { ...event, ...linked, payload: { ...payload, custom_details: { ...details.few, ...details.more } } },
    { ...event, ...linked, payload: { ...payload, custom_details: details.few } },
    { ...event, payload: { ...payload, custom_details: details.few } },
    { ...event, payload },
  ]);
}

export function changeEvent(change: ChangeNotice, clientUrl: string | undefined): PagerDutyDocument {
  const { instance, before, after, atMs, externalLabels } = change;
  const hashes = before === undefined ? `is ${after}` : `has changed from ${before} to ${after}`;
  const links = clientUrl === undefined ? {} : { links: [{ href: clientUrl, text: 'gatewatch' }] };
  const payload = {
    summary: cut(
      plain(`The configuration of Kong ${hashes}${labelsInBrackets(externalLabels)}`),
      MOST_SUMMARY_CHARACTERS,
    ),
    source: fieldOf(instance, 'Kong'),
    timestamp: new Date(atMs).toISOString(),
  };
  return smallest([
    {
      ...links,
      payload: {
        ...payload,
        custom_details: {
          instance: plain(instance),
          ...(before === undefined ? {} : { hash_before: plain(before) }),
          hash_after: plain(after),
          ...plainLabels(externalLabels),
        },
      },
    },
    { payload },
  ]);
}

/** What is affected, its part, and what it belongs to. */
function placeOf(scope: Scope): { source: string; component?: string; group?: string } {
  const subject = describeScope(scope);
  switch (scope.level) {
    case 'gateway':
      return { source: subject };
    case 'service':
      return { source: fieldOf(scope.service, subject) };
    case 'operation':
      return {
        source: fieldOf(scope.service, 'requests without a service'),
        component: fieldOf(scope.operation, 'requests without a route'),
      };
    case 'error_type':
      return {
        source: fieldOf(scope.service, subject),
        component: fieldOf(scope.errorType, 'errors without a type'),
      };
    case 'instance':
      return { source: fieldOf(scope.instance, subject), group: 'kong' };
    case 'target':
      return {
        source: fieldOf(scope.target, subject),
        component: fieldOf(scope.upstream, subject),
        group: fieldOf(scope.instance, 'kong'),
      };
  }
}

function detailsOf(item: NotificationItem, notes: readonly string[]): { few: object; more: object } {
  const { alert, alertKey, occasion, endReason, evidence, externalLabels } = item;
  const { verdict, acknowledgement } = alert;
  const { value, threshold } = valuesOf(alert);
  const startMs = alert.sinceMs ?? alert.firedMs;
  return {
    few: {
      alert: alertId(alertKey),
      occasion,
      value,
      threshold,
      requests: verdict.samples,
      ...(startMs === undefined ? {} : { since: new Date(startMs).toISOString() }),
      ...(endReason === undefined ? {} : { end_reason: endReason }),
      ...(notes.length === 0 ? {} : { notes: notes.map(plain).join(' ') }),
    },
    more: {
      description: describeAlert(item).sentences.map(plain).join('\n'),
      ...plainLabels({ ...externalLabels, ...alertLabels(alert) }),
      ...(acknowledgement === undefined
        ? {}
        : { acknowledged_by: plain(acknowledgement.by), comment: plain(acknowledgement.comment) }),
      ...(evidence === undefined
        ? {}
        : {
            operations: evidence.operations.map(({ service, operation, requests, errors, p95Ms }) => ({
              service: plain(service),
              operation: plain(operation),
              requests,
              errors,
              ...(p95Ms === undefined ? {} : { p95_ms: p95Ms }),
            })),
            errors: evidence.errorTypes.map(({ errorType, requests }) => ({
              error_type: plain(errorType),
              requests,
            })),
            upstream_addresses: evidence.addresses.map(({ address, failures }) => ({
              address: plain(address),
              failures,
            })),
          }),
    },
  };
}

function plainLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, text]) => text !== '')
      .map(([label, text]) => [label, plain(text)]),
  );
}

function linkOf({ name, url }: Link): { href: string; text: string } {
  return { href: url, text: name };
}

/** The first that is short enough, else the last, which always is. Room is left for the routing key. */
function smallest(documents: readonly PagerDutyDocument[]): PagerDutyDocument {
  const fitting = documents.find(
    (document) => Buffer.byteLength(JSON.stringify(document)) <= MOST_EVENT_BYTES - MOST_FIELD_CHARACTERS,
  );
  return fitting ?? documents.at(-1) ?? {};
}

/** Never empty. */
function fieldOf(name: string, otherwise: string): string {
  const text = cut(plain(name).trim(), MOST_FIELD_CHARACTERS);
  return text === '' ? otherwise : text;
}

/** Without control characters and halves of characters, which no JSON parser has to take. */
function plain(text: string): string {
  return text.replace(/[\p{C}\p{Z}]/gu, ' ');
}

/** By whole characters. */
function cut(text: string, mostCharacters: number): string {
  const characters = Array.from(text);
  return characters.length <= mostCharacters ? text : `${characters.slice(0, mostCharacters - 1).join('')}…`;
}
