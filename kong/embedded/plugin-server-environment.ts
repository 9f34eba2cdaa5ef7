// In: the gateway's environment. Out: the plugin server's. nginx clears it: of a real Kong, a plugin server sees only
// PWD and the KONG_ variables. PATH is kept as well, because Node is not always where /bin/sh looks by itself.

/** The variables that a plugin server is given. */
export function pluginServerEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && (name === 'PATH' || name === 'PWD' || name.startsWith('KONG_')))
      kept[name] = value;
  }
  return kept;
}
