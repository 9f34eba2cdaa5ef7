// The documents for Teams and Discord against what the vendors publish: fields and limits as data, with their source.
import { renderWebhookBody } from '../../../../sidecar/channel/webhook/webhook-body';
import {
  SHIPPED_TEMPLATES,
  type ShippedTemplate,
} from '../../../../sidecar/channel/webhook/shipped-template';
import type { Notification, NotificationItem } from '../../../../sidecar/notify/notification';
import {
  sampleGroup,
  sampleItem,
  sampleNotification,
  sampleResolved,
  sampleResolvedItem,
} from '../../../support/sample-notification';
import { latencyRule } from '../../../support/sample-rules';

type Json = Readonly<Record<string, unknown>>;

function bodyOf(format: ShippedTemplate, notification: Notification): string {
  const written = renderWebhookBody({ kind: 'format', format }, notification, {
    receiver: 'hook',
    externalUrl: undefined,
  });
  if ('problem' in written) throw new Error(written.problem);
  expect(written.contentType).toBe('application/json');
  return written.body;
}

function documentOf(format: ShippedTemplate, notification: Notification): Json {
  return JSON.parse(bodyOf(format, notification)) as Json;
}

/** What names may be: formats, links, mentions, ends of texts and documents, other scripts, halves of characters. */
const HOSTILE = [
  '**bold** _it_ ~~gone~~ `code` ||spoiler||',
  '[click](https://evil.example)',
  '<@123> <@&456> <#789> @everyone @here <t:0:R> <:x:1>',
  'https://evil.example/a?b=c http://evil.example discord.gg/evil',
  '# heading',
  '> quote',
  '- item',
  ':fire: :100: <at>Ada</at>',
  '"}],"content":"@everyone","x":[{"',
  '\\\\" \\u0022 {{ title }} {% include "x" %}',
  'a\nb\r\nc\u0000\u2028\u202e\u200b',
  '\ud800 \udfff \u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  '\u4e2d'.repeat(3_000),
  '"\\'.repeat(1_500),
  '*'.repeat(5_000),
  '',
] as const;

const EVIDENCE = (name: string): NotificationItem['evidence'] => ({
  operations: [1, 2, 3].map((n) => ({
    service: name,
    operation: `${name}${n}`,
    requests: 9_999,
    errors: 999,
    p95Ms: 812,
  })),
  errorTypes: [1, 2, 3].map((n) => ({ errorType: `${name}${n}`, requests: 9_999, errors: 999 })),
  addresses: [1, 2, 3].map((n) => ({ address: `${name}${n}`, failures: 999 })),
});

const LINKS = ['runbook', 'dashboard', 'prometheus', 'sentry', 'gatewatch'] as const;

/** As much as can be said of an alert with such a name. */
function worstItem(name: string, index = 0, linkLength = 90): NotificationItem {
  const url = `https://links.example/?q=(${'%22'.repeat(linkLength / 3)})`;
  return sampleItem({
    service: `${name}${index}`,
    rule: latencyRule({ name }),
    alert: {
      isFlapping: true,
      acknowledgement: { by: name, comment: name, atMs: Date.parse('2026-03-01T10:01:00Z') },
    },
    item: {
      occasion: 'repeated',
      evidence: EVIDENCE(name),
      links: LINKS.map((link) => ({ name: link, url })),
    },
  });
}

function worstGroup(name: string, count: number, linkLength?: number): Notification {
  const items = Array.from({ length: count }, (_, index) => worstItem(name, index, linkLength));
  return sampleGroup(items, { service: name, message: { leftOut: 1_234_567, repeat: 1_234 } });
}

/** How many alerts, and how long the address of a link is. */
const SIZES = [
  [1, 90],
  [1, 480],
  [1, 900],
  [5, 90],
  [5, 480],
  [50, 480],
] as const;

/** Every object within, itself too. */
function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value as Json, ...inner];
}

