// What concerns more than one key of gatewatch.yml. Looks at the values as they stand in the file, so that these faults are
// told together with those of single keys. Gives the path of each fault, and what was expected and found there.
import { DEFAULT_EVALUATION_INTERVAL_MS, DEFAULT_LISTEN } from './default-config';
import { parseDuration } from './duration';
import { isLocalOnly, parseListenAddress } from './listen-address';

export interface PlacedFault {
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found: string;
}

const THRESHOLD_KEYS = ['p95_latency_ms', 'error_rate_threshold', 'apdex_threshold'] as const;

export function crossCheck(value: unknown): PlacedFault[] {
  if (!isMap(value)) return [];
  return [
    ...checkToken(value),
    ...listOf(value['rules']).flatMap((rule, index) => checkRule(rule, ['rules', index])),
    ...checkWindows(value),
    ...checkNames(value, 'rules'),
    ...listOf(value['channels']).flatMap((channel, index) => checkChannel(channel, ['channels', index])),
    ...checkNames(value, 'channels'),
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

function checkRule(rule: unknown, path: readonly (string | number)[]): PlacedFault[] {
  if (!isMap(rule)) return [];
  const faults: PlacedFault[] = [];
  const thresholds = THRESHOLD_KEYS.filter((key) => key in rule);
  if (thresholds.length !== 1) {
    const found = thresholds.length === 0 ? 'none' : thresholds.join(' and ');
    faults.push({ path, expected: `one of ${THRESHOLD_KEYS.join(', ')}`, found });
  }
  if ('apdex_target_ms' in rule && thresholds.length > 0 && !('apdex_threshold' in rule)) {
    faults.push({
      path: [...path, 'apdex_target_ms'],
      expected: 'apdex_target_ms only beside apdex_threshold',
      found: thresholds.join(' and '),
    });
  }
  return faults;
}

/** A window shorter than a round would leave requests that no round looks at. */
function checkWindows(config: Record<string, unknown>): PlacedFault[] {
  const interval = config['evaluation_interval'];
  const intervalMs = typeof interval === 'string' ? parseDuration(interval) : DEFAULT_EVALUATION_INTERVAL_MS;
  return listOf(config['rules']).flatMap((rule, index) => {
    const window = isMap(rule) ? rule['window'] : undefined;
    const windowMs = typeof window === 'string' ? parseDuration(window) : undefined;
    if (windowMs === undefined || intervalMs === undefined || windowMs >= intervalMs) return [];
    return [
      {
        path: ['rules', index, 'window'],
        expected: 'a window as long as the evaluation_interval or longer',
        found: JSON.stringify(window),
      },
    ];
  });
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

function both(path: readonly (string | number)[], first: string, second: string): PlacedFault {
  return { path, expected: `${first} or ${second}`, found: 'both' };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
