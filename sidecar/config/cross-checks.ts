// What concerns more than one key of gatewatch.yml. Looks at the values as they stand in the file, so that these faults are
// told together with those of single keys. Gives the path of each fault, and what was expected and found there.
import { DEFAULT_LISTEN } from './default-config';
import { name as nameShape } from './fields';
import { isLocalOnly, parseListenAddress } from './listen-address';
import { isMap, listOf, type PlacedFault } from './placed-fault';
import { checkRules } from './rule-checks';

export function crossCheck(value: unknown): PlacedFault[] {
  if (!isMap(value)) return [];
  return [
    ...checkToken(value),
    ...checkRules(value),
    ...checkNames(value, 'rules'),
    ...listOf(value['channels']).flatMap((channel, index) => checkChannel(channel, ['channels', index])),
    ...checkNames(value, 'channels'),
    ...checkEscalation(value),
    ...checkDsn(value),
  ];
}

function checkToken(config: Record<string, unknown>): PlacedFault[] {
  const hasToken = isGiven(config['token']);
  const hasFile = isGiven(config['token_file']);
  if (hasToken && hasFile) return [both(['token_file'], 'token', 'token_file')];
  if (hasToken || hasFile) return [];
  const listen = config['listen'] ?? DEFAULT_LISTEN;
  const address = typeof listen === 'string' ? parseListenAddress(listen) : undefined;
  if (address === undefined || isLocalOnly(address)) return [];
  return [
    {
      path: 'token' in config ? ['token'] : ['listen'],
      expected:
        'a token, since others than this machine can reach the address. ' +
        'Set token (GATEWATCH_TOKEN) or token_file, or listen on 127.0.0.1 or unix:/path',
      found: 'none',
    },
  ];
}

function checkChannel(channel: unknown, path: readonly (string | number)[]): PlacedFault[] {
  if (!isMap(channel)) return [];
  if (channel['type'] === 'sentry') return checkSentryChannel(channel, path);
  const key = channel['type'] === 'slack' ? 'webhook_url' : channel['type'] === 'webhook' ? 'url' : undefined;
  if (key === undefined) return [];
  const hasValue = isGiven(channel[key]);
  const hasFile = isGiven(channel[`${key}_file`]);
  if (hasValue && hasFile) return [both([...path, `${key}_file`], key, `${key}_file`)];
  return hasValue || hasFile ? [] : [{ path, expected: `${key} or ${key}_file`, found: 'neither' }];
}

/** Who resolves needs to know where. */
function checkSentryChannel(
  channel: Record<string, unknown>,
  path: readonly (string | number)[],
): PlacedFault[] {
  const hasToken = isGiven(channel['auth_token']);
  const hasFile = isGiven(channel['auth_token_file']);
  if (hasToken && hasFile) return [both([...path, 'auth_token_file'], 'auth_token', 'auth_token_file')];
  if (!hasToken && !hasFile) return [];
  const missing = ['organization', 'project'].filter((key) => !isGiven(channel[key]));
  if (missing.length === 0) return [];
  return [
    { path, expected: 'organization and project beside auth_token', found: `no ${missing.join(', no ')}` },
  ];
}

function checkDsn({ sentry }: Record<string, unknown>): PlacedFault[] {
  if (!isMap(sentry) || !isGiven(sentry['dsn']) || !isGiven(sentry['dsn_file'])) return [];
  return [both(['sentry', 'dsn_file'], 'dsn', 'dsn_file')];
}

function checkNames(config: Record<string, unknown>, list: 'rules' | 'channels'): PlacedFault[] {
  const seen = new Set<unknown>();
  return listOf(config[list]).flatMap((entry, index) => {
    const name = isMap(entry) ? entry['name'] : undefined;
    if (typeof name !== 'string') return [];
    const again = seen.has(name);
    seen.add(name);
    if (!again) return [];
    return [
      { path: [list, index, 'name'], expected: 'a name that no other has', found: JSON.stringify(name) },
    ];
  });
}

/** A step that names a channel which does not exist would tell nobody. */
function checkEscalation(config: Record<string, unknown>): PlacedFault[] {
  const { notifications } = config;
  const names = listOf(config['channels']).map((channel) => (isMap(channel) ? channel['name'] : undefined));
  // Others are told of by themselves, and may hold anything.
  const shown = names.filter((name) => nameShape.safeParse(name).success).join(', ');
  const steps = isMap(notifications) ? listOf(notifications['escalation']) : [];
  return steps.flatMap((step, index) =>
    listOf(isMap(step) ? step['channels'] : []).flatMap((name, at) => {
      if (typeof name !== 'string' || names.includes(name)) return [];
      const expected = `the name of a channel, of ${shown || 'which there is none'}`;
      const path = ['notifications', 'escalation', index, 'channels', at];
      return [{ path, expected, found: JSON.stringify(name) }];
    }),
  );
}

function both(path: readonly (string | number)[], first: string, second: string): PlacedFault {
  return { path, expected: `${first} or ${second}`, found: 'both' };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
