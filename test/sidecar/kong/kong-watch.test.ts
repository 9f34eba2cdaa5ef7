// On a clock that the test turns, with Kongs that are counters of the test.
import type { KongSettings } from '../../../sidecar/config/notification-policy';
import type { KongAnswer } from '../../../sidecar/kong/ask-kong';
import type { InstanceFacts, TargetFacts } from '../../../sidecar/kong/kong-facts';
import { KongWatch } from '../../../sidecar/kong/kong-watch';
import { captureLog } from '../../support/captured-log';
import { ManualClock, settle } from '../../support/manual-clock';

const INTERVAL_MS = 10_000;
const WINDOW_MS = 60_000;
const A = 'http://10.0.0.1:8101';
const B = 'https://kong-b/status-api';

const TARGET: TargetFacts = {
  upstream: 'pool',
  target: 'orders:80',
  healthyAddresses: [],
  unhealthyAddresses: ['10.1.0.1:80'],
};

/** A Kong that serves and is asked. */
class FakeKong {
  served: number | undefined = 0;
  nginxRequests: number | undefined = 0;
  configurationHash: string | undefined = undefined;
  targets: readonly TargetFacts[] = [];
  state: 'answers' | 'refuses' | 'hangs' | 'has no metrics' = 'answers';
  running = 0;
  questions = 0;

  async ask(signal: AbortSignal): Promise<KongAnswer> {
    this.questions += 1;
    this.running += 1;
    if (this.running > 1) throw new Error('a second question before the answer to the first');
    if (this.state === 'hangs') {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    }
    this.running -= 1;
    if (this.state === 'refuses' || signal.aborted) {
      return {
        isReachable: false,
        nginxRequests: undefined,
        configurationHash: undefined,
        metrics: undefined,
        problem: 'no answer',
      };
    }
    const { nginxRequests, configurationHash, served: requests, targets } = this;
    return this.state === 'has no metrics'
      ? { isReachable: true, nginxRequests, configurationHash, metrics: undefined, problem: 'no metrics' }
      : {
          isReachable: true,
          nginxRequests,
          configurationHash,
          metrics: { requests, targets, isForeign: false, isDamaged: false },
          problem: undefined,
        };
  }

  /** Requests with a service. */
  serve(count: number): void {
    this.served = (this.served ?? 0) + count;
    this.nginxRequests = (this.nginxRequests ?? 0) + count;
  }

  restart(): void {
    this.served = undefined;
    this.nginxRequests = 0;
  }
}

interface Scene {
  readonly clock: ManualClock;
  readonly kongs: ReadonlyMap<string, FakeKong>;
  readonly watch: KongWatch;
  readonly lines: readonly string[];
  counted: number;
  /** What happens in every second, until it is set anew. */
  everySecond: () => void;
  pass(seconds: number): Promise<void>;
  observed(windowMs?: number): { counted: number; served: number } | undefined;
  facts(url: string): InstanceFacts | undefined;
  kong(url: string): FakeKong;
}

const started: KongWatch[] = [];

function settingsOf(statusUrls: readonly string[], intervalMs = INTERVAL_MS): KongSettings {
  return { statusUrls, intervalMs, timeoutMs: 5_000 };
}

async function sceneWith(statusUrls: readonly string[], settings = settingsOf(statusUrls)): Promise<Scene> {
  const clock = new ManualClock();
  const { logger, lines } = captureLog();
  const kongs = new Map([A, B].map((url) => [url, new FakeKong()]));
  const kong = (url: string): FakeKong => {
    const found = kongs.get(url);
    if (!found) throw new Error(`nobody is at ${url}`);
    return found;
  };
  const watch = new KongWatch(
    {
      ask: (url, signal) => kong(url).ask(signal),
      clock,
      logger,
      countedRequests: () => scene.counted,
    },
    settings,
    WINDOW_MS,
  );
  const scene: Scene = {
    clock,
    kongs,
    watch,
    lines,
    counted: 0,
    everySecond: () => undefined,
    pass: async (seconds) => {
      for (let second = 0; second < seconds; second++) {
        scene.everySecond();
        await clock.advanceAndSettle(1_000);
        await settle();
      }
    },
    observed: (windowMs = WINDOW_MS) => watch.facts().observed(windowMs),
    facts: (url) =>
      watch.facts().instances.find(({ instance }) => url.includes(instance.replace(/:443$/, ''))),
    kong,
  };
  watch.start();
  started.push(watch);
  await settle();
  return scene;
}

