// The API over its real listener, on a sidecar in this process with alerts that fire for real. Every answer is held against the API's
// document, and the document against the specification of OpenAPI.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hashSync } from 'bcryptjs';
import fc from 'fast-check';
import type { Router } from 'express';
import { systemClock } from '../../../sidecar/clock';
import type {
  AlertDetail,
  AlertDocument,
  DeadLetterDocument,
  ErrorDocument,
  EventDocument,
  SilenceDocument,
} from '../../../sidecar/http/api/answer-shapes';
import { createApi } from '../../../sidecar/http/api/api';
import { API_ROUTES } from '../../../sidecar/http/api/api-routes';
import { renderList } from '../../../sidecar/http/api/render-list';
import { Authority } from '../../support/certificates';
import { deltaOf } from '../../support/batches';
import { DOCUMENT, DocumentedApi, type ApiAnswer } from '../../support/documented-api';
import { eventually } from '../../support/eventually';
import { ask, basic } from '../../support/http-answer';
import { IDLE_API } from '../../support/idle-api';
import { parseSamples, sumOf } from '../../support/samples';
import { SidecarInProcess, type InProcessOptions } from '../../support/sidecar-in-process';
import { EAGER_RULES, troubledTraffic } from '../../support/troubled-traffic';
import { WebhookReceiver } from '../../support/webhook-receiver';

const TOKEN = 'a-token-for-tests-only';
const BEARER = { authorization: `Bearer ${TOKEN}` };
const HASH = hashSync('wonderland', 4);
const USERS = `basic_auth_users:\n  alice: "${HASH}"\n`;
const ALICE = { authorization: basic('alice', 'wonderland') };
/** A receiver of notifications that does not exist, at an address that is a secret. */
const CHANNELS = channelsAt('http://127.0.0.1:9/a-secret-path');

function channelsAt(url: string): string {
  return `channels:\n  - { name: hook, type: webhook, url: "${url}", allow_private_addresses: true }`;
}

const running: SidecarInProcess[] = [];
const apis: DocumentedApi[] = [];

afterAll(async () => {
  await Promise.all(running.map((sidecar) => sidecar.remove()));
});

async function start(
  options: InProcessOptions = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ sidecar: SidecarInProcess; api: DocumentedApi }> {
  const sidecar = await SidecarInProcess.start(options);
  running.push(sidecar);
  const api = new DocumentedApi(() => sidecar.url, headers);
  apis.push(api);
  return { sidecar, api };
}

/** With an alert of checkout and one of search that fire, and one of search that is pending. */
async function startTroubled(): Promise<{ sidecar: SidecarInProcess; api: DocumentedApi }> {
  const settings = `token: ${TOKEN}\n${EAGER_RULES}\n${CHANNELS}\nlinks: { external_url: "https://gatewatch.example" }`;
  const started = await start({ settings }, BEARER);
  await started.sidecar.post(troubledTraffic(), BEARER);
  await eventually(async () => expect(await alertsOf(started.api, '?state=active')).toHaveLength(2));
  return started;
}

async function alertsOf(api: DocumentedApi, query = ''): Promise<AlertDocument[]> {
  const { json } = await api.get(`/api/v1/alerts${query}`);
  return (json as { alerts: AlertDocument[] }).alerts;
}

async function idOf(api: DocumentedApi, rule: string, service: string): Promise<string> {
  const [alert] = await alertsOf(api, `?rule=${rule}&service=${service}&state=active,pending,inactive`);
  if (!alert) throw new Error(`there is no alert of ${rule} for ${service}`);
  return alert.id;
}

function fieldsOf({ json }: ApiAnswer): string[] {
  return ((json as ErrorDocument).faults ?? []).map(({ field }) => field);
}

