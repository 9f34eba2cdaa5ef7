// What a webhook channel posts: Alertmanager's document, or what a template writes.
import type { WebhookChannelSettings } from '../../config/channel/webhook-settings';
import { DEFAULT_CONTENT_TYPE } from '../../config/channel/webhook-settings';
import { jsonProblem } from '../../config/channel/json-problem';
import { renderTemplate } from '../../config/channel/template-engine';
import { errorCodeOf } from '../../error-code';
import type { Notification } from '../../notify/notification';
import { alertmanagerDocument } from './alertmanager-document';
import { shippedTemplate, type ShippedTemplate } from './shipped-template';
import { variablesOf } from './variables-of';

export interface WebhookBody {
  readonly body: string;
  readonly contentType: string;
}

/** Whose message it is. */
export interface WebhookSender {
  /** The channel's name. */
  readonly receiver: string;
  /** Where people reach the sidecar; `undefined` where that is not known. */
  readonly externalUrl: string | undefined;
}

/**
 * Pure but for the reading of our own templates. Never throws.
 *
 * @returns the body, or why there is none, without anything that stands in a template
 */
export function renderWebhookBody(
  content: WebhookChannelSettings['content'],
  notification: Notification,
  sender: WebhookSender,
): WebhookBody | { readonly problem: string } {
  if (content.kind === 'template') return filled({ ...content, name: content.file }, notification, sender);
  if (content.format === 'alertmanager') {
    const document = alertmanagerDocument(notification, sender.receiver, sender.externalUrl ?? '');
    return { body: JSON.stringify(document), contentType: DEFAULT_CONTENT_TYPE };
  }
  const template = ownTemplate(content.format);
  return 'problem' in template ? template : filled(template, notification, sender);
}

interface Template {
  /** As a reason names it. */
  readonly name: string;
  readonly text: string;
  readonly contentType: string;
}

function filled(
  { name, text, contentType }: Template,
  notification: Notification,
  { receiver, externalUrl = '' }: WebhookSender,
): WebhookBody | { readonly problem: string } {
  const rendered = renderTemplate(text, variablesOf(notification, receiver, externalUrl));
  const problem = 'problem' in rendered ? rendered.problem : jsonProblem(rendered.text, contentType);
  if (problem !== undefined || 'problem' in rendered)
    return { problem: `the template ${name}: ${problem ?? ''}` };
  return { body: rendered.text, contentType };
}

function ownTemplate(format: ShippedTemplate): Template | { readonly problem: string } {
  try {
    return { name: format, text: shippedTemplate(format), contentType: DEFAULT_CONTENT_TYPE };
  } catch (error) {
    const code = errorCodeOf(error);
    return { problem: `the template ${format} of Gatewatch cannot be read (${code}); install it anew` };
  }
}
