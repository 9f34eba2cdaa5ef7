// The two methods of Slack's Web API that a bot needs, on 127.0.0.1: strict about token, form and limits as Slack publishes them, and
// with a memory, so that a test can read the channel as people would. What Slack would not mind but a caller should not do, such as
// an argument that the method does not have, is kept as a fault.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { closeServer, listenOnLoopback, loopbackUrl, readBody } from './loopback-server';

/** https://docs.slack.dev/reference/methods/chat.postMessage, /chat.update: arguments without the token. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  'chat.postMessage':
    'channel as_user attachments blocks icon_emoji icon_url link_names markdown_text metadata mrkdwn parse reply_broadcast text thread_ts unfurl_links unfurl_media username'.split(
      ' ',
    ),
  'chat.update':
    'channel ts as_user attachments unfurled_attachments blocks file_ids link_names markdown_text metadata parse reply_broadcast text'.split(
      ' ',
    ),
};

/** What Slack publishes: 50 blocks, header 150, text objects 3,000, 10 elements of a context; `text` of chat.update 4,000. */
const MOST = { blocks: 50, header: 150, text: 3_000, elements: 10, updateText: 4_000 } as const;

/** What it does not: the least that was seen to be refused, https://github.com/slackapi/bolt-js/issues/2867. */
const MOST_BLOCKS_CHARACTERS = 11_341;

export interface ChannelMessage {
  readonly ts: string;
  /** Of the message that it answers. */
  readonly threadTs: string | undefined;
  readonly isBroadcast: boolean;
  text: string;
  blocks: readonly unknown[];
  edits: number;
}

export interface SlackCall {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly document: Readonly<Record<string, unknown>>;
}

interface Refusal {
  readonly method: string | undefined;
  readonly word: string;
}

export class SlackApiServer {
  readonly channel = 'C0123456789';
  readonly calls: SlackCall[] = [];
  readonly messages: ChannelMessage[] = [];
  readonly faults: string[] = [];
  hasBot = true;
  isArchived = false;
  /** No message may be changed any more. */
  isEditClosed = false;
  /** Nobody may reply to a message. */
  isFlat = false;
  readonly #token: string;
  readonly #server: Server;
  readonly #refusals: Refusal[] = [];
  #count = 0;

  static async start(token = 'xoxb-sample-bot-token'): Promise<SlackApiServer> {
    const server = new SlackApiServer(token);
    await listenOnLoopback(server.#server);
    return server;
  }

  private constructor(token: string) {
    this.#token = token;
    this.#server = createServer((request, response) => {
      readBody(request, (body) => {
        const answer = this.#answer(request, body.toString());
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
        response.end(asSlackWrites(answer));
      });
    });
  }

  get url(): string {
    return `${loopbackUrl(this.#server)}/api`;
  }

  /** The next call, of this method where one is given, is answered with this word. */
  refuseNext(word: string, method?: string): void {
    this.#refusals.push({ method, word });
  }

  /** Somebody deletes a message. */
  delete(ts: string): void {
    this.messages.splice(
      this.messages.findIndex((message) => message.ts === ts),
      1,
    );
  }

  /** The messages that are no replies, in the order in which they were posted. */
  get roots(): ChannelMessage[] {
    return this.messages.filter(({ threadTs }) => threadTs === undefined);
  }

  repliesTo(ts: string): ChannelMessage[] {
    return this.messages.filter(({ threadTs }) => threadTs === ts);
  }

  /** What people read: each message with its replies behind ">", one that is shown in the channel too behind ">>". */
  transcript(): string {
    return this.roots
      .map((root) =>
        [
          wordsOf(root),
          ...this.repliesTo(root.ts).map((reply) =>
            indented(wordsOf(reply), reply.isBroadcast ? '>> ' : '> '),
          ),
        ].join('\n'),
      )
      .join('\n---\n');
  }

  async close(): Promise<void> {
    await closeServer(this.#server);
  }

  #answer(request: IncomingMessage, body: string): object {
    const method = request.url?.replace('/api/', '') ?? '';
    const known = ARGUMENTS[method];
    if (request.method !== 'POST' || !known)
      return { ok: false, error: 'unknown_method', req_method: method };
    const { authorization, 'content-type': contentType = '' } = request.headers;
    if (body.includes(this.#token)) this.faults.push(`the token is in the body of ${method}`);
    if (authorization === undefined) return no('not_authed');
    if (authorization !== `Bearer ${this.#token}`) return no('invalid_auth');
    if (!/^application\/json(;|$)/.test(contentType)) return no('invalid_post_type');
    if (!contentType.includes('charset=utf-8')) this.faults.push(`${method} without a charset`);
    const document = readJson(body);
    if (document === undefined) return no('invalid_json');
    if (typeof document !== 'object' || document === null || Array.isArray(document))
      return no('json_not_object');
    const call = { method, headers: request.headers, body, document: document as Record<string, unknown> };
    this.calls.push(call);
    for (const name of Object.keys(call.document))
      if (!known.includes(name)) this.faults.push(`${method} has no argument ${name}`);
    const refusal = this.#refusals[0];
    if (refusal && (refusal.method ?? method) === method) {
      this.#refusals.shift();
      return no(refusal.word);
    }
    return this.#do(call);
  }

  #do({ method, document }: SlackCall): object {
    const { channel, text, blocks, ts, thread_ts: threadTs, reply_broadcast: isBroadcast } = document;
    if (channel !== this.channel) return no('channel_not_found');
    if (this.isArchived) return no(method === 'chat.update' ? 'is_inactive' : 'is_archived');
    if (!this.hasBot) return no('not_in_channel');
    if (typeof text !== 'string' || text === '') {
      this.faults.push(`${method} without a text for notifications`);
      if (!Array.isArray(blocks) || blocks.length === 0) return no('no_text');
    }
    const words = typeof text === 'string' ? text : '';
    if (/<(?!https?:)/.test(words)) this.faults.push(`a markup in the text: ${words}`);
    const shown: readonly unknown[] = Array.isArray(blocks) ? (blocks as unknown[]) : [];
    const faults = blockFaults(shown);
    if (faults.length > 0) return { ...no('invalid_blocks'), errors: faults };
    if (charactersOf(shown) >= MOST_BLOCKS_CHARACTERS) return no('msg_blocks_too_long');
    if (method === 'chat.postMessage') {
      if (threadTs !== undefined && this.isFlat) return no('restricted_action_non_threadable_channel');
      if (threadTs !== undefined && !this.roots.some((root) => root.ts === threadTs))
        return no('thread_not_found');
      this.#count += 1;
      const message: ChannelMessage = {
        ts: `1772359200.${String(this.#count).padStart(6, '0')}`,
        threadTs: threadTs as string | undefined,
        isBroadcast: isBroadcast === true,
        text: words,
        blocks: shown,
        edits: 0,
      };
      this.messages.push(message);
      return {
        ok: true,
        channel,
        ts: message.ts,
        message: { type: 'message', text, blocks, bot_id: 'B19LU7CSY' },
      };
    }
    if (words.length > MOST.updateText || Buffer.byteLength(words) > MOST.updateText)
      return no('msg_too_long');
    const message = this.messages.find((one) => one.ts === ts);
    if (!message) return no('message_not_found');
    if (this.isEditClosed) return no('edit_window_closed');
    message.text = words;
    message.blocks = shown;
    message.edits += 1;
    return { ok: true, channel, ts, text, message: { text, user: 'U34567890' } };
  }
}