describe.each(SHIPPED_TEMPLATES)('the template for %s', (format) => {
  it('writes one JSON document for whatever a name may be, and says the name', () => {
    for (const name of HOSTILE) {
      const text = bodyOf(format, sampleNotification({ service: name, rule: latencyRule({ name }) }));
      expect(() => JSON.parse(text) as unknown).not.toThrow();
      expect(text.isWellFormed()).toBe(true);
    }
    expect(bodyOf(format, sampleNotification({ service: 'shop' }))).toContain('on service shop');
  });

  it('says how many alerts it has no room for', () => {
    const text = bodyOf(format, worstGroup('"'.repeat(90), 50));
    const shown = new Set([...text.matchAll(/on service [^\d]*(\d+)/g)].map(([, index]) => index)).size;
    const [, hidden] = /(\d+) more had no room/.exec(text) ?? [];
    expect(shown).toBeGreaterThanOrEqual(5);
    expect(shown + Number(hidden)).toBe(50);
  });
});

describe('the card for Teams', () => {
  // https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook
  const ENVELOPE = {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: expect.any(Object) as object,
      },
    ],
  };

  // https://adaptivecards.io/explorer/ of version 1.4: what an element may have, and what of it must be there.
  const ELEMENTS: Readonly<Record<string, { required: readonly string[]; optional: readonly string[] }>> = {
    AdaptiveCard: {
      required: ['type', 'version'],
      optional: [
        '$schema',
        'body',
        'actions',
        'fallbackText',
        'msteams',
        'minHeight',
        'rtl',
        'speak',
        'lang',
      ],
    },
    RichTextBlock: {
      required: ['type', 'inlines'],
      optional: ['horizontalAlignment', 'spacing', 'separator', 'height', 'id', 'isVisible', 'fallback'],
    },
    TextRun: {
      required: ['type', 'text'],
      optional: [
        'color',
        'fontType',
        'highlight',
        'isSubtle',
        'italic',
        'size',
        'strikethrough',
        'underline',
        'weight',
      ],
    },
    Container: {
      required: ['type', 'items'],
      optional: [
        'style',
        'bleed',
        'spacing',
        'separator',
        'height',
        'minHeight',
        'id',
        'isVisible',
        'fallback',
      ],
    },
    ActionSet: {
      required: ['type', 'actions'],
      optional: ['spacing', 'separator', 'height', 'id', 'isVisible'],
    },
    'Action.OpenUrl': {
      required: ['type', 'url'],
      optional: ['title', 'iconUrl', 'id', 'style', 'tooltip', 'mode'],
    },
  };
  const VALUES: Readonly<Record<string, readonly string[]>> = {
    style: ['default', 'emphasis', 'good', 'attention', 'warning', 'accent'],
    spacing: ['default', 'none', 'small', 'medium', 'large', 'extraLarge', 'padding'],
    size: ['default', 'small', 'medium', 'large', 'extraLarge'],
    weight: ['default', 'lighter', 'bolder'],
  };

  function cardOf(notification: Notification): Json {
    const document = documentOf('teams', notification);
    expect(document).toEqual(ENVELOPE);
    const [attachment] = document['attachments'] as Json[];
    return attachment?.['content'] as Json;
  }

  it.each([
    ['one alert', sampleNotification()],
    ['one with all that can be said', sampleGroup([worstItem('shop')])],
    ['one that is over', sampleResolved()],
    ['fifty', worstGroup('shop', 50)],
  ])('has the fields of an Adaptive Card 1.4 and no others: %s', (_, notification) => {
    const card = cardOf(notification);
    expect(card).toMatchObject({ type: 'AdaptiveCard', version: '1.4', msteams: { width: 'Full' } });
    const elements = objectsIn(card).filter((object) => object !== card['msteams']);
    for (const element of elements) {
      const { required = [], optional = [] } = ELEMENTS[String(element['type'])] ?? {};
      expect(Object.keys(element)).toEqual(expect.arrayContaining([...required]));
      expect([...required, ...optional]).toEqual(expect.arrayContaining(Object.keys(element)));
      for (const [key, values] of Object.entries(VALUES))
        if (key in element) expect(values).toContain(element[key]);
      for (const list of ['items', 'inlines', 'actions'])
        if (list in element) expect(element[list]).not.toEqual([]);
      // Teams shows six buttons of a set: https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
      if (element['type'] === 'ActionSet')
        expect((element['actions'] as unknown[]).length).toBeLessThanOrEqual(6);
    }
    expect(elements.length).toBeGreaterThan(5);
  });

  // What reads Markdown: https://learn.microsoft.com/adaptive-cards/create/textfeatures and, of facts,
  // https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
  it('has every word in an element that reads no Markdown', () => {
    for (const name of HOSTILE) {
      const types = objectsIn(cardOf(sampleGroup([worstItem(name), sampleResolvedItem()]))).map(
        ({ type }) => type,
      );
      expect(types).not.toContain('TextBlock');
      expect(types).not.toContain('FactSet');
    }
  });

  // 28,672 bytes of the message with the card as a text: 24,453 bytes of a request were counted as 28,897 in
  // https://github.com/MicrosoftDocs/msteams-docs/issues/11274. Other characters than ASCII are counted as they would be escaped.
  it.each(SIZES)(
    'stays below 28 KB, as Teams counts them, with %i alerts of hostile names and links of %i',
    (...size) => {
      for (const name of HOSTILE) {
        const body = bodyOf('teams', worstGroup(name, ...size));
        expect(Buffer.byteLength(body)).toBeLessThan(28_672);
        const { attachments } = JSON.parse(body) as { attachments: { content: unknown }[] };
        const card = JSON.stringify(JSON.stringify(attachments[0]?.content));
        expect(card.replace(/[^ -~]/g, '\\u0000').length).toBeLessThan(28_672);
        // However long it is, the first alert has its words.
        expect(card).toContain('Container');
      }
    },
  );

  it('shows an alert with all its words and links, the worst colour for what is bad, and green for what is over', () => {
    const links = [{ name: 'runbook', url: 'https://r.example/slow?a="b"' }] as const;
    const card = cardOf(sampleGroup([sampleItem({ item: { links } }), sampleResolvedItem({ service: 'b' })]));
    const [, firing, over] = card['body'] as Json[];
    expect(firing).toMatchObject({ type: 'Container', style: 'attention' });
    expect(over).toMatchObject({ type: 'Container', style: 'good' });
    expect(objectsIn(firing).flatMap(({ text }) => text ?? [])).toEqual([
      'CRITICAL: High p95 latency: 812 ms on service slow',
      expect.stringContaining('over the threshold of 500 ms'),
      'Rule slow, severity critical.',
      expect.stringMatching(/^To acknowledge it: gatewatch ack [0-9a-f]{16}$/),
    ]);
    expect(objectsIn(firing).filter(({ type }) => type === 'Action.OpenUrl')).toEqual([
      { type: 'Action.OpenUrl', title: 'runbook', url: 'https://r.example/slow?a="b"' },
    ]);
  });

  it.each([
    ['info', 'accent'],
    ['warning', 'warning'],
    ['error', 'attention'],
    ['critical', 'attention'],
  ] as const)('has for %s the style %s', (severity, style) => {
    const [, container] = cardOf(sampleNotification({ alert: { severity } }))['body'] as Json[];
    expect(container).toMatchObject({ style });
  });
});