describe('the alerts', () => {
  let sidecar: SidecarInProcess;
  let api: DocumentedApi;
  beforeAll(async () => ({ sidecar, api } = await startTroubled()));

  it('are told with all that a person needs, what fires first and of that the most severe', async () => {
    const answer = await api.get('/api/v1/alerts');
    const { total, alerts } = answer.json as { total: number; alerts: AlertDocument[] };
    expect(total).toBe(alerts.length);
    expect(alerts.map(({ rule, state, severity }) => `${rule} ${state} ${severity}`)).toEqual([
      'error_rate firing critical',
      'latency firing warning',
      'slow_for_long pending info',
    ]);
    const [alert] = alerts;
    expect(alert).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      title: 'High error rate: 50% on service checkout',
      rule: 'error_rate',
      kind: 'error_rate',
      level: 'service',
      labels: { service: 'checkout' },
      state: 'firing',
      severity: 'critical',
      value: 0.5,
      value_text: '50%',
      threshold: 0.01,
      threshold_text: '1%',
      samples: 100,
      doubt: null,
      since: expect.any(String) as string,
      fired_at: expect.any(String) as string,
      resolved_at: null,
      acknowledged: null,
      flapping: false,
      muted: null,
      links: [{ name: 'gatewatch', url: 'https://gatewatch.example/' }],
    });
    expect(Math.abs(Date.parse(alert?.fired_at ?? '') - Date.now())).toBeLessThan(30_000);
  });

  it('can be asked for by state, severity, rule and service, several of each, and a few at a time', async () => {
    const titles = async (query: string): Promise<string[]> =>
      (await alertsOf(api, query)).map(({ rule, labels }) => `${rule} ${labels.service ?? ''}`);
    const firing = ['error_rate checkout', 'latency search'];
    for (const query of ['?state=active', '?state=firing', '?state=firing,acknowledged,resolved'])
      expect([query, await titles(query)]).toEqual([query, firing]);
    expect(await titles('?state=firing&state=pending')).toEqual([...firing, 'slow_for_long search']);
    expect(await titles('?state=acknowledged')).toEqual([]);
    expect(await titles('?severity=info,critical')).toEqual(['error_rate checkout', 'slow_for_long search']);
    expect(await titles('?rule=latency,error_rate&service=search')).toEqual(['latency search']);
    expect(await titles('?service=search&service=checkout&state=active')).toEqual(firing);
    expect(await titles('?service=search,checkout')).toEqual([]);
    expect(await titles('?service=')).toEqual([]);
    expect(await titles('?state=inactive&service=orders')).toHaveLength(3);
    const { json } = await api.get('/api/v1/alerts?limit=1');
    expect(json).toMatchObject({ total: 3, alerts: [{ rule: 'error_rate' }] });
  });

  it.each([
    [
      '?state=burning',
      'state',
      'one of active, inactive, unknown, pending, firing, acknowledged, resolved',
      '"burning"',
    ],
    [
      '?state=firing,',
      'state',
      'one of active, inactive, unknown, pending, firing, acknowledged, resolved',
      '""',
    ],
    ['?severity=fatal', 'severity', 'one of info, warning, error, critical', '"fatal"'],
    ['?limit=0', 'limit', 'a whole number from 1 to 10000', '0'],
    ['?limit=10001', 'limit', 'a whole number from 1 to 10000', '10001'],
    ['?limit=ten', 'limit', 'a whole number from 1 to 10000', '"ten"'],
    ['?limit=1&limit=2', 'limit', 'a whole number from 1 to 10000', 'a list'],
    ['?servce=a', 'servce', 'one of state, severity, rule, service, limit', 'servce (did you mean service?)'],
    ['?constructor=a', 'constructor', 'one of state, severity, rule, service, limit', 'constructor'],
  ])('are not told for %s, whose fault is named', async (query, field, expected, found) => {
    const { status, json } = await api.get(`/api/v1/alerts${query}`);
    expect([status, json]).toEqual([
      400,
      {
        error: `${field}: expected ${expected}, found ${found}`,
        faults: [{ field, expected, found }],
      },
    ]);
  });

  it('are told one by one with where it fails and what happened', async () => {
    const [alert] = await alertsOf(api);
    const { json } = await api.get(`/api/v1/alerts/${alert?.id ?? ''}`);
    const { evidence, events, ...told } = json as AlertDetail;
    expect(told.alert).toMatchObject({ id: alert?.id, title: alert?.title });
    expect(evidence).toEqual({
      operations: [{ service: 'checkout', operation: 'POST pay', requests: 100, errors: 50, p95_ms: 30 }],
      error_types: [{ error_type: 'upstream_unreachable', requests: 50, errors: 50 }],
      addresses: [{ address: '10.0.0.7:8080', failures: 50 }],
    });
    expect(events).toMatchObject([{ kind: 'fired', alert_id: alert?.id, value: 0.5, severity: 'critical' }]);
    for (const id of ['0123456789abcdef', 'checkout', '%2e%2e', '../'.replace('/', '%2F')])
      expect((await api.get(`/api/v1/alerts/${id}`)).status).toBe(404);
    expect((await api.get(`/api/v1/alerts/${alert?.id ?? ''}?x=1`)).json).toMatchObject({
      faults: [{ field: 'x', expected: 'no parameters' }],
    });
  });

  it('are told to a client that only asks for the headers', async () => {
    const answer = await ask(`${sidecar.url}/api/v1/alerts`, { method: 'HEAD', headers: BEARER });
    expect([answer.status, answer.body]).toEqual([200, '']);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

describe('the history', () => {
  it('is told in pages that hold each event once, and by alert, rule, kind and time', async () => {
    const { api } = await startTroubled();
    const id = await idOf(api, 'error_rate', 'checkout');
    await api.post(`/api/v1/alerts/${id}/acknowledge`, { by: 'alice' });
    await api.post('/api/v1/silences', {
      matchers: ['service="orders"'],
      duration: '1h',
      created_by: 'alice',
      comment: 'a test',
    });
    const page = async (query: string): Promise<{ events: EventDocument[]; next: number | null }> =>
      (await api.get(`/api/v1/alerts/history${query}`)).json as {
        events: EventDocument[];
        next: number | null;
      };
    const { events: all } = await page('');
    expect(all.map(({ kind }) => kind)).toEqual(['silence_created', 'acknowledged', 'fired', 'fired']);

    const gathered: EventDocument[] = [];
    let before: number | null = null;
    do {
      const { events, next } = await page(`?limit=3${before === null ? '' : `&before=${String(before)}`}`);
      gathered.push(...events);
      before = next;
    } while (before !== null);
    expect(gathered).toEqual(all);

    expect((await page(`?alert=${id}`)).events.map(({ kind }) => kind)).toEqual(['acknowledged', 'fired']);
    expect((await page('?rule=latency')).events).toMatchObject([
      { kind: 'fired', rule: 'latency', value: 900 },
    ]);
    expect((await page('?kind=silence_created')).events).toMatchObject([
      { matchers: ['service="orders"'], by: 'alice', comment: 'a test' },
    ]);
    const acknowledged = all[1]?.at ?? '';
    const since = (await page(`?since=${encodeURIComponent(acknowledged)}`)).events;
    const until = (await page(`?until=${encodeURIComponent(acknowledged)}`)).events;
    expect([...since, ...until]).toEqual(all);
    expect(since.map(({ kind }) => kind)).toContain('acknowledged');
    expect(until.map(({ kind }) => kind)).not.toContain('acknowledged');

    const wrong = await api.get(
      '/api/v1/alerts/history?alert=x&kind=fire&since=yesterday&limit=1001&before=0',
    );
    expect([wrong.status, fieldsOf(wrong)]).toEqual([400, ['alert', 'kind', 'since', 'limit', 'before']]);
  });
});

describe('an acknowledgement', () => {
  it('says who and why, is the same if it is said again, and outlives a restart', async () => {
    const { sidecar, api } = await startTroubled();
    const id = await idOf(api, 'error_rate', 'checkout');
    const acknowledge = (document: unknown): Promise<ApiAnswer> =>
      api.post(`/api/v1/alerts/${id}/acknowledge`, document);
    const first = await acknowledge({ by: ' alice ', comment: 'on it' });
    expect([first.status, first.json]).toEqual([
      200,
      {
        alert: expect.objectContaining({
          id,
          state: 'acknowledged',
          acknowledged: { by: 'alice', comment: 'on it', at: expect.any(String) as string },
        }) as AlertDocument,
      },
    ]);
    const acknowledged = (answer: ApiAnswer): unknown =>
      (answer.json as { alert: AlertDocument }).alert.acknowledged;
    expect(acknowledged(await acknowledge({ by: 'alice' }))).toEqual(acknowledged(first));
    expect(acknowledged(await acknowledge({ by: 'bob' }))).toMatchObject({ by: 'bob', comment: '' });
    const { events } = (await api.get(`/api/v1/alerts/history?alert=${id}&kind=acknowledged`)).json as {
      events: EventDocument[];
    };
    expect(events).toMatchObject([{ by: 'bob' }, { by: 'alice', comment: 'on it' }]);

    await sidecar.restart();
    const again = await eventually(async () => {
      const answer = await api.get(`/api/v1/alerts/${id}`);
      expect(answer.status).toBe(200);
      return (answer.json as AlertDetail).alert;
    });
    expect(again).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'bob' } });
  });

  it('is refused for what does not fire, what is not there, and what nobody says', async () => {
    const { api } = await startTroubled();
    const pending = await idOf(api, 'slow_for_long', 'search');
    const fine = await idOf(api, 'latency', 'orders');
    const refused = async (id: string, document: unknown): Promise<[number, string]> => {
      const { status, json } = await api.post(`/api/v1/alerts/${id}/acknowledge`, document);
      return [status, (json as ErrorDocument).error];
    };
    expect(await refused(pending, { by: 'alice' })).toEqual([
      409,
      `the alert ${pending} does not fire: it is pending`,
    ]);
    expect(await refused(fine, { by: 'alice' })).toEqual([
      409,
      `the alert ${fine} does not fire: it is inactive`,
    ]);
    expect(await refused('0123456789abcdef', { by: 'alice' })).toEqual([
      404,
      'there is no alert "0123456789abcdef"',
    ]);
    expect(await refused(pending, {})).toEqual([
      422,
      'by: expected who it is, in at most 200 characters, found nothing',
    ]);
    for (const [document, fields] of [
      [{ by: ' ' }, ['by']],
      [{ by: 'x'.repeat(201), comment: 'x'.repeat(1_001) }, ['by', 'comment']],
      [{ by: 3, comment: null, at: 5 }, ['by', 'comment', 'at']],
      [[], ['']],
      [null, ['']],
    ] as const)
      expect(fieldsOf(await api.post(`/api/v1/alerts/${pending}/acknowledge`, document))).toEqual(fields);
  });
});

