import { SecretMask } from '../../../sidecar/cli/secret-mask';
import { Transcript, type TranscriptLooks } from '../../../sidecar/cli/transcript';
import { Secret } from '../../../sidecar/config/secret';

const PLAIN: TranscriptLooks = { hasColors: false };

function transcript(looks = PLAIN): { shown: string[]; conversation: Transcript } {
  const shown: string[] = [];
  const mask = new SecretMask([new Secret('https://hooks.example/a-secret-path'), new Secret('wonderland')]);
  return { shown, conversation: new Transcript(mask, ['x-api-key'], (line) => shown.push(line), looks) };
}

/** `> ` before what is said, `< ` before what is heard. */
function play(conversation: Transcript, lines: readonly string[]): void {
  for (const line of lines) {
    const text = line.slice(2);
    if (line.startsWith('>')) conversation.said(text);
    else conversation.heard(text);
  }
}

describe('a transcript', () => {
  it('has of each request and its answer the head as it came, and the body spread out', () => {
    const { shown, conversation } = transcript();
    play(conversation, [
      '> POST https://hooks.example/a-secret-path',
      '> X-Api-Key: wonder',
      '> accept: */*',
      '> ',
      '> {"a":[1],"b":"wonderland"}',
      '< 200',
      '< set-cookie: session=1',
      '< ',
      '< ok: wonderland',
      '> PUT https://other.example/path?b=c',
      '> ',
      '> {"a":1}',
      '> {"b":2}',
      '< (no answer: timeout)',
    ]);
    conversation.end();
    expect(shown).toEqual([
      '> POST https://hooks.example/<secret>',
      '> X-Api-Key: <secret>',
      '> accept: */*',
      '>',
      '> {',
      '>   "a": [',
      '>     1',
      '>   ],',
      '>   "b": "<secret>"',
      '> }',
      '',
      '< 200 OK',
      '< set-cookie: <secret>',
      '<',
      '< ok: <secret>',
      '',
      '> PUT https://other.example/path?b=c',
      '>',
      '> {',
      '>   "a": 1',
      '> }',
      '> {',
      '>   "b": 2',
      '> }',
      '',
      '< (no answer: timeout)',
    ]);
  });

  it('shows a head before there is an answer, so that people see what is waited for', () => {
    const { shown, conversation } = transcript();
    play(conversation, ['> POST https://hooks.example/a-secret-path', '> accept: */*', '> ', '> {}']);
    expect(shown).toEqual(['> POST https://hooks.example/<secret>', '> accept: */*']);
  });

  it('has of another protocol each line as it comes', () => {
    const { shown, conversation } = transcript();
    play(conversation, ['< 220 mail.example', '> EHLO x', '< 250', '> AUTH PLAIN wonderland', '> . ', '< ']);
    expect(shown).toEqual(['< 220 mail.example', '> EHLO x', '< 250', '> AUTH PLAIN <secret>', '> .', '<']);
  });

  it('hides what was shown to somebody who says it again', () => {
    const { shown, conversation } = transcript();
    play(conversation, [
      '> POST https://other.example/',
      '> authorization: Basic YTpi',
      '> webhook-signature: v1,c2lnbmF0dXJl v1,YW5vdGhlcg==',
      '< 401',
      '< ',
      '< Basic YTpi, v1,c2lnbmF0dXJl, YW5vdGhlcg==, v1',
    ]);
    conversation.end();
    expect(shown.at(-1)).toBe('< <secret>, v1,<secret>, <secret>, v1');
  });

  it('knows whether anything was said, and shows nothing that comes after its end', () => {
    const { shown, conversation } = transcript();
    expect(conversation.isEmpty).toBe(true);
    conversation.end();
    play(conversation, ['> EHLO x', '< 221 Bye']);
    expect([shown, conversation.isEmpty]).toEqual([[], true]);
    const other = transcript();
    other.conversation.said('EHLO x');
    other.conversation.end();
    expect(other.conversation.isEmpty).toBe(false);
  });

  it('shows of what is long the beginning, and how much more there is', () => {
    const { shown, conversation } = transcript();
    play(conversation, [
      '> POST https://other.example/',
      '> ',
      `> ${'line\n'.repeat(1_200)}`,
      `< ${'x'.repeat(9_000)}`,
    ]);
    conversation.end();
    expect(shown).toHaveLength(250 + 1 + 1 + 1);
    expect(shown[250]).toBe('> ... 952 more lines');
    expect(shown.at(-1)).toBe(`< ${'x'.repeat(1_997)}...`);
  });

  it('of a preview is in full, without a mark before its lines', () => {
    const { shown, conversation } = transcript({ hasColors: true, isPreview: true });
    play(conversation, [
      '> POST https://hooks.example/a-secret-path',
      '> x-api-key: k',
      '> ',
      `> ${'a\n'.repeat(999)}`,
    ]);
    conversation.end();
    expect(shown.slice(0, 4)).toEqual([
      'POST https://hooks.example/<secret>',
      'x-api-key: <secret>',
      '',
      'a',
    ]);
    expect(shown).toHaveLength(3 + 999);
  });

  it('has colours only where they are wanted', () => {
    const { shown, conversation } = transcript({ hasColors: true });
    play(conversation, ['> EHLO x', '< 250']);
    expect(shown).toEqual(['\x1b[36m>\x1b[0m EHLO x', '\x1b[32m<\x1b[0m 250']);
  });
});
