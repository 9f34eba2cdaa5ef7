// The program: Gatewatch's embedded stand-in for Kong, set up by Kong's own environment variables.
// In: the environment and signals. Out: one line on stdout when it is ready, the log on stderr, an exit code: 0 after an
// orderly stop, 1 when it could not start or a second signal would not wait.
import { PluginDumpFault } from './announced-plugin';
import { DeclarativeConfigFault } from './describe-config-faults';
import { startGateway } from './gateway';
import { ListenFault } from './listen';
import { readSettings, SettingsFault } from './read-settings';

function log(line: string): void {
  process.stderr.write(`[embedded gateway] ${line}\n`);
}

async function main(): Promise<void> {
  log("this is Gatewatch's embedded stand-in for Kong, for first runs and tests. It is not Kong.");
  const settings = readSettings(process.env);
  const starting = startGateway(settings, log);

  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log(`${signal} again: ending at once`);
      process.exit(1);
    }
    stopping = true;
    log(`${signal}: stopping`);
    starting
      .then((gateway) => gateway.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log(`stopping failed: ${String(error)}`);
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);

  const gateway = await starting;
  const { proxyListen, statusListen } = settings;
  const proxy = `http://${proxyListen.host}:${gateway.proxyPort}`;
  const status =
    statusListen === undefined ? 'off' : `http://${statusListen.host}:${gateway.statusPort ?? 0}`;
  process.stdout.write(`ready: proxy ${proxy} status ${status}\n`);
}

main().catch((error: unknown) => {
  const forOperator =
    error instanceof SettingsFault ||
    error instanceof DeclarativeConfigFault ||
    error instanceof PluginDumpFault ||
    error instanceof ListenFault;
  log(
    forOperator
      ? error.message
      : `could not start: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
  );
  process.exit(1);
});
