// A sidecar that is killed again and again while alerts come and go and its channels fail in every way: while nothing happens, when
// a receiver has just got a letter, and between its answer and our note of it. Each channel is told of every change at least once and
// in order, by itself or in its place; whoever was told that something fires is told its end; what never happened is told to nobody.
// GATEWATCH_OUTBOX_KILLS and GATEWATCH_FAULT_SEED make a longer or another run.
import { setTimeout as delay } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { AlertmanagerDocument } from '../../sidecar/channel/webhook/alertmanager-document';
import { eventually } from '../support/eventually';
import { Producer } from '../support/producer';
import { parseSamples, sumOf, type ScrapedSample } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';
import { WebhookReceiver, type Script } from '../support/webhook-receiver';

const KILLS = Number(process.env['GATEWATCH_OUTBOX_KILLS'] ?? 4);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
const TOKEN = 'a-token-for-the-test';

/** One of each in turn. */
const MOMENTS = ['a letter was given', 'a letter was answered', 'any'] as const;

/** After so long the end of a letter is on disk, ms. */
const WRITTEN_AFTER_MS = 150;

/** How a receiver answers, and how often of all. */
const FAULTS: readonly (readonly [share: number, script: Script])[] = [
  [0.2, { status: 503 }],
  [0.1, 'reset'],
  [0.1, 'hang'],
  [0.1, { status: 429, headers: { 'retry-after': '1' } }],
  [0.05, 'garbage'],
];

const OK: Script = { status: 200 };

/** The shaky receiver takes nothing, and then takes everything, through so many kills. */
const KILLS_OF_AN_OUTAGE = 3;

/** An alert that fires a third time in an hour is flapping, and takes its time to resolve. */
const MOST_TROUBLES = 2;

jest.setTimeout(1_800_000);

/** The same for every telling of one change of one alert. */
interface Told {
  readonly id: string;
  readonly body: string;
  readonly service: string;
  /** `firing 2026-03-01T10:00:00.000Z`: with the moment when the alert began. */
  readonly change: string;
}

async function scrape({ url }: SidecarProcess): Promise<ScrapedSample[]> {
  return parseSamples(await (await fetch(`${url}/metrics`)).text());
}

/** Services that have their troubles, and the traffic that shows them. */
class Troubles {
  readonly services = new Map<string, { isFailing: boolean; troubles: number }>();
  readonly #producer: Producer;
  readonly #traffic: NodeJS.Timeout;

  constructor(sidecarUrl: string) {
    this.#producer = new Producer({ sidecar_url: sidecarUrl, sidecar_token: TOKEN });
    this.#traffic = setInterval(() => this.#observe(), 200);
  }

  /** Some begin, some end; two fail at the least. */
  change(random: () => number): void {
    for (const service of this.services.values())
      if (service.isFailing) service.isFailing = random() < 0.4;
      else if (service.troubles < MOST_TROUBLES && random() < 0.5) {
        service.isFailing = true;
        service.troubles += 1;
      }
    while ([...this.services.values()].filter(({ isFailing }) => isFailing).length < 2) this.begin();
  }

  /** One more. */
  begin(): void {
    this.services.set(`s${this.services.size}`, { isFailing: true, troubles: 1 });
  }

  end(): void {
    for (const service of this.services.values()) service.isFailing = false;
  }

  async close(): Promise<void> {
    clearInterval(this.#traffic);
    await this.#producer.close();
  }

  #observe(): void {
    for (const [service, { isFailing }] of this.services)
      for (let one = 0; one < 3; one += 1)
        if (isFailing)
          this.#producer.observe(500, { service, errorType: 'upstream_server_error', severity: 'error' });
        else this.#producer.observe(200, { service });
  }
}