/** What Slack would say against blocks, as far as it publishes their form (https://docs.slack.dev/reference/block-kit/blocks). */
export function blockFaults(blocks: readonly unknown[]): string[] {
  const faults = blocks.length > MOST.blocks ? [`${blocks.length} blocks`] : [];
  for (const [index, block] of blocks.entries()) {
    const { type, text, elements, ...rest } = block as Record<string, unknown>;
    const at = `/blocks/${index}`;
    if (type === 'header') faults.push(...textFaults(text, at, MOST.header, ['plain_text']));
    else if (type === 'section') faults.push(...textFaults(text, at, MOST.text, ['plain_text', 'mrkdwn']));
    else if (type === 'context' && Array.isArray(elements)) {
      if (elements.length < 1 || elements.length > MOST.elements)
        faults.push(`${at}: ${elements.length} elements`);
      for (const element of elements as unknown[])
        faults.push(...textFaults(element, at, MOST.text, ['plain_text', 'mrkdwn']));
    } else faults.push(`${at}: type ${String(type)}`);
    if (Object.keys(rest).length > 0) faults.push(`${at}: ${Object.keys(rest).join()}`);
  }
  return faults;
}

function textFaults(object: unknown, at: string, most: number, types: readonly string[]): string[] {
  const { type, text, emoji, verbatim, ...rest } = (object ?? {}) as Record<string, unknown>;
  const faults: string[] = [];
  if (typeof type !== 'string' || !types.includes(type)) faults.push(`${at}: type ${String(type)}`);
  if (typeof text !== 'string' || text.length < 1 || text.length > most)
    faults.push(`${at}: text of a wrong length`);
  if (emoji !== undefined && type !== 'plain_text') faults.push(`${at}: emoji`);
  if (verbatim !== undefined && type !== 'mrkdwn') faults.push(`${at}: verbatim`);
  if (Object.keys(rest).length > 0) faults.push(`${at}: ${Object.keys(rest).join()}`);
  return faults;
}

function charactersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, part]: [string, unknown]) =>
      sum + (key === 'text' && typeof part === 'string' ? part.length : charactersOf(part)),
    0,
  );
}

/** Of the blocks; of a message without any, its text. Links as their name in brackets. */
function wordsOf({ text, blocks }: ChannelMessage): string {
  if (blocks.length === 0) return readable(text);
  return blocks
    .map((block) => {
      const {
        type,
        text: words,
        elements,
      } = block as {
        type: string;
        text?: { text: string };
        elements?: { text: string }[];
      };
      const inner = words?.text ?? (elements ?? []).map((element) => element.text).join(' ');
      return type === 'header' ? `# ${readable(inner)}` : readable(inner);
    })
    .join('\n');
}

function readable(text: string): string {
  return text
    .replace(/<[^|<>]+\|([^<>]+)>/g, '[$1]')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function indented(text: string, mark: string): string {
  return text
    .split('\n')
    .map((line) => `${mark}${line}`)
    .join('\n');
}

function no(error: string): { ok: false; error: string } {
  return { ok: false, error };
}

/** Slashes and everything beyond ASCII are escaped. */
function asSlackWrites(answer: object): string {
  return JSON.stringify(answer)
    .replaceAll('/', '\\/')
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
