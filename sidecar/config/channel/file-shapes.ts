// What the files that a channel names must hold.
import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { renderTemplate } from './template-engine';
import { TEMPLATE_SAMPLE } from './template-sample';

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

/** Tried on a sample, so that what is wrong with it is found now and not by the first alert. */
export const template = z.string().superRefine((text, context) => {
  const rendered = renderTemplate(text, TEMPLATE_SAMPLE);
  if ('problem' in rendered)
    context.addIssue({ code: 'custom', message: `a Liquid template without mistakes (${rendered.problem})` });
});