afterEach(() => {
  for (const watch of started.splice(0)) watch.stop();
});

/** From now on every Kong of these serves so many requests a second, of which so many are counted here a second later. */
function traffic(scene: Scene, urls: readonly string[], served: number, counted = served): void {
  let waiting = 0;
  scene.everySecond = () => {
    scene.counted += waiting;
    waiting = 0;
    for (const url of urls) {
      scene.kong(url).serve(served);
      waiting += counted;
    }
  };
}

describe('a Kong that is watched', () => {
  it('is reachable from its first answer on', async () => {
    const scene = await sceneWith([A]);
    expect(scene.facts(A)).toEqual({
      instance: '10.0.0.1:8101',
      isReachable: true,
      problem: undefined,
      targets: [],
    });
  });

  it('is named by host and port, also where the port is the usual one', async () => {
    const scene = await sceneWith([A, B]);
    expect(scene.watch.facts().instances.map(({ instance }) => instance)).toEqual([
      '10.0.0.1:8101',
      'kong-b:443',
    ]);
  });

  it('is asked once an interval, from the start on', async () => {
    const scene = await sceneWith([A]);
    expect(scene.kong(A).questions).toBe(1);
    await scene.pass(35);
    expect(scene.kong(A).questions).toBe(4);
  });

  it('is not reachable after two questions in a row that failed, and each change is logged once', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).state = 'refuses';
    await scene.pass(10);
    expect(scene.facts(A)).toMatchObject({ isReachable: true, problem: 'no answer' });
    expect(scene.lines).toEqual([]);
    await scene.pass(10);
    expect(scene.facts(A)).toMatchObject({ isReachable: false, problem: 'no answer' });
    await scene.pass(30);
    scene.kong(A).state = 'answers';
    await scene.pass(30);
    expect(scene.facts(A)).toMatchObject({ isReachable: true, problem: undefined });
    expect(scene.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        level: 40,
        instance: '10.0.0.1:8101',
        problem: 'no answer',
        msg: 'a Kong does not answer on its status address',
      }),
      expect.objectContaining({
        level: 30,
        instance: '10.0.0.1:8101',
        msg: 'a Kong answers on its status address again',
      }),
    ]);
  });

  it('stays reachable where every second question fails', async () => {
    const scene = await sceneWith([A]);
    for (let round = 0; round < 10; round++) {
      scene.kong(A).state = round % 2 === 0 ? 'refuses' : 'answers';
      await scene.pass(10);
      expect(scene.facts(A)?.isReachable).toBe(true);
    }
  });

  it('is not known until it answers or has failed twice', async () => {
    const scene = await sceneWith([]);
    scene.kong(A).state = 'refuses';
    scene.watch.reconfigure(settingsOf([A]), WINDOW_MS);
    await settle();
    expect(scene.facts(A)?.isReachable).toBeUndefined();
    await scene.pass(10);
    expect(scene.facts(A)?.isReachable).toBe(false);
  });

  it('has no second question while it hangs, and is not reachable then; the other one is asked all the while', async () => {
    const scene = await sceneWith([A, B]);
    scene.kong(A).state = 'hangs';
    await scene.pass(60);
    expect(scene.facts(A)?.isReachable).toBe(false);
    expect(scene.facts(B)?.isReachable).toBe(true);
    expect([scene.kong(A).questions, scene.kong(B).questions]).toEqual([7, 7]);
  });

  it('is asked at the next free point of the grid where an answer takes longer than the interval', async () => {
    const scene = await sceneWith([A], { ...settingsOf([A], 2_000), timeoutMs: 5_000 });
    scene.kong(A).state = 'hangs';
    await scene.pass(24);
    // At 0, then at 2, 8, 14 and 20 s, each for 5 s.
    expect(scene.kong(A).questions).toBe(5);
  });

  it('counts how its questions ended', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).state = 'has no metrics';
    await scene.pass(20);
    scene.kong(A).state = 'refuses';
    await scene.pass(10);
    expect(scene.watch.polls()).toEqual([
      { instance: '10.0.0.1:8101', counts: { answered: 1, without_metrics: 2, unanswered: 1 } },
    ]);
  });

  it('has the targets of its last answer, also while it is not reachable', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).targets = [TARGET];
    await scene.pass(10);
    scene.kong(A).state = 'refuses';
    await scene.pass(60);
    expect(scene.facts(A)).toMatchObject({ isReachable: false, targets: [TARGET] });
  });

  it('has no targets once it lives and has not told of them twice in a row', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).targets = [TARGET];
    await scene.pass(10);
    scene.kong(A).state = 'has no metrics';
    await scene.pass(10);
    expect(scene.facts(A)).toMatchObject({ isReachable: true, problem: 'no metrics', targets: [TARGET] });
    await scene.pass(10);
    expect(scene.facts(A)).toMatchObject({ isReachable: true, targets: [] });
  });

  it('keeps its targets where it tells of them every second time', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).targets = [TARGET];
    await scene.pass(10);
    for (let round = 0; round < 6; round++) {
      scene.kong(A).state = round % 2 === 0 ? 'has no metrics' : 'answers';
      await scene.pass(10);
      expect(scene.facts(A)?.targets).toEqual([TARGET]);
    }
  });

  it('is left alone once the watch has stopped, and what was on its way is not noted', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).state = 'hangs';
    await scene.pass(11);
    expect(scene.kong(A).running).toBe(1);
    scene.watch.stop();
    await scene.pass(60);
    expect(scene.kong(A).questions).toBe(2);
    expect(scene.clock.timers).toBe(0);
    expect(scene.watch.polls()[0]?.counts.unanswered).toBe(0);
  });

  it('leaves no timer behind where the watch stops between an answer and its batches', async () => {
    const scene = await sceneWith([A]);
    expect(scene.clock.timers).toBe(2);
    scene.watch.stop();
    expect(scene.clock.timers).toBe(0);
  });
});

