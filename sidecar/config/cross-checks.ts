// What concerns more than one key of gatewatch.yml. Looks at the values as they stand in the file, so that these faults are
// told together with those of single keys. Gives the path of each fault, and what was expected and found there.
import { checkChannels } from './channel/channel-settings';
import { DEFAULT_LISTEN } from './default-config';
import { valueAt } from './document-places';
import { name as nameShape } from './fields';
import { isLocalOnly, parseListenAddress } from './listen-address';
import { isGiven, isMap, listOf, type PlacedFault } from './placed-fault';
import { checkRules } from './rule-checks';

export function crossCheck(value: unknown): PlacedFault[] {
  if (!isMap(value)) return [];
  return [
    ...checkToken(value),
    ...checkRules(value),
    ...checkNames(value, ['rules']),
    ...checkChannels(value),
    ...checkNames(value, ['channels']),
    ...checkNames(value, ['notifications', 'maintenance']),
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

function checkDsn({ sentry }: Record<string, unknown>): PlacedFault[] {
  if (!isMap(sentry) || !isGiven(sentry['dsn']) || !isGiven(sentry['dsn_file'])) return [];
  return [both(['sentry', 'dsn_file'], 'dsn', 'dsn_file')];
}

/** @param list the path of what has names */
function checkNames(config: Record<string, unknown>, list: readonly string[]): PlacedFault[] {
  const seen = new Set<unknown>();
  return listOf(valueAt(config, list)).flatMap((entry, index) => {
    const name = isMap(entry) ? entry['name'] : undefined;
    if (typeof name !== 'string') return [];
    const again = seen.has(name);
    seen.add(name);
    if (!again) return [];
    return [
      { path: [...list, index, 'name'], expected: 'a name that no other has', found: JSON.stringify(name) },
    ];
  });
}

/** A step that names a channel which does not exist would tell nobody. */
function checkEscalation(config: Record<string, unknown>): PlacedFault[] {
  const { notifications } = config;
  const names = listOf(config['channels'])
    .filter((channel) => !isMap(channel) || channel['type'] !== 'alertmanager')
    .map((channel) => (isMap(channel) ? channel['name'] : undefined));
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