describe('the message for Discord', () => {
  // https://discord.com/developers/docs/resources/webhook#execute-webhook
  const MESSAGE_FIELDS = [
    'content',
    'username',
    'avatar_url',
    'tts',
    'embeds',
    'allowed_mentions',
    'components',
    'flags',
  ];
  // https://discord.com/developers/docs/resources/message#embed-object, without what a webhook cannot set.
  const EMBED_FIELDS = [
    'title',
    'description',
    'url',
    'timestamp',
    'color',
    'footer',
    'image',
    'thumbnail',
    'author',
    'fields',
  ];
  const LIMITS = { content: 2_000, embeds: 10, title: 256, description: 4_096, all: 6_000 };

  interface Message {
    readonly content: string;
    readonly embeds: readonly { title?: string; description?: string; color?: number; timestamp?: string }[];
  }

  function messageOf(notification: Notification): Message {
    return documentOf('discord', notification) as unknown as Message;
  }

  it.each(SIZES)(
    "stays within Discord's fields and limits with %i alerts of hostile names and links of %i",
    (...size) => {
      for (const name of HOSTILE) {
        const message = messageOf(worstGroup(name, ...size));
        expect(MESSAGE_FIELDS).toEqual(expect.arrayContaining(Object.keys(message)));
        expect(message).toMatchObject({ allowed_mentions: { parse: [] } });
        expect(message.content.length).toBeLessThanOrEqual(LIMITS.content);
        expect(message.embeds.length).toBeLessThanOrEqual(LIMITS.embeds);
        let all = 0;
        for (const embed of message.embeds) {
          const { title = '', description = '', color = 0, timestamp } = embed;
          expect(EMBED_FIELDS).toEqual(expect.arrayContaining(Object.keys(embed)));
          expect(title.length).toBeLessThanOrEqual(LIMITS.title);
          expect(description.length).toBeLessThanOrEqual(LIMITS.description);
          expect(description.trim()).not.toBe('');
          expect(color).toBeLessThanOrEqual(0xffffff);
          if (timestamp !== undefined) expect(new Date(timestamp).toISOString()).toBe(timestamp);
          all += title.length + description.length;
        }
        expect(all).toBeLessThanOrEqual(LIMITS.all);
      }
    },
  );

  /** As Discord's client reads a text: a backslash takes the meaning of what follows that is no letter, digit or space. */
  function plain(text: string): string {
    return text.replace(/\\([^0-9A-Za-z\s])/g, '$1');
  }

  /** What is left of a text that still has a meaning: everything behind a backslash gone. */
  function active(text: string): string {
    return text.replace(/\\[^0-9A-Za-z\s]/g, '');
  }

  it('shows a hostile name as it is, and nothing in it formats, links, mentions or invites', () => {
    for (const name of HOSTILE) {
      const { content, embeds } = messageOf(sampleGroup([sampleItem({ service: name }), sampleItem()]));
      for (const text of [
        content,
        ...embeds.flatMap(({ title = '', description = '' }) => [title, description]),
      ]) {
        expect(active(text)).not.toMatch(
          /[*_~`|<>[\]@]|https?:\/\/|\.gg\/|(?<!\d):\w+:|:[a-z]\w*:|^\s*(?:#|-|\+|>|\d+\.)/m,
        );
      }
      const start = Array.from(name.replace(/[\p{C}\p{Z}]/gu, ' '))
        .slice(0, 40)
        .join('');
      const subject = name === '' ? 'requests without a service' : `service ${start}`;
      expect(plain(embeds[0]?.title ?? '')).toContain(`on ${subject}`.trim());
    }
  });

  it('links to where people go next, by addresses that end where they should', () => {
    const links = [{ name: 'dashboard', url: 'https://g.example/d?var=a)b(c&x=<y>_z*' }] as const;
    const { embeds } = messageOf(sampleNotification({ item: { links } }));
    expect(embeds[0]?.description?.split('\n').at(-1)).toBe(
      '[dashboard](https://g.example/d?var=a%29b%28c&x=%3Cy%3E%5Fz%2A)',
    );
  });

  it('says a single alert once, with its colour and when it began', () => {
    expect(messageOf(sampleNotification())).toEqual({
      allowed_mentions: { parse: [] },
      content: 'CRITICAL: High p95 latency: 812 ms on service slow',
      embeds: [
        {
          description: expect.stringContaining('over the threshold of 500 ms') as string,
          timestamp: '2026-03-01T10:00:00.000Z',
          color: 0xd92d20,
        },
      ],
    });
    expect(messageOf(sampleResolved()).embeds).toMatchObject([
      { timestamp: '2026-03-01T10:12:00.000Z', color: 0x27ae60 },
    ]);
  });

  it('lists the alerts behind the fifth by their titles', () => {
    const items = Array.from({ length: 8 }, (_, index) => sampleItem({ service: `s${index}` }));
    const { embeds } = messageOf(sampleGroup(items));
    expect(embeds).toHaveLength(6);
    expect(embeds[5]?.description?.split('\n')).toEqual(
      [5, 6, 7].map((index) => `CRITICAL: High p95 latency: 812 ms on service s${index}`),
    );
  });
});
