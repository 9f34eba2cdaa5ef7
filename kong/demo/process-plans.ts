// In: where the project's programs are, the ports, the run's folder and its token. Out: for each program of the demo its
// command, environment and the address that answers once it is ready. Pure.
import type { DemoOptions } from './options';
import type { ProjectLayout } from './project-layout';
import type { RunDirectory } from './run-directory';
import type { ProcessPlan } from './supervised-process';

/** A program to start, and the address that answers 200 once it is ready. */
export interface ProgramPlan extends ProcessPlan {
  readonly readyUrl: string;
}

/** The programs of one run, in the order in which they are stopped. */
export interface ProgramPlans {
  readonly gateway: ProgramPlan;
  readonly sidecar: ProgramPlan;
  readonly prometheus: ProgramPlan | undefined;
  readonly spotlight: ProgramPlan | undefined;
  readonly upstreams: ProgramPlan;
}

/** What the plans are made of. */
export interface PlanInput {
  readonly options: DemoOptions;
  readonly layout: ProjectLayout;
  readonly directory: RunDirectory;
  /** The bearer token between plugin and sidecar; may be empty. */
  readonly token: string;
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of a real Kong to use instead of the embedded gateway. */
  readonly kong: string | undefined;
  readonly prometheus: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether this process runs as root. */
  readonly asRoot: boolean;
}

export function planPrograms(input: PlanInput): ProgramPlans {
  const { options, layout, directory, token, node, environment } = input;
  // A KONG_ or GATEWATCH_ variable of the user's shell must not reach into the demo, but for those that say what the sidecar tells.
  const env = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(KONG|GATEWATCH)_/.test(name)),
  );
  const cwd = layout.projectRoot;
  return {
    gateway: {
      name: 'gateway',
      command: input.kong ?? node,
      args: input.kong === undefined ? [layout.gatewayProgram] : ['start'],
      env: {
        ...env,
        ...planGatewayEnvironment(input),
        GATEWATCH_TOKEN: token,
        // Kong warns of a reference to a variable that is not set; of one that is empty it does not.
        SENTRY_DSN: environment['SENTRY_DSN'] ?? '',
      },
      cwd,
      // The embedded gateway gives open requests 3 s, then its plugin server 8 s for its last batch.
      stopGraceMs: 12_000,
      readyUrl: `http://127.0.0.1:${options.statusPort}/status`,
    },
    sidecar: {
      name: 'sidecar',
      command: node,
      args: [layout.sidecarProgram, '--config', layout.sidecarConfig],
      env: {
        ...env,
        ...pick(environment, SIDECAR_VARIABLES),
        GATEWATCH_LISTEN: `127.0.0.1:${options.sidecarPort}`,
        GATEWATCH_TOKEN: token,
        GATEWATCH_DATA_DIR: directory.sidecarData,
        GATEWATCH_KONG_STATUS_URLS: `http://127.0.0.1:${options.statusPort}`,
        GATEWATCH_EXTERNAL_URL: `http://127.0.0.1:${options.sidecarPort}`,
        ...(input.prometheus === undefined
          ? {}
          : { GATEWATCH_PROMETHEUS_URL: `http://127.0.0.1:${options.prometheusPort}` }),
        ...(options.spotlight && {
          SENTRY_ENVIRONMENT: 'development',
          SENTRY_SPOTLIGHT: spotlightVariable(input),
        }),
      },
      cwd,
      stopGraceMs: 5000,
      readyUrl: `http://127.0.0.1:${options.sidecarPort}/-/ready`,
    },
    prometheus:
      input.prometheus === undefined
        ? undefined
        : {
            name: 'prometheus',
            command: input.prometheus,
            args: [
              `--config.file=${directory.prometheusConfig}`,
              `--storage.tsdb.path=${directory.prometheusData}`,
              `--web.listen-address=127.0.0.1:${options.prometheusPort}`,
            ],
            env,
            cwd,
            stopGraceMs: 5000,
            readyUrl: `http://127.0.0.1:${options.prometheusPort}/-/ready`,
          },
    spotlight: options.spotlight
      ? {
          name: 'spotlight',
          command: node,
          args: [layout.spotlightProgram],
          env: { ...env, DEMO_SPOTLIGHT_PORT: String(options.spotlightPort) },
          cwd,
          stopGraceMs: 2000,
          readyUrl: `http://127.0.0.1:${options.spotlightPort}/health`,
        }
      : undefined,
    upstreams: {
      name: 'upstreams',
      command: node,
      args: [layout.upstreamsProgram],
      env: {
        ...env,
        DEMO_UPSTREAMS_HOST: '127.0.0.1',
        DEMO_UPSTREAMS_BASE_PORT: String(options.upstreamBasePort),
      },
      cwd,
      stopGraceMs: 2000,
      readyUrl: `http://127.0.0.1:${options.upstreamBasePort}/__served`,
    },
  };
}

