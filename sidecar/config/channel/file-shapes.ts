// What the files that a channel names must hold.
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { jsonProblem } from './json-problem';
import { renderTemplate } from './template-engine';
import { SPARSE_SAMPLE, TEMPLATE_SAMPLE } from './template-sample';
import type { TemplateVariables } from './template-variables';
import { DEFAULT_CONTENT_TYPE } from './webhook-settings';

const CERTIFICATES_ERROR = 'certificates in PEM';

/** One certificate or several, one after the other. */
export const certificates = z.string().refine(isCertificates, { error: CERTIFICATES_ERROR });

function isCertificates(text: string): boolean {
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const one of found) new X509Certificate(one);
  } catch {
    return false;
  }
  return found.length > 0;
}

/**
 * Tried on samples, so that what is wrong with it is found now and not by the first alert.
 *
 * @param contentType of what it writes
 */
export function templateOf(contentType: unknown): z.ZodType<string> {
  const type = typeof contentType === 'string' ? contentType : DEFAULT_CONTENT_TYPE;
  return z.string().superRefine((text, context) => {
    const full = problemOf(text, TEMPLATE_SAMPLE, type);
    const sparse = problemOf(text, SPARSE_SAMPLE, type);
    const problem = full ?? (sparse && `${sparse}, in a message of one alert without notes and links`);
    if (problem !== undefined)
      context.addIssue({ code: 'custom', message: `a Liquid template without mistakes (${problem})` });
  });
}

function problemOf(template: string, sample: TemplateVariables, contentType: string): string | undefined {
  const rendered = renderTemplate(template, sample);
  return 'problem' in rendered ? rendered.problem : jsonProblem(rendered.text, contentType);
}
