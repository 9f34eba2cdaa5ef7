// `gatewatch replay`: flags, environment and exit codes of a replay. Exit codes: 0 done; 1 the past cannot be read, or there is none; 2 a
// wrong command line or configuration. The report goes to stdout, all else to stderr. Nothing is sent to any channel.
import { readFileSync } from 'node:fs';
import { systemClock, type Clock } from '../clock';
import { boundsOf } from '../config/config';
import { renderFault } from '../config/config-fault';
import { parseDuration } from '../config/duration';
import { loadRules } from '../config/load-config';
import { engineSettingsOf } from '../engine-settings';
import { errorCodeOf } from '../error-code';
import { PastFault, type Past } from '../replay/past';
import { showProgress, type ProgressStream } from '../replay/progress';
import { PrometheusPast } from '../replay/prometheus-past';
import { readTime } from '../replay/read-time';
import { openRecording } from '../replay/recorded-batches';
import { renderReplay, replayDocument } from '../replay/render-replay';
import { runReplay as run } from '../replay/run-replay';
import { CommandFault, EXIT, readFlags, UsageFault } from './command';

export interface ReplayRim {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: ProgressStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_STEP = '15s';
const LEAST_STEP_MS = 1_000;
const MOST_STEP_MS = 60 * 60 * 1000;

export const REPLAY_USAGE = `Usage: gatewatch replay --from SOURCE --rules FILE [options]

Runs the rules of FILE over the past and says how many pages each would have sent, and to whom. Sends nothing.

  --from SOURCE       http(s):// a Prometheus that scrapes the sidecar; or what record_dir of gatewatch.yml names: the
                      directory, or one file of it
  --rules FILE        a gatewatch.yml: its rules, notifications and the names of its channels count; no secret need be set
  --start, --end      such as 2026-11-27T10:00Z, Unix seconds, or 7d for seven days ago; of a Prometheus the last day
  --step DURATION     how finely a Prometheus is read (${DEFAULT_STEP})
  --matcher MATCHERS  which series of a Prometheus, such as 'job="gatewatch"' (all)
  --token-file FILE   the bearer token for a Prometheus
  --json              the report as JSON, with every alert
  --help              this page

Environment: GATEWATCH_PROMETHEUS_TOKEN, or GATEWATCH_PROMETHEUS_USER and GATEWATCH_PROMETHEUS_PASSWORD.
`;

const OPTIONS = {
  from: { type: 'string' },
  rules: { type: 'string' },
  start: { type: 'string' },
  end: { type: 'string' },
  step: { type: 'string', default: DEFAULT_STEP },
  matcher: { type: 'string', default: '' },
  'token-file': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface Flags {
  readonly from: string;
  readonly rules: string;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly stepMs: number;
  readonly matcher: string;
  readonly tokenFile: string | undefined;
  readonly isJson: boolean;
}

/** @param args those after `replay` @returns the exit code @throws UsageFault, CommandFault */
export async function runReplay(args: readonly string[], rim: ReplayRim = processRim()): Promise<number> {
  const flags = flagsOf(args, rim.clock.nowMs());
  if (flags === undefined) {
    rim.stdout.write(REPLAY_USAGE);
    return EXIT.ok;
  }
  try {
    return await replay(flags, rim);
  } catch (error) {
    throw error instanceof PastFault ? new CommandFault(error.message) : error;
  }
}

async function replay(flags: Flags, { stdout, stderr, environment, clock }: ReplayRim): Promise<number> {
  const loaded = loadRules(flags.rules, environment);
  if (!loaded.ok) {
    for (const fault of loaded.faults) stderr.write(`${renderFault(fault)}\n`);
    return EXIT.usage;
  }
  const { rules, policy, channels, standing } = engineSettingsOf(loaded.config);
  const past = await openPast(flags, boundsOf(rules), environment, clock.nowMs());
  const progress = showProgress(stderr, () => clock.monotonicMs());
  try {
    const alertmanagers = standing.map(({ name }) => name);
    const intervalMs = loaded.config.evaluationIntervalMs;
    const settings = { rules, policy, channels, alertmanagers, intervalMs };
    const report = await run(past, settings, progress.update);
    progress.stop();
    stdout.write(
      flags.isJson ? `${JSON.stringify(replayDocument(report), null, 2)}\n` : renderReplay(report),
    );
    return EXIT.ok;
  } finally {
    progress.stop();
  }
}

async function openPast(
  { from, startMs, endMs, stepMs, matcher, tokenFile }: Flags,
  boundsMs: readonly number[],
  environment: ReplayRim['environment'],
  nowMs: number,
): Promise<Past> {
  if (!isUrl(from)) return openRecording(from, { startMs, endMs });
  const url = new URL(from);
  const lastMs = endMs ?? nowMs;
  const access = { url, authorization: authorizationOf(url, tokenFile, environment) };
  return new PrometheusPast({
    access,
    startMs: startMs ?? lastMs - DAY_MS,
    endMs: lastMs,
    stepMs,
    matcher,
    boundsMs,
  });
}

/** The value of the header. What was told of it most plainly counts. */
function authorizationOf(
  { username, password }: URL,
  tokenFile: string | undefined,
  environment: ReplayRim['environment'],
): string | undefined {
  if (tokenFile !== undefined) return `Bearer ${readToken(tokenFile)}`;
  if (username !== '' || password !== '')
    return basic(decodeURIComponent(username), decodeURIComponent(password));
  const token = environment['GATEWATCH_PROMETHEUS_TOKEN'];
  if (token) return `Bearer ${checkToken(token, 'GATEWATCH_PROMETHEUS_TOKEN')}`;
  const user = environment['GATEWATCH_PROMETHEUS_USER'];
  return user ? basic(user, environment['GATEWATCH_PROMETHEUS_PASSWORD'] ?? '') : undefined;
}

function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageFault(`--token-file: expected the path of a readable file, found ${errorCodeOf(error)}`);
  }
  return checkToken(text.trim(), '--token-file');
}

