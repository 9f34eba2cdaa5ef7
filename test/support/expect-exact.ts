// The end of a test that broke the disk or the ledger under a running sidecar: nothing was lost, nothing counted twice.
import type { CountersWatch } from './counters-watch';
import { eventually } from './eventually';
import { ledgerLines, readiness } from './posted-batches';
import type { Producer } from './producer';
import { sumOf } from './samples';
import type { SidecarProcess } from './sidecar-process';

export interface ExactParts {
  readonly sidecar: SidecarProcess;
  readonly watch: CountersWatch;
  /** Of the service `orders`, whose load ends with this. */
  readonly producer: Producer;
  /** That of the sidecar when it was started. */
  readonly pid: number;
}

/** The process is the same, counted everything once, and exposes the same numbers after its end. */
export async function expectExact({ sidecar, watch, producer, pid }: ExactParts): Promise<void> {
  expect(await producer.close()).toBe(0);
  await eventually(async () => expect(await readiness(sidecar.url)).toBe('200 ready'));
  const samples = await watch.end();
  expect(watch.faults).toEqual([]);
  expect(sidecar.pid).toBe(pid);
  for (const [status, given] of producer.given) {
    const labels = { service: 'orders', status: String(status) };
    expect([status, sumOf(samples, 'gatewatch_requests_total', labels)]).toEqual([status, given]);
  }
  const lines = await ledgerLines(sidecar.url);
  await sidecar.end('SIGKILL');
  await sidecar.start();
  expect(await ledgerLines(sidecar.url)).toBe(lines);
}
