// In: a Liquid template (https://shopify.github.io/liquid/) and what it is given. Out: the text that it writes, or what is wrong with
// it, by its line and in our own words: what stands in a template may be a secret, so nothing of it is told but names.
// A name that is not there is a mistake, except as all of an `if` or before `default`. No file is read. Dates are written in UTC.
// The limits stop a template that would go on for ever or fill the memory; ours need a hundredth of them.
import { Liquid } from 'liquidjs';
import { discordEscape, jsonSize, linkUrl, truncateTo } from './template-filters';
import type { TemplateVariables } from './template-variables';

export const MAX_TEMPLATE_LENGTH = 200_000;

/** Of the whole text that a template writes: more than any receiver of messages takes. */
export const MAX_WRITTEN_LENGTH = 1_000_000;

const MAX_RENDER_MS = 1_000;
/** Characters and entries of lists that filters and loops make. */
const MAX_MEMORY = 10_000_000;

/** Those that read other files. */
const FILE_TAGS = ['include', 'render', 'layout', 'block'];

const engine = createEngine();

function createEngine(): Liquid {
  const liquid = new Liquid({
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    ownPropertyOnly: true,
    timezoneOffset: 0,
    locale: 'en-US',
    templates: {},
    parseLimit: MAX_TEMPLATE_LENGTH,
    renderLimit: MAX_RENDER_MS,
    memoryLimit: MAX_MEMORY,
  });
  for (const tag of FILE_TAGS) Reflect.deleteProperty(liquid.tags, tag);
  liquid.registerFilter('truncate_to', truncateTo);
  liquid.registerFilter('discord_escape', discordEscape);
  liquid.registerFilter('link_url', linkUrl);
  liquid.registerFilter('json_size', jsonSize);
  return liquid;
}

export type Rendered = { readonly text: string } | { readonly problem: string };

/** Never throws. */
export function renderTemplate(template: string, variables: TemplateVariables): Rendered {
  try {
    const text = String(engine.parseAndRenderSync(template, variables)).toWellFormed();
    if (text.length <= MAX_WRITTEN_LENGTH) return { text };
    return { problem: `it writes more than ${MAX_WRITTEN_LENGTH} characters` };
  } catch (error) {
    return { problem: describeProblem(error) };
  }
}

/** "line 3, column 7: there is no variable alert.titel" */
function describeProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const [, line, column] = /, line:(\d+), col:(\d+)$/.exec(message.split('\n').at(-1) ?? '') ?? [];
  const place = line === undefined || column === undefined ? '' : `line ${line}, column ${column}: `;
  return `${place}${inOurWords(message)}`;
}

/** What liquidjs says, and what we do; a name behind it where it tells one. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^undefined variable: ([\w.-]+)/, 'there is no variable '],
  [/^undefined filter: ([\w-]+)/, 'there is no filter '],
  [/^tag "([\w-]+)" not found/, 'there is no tag '],
  [/ not closed(?:,|$)/, 'something is opened here that is not closed'],
  [/^parse length limit/, `it is longer than ${MAX_TEMPLATE_LENGTH} characters`],
  [/^template render limit/, `it takes longer than ${MAX_RENDER_MS} ms`],
  [/^memory alloc limit/, 'it makes too much of lists and texts'],
];

const LONGEST_NAME = 80;

function inOurWords(message: string): string {
  for (const [pattern, words] of WORDS) {
    const match = pattern.exec(message);
    if (match) return words + (match[1] ?? '').slice(0, LONGEST_NAME);
  }
  return 'Liquid cannot read this';
}
