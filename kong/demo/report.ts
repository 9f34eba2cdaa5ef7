// In: what was started and where. Out: the text that the terminal shows. Pure: no clock, no stream.
// Emphasis is used only where the caller says that the terminal shows it.
import type { DemoOptions } from './options';

/** How to emphasise; both give the text back unchanged where the output is not a terminal. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
}

/** A style for a terminal, or for plain text. */
export function chooseStyle(forTerminal: boolean): Style {
  const wrap = (open: number, close: number) => (text: string) =>
    forTerminal ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { bold: wrap(1, 22), dim: wrap(2, 22) };
}

/** What the run consists of. */
export interface RunFacts {
  readonly options: DemoOptions;
  readonly withPrometheus: boolean;
}

export function renderHeading({ options }: RunFacts, style: Style): string {
  const gateway = options.realKong
    ? 'with the real Kong from the PATH'
    : 'with the embedded gateway, a stand-in for Kong (a real one: npm start -- --kong)';
  return `\n${style.bold('Gatewatch')}, a first run ${gateway}\n`;
}

export function renderReady(facts: RunFacts, secondsToStart: number, style: Style): string {
  const { options, withPrometheus } = facts;
  const proxy = `http://127.0.0.1:${options.proxyPort}`;
  const sidecar = `http://127.0.0.1:${options.sidecarPort}`;
  const spotlight = `http://localhost:${options.spotlightPort}`;
  const lastUpstream = options.upstreamBasePort + 5;
  const row = (name: string, address: string, what: string): string =>
    `  ${name.padEnd(11)} ${address.padEnd(31)} ${style.dim(what)}`;
  return [
    '',
    style.bold(`Ready after ${secondsToStart.toFixed(1)} s`),
    row('gateway', proxy, 'send your requests here'),
    row('status', `http://127.0.0.1:${options.statusPort}/metrics`, "Kong's own metrics"),
    row('sidecar', `${sidecar}/`, 'producers, series, rules, channels'),
    row('metrics', `${sidecar}/metrics`, "Gatewatch's metrics"),
    withPrometheus
      ? row('prometheus', `http://127.0.0.1:${options.prometheusPort}/`, 'scrapes both every 10 to 15 s')
      : row('prometheus', 'not started', 'no program `prometheus` on the PATH'),
    ...(options.spotlight
      ? [row('spotlight', `${spotlight}/`, 'errors and traces, as Sentry shows them')]
      : []),
    row(
      'upstreams',
      `127.0.0.1:${options.upstreamBasePort} to ${lastUpstream}`,
      'fast, slow, flaky, refusing, timing out, pooled',
    ),
    options.traffic
      ? row('traffic', 'about 10 requests a second', 'over every route; without: npm start -- --no-traffic')
      : row('traffic', 'none', 'send your own'),
    '',
    style.bold('Try'),
    `  curl -i ${proxy}/slow`,
    `  curl -i ${proxy}/refusing          ${style.dim('three tries, then 502')}`,
    `  curl -s ${sidecar}/metrics | grep application_errors_total`,
    `  curl -s ${sidecar}/`,
    `  ${alertsCommand(options.sidecarPort)}   ${style.dim('what fires, after a good minute')}`,
    ...(withPrometheus ? [`  ${renderQueryLink(options.prometheusPort)}`] : []),
    '',
    ...(options.spotlight
      ? [
          style.bold('Errors and traces'),
          `  ${spotlight}/ shows what a project in Sentry would get. It keeps the last 500 of both.`,
          '  Errors: by service, operation and error type, with the tries of the request. Of one kind the first few come at once,',
          '  then one every ten seconds, which tells how many were held back.',
          '  Traces: every request, with its tries and what the gateway took for itself.',
          '',
        ]
      : []),
    style.bold('Alerts'),
    `  Rules and their states are shown at ${sidecar}/. Alerts go to the channels that`,
    '  sidecar/gatewatch.yml names; where it names none, nobody is told, and that page says so.',
    ...(options.traffic
      ? ['  The first ones fire after a good minute: for so long a breach must last.']
      : []),
    '',
  ].join('\n');
}

/** Where `gatewatch` asks unless it is told another. */
const USUAL_SIDECAR_PORT = 9765;

/** How to ask what fires. */
function alertsCommand(port: number): string {
  const url = port === USUAL_SIDECAR_PORT ? '' : ` --url http://127.0.0.1:${port}`;
  return `node dist/sidecar/cli/main.js alerts${url}`;
}

// The p95 of each service, in Prometheus's own page.
function renderQueryLink(port: number): string {
  const query =
    'histogram_quantile(0.95, sum by (le, service) (rate(external_request_duration_seconds_bucket[1m])))';
  return `http://127.0.0.1:${port}/graph?g0.expr=${encodeURIComponent(query)}`;
}

/**
 * A few lines of the histogram as the sidecar serves it: up to three buckets of the first series and up to four counts.
 * Empty if nothing has been counted yet.
 */
export function pickHistogramLines(metrics: string): string[] {
  const lines = metrics.split('\n').filter((line) => line.startsWith('external_request_duration_seconds_'));
  const buckets = lines.filter((line) => line.startsWith('external_request_duration_seconds_bucket{'));
  const counts = lines.filter((line) => line.startsWith('external_request_duration_seconds_count{'));
  return [...buckets.slice(0, 3), ...counts.slice(0, 4)];
}

export function renderFirstLines(lines: readonly string[], style: Style): string {
  return [
    style.bold('First histogram lines'),
    ...lines.map((line) => `  ${line}`),
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

/** The programs in the order in which they are stopped. */
export function renderStopping({ options, withPrometheus }: RunFacts): string {
  const parts = [
    ...(options.traffic ? ['traffic'] : []),
    'gateway',
    'sidecar',
    ...(withPrometheus ? ['prometheus'] : []),
    ...(options.spotlight ? ['spotlight'] : []),
    'upstreams',
  ];
  return `\nStopping, in this order: ${parts.join(', ')}.`;
}

/** What is said of a program that ended or would not start. */
export function renderFailure(
  message: string,
  name: string | undefined,
  lastLines: readonly string[],
): string {
  if (name === undefined) return `\n${message}\n`;
  const shown = lastLines.slice(-12).map((line) => `  ${name} | ${line}`);
  return [
    '',
    message,
    ...(shown.length > 0 ? ['Its last lines:', ...shown] : ['It wrote nothing.']),
    '',
  ].join('\n');
}