describe('a changed configuration', () => {
  it('adds one that is asked at once, and keeps what is known of the others', async () => {
    const scene = await sceneWith([A]);
    await scene.pass(5);
    scene.watch.reconfigure(settingsOf([A, B]), WINDOW_MS);
    await settle();
    expect(scene.watch.polls().map(({ counts }) => counts.answered)).toEqual([2, 1]);
  });

  it('forgets one that it does not name, with its answer that is on its way', async () => {
    const scene = await sceneWith([A, B]);
    scene.kong(B).state = 'hangs';
    // Its second failure would come at 25 s.
    await scene.pass(21);
    scene.watch.reconfigure(settingsOf([A]), WINDOW_MS);
    await scene.pass(60);
    expect(scene.watch.facts().instances.map(({ instance }) => instance)).toEqual(['10.0.0.1:8101']);
    expect(scene.kong(B).questions).toBe(3);
    expect(scene.lines).toEqual([]);
  });

  it('changes nothing where it names the same', async () => {
    const scene = await sceneWith([A]);
    await scene.pass(5);
    scene.watch.reconfigure(settingsOf([A]), WINDOW_MS);
    await scene.pass(4);
    expect(scene.kong(A).questions).toBe(1);
  });

  it('sets another interval at once', async () => {
    const scene = await sceneWith([A]);
    await scene.pass(5);
    scene.watch.reconfigure(settingsOf([A], 3_000), WINDOW_MS);
    await scene.pass(6);
    expect(scene.kong(A).questions).toBe(4);
  });

  it('may name none: nothing is asked, and no timer is left', async () => {
    const scene = await sceneWith([A]);
    scene.watch.reconfigure(settingsOf([]), WINDOW_MS);
    await scene.pass(30);
    expect([scene.kong(A).questions, scene.clock.timers]).toEqual([1, 0]);
    expect(scene.watch.facts().instances).toEqual([]);
  });

  it('of two addresses of one host and port asks the first', async () => {
    const scene = await sceneWith([A, `${A}/other`]);
    expect(scene.watch.facts().instances).toHaveLength(1);
  });
});

