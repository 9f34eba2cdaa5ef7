// The sidecar as a program: arguments, environment, signals and exit codes.
// Exit codes: 0 stopped by SIGTERM or SIGINT; 1 the store or the address cannot be used, or a fault of its own; 2 a wrong flag
// or configuration. SIGHUP reads the configuration again, as POST /-/reload does. Whatever it says passes a guard that knows
// the secrets, a crash too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, types } from 'node:util';
import pino from 'pino';
import { systemClock } from './clock';
import { configWarnings } from './config/config-warnings';
import { loadConfig } from './config/load-config';
import { restartReasons } from './config/restart-reasons';
import type { Config } from './config/config';
import { renderFault } from './config/config-fault';
import { SecretRedactor } from './config/redact-secrets';
import { ListenFault } from './http/listen';
import { checkStore } from './ledger/check-store';
import { StoreFault } from './ledger/store-fault';
import { checkMemory } from './memory/check-memory';
import { NO_SENTRY } from './sentry/own-sentry';
import { startSentry } from './sentry/start-sentry';
import { startSidecar } from './sidecar';

const DEFAULT_CONFIG_FILE = 'sidecar/gatewatch.yml';
/** Within the ten seconds that a container has before it is killed, and the five of the demo. */
const STOP_TIMEOUT_MS = 4_000;

/** Of a crash, for its report. */
const CRASH_REPORT_MS = 1_500;

const redactor = new SecretRedactor();
/** For envelopes: a part of the DSN is in each of them. */
const envelopeRedactor = new SecretRedactor();

let sentry = NO_SENTRY;
let isCrashing = false;

const USAGE = `Usage: node dist/sidecar/main.js [--config FILE] [--check]

  --config FILE   the configuration (${DEFAULT_CONFIG_FILE})
  --check         read the configuration, say what is wrong with it, and end
  --help          this page
`;

async function main(args: readonly string[]): Promise<void> {
  const flags = readFlags(args);
  if (flags === undefined) return;
  const file = flags.config;
  const loaded = loadConfig(file);
  if (!loaded.ok) {
    for (const fault of loaded.faults) process.stderr.write(`${renderFault(fault)}\n`);
    process.exitCode = 2;
    return;
  }
  if (flags.check) {
    const warnings = configWarnings(loaded.config, systemClock.nowMs());
    for (const sentence of warnings) process.stdout.write(`${file}: warning: ${sentence}\n`);
    const but =
      warnings.length === 0
        ? ''
        : `, but ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`;
    process.stdout.write(`${file}: no faults${but}\n`);
    return;
  }

  const { config } = loaded;
  addSecrets(config);
  const stderr = pino.destination({ dest: 2, sync: true });
  const logger = pino({ base: null }, { write: (line) => stderr.write(redactor.redact(line)) });
  const version = readVersion();
  sentry = startSentry(config.sentry, {
    version,
    clock: systemClock,
    logger,
    redact: (text) => envelopeRedactor.redact(text),
  });
  const notRenewed = checkStore(config.dataDirectory);
  if (notRenewed !== undefined)
    logger.warn({ reason: notRenewed }, 'the ledger could not be written anew; it is used as it is');
  for (const sentence of checkMemory(config.dataDirectory, systemClock.nowMs())) logger.error(sentence);
  const sidecar = await startSidecar({
    config,
    configFile: file,
    readAgain: (current) => readAgain(file, current),
    version,
    clock: systemClock,
    logger,
    sentry,
  });
  logger.info({ address: sidecar.address, dataDirectory: config.dataDirectory }, 'sidecar listens');

  process.on('SIGHUP', () => void sidecar.reload());
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    const ended = sidecar.stop(STOP_TIMEOUT_MS - sentry.stopMs).then(() => sentry.stop(sentry.stopMs));
    ended.then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

function readFlags(args: readonly string[]): { config: string; check: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: DEFAULT_CONFIG_FILE },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (!values.help) return values;
    process.stdout.write(USAGE);
  } catch (error) {
    process.stderr.write(`${types.isNativeError(error) ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
  }
  return undefined;
}

function readAgain(file: string, current: Config): Config | readonly string[] {
  const loaded = loadConfig(file);
  if (!loaded.ok) return loaded.faults.map(renderFault);
  addSecrets(loaded.config);
  const reasons = restartReasons(current, loaded.config);
  return reasons.length > 0 ? reasons : loaded.config;
}

function addSecrets(config: Config): void {
  redactor.add(config);
  envelopeRedactor.add({ ...config, sentry: { ...config.sentry, dsn: undefined } });
}

function readVersion(): string {
  // dist/sidecar/main.js -> package.json
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Ends the process. Of an error only its stack is told: what libraries hang on it, such as an address, is not. */
function crash(error: unknown): void {
  const forOperator = error instanceof StoreFault || error instanceof ListenFault;
  const text = types.isNativeError(error) ? (forOperator ? error.message : error.stack) : String(error);
  process.stderr.write(`${redactor.redact(text ?? 'an error without a stack')}\n`);
  if (sentry === NO_SENTRY || isCrashing || forOperator) process.exit(1);
  isCrashing = true;
  // Whatever becomes of the report.
  setTimeout(() => process.exit(1), CRASH_REPORT_MS);
  sentry.report({ error, place: 'the process', isFatal: true });
  void sentry.stop(CRASH_REPORT_MS).finally(() => process.exit(1));
}

process.on('uncaughtException', crash);
main(process.argv.slice(2)).catch(crash);
