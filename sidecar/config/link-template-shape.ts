// An address with placeholders, as a value of gatewatch.yml.
import { z } from 'zod';
import { LINK_PLACEHOLDERS, isTemplate } from './link-template';

const TEMPLATE_ERROR = `an http or https address, in which ${LINK_PLACEHOLDERS.map((name) => `{${name}}`).join(', ')} are filled in`;

/** Empty, as from an unset variable: none. */
export const linkTemplate = z.union(
  [z.literal(''), z.string().refine(isTemplate, { error: TEMPLATE_ERROR })],
  { error: TEMPLATE_ERROR },
);
