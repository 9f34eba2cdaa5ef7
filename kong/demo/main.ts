// `npm start`: brings up everything on this machine, says what to try, and stops it all on Ctrl-C.
// Exit codes: 0 stopped by Ctrl-C, SIGTERM or SIGHUP; 1 a port taken, a file missing, a program failed; 2 a wrong flag;
// 130 stopped at once by a second Ctrl-C. This is the rim: arguments, environment, clock, signals and terminal are here.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { DemoSession, ProgramFailure } from './demo-session';
import { deriveKongConfig, derivePrometheusConfig, mapAddresses, reportToSpotlight } from './derive-config';
import { findProgram } from './find-program';
import { parseOptions, type DemoOptions } from './options';
import { describeClashes, describeTakenPorts, listNeededPorts } from './ports';
import { planPrograms } from './process-plans';
import { findMissingFiles, findProjectLayout } from './project-layout';
import * as report from './report';
import { createRunDirectory } from './run-directory';
import { findSpotlight, SPOTLIGHT_MISSING } from './spotlight-package';

const START_TIMEOUT_MS = 30_000;
const FIRST_LINES_POLL_MS = 250;
const PARENT_POLL_MS = 250;
// npm passes on the SIGINT that the terminal has already sent here: two within this time are one Ctrl-C.
const SAME_KEYSTROKE_MS = 500;

const style = report.chooseStyle(process.stdout.isTTY && process.env.NO_COLOR === undefined);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(args: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const parsed = parseOptions(args);
  if (parsed.kind === 'help') {
    say(parsed.text);
    return 0;
  }
  if (parsed.kind === 'refused') {
    complain(parsed.message);
    return 2;
  }
  const { options } = parsed;
  const prometheus = findProgram('prometheus');
  const kong = options.realKong ? findProgram('kong') : undefined;
  const layout = findProjectLayout(__dirname);
  const obstacles = [
    ...(options.realKong && kong === undefined ? ['--kong: there is no program `kong` on the PATH.'] : []),
    ...(options.spotlight && findSpotlight() === undefined ? [SPOTLIGHT_MISSING] : []),
    ...findMissingFiles(layout),
    ...(await findPortObstacles(options, prometheus !== undefined)),
  ];
  if (obstacles.length > 0) {
    obstacles.forEach(complain);
    return 1;
  }

  const addresses = mapAddresses(options);
  const { kongConfig, prometheusConfig } = layout;
  const directory = createRunDirectory({
    kongConfig: (spoolDirectory) => {
      const text = readFileSync(kongConfig, 'utf8');
      const derived = deriveKongConfig(text, kongConfig, addresses, spoolDirectory);
      return options.spotlight ? reportToSpotlight(derived, kongConfig) : derived;
    },
    prometheusConfig: derivePrometheusConfig(
      readFileSync(prometheusConfig, 'utf8'),
      prometheusConfig,
      addresses,
    ),
  });
  const facts = { options, withPrometheus: prometheus !== undefined };
  const session = new DemoSession(directory.root, {
    started: (name, url, seconds) =>
      say(`  ${name.padEnd(11)} ready after ${seconds.toFixed(1)} s  ${style.dim(url)}`),
    line: (name, line) => {
      if (options.verbose) say(`${name.padEnd(10)} | ${line}`);
    },
  });
  const interrupted = watchForTheEnd(session);
  say(report.renderHeading(facts, style));
  const plans = planPrograms({
    options,
    layout,
    directory,
    // On loopback none is needed, and whoever tries the commands has none at hand.
    token: process.env['GATEWATCH_TOKEN'] ?? '',
    node: process.execPath,
    kong,
    prometheus,
    environment: process.env,
    asRoot: process.getuid?.() === 0,
  });

  let failed = false;
  try {
    await Promise.race([interrupted, run(session)]);
  } catch (error) {
    failed = true;
    const failure = error instanceof ProgramFailure ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    complain(report.renderFailure(message, failure?.program, failure?.lastLines ?? []));
  }
  say(report.renderStopping(facts));
  await session.stop();
  say('Stopped: no process, socket or file of this run is left.');
  return failed ? 1 : 0;

  async function run(started: DemoSession): Promise<never> {
    await started.start(plans, START_TIMEOUT_MS);
    say(report.renderReady(facts, (performance.now() - startMs) / 1000, style));
    if (options.traffic) started.startTraffic(`http://127.0.0.1:${options.proxyPort}`);
    else say('The first histogram lines appear here after your first request.');
    const lines = await Promise.race([started.broken, readFirstLines(options.sidecarPort)]);
    if (!started.isOver) say(report.renderFirstLines(lines, style));
    return started.broken;
  }
}

async function findPortObstacles(options: DemoOptions, withPrometheus: boolean): Promise<string[]> {
  const needed = listNeededPorts(options, withPrometheus);
  const clashes = describeClashes(needed);
  return clashes.length > 0 ? clashes : describeTakenPorts(needed);
}

/** Resolves at the first signal; the second ends everything at once. Whatever ends this process ends the programs too. */
function watchForTheEnd(session: DemoSession): Promise<void> {
  const endAtOnce = (code: number): void => {
    session.killNow();
    process.exit(code);
  };
  process.on('uncaughtException', (error) => {
    complain(`\nThe demo itself failed: ${error.stack ?? error.message}`);
    endAtOnce(1);
  });
  // A reader such as `head` that has gone away: nobody is left to tell.
  process.stdout.on('error', () => endAtOnce(1));
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (): void => {
      const nowMs = performance.now();
      if (firstMs === undefined) {
        firstMs = nowMs;
        resolve();
      } else if (nowMs - firstMs > SAME_KEYSTROKE_MS) endAtOnce(130);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    if (process.env.npm_lifecycle_event !== undefined) watchForTheShell(onSignal);
  });
}

/** `kill` of npm ends only the shell between npm and this process, which passes nothing on. */
function watchForTheShell(onGone: () => void): void {
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return;
    clearInterval(timer);
    onGone();
  }, PARENT_POLL_MS);
  timer.unref();
}

/** Asks the sidecar until it serves the first observation. Stops with the process. */
async function readFirstLines(sidecarPort: number): Promise<string[]> {
  for (;;) {
    try {
      const answer = await fetch(`http://127.0.0.1:${sidecarPort}/metrics`);
      const lines = report.pickHistogramLines(await answer.text());
      if (lines.length > 0) return lines;
    } catch {
      // A sidecar that has ended is reported by the session.
    }
    await delay(FIRST_LINES_POLL_MS);
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    complain(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
