// A page in a real browser, by the protocol of Chromium's developer tools (https://chromedevtools.github.io/devtools-protocol/).
// In: chromium's path and an address. Out: what the page shows now, and what it asked the network for.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'undici';
import { RunningProgram } from './running-program';

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage'],
  ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ...['--window-size=1400,1000', '--remote-debugging-port=0'],
];

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly request?: { readonly url: string } };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

export class BrowserPage {
  /** Every address that the page asked for, in this order. */
  readonly requested: string[] = [];
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(
    private readonly browser: RunningProgram,
    private readonly profile: string,
    private readonly socket: WebSocket,
  ) {
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.method === 'Network.requestWillBeSent' && answer.params?.request) {
        this.requested.push(answer.params.request.url);
      }
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  /** Starts a browser of its own, with one page. */
  static async open(chromium: string, url: string): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'gatewatch-chromium-'));
    const flags = [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'];
    const browser = new RunningProgram(chromium, flags, { HOME: profile });
    const [, port = ''] = await browser.says(/DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//);
    const pages = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
      type: string;
      webSocketDebuggerUrl: string;
    }[];
    const target = pages.find(({ type }) => type === 'page');
    if (target === undefined) throw new Error('the browser has no page');
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', ({ message }) => reject(new Error(message)), { once: true });
    });
    const page = new BrowserPage(browser, profile, socket);
    await page.#ask('Network.enable');
    await page.go(url);
    return page;
  }

  async go(url: string): Promise<void> {
    await this.#ask('Page.navigate', { url });
  }

  /** What a person can read on it now. */
  async text(): Promise<string> {
    const expression = 'document.body.innerText';
    const { result } = (await this.#ask('Runtime.evaluate', { expression })) as { result: { value: string } };
    return result.value;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.browser.end();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }

  async #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answered;
    this.#waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }
}