describe('how much of what was served was counted', () => {
  it('is not known before the whole window was watched', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(61);
    expect(scene.observed()).toBeUndefined();
    await scene.pass(1);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('is all of it in even traffic, whatever Kong had served before it was watched', async () => {
    const scene = await sceneWith([]);
    scene.kong(A).serve(1_000_000);
    scene.counted = 50_000;
    scene.watch.reconfigure(settingsOf([A]), WINDOW_MS);
    traffic(scene, [A], 100);
    await scene.pass(75);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('is less where requests get lost', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 1_000, 998);
    await scene.pass(75);
    const { counted = 0, served = 0 } = scene.observed() ?? {};
    expect(counted / served).toBeCloseTo(0.998, 6);
  });

  it('is nothing where the plugin is silent', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100, 0);
    await scene.pass(75);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 0 });
  });

  it.each([
    ['ends', 0],
    ['falls', 10],
    ['rises', 1_000],
  ])('never seems less in the time after traffic suddenly %s', async (_how, rate) => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(123);
    scene.counted += 100;
    traffic(scene, [A], rate);
    for (let second = 0; second < 90; second++) {
      await scene.pass(1);
      const { counted = NaN, served = NaN } = scene.observed() ?? {};
      expect(counted).toBeGreaterThanOrEqual(served);
      expect(counted - served).toBeLessThanOrEqual(3 * 1_000);
    }
  });

  it('adds up all Kongs', async () => {
    const scene = await sceneWith([A, B]);
    traffic(scene, [A, B], 50);
    await scene.pass(75);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('goes on over a restart of Kong, without what it served after its last answer', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(75);
    scene.kong(A).restart();
    await scene.pass(20);
    expect(scene.observed()).toEqual({ served: 5_500, counted: 6_000 });
  });

  it('takes a restart for one also where Kong has served more since than before', async () => {
    const scene = await sceneWith([A]);
    await scene.pass(61);
    scene.kong(A).serve(10);
    await scene.pass(10);
    scene.kong(A).restart();
    scene.kong(A).served = 12;
    scene.kong(A).nginxRequests = 3;
    await scene.pass(12);
    expect(scene.observed()?.served).toBe(22);
  });

  it('takes a counter that goes back for no restart while nginx counts on: some of its series are gone', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).serve(1_000_000);
    await scene.pass(65);
    scene.kong(A).served = 900_000;
    scene.kong(A).nginxRequests = 1_000_001;
    await scene.pass(17);
    expect(scene.observed(30_000)?.served).toBe(0);
  });

  it('takes a counter that goes back for a restart where nginx is not told of', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).serve(1_000);
    scene.kong(A).nginxRequests = undefined;
    await scene.pass(65);
    scene.kong(A).served = 70;
    await scene.pass(17);
    expect(scene.observed(30_000)?.served).toBe(70);
  });

  it('is not known where no Kong counts requests (status_code_metrics is off)', async () => {
    const scene = await sceneWith([A]);
    scene.kong(A).served = undefined;
    await scene.pass(75);
    expect(scene.observed()).toBeUndefined();
  });

  it('takes a Kong without a first request for one that has served none, beside another', async () => {
    const scene = await sceneWith([A, B]);
    scene.kong(B).served = undefined;
    traffic(scene, [A], 100);
    await scene.pass(75);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('is not known while a Kong that is reachable does not say what it served, but one answer may be lost', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(75);
    scene.kong(A).state = 'has no metrics';
    await scene.pass(20);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
    await scene.pass(10);
    expect(scene.observed()).toBeUndefined();
  });

  it('goes on for the others where a Kong is gone', async () => {
    const scene = await sceneWith([A, B]);
    traffic(scene, [A, B], 50);
    await scene.pass(75);
    scene.kong(B).state = 'refuses';
    traffic(scene, [A], 50, 40);
    await scene.pass(100);
    expect(scene.observed()).toEqual({ served: 3_000, counted: 2_400 });
  });

  it('begins before a hole where a Kong was not reachable and served on, so that it is right again at its end', async () => {
    const scene = await sceneWith([A, B]);
    traffic(scene, [A, B], 50);
    await scene.pass(95);
    scene.kong(B).state = 'refuses';
    await scene.pass(30);
    scene.kong(B).state = 'answers';
    // Asked at 130 s; the hole is between 90 and 130 s. The window begins at 70 s.
    await scene.pass(8);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
    // At 160 s it would begin within the hole, so it begins at 90 s.
    await scene.pass(30);
    expect(scene.observed()).toEqual({ served: 7_000, counted: 7_000 });
    // At 180 s that would be more than half as long again.
    await scene.pass(30);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('is not known while a hole that is too long lies at its beginning', async () => {
    const scene = await sceneWith([A, B]);
    traffic(scene, [A, B], 50);
    await scene.pass(75);
    scene.kong(B).state = 'refuses';
    await scene.pass(100);
    scene.kong(B).state = 'answers';
    // Asked at 180 s.
    await scene.pass(8);
    expect(scene.observed()).toBeUndefined();
    await scene.pass(58);
    expect(scene.observed()).toBeUndefined();
    await scene.pass(2);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('is not known with a new Kong until it was watched for the whole window', async () => {
    const scene = await sceneWith([A]);
    scene.kong(B).serve(5_000);
    traffic(scene, [A, B], 50);
    await scene.pass(75);
    scene.watch.reconfigure(settingsOf([A, B]), WINDOW_MS);
    await scene.pass(3);
    expect(scene.observed()).toBeUndefined();
    await scene.pass(70);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('goes on where a Kong that has ended is no longer named', async () => {
    const scene = await sceneWith([A, B]);
    traffic(scene, [A, B], 50);
    await scene.pass(72);
    scene.watch.reconfigure(settingsOf([A]), WINDOW_MS);
    traffic(scene, [A], 50);
    await scene.pass(100);
    expect(scene.observed()).toEqual({ served: 3_000, counted: 3_000 });
  });

  it('does not grow where what was counted here goes back, since a series has left the ledger', async () => {
    const scene = await sceneWith([A]);
    scene.counted = 500_000;
    traffic(scene, [A], 100);
    await scene.pass(75);
    scene.counted -= 400_000;
    await scene.pass(10);
    const { counted = NaN, served = NaN } = scene.observed() ?? {};
    expect(served).toBe(6_000);
    expect(counted).toBeGreaterThanOrEqual(5_000);
    expect(counted).toBeLessThanOrEqual(6_000);
  });

  it('is known for shorter windows, and for none that is longer than those that were announced', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(600);
    expect(scene.observed(20_000)).toEqual({ served: 2_000, counted: 2_000 });
    expect(scene.observed(10 * WINDOW_MS)).toBeUndefined();
  });

  it('does not depend on the clock on the wall', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(40);
    scene.clock.setBack(3_600_000);
    await scene.pass(35);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });

  it('is known again after a stop and a start once the window is spanned', async () => {
    const scene = await sceneWith([A]);
    traffic(scene, [A], 100);
    await scene.pass(75);
    scene.watch.stop();
    await scene.pass(600);
    scene.watch.start();
    await scene.pass(3);
    expect(scene.observed()).toBeUndefined();
    await scene.pass(70);
    expect(scene.observed()).toEqual({ served: 6_000, counted: 6_000 });
  });
});
