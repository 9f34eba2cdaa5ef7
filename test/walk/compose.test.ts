// docker-compose.yml, checked as far as it can be without an engine: it is valid, it has the limits it promises, and our
// services work together when they are started with its own commands and environment. Only paths, hosts and ports are
// replaced: what is a volume there is a folder here, and everything listens on 127.0.0.1.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { deriveKongConfig, mapAddresses } from '../../kong/demo/derive-config';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';
import { TOKEN } from '../support/stack';

const PROJECT = resolve(__dirname, '../..');

interface ComposeService {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly deploy?: { readonly resources: unknown };
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly image: string;
  readonly privileged?: boolean;
  readonly read_only?: boolean;
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly user?: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
}

function readCompose(dockerCompose: string): Record<string, ComposeService> {
  const { stdout, stderr, status } = spawnSync(dockerCompose, ['-f', 'docker-compose.yml', 'config'], {
    cwd: PROJECT,
    env: { PATH: process.env.PATH, GATEWATCH_TOKEN: TOKEN, GRAFANA_ADMIN_PASSWORD: 'for-tests' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return (parse(stdout) as { services: Record<string, ComposeService> }).services;
}

describeWith('docker-compose', 'docker-compose.yml', (dockerCompose) => {
  it('is valid, with the official Kong image and the promised limits', () => {
    const services = readCompose(dockerCompose);
    expect(Object.keys(services).sort()).toEqual([
      'alertmanager',
      'demo-upstreams',
      'grafana',
      'kong',
      'plugin-server',
      'prometheus',
      'sidecar',
    ]);
    expect(services['kong']?.image).toMatch(/^kong:3\.9/);
    expect(services['kong']?.environment?.['KONG_STATUS_LISTEN']).toBe('0.0.0.0:8101');
    expect(services['prometheus']?.deploy?.resources).toEqual({
      limits: { cpus: 1, memory: '2G' },
      reservations: { memory: '1G' },
    });
    expect(services['grafana']?.deploy?.resources).toEqual({
      limits: { cpus: 0.5, memory: '1G' },
      reservations: { memory: '512M' },
    });
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('gives every service an ordinary user, no capability and nothing to write but its volumes and what is in memory', () => {
    for (const [name, service] of Object.entries(readCompose(dockerCompose))) {
      const { read_only: readOnly, user, cap_drop: dropped, cap_add: added, security_opt: options } = service;
      expect([name, { readOnly, dropped, added, options, privileged: service.privileged }]).toEqual([
        name,
        {
          readOnly: true,
          dropped: ['ALL'],
          added: undefined,
          options: ['no-new-privileges:true'],
          privileged: undefined,
        },
      ]);
      expect([name, user]).not.toEqual([name, expect.stringMatching(/^(0|root)?(:|$)/)]);
      expect([name, typeof user]).toEqual([name, 'string']);
      expect(service.tmpfs).toContain('/tmp');
      // Files of the project are only read.
      const ofProject = (service.volumes ?? []).filter(
        (volume) => volume.startsWith('/') || volume.startsWith('.'),
      );
      expect(ofProject.filter((volume) => !volume.endsWith(':ro'))).toEqual([]);
    }
    const { kong } = readCompose(dockerCompose);
    expect(kong?.tmpfs).toContain(kong?.environment?.['KONG_PREFIX']);
  });

  it('names what is missing in .env', () => {
    const { stderr, status } = spawnSync(dockerCompose, ['-f', 'docker-compose.yml', 'config'], {
      cwd: PROJECT,
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/copy \.env\.example to \.env and set G(ATEWATCH_TOKEN|RAFANA_ADMIN_PASSWORD)/);
  });

  it('has services of ours that work together by its commands and environment', async () => {
    const services = readCompose(dockerCompose);
    const directory = mkdtempSync(join(tmpdir(), 'gatewatch-compose-'));
    const basePort = await findFreePorts(9);
    const [proxyPort, statusPort, sidecarPort] = [basePort + 6, basePort + 7, basePort + 8];
    const kongFile = join(PROJECT, 'kong', 'kong.yml');
    const addresses = mapAddresses({ statusPort, sidecarPort, upstreamBasePort: basePort });
    writeFileSync(
      join(directory, 'kong.yml'),
      deriveKongConfig(readFileSync(kongFile, 'utf8'), kongFile, addresses, join(directory, 'spool')),
    );
    const here = (text: string): string =>
      text
        .replaceAll('$$', '$')
        .replaceAll('/app/', `${PROJECT}/`)
        .replaceAll('/run/gatewatch', directory)
        .replaceAll('/var/lib/gatewatch', join(directory, 'data'))
        .replaceAll('/etc/kong/declarative', directory)
        .replaceAll('0.0.0.0:9765', `127.0.0.1:${sidecarPort}`)
        .replaceAll('0.0.0.0:8000', `127.0.0.1:${proxyPort}`)
        .replaceAll('0.0.0.0:8101', `127.0.0.1:${statusPort}`)
        .replaceAll('0.0.0.0', '127.0.0.1')
        .replace(/^dist\//, `${PROJECT}/dist/`)
        .replaceAll('node_modules/', `${PROJECT}/node_modules/`);
    const run = (
      name: string,
      extra: Record<string, string> = {},
      command?: readonly string[],
    ): RunningProgram => {
      const service = services[name];
      const [program = '', ...args] = (command ?? service?.command ?? []).map(here);
      const environment: Record<string, string> = {};
      for (const [key, value] of Object.entries(service?.environment ?? {})) environment[key] = here(value);
      return new RunningProgram(program, args, { ...environment, ...extra });
    };

    const sidecar = run('sidecar');
    const upstreams = run('demo-upstreams', { DEMO_UPSTREAMS_BASE_PORT: String(basePort) });
    const pluginServer = run('plugin-server');
    const started = [sidecar, upstreams, pluginServer];
    try {
      await sidecar.says(/sidecar listens/);
      await eventually(async () => {
        expect((await fetch(`http://127.0.0.1:${basePort}/__served`)).status).toBe(200);
        await new Promise<void>((tell, fail) => {
          const probe = connect(join(directory, 'gatewatch.sock'), () => {
            probe.destroy();
            tell();
          });
          probe.once('error', fail);
        });
      });
      // The stand-in takes Kong's place, with Kong's own environment.
      const kong = run('kong', { KONG_PREFIX: join(directory, 'kong') }, [
        process.execPath,
        join(PROJECT, 'dist/kong/embedded/main.js'),
      ]);
      started.push(kong);
      await kong.says(/^ready:/m);
      expect((await fetch(`http://127.0.0.1:${proxyPort}/fast`)).status).toBe(200);
      expect((await fetch(`http://127.0.0.1:${proxyPort}/refusing`)).status).toBe(502);
      // The plugin server delivers at SIGTERM what it has.
      await kong.end();
      expect(await pluginServer.end()).toEqual({ code: 0, signal: null });
      const samples = parseSamples(await (await fetch(`http://127.0.0.1:${sidecarPort}/metrics`)).text());
      expect(sumOf(samples, 'gatewatch_requests_total')).toBe(2);
      expect(sumOf(samples, 'application_errors_total', { error_type: 'upstream_unreachable' })).toBe(1);
    } finally {
      for (const program of started.reverse()) await program.end();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describeWith('promtool', 'prometheus.yml', (promtool) => {
  it('is valid, and scrapes Kong every 10 s and everything else every 15 s', () => {
    const file = join(PROJECT, 'prometheus', 'prometheus.yml');
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'config', file], { encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
    const config = parse(readFileSync(file, 'utf8')) as {
      global: { scrape_interval: string };
      scrape_configs: {
        job_name: string;
        scrape_interval?: string;
        static_configs: { targets: string[] }[];
      }[];
    };
    expect(config.global.scrape_interval).toBe('15s');
    expect(config.scrape_configs.find(({ job_name: job }) => job === 'kong')).toMatchObject({
      scrape_interval: '10s',
      static_configs: [{ targets: ['kong:8101'] }],
    });
  });
});

describeWith('amtool', 'alertmanager.yml', (amtool) => {
  it('is valid', () => {
    const file = join(PROJECT, 'prometheus', 'alertmanager.yml');
    const { status, stdout, stderr } = spawnSync(amtool, ['check-config', file], { encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