describe('a silence', () => {
  const SPACES = `service=x${' '.repeat(60_000)}x`;
  const NIGHT = { matchers: ['service="checkout"'], created_by: 'alice', comment: 'a deployment' };

  it('mutes what matches until it ends, and is told as long as it lasts', async () => {
    const { api } = await startTroubled();
    const made = await api.post('/api/v1/silences', { ...NIGHT, duration: '2h' });
    const { silence } = made.json as { silence: SilenceDocument };
    expect(silence).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      state: 'active',
      matchers: ['service="checkout"'],
      starts_at: silence.created_at,
      ends_at: expect.any(String) as string,
      created_by: 'alice',
      comment: 'a deployment',
      created_at: expect.any(String) as string,
    });
    const lastsMs = Date.parse(silence.ends_at) - Date.parse(silence.starts_at);
    expect(Math.abs(lastsMs - 7_200_000)).toBeLessThan(1_000);
    const [alert, other] = await alertsOf(api);
    expect(alert?.muted).toEqual({
      silences: [silence.id],
      maintenance: [],
      inhibited_by: null,
      waits_for_digest: false,
    });
    expect(other?.muted).toBeNull();

    const startsAt = new Date(Date.now() + 3_600_000).toISOString();
    const later = await api.post('/api/v1/silences', {
      ...NIGHT,
      matchers: [
        { label: 'severity', operator: '=~', value: 'info|warning' },
        { label: 'service', operator: '=', value: 'a "quoted" one' },
      ],
      starts_at: startsAt.replace('Z', '+00:00'),
      duration: '30m',
    });
    expect(later.json).toMatchObject({
      silence: {
        state: 'pending',
        matchers: ['severity=~"info|warning"', 'service="a \\"quoted\\" one"'],
        starts_at: startsAt,
        ends_at: new Date(Date.parse(startsAt) + 1_800_000).toISOString(),
      },
    });
    const idsIn = async (query: string): Promise<string[]> => {
      const { json } = await api.get(`/api/v1/silences${query}`);
      return (json as { silences: SilenceDocument[] }).silences.map(({ id }) => id);
    };
    const laterId = (later.json as { silence: SilenceDocument }).silence.id;
    expect(await idsIn('')).toEqual([silence.id, laterId]);
    expect(await idsIn('?state=pending')).toEqual([laterId]);
    expect(fieldsOf(await api.get('/api/v1/silences?state=ended'))).toEqual(['state']);

    const end = (id: string, query = '?by=bob'): Promise<ApiAnswer> =>
      api.ask('DELETE', `/api/v1/silences/${id}${query}`);
    const ended = await end(silence.id);
    expect([ended.status, ended.json]).toMatchObject([
      200,
      { silence: { id: silence.id, state: 'expired' } },
    ]);
    expect((await end(silence.id)).json).toEqual(ended.json);
    expect((await alertsOf(api))[0]?.muted).toBeNull();
    expect(await idsIn('')).toEqual([laterId]);
    expect(await idsIn('?state=expired')).toEqual([silence.id]);
    const { json } = await api.get('/api/v1/alerts/history?kind=silence_expired');
    expect((json as { events: EventDocument[] }).events).toMatchObject([
      { silence_id: silence.id, by: 'bob' },
    ]);
    expect((await end('0123456789abcdef')).status).toBe(404);
    for (const query of ['', '?by=', '?by=%20', `?by=${'x'.repeat(201)}`])
      expect(fieldsOf(await end(laterId, query))).toEqual(['by']);
  });

  it('is refused with every fault named by its field, and then there is none', async () => {
    const { api } = await start({ settings: `token: ${TOKEN}` }, BEARER);
    const right = { ...NIGHT, duration: '2h' };
    const past = '2020-01-01T00:00:00Z';
    const cases: [string, object, [field: string, expected: string | RegExp, found: string][]][] = [
      ['no matcher', { ...right, matchers: [] }, [['matchers', /at least one/, 'a list']]],
      [
        'matchers that are none',
        { ...right, matchers: ['checkout', 'label="x"', 'service=~"("', 7] },
        [
          ['matchers[0]', /a matcher such as/, '"checkout"'],
          ['matchers[1]', /a matcher of one of rule, kind/, '"label=\\"x\\""'],
          ['matchers[2]', /RE2/, '"service=~\\"(\\""'],
          ['matchers[3]', /a matcher such as/, '7'],
        ],
      ],
      [
        'parts of a matcher that do not fit',
        { ...right, matchers: [{ label: 'host', operator: '==', value: 1, extra: 1 }] },
        [
          ['matchers[0].label', /one of rule, kind/, '"host"'],
          ['matchers[0].operator', 'one of =, !=, =~, !~', '"=="'],
          ['matchers[0].value', 'a text', '1'],
          ['matchers[0].extra', 'one of label, operator, value', 'extra'],
        ],
      ],
      [
        'an expression that takes too long',
        { ...right, matchers: [{ label: 'service', operator: '=~', value: '(((a?){1,9}){1,9}){1,9}' }] },
        [['matchers[0].value', 'a regular expression that repeats less', '"(((a?){1,9}){1,9}){1,9}"']],
      ],
      [
        'what matches everything',
        { ...right, matchers: ['service=~".*"'] },
        [['matchers', 'at least one that does not match everything', '"service=~\\".*\\""']],
      ],
      ['no end', NIGHT, [['ends_at', 'either ends_at or duration', 'neither']]],
      [
        'two ends',
        { ...right, ends_at: new Date(Date.now() + 60_000).toISOString() },
        [['ends_at', 'either ends_at or duration', 'both']],
      ],
      [
        'an end that is over',
        { ...NIGHT, ends_at: past },
        [['ends_at', 'a moment that is still to come, and after the start', `"${past}"`]],
      ],
      [
        'a day that the month does not have',
        { ...NIGHT, ends_at: '2031-02-30T00:00:00Z' },
        [['ends_at', /a moment such as/, '"2031-02-30T00:00:00Z"']],
      ],
      [
        'a moment without an offset',
        { ...NIGHT, ends_at: '2031-02-01T00:00:00' },
        [['ends_at', /with its offset/, '"2031-02-01T00:00:00"']],
      ],
      [
        'an end in the far future',
        { ...NIGHT, duration: '367d' },
        [['duration', 'a moment within a year', '"367d"']],
      ],
      ['a duration that is none', { ...NIGHT, duration: '0s' }, [['duration', /a duration such as/, '"0s"']]],
      [
        'a matcher with as many spaces as fit',
        { ...NIGHT, duration: '1h', matchers: [SPACES] },
        [
          [
            'matchers[0]',
            'a matcher of at most 2100 characters',
            `${JSON.stringify(SPACES).slice(0, 97)}...`,
          ],
        ],
      ],
      [
        'everything at once',
        { matchers: ['x'], ends_at: past, comment: '  ', who: 'alice' },
        [
          ['matchers[0]', /a matcher such as/, '"x"'],
          ['created_by', 'who silences, in at most 200 characters', 'nothing'],
          ['comment', 'why, in at most 1000 characters', '"  "'],
          ['who', /one of matchers, starts_at, ends_at, duration, created_by, comment/, 'who'],
          ['ends_at', /a moment that is still to come/, `"${past}"`],
        ],
      ],
    ];
    for (const [name, document, faults] of cases) {
      const { status, json } = await api.post('/api/v1/silences', document);
      const expected = faults.map(([field, wanted, found]) => ({
        field,
        expected: typeof wanted === 'string' ? wanted : (expect.stringMatching(wanted) as string),
        found,
      }));
      expect([name, status, (json as ErrorDocument).faults]).toEqual([name, 422, expected]);
    }
    expect((await api.get('/api/v1/silences?state=active,pending,expired')).json).toEqual({ silences: [] });
  });
});

