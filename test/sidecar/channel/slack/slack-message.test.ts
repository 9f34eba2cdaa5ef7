import { assert, array, integer, property, string } from 'fast-check';
import { layOut } from '../../../../sidecar/channel/slack/slack-layout';
import { MOST_BLOCKS_BYTES, MOST_TEXT_BYTES } from '../../../../sidecar/channel/slack/slack-limits';
import { slackMessage, slackReply } from '../../../../sidecar/channel/slack/slack-message';
import { escapeWithin, jsonBytes } from '../../../../sidecar/channel/slack/slack-text';
import { LINK_NAMES } from '../../../../sidecar/notify/notification';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolvedItem,
} from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';
import { blockFaults } from '../../../support/slack-api-server';

/** Kinds of characters: one byte or several, one entity, one that JSON escapes, one of two UTF-16 units, half of one. */
const CHARACTERS = ['x', '&', '"', 'é', '語', '😀', '\ud83d'];

const LONG_LINKS = LINK_NAMES.map((name) => ({ name, url: `https://r.example/${'a&"'.repeat(200)}` }));

describe.each(CHARACTERS)('a message about names of %j', (character) => {
  const service = character.repeat(3_000);
  const changes = { service, rule: latencyRule({ name: service }) };

  it.each([1, 2, 60])('stays within what Slack takes, with %i alerts', (count) => {
    const items = Array.from({ length: count }, (_, index) =>
      index % 3 === 2
        ? sampleResolvedItem({ ...changes, service: `${index}${service}` })
        : sampleItem({ ...changes, service: `${index}${service}`, item: { links: LONG_LINKS } }),
    );
    const notification = sampleGroup(items, { service, message: { leftOut: 12, repeat: 2 } });
    for (const { text, blocks } of [slackMessage(notification), slackReply(notification)]) {
      expect(blockFaults(blocks)).toEqual([]);
      expect(Buffer.byteLength(JSON.stringify(blocks))).toBeLessThanOrEqual(MOST_BLOCKS_BYTES);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST_TEXT_BYTES);
      expect(JSON.stringify(blocks)).toContain('12 more had no room in this message. This is reminder 2.');
    }
  });
});

describe('a message of many alerts', () => {
  it('tells as many as fit in full, and the titles of the rest', () => {
    const items = Array.from({ length: 50 }, (_, index) => sampleItem({ service: `s${index}` }));
    const texts = slackMessage(sampleGroup(items)).blocks.flatMap((block) =>
      block.type === 'context' ? [] : [block.text.text],
    );
    const [title, ...sections] = texts;
    const rest = sections.at(-1)?.split('\n') ?? [];
    expect(title).toBe('CRITICAL: 50 alerts fire (rule slow, service slow)');
    expect(sections[0]).toMatch(/^CRITICAL: High p95 latency: 812 ms on service s0\nThe p95/);
    expect(rest[0]).toBe(`And ${50 - (sections.length - 1)} more:`);
    expect(rest).toHaveLength(1 + 50 - (sections.length - 1));
    expect(sections.length).toBeGreaterThan(10);
  });

  it('tells no title twice', () => {
    const [header, section] = slackMessage(sampleNotification()).blocks;
    expect(header).toMatchObject({ type: 'header' });
    expect(section).toMatchObject({ text: { text: expect.stringMatching(/^The p95 latency/) as string } });
  });

  it('has no header in a reply, and the title with the alert', () => {
    expect(slackReply(sampleNotification()).blocks).toMatchObject([
      { type: 'section', text: { text: expect.stringMatching(/^CRITICAL: .*\nThe p95 latency/) as string } },
    ]);
  });

  it('names the first too where not even that has room', () => {
    const entry = {
      title: 'T',
      text: 'x'.repeat(4_000),
      links: LONG_LINKS.map((link) => ({ ...link, url: `${link.url}"`.repeat(3) })),
    };
    const { blocks } = layOut({ title: 'all', isQuiet: false, entries: [entry, entry, entry], notes: [] });
    expect(blockFaults(blocks)).toEqual([]);
    expect(JSON.stringify(blocks)).toContain('"T');
  });
});

describe('an escaped text', () => {
  it('is never longer than it may be, and ends in no half entity or character', () => {
    assert(
      property(
        string({ unit: 'binary', maxLength: 200 }),
        integer({ min: 1, max: 80 }),
        integer({ min: 3, max: 80 }),
        (text, characters, bytes) => {
          const cut = escapeWithin(text, characters, bytes);
          expect(cut.length).toBeLessThanOrEqual(characters);
          expect(jsonBytes(cut)).toBeLessThanOrEqual(bytes);
          expect(cut.replace(/&(amp|lt|gt);/g, '')).not.toMatch(/[<>&]/);
          expect(cut.isWellFormed()).toBe(true);
          const whole = escapeWithin(text, Infinity);
          expect(cut === whole || (cut.endsWith('…') && whole.startsWith(cut.slice(0, -1)))).toBe(true);
        },
      ),
    );
  });

  it('is cut only where it must be', () => {
    assert(
      property(array(string({ unit: 'binary', maxLength: 5 }), { maxLength: 10 }), (parts) => {
        const whole = escapeWithin(parts.join('&'), Infinity);
        expect(escapeWithin(parts.join('&'), whole.length, jsonBytes(whole))).toBe(whole);
      }),
    );
  });
});