function checkToken(token: string, place: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  throw new UsageFault(
    `${place}: expected a token of printable characters without spaces, found something else`,
  );
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function isUrl(from: string): boolean {
  return /^https?:\/\//i.test(from);
}

function isUsableUrl(text: string): boolean {
  try {
    const { username, password } = new URL(text);
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** `undefined` where help is asked for. @throws UsageFault */
function flagsOf(args: readonly string[], nowMs: number): Flags | undefined {
  const { values, positionals } = readFlags(args, OPTIONS);
  if (values.help) return undefined;
  const [stray] = positionals;
  if (stray !== undefined) throw new UsageFault(`expected flags, found ${stray}`);
  const { from, rules } = values;
  if (!from) throw new UsageFault('--from: expected the address of a Prometheus or the path of a recording');
  if (!rules) throw new UsageFault('--rules: expected the path of a gatewatch.yml');
  if (isUrl(from) && !isUsableUrl(from)) throw new UsageFault('--from: expected an http or https address');
  const startMs = timeOf('--start', values.start, nowMs);
  const endMs = timeOf('--end', values.end, nowMs);
  const stepMs = parseDuration(values.step);
  if (stepMs === undefined || stepMs < LEAST_STEP_MS || stepMs > MOST_STEP_MS)
    throw new UsageFault(`--step: expected a duration from 1s to 1h, found ${values.step}`);
  if (startMs !== undefined && startMs >= (endMs ?? nowMs))
    throw new UsageFault('--start: expected a time before --end, found a later one');
  return {
    from,
    rules,
    startMs,
    endMs,
    stepMs,
    matcher: values.matcher,
    tokenFile: values['token-file'],
    isJson: values.json,
  };
}

function timeOf(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = readTime(text, nowMs);
  if (ms !== undefined) return ms;
  throw new UsageFault(
    `${flag}: expected a time such as 2026-11-27T10:00Z, Unix seconds or 7d, found ${text}`,
  );
}

function processRim(): ReplayRim {
  // A reader such as `head` that has gone away: nobody is left to tell.
  process.stdout.on('error', () => process.exit(EXIT.ok));
  return { stdout: process.stdout, stderr: process.stderr, environment: process.env, clock: systemClock };
}