describe('a body', () => {
  it('must be JSON of at most 64 kB that says so', async () => {
    const { sidecar, api } = await start({ settings: `token: ${TOKEN}` }, BEARER);
    const send = async (
      body: string | Uint8Array,
      headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
    ): Promise<[number, string]> => {
      const { status, json } = await api.ask('POST', '/api/v1/silences', { body, headers });
      return [status, (json as ErrorDocument).error];
    };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])
      expect(await send('{}', { 'content-type': type })).toEqual([
        415,
        `expected the header "Content-Type: application/json", found "${type}"`,
      ]);
    expect((await send('{}', {}))[0]).toBe(415);
    expect((await send('{}', { 'content-type': 'application/json; charset=utf-8' }))[0]).toBe(422);
    for (const body of ['', '{', '{"a":1,}', 'NaN', new Uint8Array([0x22, 0xff, 0x22])]) {
      const [status, error] = await send(body);
      expect([status, error]).toEqual([
        400,
        expect.stringMatching(/^expected JSON, found \d+ bytes that are none/),
      ]);
    }
    expect(
      (await send(gzipSync('{}'), { 'content-type': 'application/json', 'content-encoding': 'gzip' }))[0],
    ).toBe(415);
    expect(await send(' '.repeat(64 * 1024 + 1))).toEqual([413, 'expected at most 65536 bytes, found more']);
    expect((await send(' '.repeat(64 * 1024)))[0]).toBe(400);
    // As deep as fits into it.
    const deep = `${'['.repeat(32_000)}${']'.repeat(32_000)}`;
    expect((await send(`{"matchers":${deep}}`))[0]).toBe(422);
    expect((await send(`{"matchers":[${'{"label":'.repeat(6_000)}1${'}'.repeat(6_000)}]}`))[0]).toBe(422);
    expect((await send('{"__proto__":{"comment":"x"},"constructor":1}'))[0]).toBe(422);
    expect(sidecar.log.lines.filter((line) => line.includes('a request failed'))).toEqual([]);
    const samples = parseSamples((await ask(`${sidecar.url}/metrics`)).body);
    const refused = (reason: string): number =>
      sumOf(samples, 'gatewatch_http_refused_requests_total', { reason });
    expect([refused('body_too_large'), refused('encoded_body')]).toEqual([1, 1]);
  });
});

