// What a running sidecar records is what a replay reads.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/recorded-story';
import { replayCommand } from '../../support/replay-command';
import { postAll } from '../../support/posted-batches';
import { parseSamples, sumOf } from '../../support/samples';
import { SidecarProcess } from '../../support/sidecar-process';

describe('a sidecar that records', () => {
  let folder: string;
  let sidecar: SidecarProcess | undefined;
  beforeEach(() => (folder = temporaryFolder()));
  afterEach(async () => {
    await sidecar?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('writes every batch that it counts once, and a replay counts the same requests', async () => {
    const recorded = join(folder, 'recorded');
    sidecar = await SidecarProcess.start(`record_dir: ${recorded}\n`);
    await postAll(sidecar.url, 1, 20);
    const samples = parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text());
    await sidecar.end();
    expect(sumOf(samples, 'gatewatch_recording_lost_batches_total')).toBe(0);
    const requests = sumOf(samples, 'gatewatch_requests_total');
    expect(requests).toBeGreaterThan(100);
    const answer = await replayCommand(['--from', recorded, '--rules', 'sidecar/gatewatch.yml', '--json']);
    expect(answer).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(answer.stdout)).toMatchObject({ requests });
  });

  it('writes nothing where it was not told to', async () => {
    sidecar = await SidecarProcess.start();
    await postAll(sidecar.url, 1, 1);
    await sidecar.end();
    expect(readdirSync(sidecar.directory).filter((name) => name.includes('batches'))).toEqual([]);
  });
});
