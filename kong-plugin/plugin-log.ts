// What the plugin says aloud: one line of JSON on stderr, which Kong copies into its error log.

export type LogLevel = 'info' | 'warn' | 'error';

export type PluginLog = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export const logToStderr: PluginLog = (level, message, fields = {}) => {
  const line = { time: new Date().toISOString(), level, plugin: 'gatewatch', msg: message, ...fields };
  // A reader that has gone away must not end the plugin, and what it has not delivered, with an EPIPE.
  if (process.stderr.listenerCount('error') === 0) process.stderr.on('error', () => undefined);
  process.stderr.write(`${JSON.stringify(line)}\n`);
};
