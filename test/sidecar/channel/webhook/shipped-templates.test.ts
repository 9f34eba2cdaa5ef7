// Of what is built, as it is installed.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SHIPPED_TEMPLATES } from '../../../../sidecar/channel/webhook/shipped-template';
import { renderTemplate } from '../../../../sidecar/config/channel/template-engine';
import { TEMPLATE_SAMPLE } from '../../../../sidecar/config/channel/template-sample';

const PROJECT = resolve(__dirname, '../../../..');
const FOLDER = join('sidecar', 'channel', 'webhook', 'templates');

describe('the templates that come with Gatewatch', () => {
  it('are all in the build, as they are in the sources', () => {
    const files = SHIPPED_TEMPLATES.map((name) => `${name}.liquid`).sort();
    expect(readdirSync(join(PROJECT, FOLDER)).sort()).toEqual(files);
    for (const file of files)
      expect(readFileSync(join(PROJECT, 'dist', FOLDER, file), 'utf8')).toBe(
        readFileSync(join(PROJECT, FOLDER, file), 'utf8'),
      );
  });

  // Whoever copies one finds it right when the configuration is read.
  it.each(SHIPPED_TEMPLATES)('would pass as a template of the user: %s', (name) => {
    const text = readFileSync(join(PROJECT, FOLDER, `${name}.liquid`), 'utf8');
    const rendered = renderTemplate(text, TEMPLATE_SAMPLE);
    expect(rendered).toHaveProperty('text');
    expect(() => JSON.parse('text' in rendered ? rendered.text : '') as unknown).not.toThrow();
  });
});

describe('docs/webhook-templates.md', () => {
  const page = readFileSync(join(PROJECT, 'docs', 'webhook-templates.md'), 'utf8');

  it('has an example that works', () => {
    const [, example = ''] = /```liquid\n([\s\S]*?)```/.exec(page) ?? [];
    const rendered = renderTemplate(example, TEMPLATE_SAMPLE);
    expect(JSON.parse('text' in rendered ? rendered.text : '')).toEqual({
      text: TEMPLATE_SAMPLE.title,
      items: TEMPLATE_SAMPLE.alerts.map(({ title, startsAt }) => ({ text: title, since: startsAt })),
    });
  });

  it('names all that a template is given', () => {
    const names = [TEMPLATE_SAMPLE, TEMPLATE_SAMPLE.alerts[0], TEMPLATE_SAMPLE.groupLabels].flatMap((part) =>
      Object.keys(part ?? {}),
    );
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
