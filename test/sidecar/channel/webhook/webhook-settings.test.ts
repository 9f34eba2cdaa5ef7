import { stringify } from 'yaml';
import type { ChannelSettings } from '../../../../sidecar/config/channel/channel-settings';
import { channelDocument } from '../../../../sidecar/config/channel/channel-settings';
import { Authority } from '../../../support/certificates';
import { configOf, faultsOf } from '../../../support/read-config-text';

const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const PEM = new Authority('a').cert;

function text(channel: Record<string, unknown>): string {
  return stringify({
    channels: [{ name: 'hook', type: 'webhook', url: 'https://hooks.example/x', ...channel }],
  });
}

function read(
  channel: Record<string, unknown>,
  files: Record<string, string> = {},
): ChannelSettings | undefined {
  return configOf(text(channel), {}, files).channels[0];
}

describe('a webhook of the configuration', () => {
  it('posts the form of Alertmanager to public addresses unless it says otherwise', () => {
    expect(read({})).toMatchObject({
      method: 'POST',
      headers: {},
      content: { kind: 'format', format: 'alertmanager' },
      signingSecrets: [],
      allowsPrivateAddresses: false,
      ca: undefined,
    });
  });

  it('may say all of it', () => {
    const settings = read(
      {
        method: 'PATCH',
        headers: { 'X-Key': 'abc' },
        template_file: 'own.liquid',
        content_type: 'text/plain; charset=utf-8',
        signing_secrets: [SIGNING_SECRET],
        allow_private_addresses: true,
        ca_file: 'ca.pem',
      },
      { 'own.liquid': '{{ title }}', 'ca.pem': PEM },
    );
    expect(settings).toMatchObject({
      method: 'PATCH',
      content: {
        kind: 'template',
        file: 'own.liquid',
        text: '{{ title }}',
        contentType: 'text/plain; charset=utf-8',
      },
      allowsPrivateAddresses: true,
      ca: { file: 'ca.pem', pem: PEM },
    });
    expect(JSON.stringify(settings && channelDocument(settings))).not.toMatch(/abc|whsec_|hooks\.example/);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['our own header', { headers: { 'Content-Type': 'text/plain' } }, 'channels[0].headers'],
    ['the header of a signature', { headers: { 'webhook-signature': 'v1,x' } }, 'channels[0].headers'],
    ['a header that ends another', { headers: { 'x-a': 'b\r\nx-c: d' } }, 'channels[0].headers'],
    ['another method', { method: 'DELETE' }, 'channels[0].method: expected one of POST, PUT, PATCH'],
    [
      'another format',
      { format: 'pigeon' },
      'channels[0].format: expected one of alertmanager, teams, discord',
    ],
    ['a secret that is too short', { signing_secrets: ['whsec_c2hvcnQ='] }, 'channels[0].signing_secrets[0]'],
    ['a secret that is none', { signing_secrets: ['hunter2'] }, 'channels[0].signing_secrets[0]'],
  ])('is wrong with %s', (_, channel, start) => {
    const [fault = '', ...others] = faultsOf(text(channel));
    expect(fault).toContain(start);
    expect(others).toEqual([]);
  });

  it.each([
    ['line 1, column 4: there is no variable titel', '{{ titel }}'],
    ['line 1, column 1: there is no filter upper', '{{ title | upper }}'],
    ['line 1, column 1: something is opened here that is not closed', '{% if title %}'],
    ['line 1, column 1: there is no tag include', '{% include "x" %}'],
    ['it is longer than 200000 characters', 'x'.repeat(200_001)],
    ['what it writes is not JSON from line 2, column', '{\n"text": "{{ title }}"}'],
    ['what it writes is not JSON', '{{ title }}'],
  ])('is told what is wrong with its template before any alert: %s', (problem, template) => {
    expect(faultsOf(text({ template_file: 'own.liquid' }), {}, { 'own.liquid': template })).toEqual([
      expect.stringContaining(
        `channels[0].template_file: expected the path of a file with a Liquid template without mistakes (${problem}`,
      ),
    ]);
  });

  it.each([
    ['the first note of none', '{"note": {{ notes[0] | json }}}'],
    ['the first note of none by a filter', '{"note": {{ notes | first | json }}}'],
    ['a second alert', '{"second": {{ alerts[1].title | json }}}'],
    ['a link of none', '{"link": {{ alerts[0].links[0].url | json }}}'],
  ])('is told before any alert what a small message lacks: %s', (_, template) => {
    expect(faultsOf(text({ template_file: 'own.liquid' }), {}, { 'own.liquid': template })).toEqual([
      expect.stringContaining('in a message of one alert without notes and links'),
    ]);
  });

  it('may ask first whether there are notes', () => {
    const template = '{"note": {% if notes.size > 0 %}{{ notes[0] | json }}{% else %}null{% endif %}}';
    expect(faultsOf(text({ template_file: 'own.liquid' }), {}, { 'own.liquid': template })).toEqual([]);
  });
});
