// What a round of the rules costs: 10,000 alerts, four rules for each of 2,500 services, each with traffic in every slot of the
// window and 200 different upstream times; first while few of them fire, then while all do. CPU is that of this process, all its
// threads: of the judging and routing alone, and of a whole round with what is written to disk. Run by `npm run bench`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { emptyDelta, type Delta } from '../../kong-plugin/contract/delta';
import { record } from '../../kong-plugin/contract/histogram';
import { Alerting } from '../../sidecar/alerting';
import { MemoryStore } from '../../sidecar/memory/memory-store';
import { ManualClock } from '../support/manual-clock';
import { configOf } from '../support/read-config-text';
import { ScriptedChannel } from '../support/scripted-channel';
import { seededRandom } from '../support/seeded-random';

const SERVICES = 2_500;
const TIMES = 200;
const ROUND_MS = 5_000;
/** Fills the windows of five minutes. */
const WARM_UP_ROUNDS = 70;
const ROUNDS = 40;
/** At the median, of judging and routing. */
const LIMIT_MS = 100;
/** Of the same while three of four alerts fire. The aim is LIMIT_MS: docs/benchmarks.md says what is left. */
const FIRING_LIMIT_MS = 200;

const CONFIG = `
rules:
  - { name: p95, p95_latency_ms: 500 }
  - { name: errors, error_rate_threshold: 0.05 }
  - { name: apdex, apdex_threshold: 0.8 }
  - { name: budget, slo_objective: 0.95 }
channels:
  - { name: a, type: webhook, url: "http://127.0.0.1:1" }
`;

interface Costs {
  /** Of judging and routing. */
  readonly engineMs: number[];
  /** Of the same, and of what is remembered and sent. */
  readonly wholeMs: number[];
}

/** Of one service in one slot: a part of its times, so that a window holds all of them. */
function deltasOf(service: number, slot: number, failing: boolean, random: () => number): Delta[] {
  const names = { service: `service-${service}`, operation: 'GET /', source: 'upstream' } as const;
  const good = emptyDelta({ ...names, status: 200, errorType: '', severity: 'info' });
  good.requests = 20;
  for (let index = 0; index < 20; index += 1)
    record(good.upstream, (failing ? 600 : 20) + ((slot * 20 + index) % TIMES));
  if (!failing && random() < 0.9) return [good];
  const bad = emptyDelta({ ...names, status: 500, errorType: 'upstream_server_error', severity: 'error' });
  bad.requests = failing ? 20 : 1;
  record(bad.upstream, 30);
  return [good, bad];
}

function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

async function run(alerting: Alerting, clock: ManualClock, rounds: number, failing: boolean): Promise<Costs> {
  const random = seededRandom(5);
  const costs: Costs = { engineMs: [], wholeMs: [] };
  const { engine } = alerting;
  const engineRound = engine.round.bind(engine);
  engine.round = (...args) => {
    const before = process.cpuUsage();
    const outcome = engineRound(...args);
    costs.engineMs.push(cpuMs(before));
    return outcome;
  };
  for (let round = 0; round < rounds; round += 1) {
    clock.pass(ROUND_MS);
    const nowMs = alerting.clock.nowMs();
    const slot = Math.floor(nowMs / ROUND_MS);
    for (let service = 0; service < SERVICES; service += 1)
      engine.windows.add(nowMs, deltasOf(service, slot, failing, random), nowMs);
    const before = process.cpuUsage();
    alerting.round(nowMs);
    await alerting.settled();
    costs.wholeMs.push(cpuMs(before));
  }
  engine.round = engineRound;
  return costs;
}

function at(costs: readonly number[], share: number): number {
  const sorted = costs.slice(-ROUNDS).sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}

function spread(costs: readonly number[]): string {
  return `${[0.5, 0.9, 1].map((share) => at(costs, share).toFixed(0)).join(' / ')} ms (p50 / p90 / max of ${ROUNDS})`;
}

function check(when: string, medianMs: number, limitMs: number): void {
  if (medianMs >= limitMs)
    throw new Error(`expected less than ${limitMs} ms at the median ${when}, found ${medianMs.toFixed(0)}`);
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatewatch-bench-'));
  const clock = new ManualClock();
  const memory = MemoryStore.open(directory, clock);
  try {
    const alerting = new Alerting({
      config: configOf(CONFIG),
      channels: [new ScriptedChannel('a')],
      kong: () => ({ instances: [], observed: () => undefined }),
      memory,
      producersAliveAt: () => [],
      lastBatchMs: 0,
      clock,
      logger: pino({ level: 'silent' }),
      onFault: (error) => {
        throw error;
      },
    });
    const quiet = await run(alerting, clock, WARM_UP_ROUNDS + ROUNDS, false);
    const alerts = alerting.alerts().length;
    console.log(
      `alerts                     ${alerts}, of ${SERVICES} services with ${TIMES} upstream times each`,
    );
    console.log(`judged and routed          ${spread(quiet.engineMs)}`);
    console.log(`a whole round              ${spread(quiet.wholeMs)}, with what is written to disk`);
    const failing = await run(alerting, clock, WARM_UP_ROUNDS + ROUNDS, true);
    const firing = alerting.alerts().filter(({ state }) => state === 'firing').length;
    console.log(`while ${firing} fire         judged and routed ${spread(failing.engineMs)}`);
    console.log(`                           a whole round ${spread(failing.wholeMs)}`);
    console.log(
      `memory                     ${(process.memoryUsage().rss / 1_048_576).toFixed(0)} MiB resident`,
    );
    if (alerts !== 4 * SERVICES) throw new Error(`expected ${4 * SERVICES} alerts, found ${alerts}`);
    if (firing !== 3 * SERVICES) throw new Error(`expected ${3 * SERVICES} of them to fire, found ${firing}`);
    check('in a quiet round', at(quiet.engineMs, 0.5), LIMIT_MS);
    check('while alerts fire', at(failing.engineMs, 0.5), FIRING_LIMIT_MS);
  } finally {
    await memory.store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
