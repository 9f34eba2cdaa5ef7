// The embedded gateway and the stock plugin server, over their socket.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Pool } from 'undici';
import { eventually } from '../../support/eventually';
import { isRunning } from '../../support/is-running';
import { recorderEntry, startTestGateway, type TestGateway } from '../../support/embedded-gateway';
import { ScriptedUpstream } from '../../support/scripted-upstream';

type Frame = readonly unknown[];

let upstream: ScriptedUpstream;
let gateway: TestGateway;
let frames: { direction: string; frame: Frame }[];

beforeEach(async () => {
  frames = [];
  upstream = await ScriptedUpstream.start((_request, response) => void response.end('ok'));
  gateway = await startTestGateway(
    (directory) => `
services:
  - { name: up, url: 'http://127.0.0.1:${upstream.port}', routes: [{ name: r-up, paths: [/] }] }
plugins:
  - ${recorderEntry(directory)}
`,
    {
      recording: true,
      onFrame: (direction, frame) => void frames.push({ direction, frame: frame as Frame }),
    },
  );
});

afterEach(async () => {
  await gateway.stop();
  await upstream.close();
});

async function ask(path = '/', headers: Record<string, string> = {}): Promise<void> {
  await (await fetch(`${gateway.proxyUrl}${path}`, { headers })).text();
}

function untilRecorded(count: number): Promise<void> {
  return eventually(() => {
    if (gateway.recorded().length < count) throw new Error(`${gateway.recorded().length} of ${count}`);
    return Promise.resolve();
  });
}

function pluginServerPid(): number | undefined {
  return gateway.pluginServerPids().get('js');
}

/** The frames of the recording, decoded. */
function recordedFrames(): { direction: string; frame: Frame }[] {
  const text = readFileSync(resolve(__dirname, '../../fixtures/kong/rpc-msgpack.txt'), 'utf8');
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const direction = /conn#\d+ (kong->js|js->kong)/.exec(line)?.[1];
    const body = lines[index + 2]?.trim() ?? '';
    if (direction === undefined || !body.startsWith('[')) return [];
    return [{ direction: direction === 'kong->js' ? 'sent' : 'received', frame: JSON.parse(body) as Frame }];
  });
}

/** A frame with what differs from one event to the next taken out. */
function shapeOf(frame: unknown): unknown {
  if (Array.isArray(frame)) return frame.map(shapeOf);
  if (typeof frame === 'object' && frame !== null) {
    return Object.fromEntries(
      Object.entries(frame)
        .map(([key, value]) => {
          if (key === 'Config' && typeof value === 'string')
            return [key, Object.keys(JSON.parse(value) as object).sort()];
          if (key === 'Config') return [key, 'the configuration'];
          return [key, shapeOf(value)];
        })
        .sort(),
    );
  }
  if (typeof frame === 'string')
    return frame.startsWith('{') ? 'a document' : frame.replace(/^(js-sample|recorder)$/, 'plugin');
  return typeof frame;
}