/** What the shipped configuration asks for and the demo does not decide. */
const SIDECAR_VARIABLES = [
  'GATEWATCH_RECORD_DIR',
  'GATEWATCH_DASHBOARD_URL',
  'GATEWATCH_SENTRY_URL',
  'GATEWATCH_RUNBOOK_URL',
];

function pick(environment: PlanInput['environment'], names: readonly string[]): PlanInput['environment'] {
  return Object.fromEntries(
    names.flatMap((name) => (name in environment ? [[name, environment[name]]] : [])),
  );
}

// The embedded gateway reads the same variables as Kong; those it does not know are for a real Kong alone.
function planGatewayEnvironment(input: PlanInput): Record<string, string> {
  const { options, layout, directory, node, asRoot } = input;
  const spotlight = spotlightVariable(input);
  // nginx clears the environment of a plugin server: what it is to have besides stands in its command.
  const variables = spotlight === '' ? '' : `env ${quoteForShell(`SENTRY_SPOTLIGHT=${spotlight}`)} `;
  const pluginServer = [node, layout.pluginServerProgram, 'plugin-server'].map(quoteForShell).join(' ');
  return {
    KONG_DATABASE: 'off',
    KONG_DECLARATIVE_CONFIG: directory.kongConfig,
    KONG_PREFIX: directory.kongPrefix,
    KONG_PROXY_LISTEN: `127.0.0.1:${options.proxyPort}`,
    KONG_STATUS_LISTEN: `127.0.0.1:${options.statusPort}`,
    KONG_ADMIN_LISTEN: 'off',
    KONG_ADMIN_GUI_LISTEN: 'off',
    KONG_ANONYMOUS_REPORTS: 'off',
    KONG_NGINX_DAEMON: 'off',
    KONG_NGINX_WORKER_PROCESSES: '1',
    KONG_PROXY_ACCESS_LOG: 'off',
    KONG_PROXY_ERROR_LOG: '/dev/stderr',
    KONG_STATUS_ERROR_LOG: '/dev/stderr',
    KONG_PLUGINS: 'bundled,gatewatch',
    KONG_PLUGINSERVER_NAMES: 'js',
    KONG_PLUGINSERVER_JS_SOCKET: directory.socketPath,
    KONG_PLUGINSERVER_JS_START_CMD: `${variables}${pluginServer} --socket ${quoteForShell(directory.socketPath)}`,
    KONG_PLUGINSERVER_JS_QUERY_CMD: `${pluginServer} --dump`,
    // Kong started by root would run its workers as another user, who may not enter the run's private folder.
    ...(asRoot ? { KONG_NGINX_USER: 'root root' } : {}),
  };
}

/** Where errors and traces are shown: in the Spotlight of this run, in one that the user's shell names, or nowhere. */
function spotlightVariable({ options, environment }: PlanInput): string {
  if (options.spotlight) return `http://127.0.0.1:${options.spotlightPort}/stream`;
  return environment['SENTRY_SPOTLIGHT'] ?? '';
}

// Kong hands both commands to a shell.
function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