it(`tells of everything in order and of nothing else, through ${KILLS} kills (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const [hook, shaky, spare] = await Promise.all([
    WebhookReceiver.start(),
    WebhookReceiver.start(),
    WebhookReceiver.start(),
  ]);
  const receivers = [hook, shaky, spare];
  const common = 'timeout: 1s, allow_private_addresses: true';
  const sidecar = await SidecarProcess.start(`
token: ${TOKEN}
evaluation_interval: 1s
rules:
  - { name: error_rate, error_rate_threshold: 0.1, window: 10s, for: 0s, keep_firing_for: 0s, minimum_requests: 10, severity: critical, confidence: off }
notifications: { group_interval: 0s, repeat_interval: 1d, inhibit: [], escalation: [{ after: 0s, channels: [hook, shaky] }] }
channels:
  - { name: hook, type: webhook, url: '${hook.url()}', ${common} }
  - { name: shaky, type: webhook, url: '${shaky.url()}', deadline: 10s, fallback: spare, ${common} }
  - { name: spare, type: webhook, url: '${spare.url()}', ${common} }
`);
  const troubles = new Troubles(sidecar.url);
  const scripted = new Map<WebhookReceiver, number>();
  let toldToSpare = 0;
  const stopScripts = new AbortController();
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const isDown = Math.floor(kill / KILLS_OF_AN_OUTAGE) % 2 === 0;
      if (isDown && kill % KILLS_OF_AN_OUTAGE === 0) {
        toldToSpare = spare.requests.length;
        troubles.begin();
      }
      troubles.change(random);
      shaky.otherwise = isDown ? (FAULTS[kill % FAULTS.length]?.[1] ?? 'hang') : OK;
      for (const receiver of [hook, spare]) {
        // No more than it uses up soon.
        const left = Math.max(0, (scripted.get(receiver) ?? 0) - receiver.requests.length);
        const more = Array.from({ length: Math.max(0, 4 - left) }, () => chosen(random()));
        receiver.answer(...more);
        scripted.set(receiver, receiver.requests.length + left + more.length);
      }
      // The moment is what is tried here.
      const moment = MOMENTS[kill % MOMENTS.length];
      if (moment === 'any') await delay(random() * 4_000);
      else
        await Promise.any([nextLetter(receivers), delay(20_000, undefined, { signal: stopScripts.signal })]);
      if (moment === 'a letter was answered') await delay(random() * WRITTEN_AFTER_MS);
      // It lasts until it has told.
      if (isDown && kill % KILLS_OF_AN_OUTAGE === KILLS_OF_AN_OUTAGE - 1)
        await spare.received(toldToSpare + 1);
      await sidecar.end('SIGKILL');
      await sidecar.start();
    }
    stopScripts.abort();
    shaky.otherwise = OK;
    troubles.end();
    await eventually(async () => {
      const samples = await scrape(sidecar);
      expect(sumOf(samples, 'gatewatch_alerts_active')).toBe(0);
      expect(sumOf(samples, 'gatewatch_notifications_queued')).toBe(0);
      // With what a fallback is about to be given.
      const told = new Set([...toldTo(shaky), ...toldTo(spare)].map(changeOf));
      for (const change of await changes(sidecar.url)) expect(told).toContain(change);
    }, 600_000);
    // What is posted when the last of these has ended is posted now.
    await sidecar.restart();
    await eventually(async () =>
      expect(sumOf(await scrape(sidecar), 'gatewatch_notifications_queued')).toBe(0),
    );

    const happened = await changes(sidecar.url);
    expect(happened.length).toBeGreaterThanOrEqual(4);
    expect((await scrape(sidecar)).filter(({ name }) => name === 'gatewatch_dead_letters')).toMatchObject([
      { value: 0 },
    ]);
    for (const receiver of receivers) {
      const told = toldTo(receiver);
      // What comes again is the same.
      const bodies = new Set(told.map(({ id, body }) => `${id} ${body}`));
      expect(bodies.size).toBe(new Set(told.map(({ id }) => id)).size);
      for (const service of troubles.services.keys()) {
        const own = happened.filter((change) => change.startsWith(`${service} `));
        const heard = told.filter((one) => one.service === service).map(changeOf);
        // Repeats after kills aside, in the order in which it happened; and nothing else.
        const first = [...new Set(heard)];
        expect(first).toEqual(own.filter((change) => first.includes(change)));
        if (receiver === hook) {
          expect(first).toEqual(own);
          expect(heard.at(-1)).toBe(own.at(-1));
        }
      }
    }
    const inItsPlace = new Set([...toldTo(shaky), ...toldTo(spare)].map(changeOf));
    expect([...inItsPlace].sort()).toEqual([...happened].sort());
    const toSpare = new Set(toldTo(spare).map(changeOf));
    expect(toSpare.size).toBeGreaterThan(0);
    for (const change of toSpare) expect(toSpare).toContain(change.replace(' firing ', ' resolved '));
    process.stderr.write(
      `${KILLS} kills: ${happened.length} changes of ${troubles.services.size} services, ` +
        `${toSpare.size} told to the fallback, ${repeats(receivers)} letters repeated\n`,
    );
  } finally {
    await troubles.close();
    await sidecar.remove();
    await Promise.all(receivers.map((receiver) => receiver.close()));
  }
});

describe('a kill between what a receiver answers and our note of it', () => {
  it('makes the same letter come again under the same id, signed, and once it is noted it comes no more', async () => {
    const secret = `whsec_${Buffer.from('a key of thirty-two bytes, no more').toString('base64')}`;
    const hook = await WebhookReceiver.start();
    const sidecar = await SidecarProcess.start(`
evaluation_interval: 1s
kong: { status_urls: 'http://127.0.0.1:9', interval: 1s }
rules: [{ name: gone, kong_unreachable: true, for: 0s }]
channels:
  - { name: hook, type: webhook, url: '${hook.url()}', allow_private_addresses: true, signing_secrets: ['${secret}'] }
`);
    const rounds = async (more: number): Promise<void> => {
      const count = async (): Promise<number> =>
        sumOf(await scrape(sidecar), 'gatewatch_evaluation_rounds_total', { result: 'ok' });
      const before = await count();
      await eventually(async () => expect(await count()).toBeGreaterThanOrEqual(before + more));
    };
    try {
      for (let kill = 1; kill <= 3; kill += 1) {
        await hook.received(kill);
        await sidecar.end('SIGKILL');
        await sidecar.start();
      }
      await hook.received(4);
      await sidecar.says(/"msg":"notification sent"/);
      // Each writes down what has ended.
      await rounds(2);
      await sidecar.end('SIGKILL');
      await sidecar.start();
      await rounds(3);
      expect(hook.requests).toHaveLength(4);
      expect(new Set(hook.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(new Set(hook.requests.map(({ body }) => body)).size).toBe(1);
      for (const { headers, body } of hook.requests)
        new Webhook(secret).verify(body, headers as Record<string, string>);
    } finally {
      await sidecar.remove();
      await hook.close();
    }
  });
});

function chosen(random: number): Script {
  let above = 0;
  return FAULTS.find(([share]) => (above += share) > random)?.[1] ?? OK;
}

/** Settles when any of them has got one more and has begun to answer. */
async function nextLetter(receivers: readonly WebhookReceiver[]): Promise<void> {
  await Promise.any(receivers.map((receiver) => receiver.received(receiver.requests.length + 1)));
}

/** Every telling, in order. */
function toldTo({ requests }: WebhookReceiver): Told[] {
  return requests.flatMap(({ headers, body }) =>
    (JSON.parse(body) as AlertmanagerDocument).alerts.map(({ labels, status, startsAt }) => ({
      id: String(headers['webhook-id']),
      body,
      service: labels['service'] ?? '',
      change: `${status} ${startsAt}`,
    })),
  );
}

function changeOf({ service, change }: Told): string {
  return `${service} ${change}`;
}

function repeats(receivers: readonly WebhookReceiver[]): number {
  const ids = receivers.flatMap(({ requests }) => requests.map(({ headers }) => headers['webhook-id']));
  return ids.length - new Set(ids).size;
}

/** From the history, in the order in which it happened: `service firing since`. */
async function changes(url: string): Promise<string[]> {
  const since = new Map<string, string>();
  const events = [...(await history(url, 'fired')), ...(await history(url, 'resolved'))];
  return events
    .sort((a, b) => a.sequence - b.sequence)
    .map((event) => {
      const service = event.labels['service'] ?? '';
      if (event.since !== undefined) since.set(service, event.since);
      return `${service} ${event.kind === 'fired' ? 'firing' : 'resolved'} ${since.get(service)}`;
    });
}

interface HistoryEvent {
  readonly sequence: number;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly since?: string;
}

async function history(url: string, kind: string): Promise<readonly HistoryEvent[]> {
  const answer = await fetch(`${url}/api/v1/alerts/history?kind=${kind}&limit=1000`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { events: HistoryEvent[] }).events;
}