describe('what goes over the socket', () => {
  it('is what a real Kong sends and gets, frame by frame', async () => {
    await ask();
    await untilRecorded(1);
    await ask();
    await untilRecorded(2);
    await eventually(() => {
      expect(frames).toHaveLength(10);
      return Promise.resolve();
    });
    const real = recordedFrames().slice(0, 10);
    expect(real).toHaveLength(10);
    // The stock sample has no defaults; the recording plugin has two.
    const ours = JSON.parse(
      JSON.stringify(frames).replaceAll(/\\"(level|interval_s)\\":(\\"low\\"|5),/g, ''),
    ) as typeof frames;
    expect(ours.map(({ direction, frame }) => [direction, shapeOf(frame)])).toEqual(
      real.map(({ direction, frame }) => [direction, shapeOf(frame)]),
    );
    const [, , , [start]] = ours[0]?.frame as [0, 1, string, [{ Config: string }]];
    const config = JSON.parse(start.Config) as Record<string, unknown>;
    expect(config['__key__']).toMatch(/^plugins:recorder:::::[0-9a-f-]{36}$/);
    expect(config['__ws_id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(config['__plugin_id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('every event', () => {
  it('is delivered once, for 2,000 requests over 16 connections', async () => {
    const pool = new Pool(gateway.proxyUrl, { connections: 16, pipelining: 1 });
    await Promise.all(
      Array.from({ length: 2_000 }, async (_, index) => {
        const { body } = await pool.request({ method: 'GET', path: `/${index}` });
        await body.dump();
      }),
    );
    await pool.close();
    await untilRecorded(2_000);
    const uris = gateway.recorded().map((log) => (log['request'] as { uri: string }).uri);
    expect(new Set(uris).size).toBe(2_000);
    expect(uris).toHaveLength(2_000);
    expect(upstream.requests).toHaveLength(2_000);
    // What the plugin has recorded it answers a moment later.
    await eventually(() => {
      expect(gateway.counters).toMatchObject({
        requestsServed: 2_000,
        eventsStarted: 2_000,
        eventsAnswered: 2_000,
        eventsBrokenOff: 0,
        eventsLostAtConnect: 0,
      });
      return Promise.resolve();
    });
  });

  it('of an instance that the plugin server does not know goes to a new one', async () => {
    await ask();
    await untilRecorded(1);
    // What a plugin server says after it was started again behind the gateway's back.
    const pid = pluginServerPid();
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually(() => {
      if (pluginServerPid() === undefined || pluginServerPid() === pid) throw new Error('not back yet');
      return Promise.resolve();
    });
    await eventually(async () => {
      await ask('/again');
      if (!gateway.recorded().some((log) => (log['request'] as { uri: string }).uri === '/again'))
        throw new Error('lost');
    });
    expect(gateway.lines.some((line) => line.includes('no plugin instance'))).toBe(true);
    const starts = frames.filter(
      ({ direction, frame }) => direction === 'sent' && frame[2] === 'plugin.StartInstance',
    );
    expect(starts.length).toBeGreaterThanOrEqual(2);
    await eventually(() => {
      const { counters } = gateway;
      expect(counters.eventsStarted).toBe(
        counters.eventsAnswered +
          counters.eventsBrokenOff +
          counters.eventsLostAtConnect +
          counters.eventsWithoutInstance,
      );
      return Promise.resolve();
    });
    expect(gateway.recorded()).toHaveLength(gateway.counters.eventsAnswered);
  });

  it('that kills the plugin server is counted as broken off, and the server is started again', async () => {
    await ask();
    await untilRecorded(1);
    const pid = pluginServerPid() ?? 0;
    await ask('/', { 'x-die': '1' });
    await eventually(() => {
      expect(gateway.counters.eventsBrokenOff).toBe(1);
      expect(isRunning(pid)).toBe(false);
      expect(pluginServerPid()).not.toBe(pid);
      expect(pluginServerPid()).toBeDefined();
      return Promise.resolve();
    });
    expect(gateway.lines.some((line) => /external pluginserver 'js' terminated: exit 7/.test(line))).toBe(
      true,
    );
    await eventually(async () => {
      await ask('/after');
      if (!gateway.recorded().some((log) => (log['request'] as { uri: string }).uri === '/after'))
        throw new Error('lost');
    });
  });
});

describe('a plugin server that is managed elsewhere', () => {
  it('is asked by a query command alone, and nothing is started', async () => {
    const other = await startTestGateway(
      () => `
services:
  - { name: up, url: 'http://127.0.0.1:${upstream.port}', routes: [{ paths: [/] }] }
plugins: [{ name: recorder, config: { file: '${join(gateway.directory, 'other.jsonl')}' } }]
`,
      {
        environment: {
          KONG_PLUGINS: 'bundled,recorder',
          KONG_PLUGINSERVER_NAMES: 'js',
          KONG_PLUGINSERVER_JS_SOCKET: join(gateway.directory, 'js.sock'),
          KONG_PLUGINSERVER_JS_QUERY_CMD: `${process.execPath} ${resolve(__dirname, '../../../node_modules/kong-pdk/bin/kong-js-pluginserver')} --plugins-directory ${resolve(__dirname, '../../support/recording-plugin')} --dump-all-plugins`,
        },
      },
    );
    expect(other.pluginServerPids().size).toBe(0);
    expect(other.lines.join('\n')).toContain('no start command, so it is assumed to be managed elsewhere');
    await (await fetch(`${other.proxyUrl}/`)).text();
    await eventually(() => {
      expect(other.counters.eventsAnswered).toBe(1);
      return Promise.resolve();
    });
    await other.stop();
  });
});

describe('a query command', () => {
  it.each([
    [
      'echo this is no JSON',
      /expected one JSON array on the stdout of\necho this is no JSON\nfound:\nthis is no JSON/,
    ],
    ['true', /expected one JSON array on the stdout of\ntrue\nfound:\nnothing/],
    ["echo '[{}]'", /plugin 1: expected an object with a Name/],
  ])('that prints something else is refused with what it printed: %s', async (command, message) => {
    const environment = { KONG_PLUGINSERVER_NAMES: 'js', KONG_PLUGINSERVER_JS_QUERY_CMD: command };
    await expect(startTestGateway(() => 'services: []', { environment })).rejects.toThrow(message);
  });
});
