// The disk under the spool is full, or not the plugin server's to write: it says so, goes on counting in memory, and spools
// again when it can. What came while it could is not lost when the plugin server is killed.
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CountersWatch } from '../support/counters-watch';
import { describeAsRoot } from '../support/describe-as-root';
import { eventually } from '../support/eventually';
import { PLUGIN_SERVERS } from '../support/plugin-servers';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { sumOf } from '../support/samples';
import { SidecarProcess } from '../support/sidecar-process';
import { SmallDisk } from '../support/small-disk';
import { SpokenPluginServer } from '../support/spoken-plugin-server';

const CANNOT_WRITE = 'the spool cannot be written; what is not delivered yet is in memory only';
const AGAIN = 'the spool is written again';

jest.setTimeout(300_000);

let directory: string;
let sidecar: SidecarProcess;
let watch: CountersWatch;
let server: SpokenPluginServer | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gatewatch-spool-disk-'));
  sidecar = await SidecarProcess.start();
  watch = new CountersWatch(sidecar.url);
  server = undefined;
});

afterEach(async () => {
  await server?.end('SIGKILL');
  await watch.end().catch(() => undefined);
  await sidecar.remove();
  rmSync(directory, { recursive: true, force: true });
});

const valueOf = async (name: string): Promise<number> => sumOf(await watch.scrape(), name);

async function expectCounted(requests: number): Promise<void> {
  await eventually(async () => expect(await valueOf('gatewatch_requests_total')).toBe(requests));
}

describeWith('nsenter', 'the disk of a spool', () => {
  describeAsRoot('in a mount namespace of its own', () => {
    let disk: SmallDisk;

    beforeEach(async () => void (disk = await SmallDisk.mount(1_024)));
    afterEach(async () => {
      await server?.end('SIGKILL');
      await disk.unmount();
    });

    it.each(PLUGIN_SERVERS)('is full while $title runs, and has room again', async (program) => {
      const start = async (): Promise<SpokenPluginServer> =>
        (server = await SpokenPluginServer.start({
          program,
          directory,
          config: { sidecar_url: sidecar.url, spool_dir: join(disk.path, 'spool') },
          wrap: (command) => disk.enter(command),
        }));
      const first = await start();
      await first.logEvents(100);
      await expectCounted(100);
      expect(await valueOf('gatewatch_plugin_unspooled_events_total')).toBe(0);

      disk.fill(0);
      await first.logEvents(300);
      await first.says(new RegExp(`${CANNOT_WRITE}.*(ENOSPC|no space left)`));
      await expectCounted(400);
      const unspooled = await valueOf('gatewatch_plugin_unspooled_events_total');
      expect(unspooled).toBeGreaterThan(0);

      disk.empty();
      await first.says(new RegExp(AGAIN));
      process.kill(sidecar.pid, 'SIGSTOP');
      await first.logEvents(200);
      process.kill(first.holderPid, 'SIGKILL');
      await first.end('SIGKILL');
      process.kill(sidecar.pid, 'SIGCONT');
      const second = await start();
      await second.logEvents(50);
      await expectCounted(650);
      await second.end();
      expect(await valueOf('gatewatch_plugin_unspooled_events_total')).toBe(unspooled);
      expect(await valueOf('gatewatch_plugin_damaged_spools_total')).toBe(0);
      await expectCounted(650);
      await watch.end();
      expect(watch.faults).toEqual([]);
    });
  });
});

describeWith('setpriv', 'the folder of a spool', (setpriv) => {
  describeAsRoot('as an ordinary user', () => {
    const USER = 65_534;

    it.each(PLUGIN_SERVERS)("is not $title's to write: it says so, and counts", async (program) => {
      const spool = join(directory, 'spool');
      mkdirSync(spool, { mode: 0o755 });
      chownSync(directory, USER, USER);
      const start = (): Promise<SpokenPluginServer> =>
        SpokenPluginServer.start({
          program,
          directory,
          config: { sidecar_url: sidecar.url, spool_dir: spool },
          wrap: (command) => [
            ...[setpriv, `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--inh-caps=-all', '--'],
            ...command,
          ],
        });
      server = await start();
      await server.logEvents(100);
      await server.says(new RegExp(`${CANNOT_WRITE}.*EACCES: permission denied`));
      await expectCounted(100);
      expect(await valueOf('gatewatch_plugin_unspooled_events_total')).toBe(100);
      chownSync(spool, USER, USER);
      await server.says(new RegExp(AGAIN));
      await server.logEvents(100);
      await expectCounted(200);
      // The spool cannot be removed at the end, and nobody counts it again.
      for (const folder of readdirSync(spool)) chownSync(join(spool, folder), 0, 0);
      await server.logEvents(50);
      await server.end();
      await expectCounted(250);
      for (const folder of readdirSync(spool)) chownSync(join(spool, folder), USER, USER);
      server = await start();
      await server.logEvents(1);
      await eventually(async () => expect(await valueOf('gatewatch_plugin_events_total')).toBe(251));
      await server.end();
      expect(await valueOf('gatewatch_requests_total')).toBe(251);
      expect(await valueOf('gatewatch_plugin_deaths_total')).toBe(0);
      expect(await valueOf('gatewatch_plugin_damaged_spools_total')).toBe(0);
    });
  });
});

describeWith('strace', 'a spool', (strace) => {
  it.each(PLUGIN_SERVERS)(
    'is flushed about once a second under $title, also while the sidecar is away',
    async (program) => {
      server = await SpokenPluginServer.start({ program, directory, config: { sidecar_url: sidecar.url } });
      await server.logEvents(1);
      process.kill(sidecar.pid, 'SIGSTOP');
      const trace = new RunningProgram(strace, [
        '-f',
        '-e',
        'trace=fdatasync',
        '-p',
        String(server.holderPid),
      ]);
      await trace.says(/attached/);
      const stop = server.load(500);
      try {
        await trace.says(/(fdatasync\([^]*){4}/);
      } finally {
        await stop();
        await trace.end();
        process.kill(sidecar.pid, 'SIGCONT');
      }
    },
  );
});
