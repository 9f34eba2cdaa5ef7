import { execFileSync } from 'node:child_process';
import { parseOptions } from '../../../kong/demo/options';
import { planPrograms, type PlanInput } from '../../../kong/demo/process-plans';

const parsed = parseOptions(['--proxy-port', '18000', '--sidecar-port', '19765']);
if (parsed.kind !== 'run') throw new Error('the flags of this test are wrong');

const input: PlanInput = {
  options: parsed.options,
  layout: {
    projectRoot: "/srv/it's here",
    gatewayProgram: '/srv/gateway.js',
    sidecarProgram: '/srv/sidecar.js',
    upstreamsProgram: '/srv/upstreams.js',
    spotlightProgram: '/srv/spotlight.js',
    pluginServerProgram: "/srv/it's here/$(host).js",
    kongConfig: '/srv/kong.yml',
    sidecarConfig: '/srv/gatewatch.yml',
    prometheusConfig: '/srv/prometheus.yml',
  },
  directory: {
    root: '/tmp/gatewatch-1',
    socketPath: '/tmp/gatewatch-1/gatewatch.sock',
    spoolDirectory: '/tmp/gatewatch-1/spool',
    kongPrefix: '/tmp/gatewatch-1/kong',
    kongConfig: '/tmp/gatewatch-1/kong.yml',
    prometheusConfig: '/tmp/gatewatch-1/prometheus.yml',
    prometheusData: '/tmp/gatewatch-1/prometheus',
    sidecarData: '/tmp/gatewatch-1/sidecar',
  },
  token: 'secret',
  node: '/usr/bin/node',
  kong: undefined,
  prometheus: undefined,
  environment: {
    PATH: '/bin',
    HOME: '/root',
    KONG_DATABASE: 'postgres',
    GATEWATCH_TOKEN: 'old',
    GATEWATCH_RECORD_DIR: 'records',
    KONGRESS: 'kept',
  },
  asRoot: false,
};

/** As a shell reads a command. */
function wordsOf(command: string): string[] {
  const words = execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
  return words.trimEnd().split('\n');
}

describe('the programs of a run', () => {
  it('get the settings of the run and none of the shell for Kong or Gatewatch', () => {
    const { gateway, sidecar, upstreams } = planPrograms(input);
    expect(gateway.env).toMatchObject({ KONG_DATABASE: 'off', GATEWATCH_TOKEN: 'secret', KONGRESS: 'kept' });
    expect(sidecar.env).toMatchObject({
      GATEWATCH_TOKEN: 'secret',
      GATEWATCH_LISTEN: '127.0.0.1:19765',
      GATEWATCH_RECORD_DIR: 'records',
      PATH: '/bin',
    });
    expect(upstreams.env).not.toHaveProperty('GATEWATCH_TOKEN');
    expect(
      Object.keys({ ...sidecar.env, ...upstreams.env }).filter((name) => name.startsWith('KONG_')),
    ).toEqual([]);
  });

  it('give Kong the DSN of the shell, and an empty one where there is none', () => {
    expect(planPrograms(input).gateway.env['SENTRY_DSN']).toBe('');
    const environment = { ...input.environment, SENTRY_DSN: 'http://key@127.0.0.1:9000/1' };
    expect(planPrograms({ ...input, environment }).gateway.env['SENTRY_DSN']).toBe(environment.SENTRY_DSN);
  });

  it('include Prometheus only where it was found', () => {
    expect(planPrograms(input).prometheus).toBeUndefined();
    const { prometheus } = planPrograms({ ...input, prometheus: '/usr/bin/prometheus' });
    expect(prometheus?.args).toContain('--web.listen-address=127.0.0.1:9090');
  });

  it('include Spotlight only with --spotlight, which the plugin server and the sidecar then report to', () => {
    expect(planPrograms(input).spotlight).toBeUndefined();
    const options = { ...input.options, spotlight: true, spotlightPort: 18969 };
    const environment = { ...input.environment, SENTRY_SPOTLIGHT: 'http://elsewhere:1/stream' };
    const { spotlight, gateway, sidecar } = planPrograms({ ...input, options, environment });
    expect(spotlight).toMatchObject({
      args: ['/srv/spotlight.js'],
      env: { DEMO_SPOTLIGHT_PORT: '18969' },
      readyUrl: 'http://127.0.0.1:18969/health',
    });
    const shown = 'http://127.0.0.1:18969/stream';
    expect(sidecar.env).toMatchObject({ SENTRY_SPOTLIGHT: shown, SENTRY_ENVIRONMENT: 'development' });
    const command = gateway.env.KONG_PLUGINSERVER_JS_START_CMD ?? '';
    expect(wordsOf(command).slice(0, 3)).toEqual(['env', `SENTRY_SPOTLIGHT=${shown}`, '/usr/bin/node']);
  });

  it('report to the Spotlight that the shell names, word for word, where none is started', () => {
    const environment = { ...input.environment, SENTRY_SPOTLIGHT: "$(id)'s" };
    const { gateway, sidecar } = planPrograms({ ...input, environment });
    expect(sidecar.env).toMatchObject({ SENTRY_SPOTLIGHT: "$(id)'s" });
    const command = gateway.env.KONG_PLUGINSERVER_JS_START_CMD ?? '';
    expect(wordsOf(command).slice(0, 2)).toEqual(['env', "SENTRY_SPOTLIGHT=$(id)'s"]);
  });

  it('start a real Kong in the foreground, under the same environment as the embedded gateway', () => {
    const embedded = planPrograms(input).gateway;
    const real = planPrograms({ ...input, kong: '/usr/local/bin/kong' }).gateway;
    expect([embedded.command, embedded.args]).toEqual(['/usr/bin/node', ['/srv/gateway.js']]);
    expect([real.command, real.args]).toEqual(['/usr/local/bin/kong', ['start']]);
    expect(real.env).toEqual(embedded.env);
    expect(real.env).toMatchObject({ KONG_NGINX_DAEMON: 'off' });
  });

  it("reach a shell word for word, whatever a folder's name holds", () => {
    const command = planPrograms(input).gateway.env.KONG_PLUGINSERVER_JS_START_CMD ?? '';
    expect(wordsOf(command)).toEqual([
      '/usr/bin/node',
      "/srv/it's here/$(host).js",
      'plugin-server',
      '--socket',
      '/tmp/gatewatch-1/gatewatch.sock',
    ]);
  });
});
