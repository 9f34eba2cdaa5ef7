// A sidecar that is killed again and again while alerts come and go and its channels fail in every way: each channel is told of each
// firing at least once and in order, and is told in the end that it is over; what nobody fired is told to nobody.
// GATEWATCH_OUTBOX_KILLS and GATEWATCH_FAULT_SEED make a longer or another run.
import { setTimeout as delay } from 'node:timers/promises';
import type { AlertmanagerDocument } from '../../sidecar/channel/webhook/alertmanager-document';
import { eventually } from '../support/eventually';
import { Producer } from '../support/producer';
import { parseSamples, sumOf, type ScrapedSample } from '../support/samples';
import { seededRandom } from '../support/seeded-random';
import { SidecarProcess } from '../support/sidecar-process';
import { WebhookReceiver, type Script } from '../support/webhook-receiver';

const KILLS = Number(process.env['GATEWATCH_OUTBOX_KILLS'] ?? 5);
const SEED = Number(process.env['GATEWATCH_FAULT_SEED'] ?? 1);
const SERVICES = ['a', 'b', 'c'];
const TOKEN = 'a-token-for-the-test';

/** How a receiver answers, and how often of all. */
const FAULTS: readonly (readonly [share: number, script: Script])[] = [
  [0.2, { status: 503 }],
  [0.1, 'reset'],
  [0.1, 'hang'],
  [0.1, { status: 429, headers: { 'retry-after': '1' } }],
  [0.05, 'garbage'],
];

jest.setTimeout(1_800_000);

interface Told {
  readonly id: string;
  readonly service: string;
  readonly status: string;
  /** Of the alert, ISO. */
  readonly startsAt: string;
}

it(`tells each channel of each firing and of its end, in order, through ${KILLS} kills (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const [hook, shaky, spare] = await Promise.all([
    WebhookReceiver.start(),
    WebhookReceiver.start(),
    WebhookReceiver.start(),
  ]);
  const sidecar = await SidecarProcess.start(`
token: ${TOKEN}
evaluation_interval: 1s
rules:
  - { name: error_rate, error_rate_threshold: 0.1, window: 10s, for: 0s, keep_firing_for: 0s, severity: critical, confidence: off }
notifications: { group_interval: 0s, repeat_interval: 1d, inhibit: [] }
channels:
  - { name: hook, type: webhook, url: '${hook.url()}', timeout: 1s, allow_private_addresses: true }
  - { name: shaky, type: webhook, url: '${shaky.url()}', timeout: 1s, deadline: 10s, fallback: spare, allow_private_addresses: true }
  - { name: spare, type: webhook, url: '${spare.url()}', timeout: 1s, allow_private_addresses: true }
`);
  const producer = new Producer({ sidecar_url: sidecar.url, sidecar_token: TOKEN });
  const isFailing = new Map(SERVICES.map((service) => [service, false]));
  const observe = (): void => {
    for (const service of SERVICES)
      for (let one = 0; one < 10; one++)
        if (isFailing.get(service) === true)
          producer.observe(500, { service, errorType: 'upstream_server_error', severity: 'error' });
        else producer.observe(200, { service });
  };
  const traffic = setInterval(observe, 200);
  const scrape = async (): Promise<ScrapedSample[]> =>
    parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      for (const service of SERVICES) isFailing.set(service, random() < 0.5);
      for (const receiver of [hook, shaky, spare])
        receiver.answer(...Array.from({ length: 4 }, () => chosen(random())));
      // The moment is what is tried here.
      await delay(random() * 4_000);
      await sidecar.end('SIGKILL');
      await sidecar.start();
    }
    // One firing at least in any run.
    isFailing.set('a', true);
    await eventually(async () => expect(sumOf(await scrape(), 'gatewatch_alerts_active')).toBeGreaterThan(0));
    for (const service of SERVICES) isFailing.set(service, false);
    await eventually(async () => {
      const samples = await scrape();
      expect(sumOf(samples, 'gatewatch_alerts_active')).toBe(0);
      expect(sumOf(samples, 'gatewatch_notifications_queued')).toBe(0);
    }, 180_000);

    const fired = await firings(sidecar.url);
    expect(fired.size).toBeGreaterThan(0);
    expect((await scrape()).filter(({ name }) => name === 'gatewatch_dead_letters')).toMatchObject([
      { value: 0 },
    ]);
    const told = toldTo(hook);
    expect(new Set(told.filter(({ status }) => status === 'firing').map(firingOf))).toEqual(fired);
    for (const service of SERVICES) {
      const own = told.filter((one) => one.service === service).map(({ status }) => status);
      expect(own).toEqual(own.map((_, index) => (index % 2 === 0 ? 'firing' : 'resolved')));
      expect(own.length % 2).toBe(0);
    }
    const [atShaky, atSpare] = [toldTo(shaky), toldTo(spare)];
    const firing = [...atShaky, ...atSpare].filter(({ status }) => status === 'firing').map(firingOf);
    expect(new Set(firing)).toEqual(fired);
    for (const channel of [atShaky, atSpare])
      for (const service of SERVICES) {
        const last = channel.findLast((one) => one.service === service);
        expect(last?.status ?? 'resolved').toBe('resolved');
      }
  } finally {
    clearInterval(traffic);
    await producer.close();
    await sidecar.remove();
    await Promise.all([hook, shaky, spare].map((receiver) => receiver.close()));
  }
});

function chosen(random: number): Script {
  let above = 0;
  return FAULTS.find(([share]) => (above += share) > random)?.[1] ?? { status: 200 };
}

/** What reached it and was new to it: a letter that is told again has the id that it had. A fault may have come behind a letter. */
function toldTo({ requests }: WebhookReceiver): Told[] {
  const seen = new Set<string>();
  return requests.flatMap(({ headers, body }) => {
    const id = String(headers['webhook-id']);
    if (seen.has(id)) return [];
    seen.add(id);
    return (JSON.parse(body) as AlertmanagerDocument).alerts.map(({ labels, status, startsAt }) => ({
      id,
      service: labels['service'] ?? '',
      status,
      startsAt,
    }));
  });
}

function firingOf({ service, startsAt }: Told): string {
  return `${service} ${startsAt}`;
}

/** From the history: `service since`. */
async function firings(url: string): Promise<Set<string>> {
  const answer = await fetch(`${url}/api/v1/alerts/history?kind=fired&limit=1000`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(answer.status).toBe(200);
  const { events } = (await answer.json()) as {
    events: { labels: Record<string, string>; since: string }[];
  };
  return new Set(events.map(({ labels, since }) => `${labels['service'] ?? ''} ${since}`));
}
