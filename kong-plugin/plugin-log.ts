// What the plugin says aloud: one line of JSON on stderr, which Kong copies into its error log.

export type LogLevel = 'info' | 'warn' | 'error';

export type PluginLog = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export const logToStderr: PluginLog = (level, message, fields = {}) => {
  const line = { time: new Date().toISOString(), level, plugin: 'gatewatch', msg: message, ...fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
};