describe('an address or a method that there is not', () => {
  it('is refused as JSON, and told what there is', async () => {
    const { sidecar, api } = await start();
    for (const path of [
      '/api',
      '/api/',
      '/api/v1',
      '/api/v2/alerts',
      '/api/v1/alerts/a/b/c',
      '/API/v1/nothing',
    ])
      expect([path, (await api.get(path)).json]).toEqual([
        path,
        { error: `GET ${path} is not an address of the API; /api/v1/openapi.json tells them` },
      ]);
    const methods: [string, string, string][] = [
      ['PUT', '/api/v1/alerts', 'GET, HEAD'],
      ['POST', '/api/v1/alerts/history', 'GET, HEAD'],
      ['GET', '/api/v1/alerts/0123456789abcdef/acknowledge', 'POST'],
      ['PATCH', '/api/v1/silences', 'GET, HEAD, POST'],
      ['GET', '/api/v1/silences/0123456789abcdef', 'DELETE'],
      ['OPTIONS', '/api/v1/openapi.json', 'GET, HEAD'],
    ];
    for (const [method, path, allowed] of methods) {
      const { status, headers, json } = await api.ask(method, path);
      expect([method, path, status, headers.allow]).toEqual([method, path, 405, allowed]);
      expect(json).toEqual({
        error: `expected ${allowed.replaceAll(', ', ' or ')} for ${path}, found ${method}`,
      });
    }
    expect((await api.get('/api/v1/alerts/%E0%A4%A')).status).toBe(400);
    const other = await ask(`${sidecar.url}/apis`);
    expect([other.status, other.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
    const samples = parseSamples((await ask(`${sidecar.url}/metrics`)).body);
    expect(sumOf(samples, 'gatewatch_http_refused_requests_total', { reason: 'unknown_address' })).toBe(13);
  });
});

describe('a dead letter', () => {
  const receivers: WebhookReceiver[] = [];
  afterAll(async () => {
    await Promise.all(receivers.map((receiver) => receiver.close()));
  });

  async function deadLettersOf(api: DocumentedApi): Promise<DeadLetterDocument[]> {
    const { json } = await api.get('/api/v1/dead-letters');
    const { total, dead_letters: letters } = json as { total: number; dead_letters: DeadLetterDocument[] };
    expect(total).toBe(letters.length);
    return letters;
  }

  async function eventsOf(api: DocumentedApi, query: string): Promise<EventDocument[]> {
    const { json } = await api.get(`/api/v1/alerts/history?${query}`);
    return (json as { events: EventDocument[] }).events;
  }

  /** A receiver that refuses everything for good, and what became of two alerts. */
  async function startRefused(): Promise<{
    sidecar: SidecarInProcess;
    api: DocumentedApi;
    receiver: WebhookReceiver;
    letters: DeadLetterDocument[];
  }> {
    const receiver = await WebhookReceiver.start();
    receivers.push(receiver);
    receiver.otherwise = { status: 404, body: `no such hook: a-secret-path` };
    const settings = `token: ${TOKEN}\n${EAGER_RULES}\n${channelsAt(receiver.url('/a-secret-path'))}`;
    const { sidecar, api } = await start({ settings }, BEARER);
    await sidecar.post(troubledTraffic(), BEARER);
    const letters = await eventually(async () => {
      const found = await deadLettersOf(api);
      expect(found.flatMap(({ alerts }) => alerts)).toHaveLength(2);
      return found;
    });
    return { sidecar, api, receiver, letters };
  }

  it('is told with what it says and why nobody has it, and outlives a restart', async () => {
    const { sidecar, api, letters } = await startRefused();
    const checkout = await idOf(api, 'error_rate', 'checkout');
    const search = await idOf(api, 'latency', 'search');
    expect(letters).toHaveLength(1);
    expect(letters[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      channel: 'hook',
      kind: 'group',
      how: 'refused',
      reason: 'answered 404',
      failures: 0,
      failed_at: expect.any(String) as string,
      told_since: null,
      obsolete: false,
      title: 'CRITICAL: 2 alerts fire',
      alerts: [
        { id: checkout, rule: 'error_rate', occasion: 'fired' },
        { id: search, rule: 'latency', occasion: 'fired' },
      ],
      text: expect.stringMatching(
        /^CRITICAL: High error rate: 50% on service checkout\nThe error rate of [^]*\n\nWARNING: High p95/,
      ) as string,
    });
    expect(Math.abs(Date.parse(letters[0]?.failed_at ?? '') - Date.now())).toBeLessThan(30_000);
    await sidecar.restart();
    expect(await deadLettersOf(api)).toEqual(letters);
    expect((await api.get('/api/v1/dead-letters?limit=1')).json).toMatchObject({
      faults: [{ field: 'limit', expected: 'no parameters' }],
    });
  });

  it('is sent again, and is one no longer once its channel has taken it', async () => {
    const { api, receiver, letters } = await startRefused();
    const [letter] = letters;
    receiver.otherwise = { status: 200 };
    const tries = receiver.requests.length;
    const path = `/api/v1/dead-letters/${letter?.id ?? ''}/send`;
    const sent = await api.ask('POST', path);
    expect([sent.status, sent.json]).toEqual([200, { dead_letter: letter }]);
    expect(await deadLettersOf(api)).toEqual([]);
    await receiver.received(tries + 1);
    // The receiver knows it by its id, which is that of the first try.
    expect(receiver.requests.at(-1)?.headers['webhook-id']).toBe(letter?.id);
    const arrived = await eventually(async () => {
      const events = await eventsOf(api, 'kind=notification_sent');
      expect(events).not.toEqual([]);
      return events;
    });
    expect(arrived).toMatchObject([{ message_id: letter?.id }, { message_id: letter?.id }]);
    expect((await api.ask('POST', path)).json).toEqual({
      error: `there is no dead letter "${letter?.id ?? ''}"`,
    });
  });

  it('is one again where it is refused again', async () => {
    const { api, letters } = await startRefused();
    const [letter] = letters;
    await api.ask('POST', `/api/v1/dead-letters/${letter?.id ?? ''}/send`);
    const again = await eventually(async () => {
      const found = await deadLettersOf(api);
      expect(found).toHaveLength(1);
      return found;
    });
    expect(again[0]).toEqual({ ...letter, failed_at: again[0]?.failed_at });
  });

  it('is discarded by somebody, which is in the history of its alerts', async () => {
    const { api, letters } = await startRefused();
    const path = `/api/v1/dead-letters/${letters[0]?.id ?? ''}`;
    const nobody = await api.ask('DELETE', path);
    expect([nobody.status, fieldsOf(nobody)]).toEqual([400, ['by']]);
    const gone = await api.ask('DELETE', `${path}?by=%20alice`);
    expect([gone.status, gone.json]).toEqual([200, { dead_letter: letters[0] }]);
    expect(await deadLettersOf(api)).toEqual([]);
    const id = await idOf(api, 'error_rate', 'checkout');
    expect(await eventsOf(api, `alert=${id}`)).toMatchObject([
      { kind: 'notification_discarded', channel: 'hook', message_id: letters[0]?.id, by: 'alice' },
      { kind: 'notification_failed', reason: 'refused: answered 404' },
      { kind: 'fired' },
    ]);
    expect(await eventsOf(api, 'kind=notification_discarded')).toHaveLength(2);
    expect((await api.ask('DELETE', `${path}?by=alice`)).status).toBe(404);
  });

  it('cannot be sent again where its channel is gone, and stays', async () => {
    const { sidecar, api, letters } = await startRefused();
    const file = join(sidecar.directory, 'gatewatch.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('name: hook', 'name: another'));
    await sidecar.restart();
    const answer = await api.ask('POST', `/api/v1/dead-letters/${letters[0]?.id ?? ''}/send`);
    expect([answer.status, answer.json]).toEqual([
      409,
      { error: `the channel "hook" of the dead letter ${letters[0]?.id ?? ''} is not configured any more` },
    ]);
    expect(await deadLettersOf(api)).toContainEqual(letters[0]);
  });
});

describe('who may use it', () => {
  const READ = [
    '/api/v1/alerts',
    '/api/v1/silences',
    '/api/v1/dead-letters',
    '/api/v1/openapi.json',
    '/api/v1/nowhere',
    '/API/v1/alerts/',
  ];
  const servers = new Authority('servers');
  const clients = new Authority('clients');
  const { cert, key } = servers.issue('server');
  const TLS = {
    ca: servers.cert,
    files: { 'server.crt': cert, 'server.key': key, 'clients.crt': clients.cert },
  };
  const requiring = (type: string): string =>
    `tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  client_ca_file: clients.crt\n  client_auth_type: ${type}\n`;
  const shown = clients.issue('reader');
  const withToken = `token: ${TOKEN}`;

  type Shows = 'nothing' | 'token' | 'another token' | 'password' | 'another password' | 'certificate';
  const HEADERS: Readonly<Record<Shows, Readonly<Record<string, string>>>> = {
    nothing: {},
    token: BEARER,
    'another token': { authorization: `Bearer ${TOKEN}x` },
    password: ALICE,
    'another password': { authorization: basic('alice', 'wonderlanD') },
    certificate: {},
  };
  const everybody = Object.keys(HEADERS) as Shows[];

  interface Case extends InProcessOptions {
    readonly name: string;
    readonly read: readonly Shows[];
    readonly write: readonly Shows[];
  }
  const cases: Case[] = [
    { name: 'nothing, on loopback', read: everybody, write: everybody },
    { name: 'a token', settings: withToken, read: ['token'], write: ['token'] },
    { name: 'users', web: USERS, read: ['password'], write: everybody },
    {
      name: 'a token and users',
      settings: withToken,
      web: USERS,
      read: ['token', 'password'],
      write: ['token'],
    },
    {
      name: 'a token and client certificates',
      settings: withToken,
      web: requiring('RequireAndVerifyClientCert'),
      ...TLS,
      read: ['token', 'certificate'],
      write: ['token'],
    },
    {
      name: 'a token, and client certificates if there are some',
      settings: withToken,
      web: requiring('VerifyClientCertIfGiven'),
      ...TLS,
      read: ['token'],
      write: ['token'],
    },
  ];

  it.each(cases)('with $name in the configuration', async ({ read, write, ...options }) => {
    const { sidecar, api } = await start(options);
    for (const shows of everybody) {
      const headers = HEADERS[shows];
      const tls =
        options.ca === undefined ? {} : { ca: options.ca, ...(shows === 'certificate' ? shown : {}) };
      if (shows === 'certificate' && options.ca === undefined) continue;
      for (const path of READ) {
        const { status, headers: answered } = await api.get(path, { headers, ...tls });
        const mayRead = path.endsWith('nowhere') ? 404 : 200;
        expect([shows, path, status < 401 || status === 404 ? mayRead : 'refused']).toEqual([
          shows,
          path,
          read.includes(shows) ? mayRead : 'refused',
        ]);
        if (status === 401) expect(answered['www-authenticate']).toMatch(/Bearer|Basic/);
      }
      for (const [method, path] of [
        ['POST', '/api/v1/silences'],
        ['POST', '/api/v1/alerts/0123456789abcdef/acknowledge'],
        ['DELETE', '/api/v1/silences/0123456789abcdef?by=alice'],
        ['POST', '/api/v1/dead-letters/0123456789abcdef/send'],
        ['DELETE', '/api/v1/dead-letters/0123456789abcdef?by=alice'],
        ['PUT', '/api/v1/nowhere'],
      ] as const) {
        const { status } = await api.ask(method, path, { headers, ...tls });
        expect([shows, method, path, status === 401 ? 'refused' : 'let in']).toEqual([
          shows,
          method,
          path,
          write.includes(shows) ? 'let in' : 'refused',
        ]);
      }
    }
    expect(sidecar.log.lines.filter((line) => line.includes(TOKEN))).toEqual([]);
  });

  it('is told how to come in', async () => {
    const { api } = await start({ settings: withToken });
    expect((await api.get('/api/v1/alerts')).json).toEqual({
      error:
        'expected the header "Authorization: Bearer <token>", found none. ' +
        "Send the token of the sidecar's configuration",
    });
    const both = (await start({ settings: withToken, web: USERS })).api;
    const { headers, json } = await both.get('/api/v1/alerts');
    expect(json).toEqual({
      error: 'expected the name and password of a user of the web configuration, or the bearer token',
    });
    expect(headers['www-authenticate']).toBe('Basic realm="gatewatch", charset="UTF-8", Bearer');
  });

  it('is no page in a browser that wants to change something', async () => {
    const { sidecar, api } = await start();
    const document = { matchers: ['service="a"'], duration: '1h', created_by: 'mallory', comment: 'x' };
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { host: 'evil.example' },
    ]) {
      const { status, json } = await api.post('/api/v1/silences', document, { headers });
      expect([headers, status, json]).toEqual([headers, 403, { error: expect.any(String) as string }]);
      for (const [method, path] of [
        ['DELETE', '/api/v1/silences/0123456789abcdef?by=a'],
        ['POST', '/api/v1/dead-letters/0123456789abcdef/send'],
        ['DELETE', '/api/v1/dead-letters/0123456789abcdef?by=a'],
      ] as const)
        expect([path, (await api.ask(method, path, { headers })).status]).toEqual([path, 403]);
    }
    // Before it sends JSON to another site, a browser asks whether it may.
    const preflight = await api.ask('OPTIONS', '/api/v1/silences', {
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([403, undefined]);
    expect((await api.get('/api/v1/silences')).json).toEqual({ silences: [] });
    const own = { origin: sidecar.url, 'sec-fetch-site': 'same-origin' };
    expect((await api.post('/api/v1/silences', document, { headers: own })).status).toBe(200);
  });
});

describe('the document', () => {
  it('is served, and is one of OpenAPI 3.1 to a validator of others', async () => {
    const { sidecar, api } = await start();
    const { json } = await api.get('/api/v1/openapi.json');
    expect(json).toEqual(DOCUMENT);
    const file = join(sidecar.directory, 'openapi.json');
    writeFileSync(file, JSON.stringify(json));
    const folder = dirname(
      createRequire(__filename).resolve('@seriousme/openapi-schema-validator/package.json'),
    );
    const validate = (): unknown => {
      const validator = join(folder, 'bin', 'validate-api-cli.js');
      return JSON.parse(spawnSync(process.execPath, [validator, file], { encoding: 'utf8' }).stdout);
    };
    expect(validate()).toEqual({ valid: true });
    writeFileSync(file, JSON.stringify({ ...DOCUMENT, paths: { '/a': { get: { responses: 3 } } } }));
    expect(validate()).toMatchObject({ valid: false });
  });

  it('has every route of the router, and no other', () => {
    const router: Router = createApi(
      { ...IDLE_API, clock: systemClock },
      {
        watchBody: (_request, _response, next) => next(),
        onRefused: () => undefined,
      },
    );
    const routed = router.stack.flatMap(({ route }) =>
      route === undefined
        ? []
        : route.stack
            .map(({ method }) => method)
            .filter((method) => (method as string | undefined) !== undefined)
            .map((method) => `${method} ${route.path.replace(/:(\w+)/g, '{$1}')}`),
    );
    const documented = Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(documented.length).toBe(Object.keys(API_ROUTES).length);
    expect([...new Set(routed)].sort()).toEqual(documented.sort());
  });

  // The last one: it looks back on what was answered above.
  it('has been seen to hold for each operation, and no answer held a secret', () => {
    const seen = new Set(apis.flatMap((api) => [...api.seen]));
    for (const operationId of Object.keys(API_ROUTES)) expect(seen).toContain(`${operationId} 200`);
    const bodies = apis.flatMap((api) => api.bodies);
    expect(bodies.length).toBeGreaterThan(100);
    expect(
      bodies.filter((body) =>
        [TOKEN, HASH, 'wonderland', 'a-secret-path'].some((secret) => body.includes(secret)),
      ),
    ).toEqual([]);
  });
});

describe('a long list', () => {
  it('is the same in parts as in one', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 450 }), fc.nat(), (items, total) => {
        const text = [...renderList({ total }, 'items', items)].join('');
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ total, items })));
      }),
      { numRuns: 50 },
    );
  });

  it('is told of thousands of alerts, as many as are asked for', async () => {
    const { sidecar, api } = await start({ settings: EAGER_RULES });
    const services = Array.from({ length: 400 }, (_, index) => `service-${index}`);
    await sidecar.post(services.map((service) => deltaOf({ service }, Array<number>(20).fill(900))));
    const listed = await eventually(async () => {
      const { json } = await api.get('/api/v1/alerts?state=firing&limit=300');
      const answer = json as { total: number; alerts: AlertDocument[] };
      expect(answer.total).toBe(400);
      return answer;
    });
    expect(new Set(listed.alerts.map(({ id }) => id)).size).toBe(300);
    // Who does not read keeps nobody waiting.
    const { port } = new URL(sidecar.url);
    const deaf = httpRequest({ port, path: '/api/v1/alerts?limit=10000' }).end();
    await new Promise((resolve) => deaf.once('response', resolve));
    expect((await alertsOf(api, '?limit=1')).length).toBe(1);
    deaf.destroy();
  });
});
