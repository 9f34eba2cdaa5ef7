// From the text of gatewatch.yml to a configuration, or to everything that is wrong with it. Pure: the environment and the
// reading of secret files are given.
import { resolve } from 'node:path';
import {
  LineCounter,
  Scalar,
  isNode,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
} from 'yaml';
import type { z } from 'zod';
import type { ChannelSettings, Config, Rule } from './config';
import type { ConfigFault } from './config-fault';
import { crossCheck, type PlacedFault } from './cross-checks';
import { DEFAULT_RULES } from './default-config';
import { Secret } from './secret';
import {
  SECRETS,
  channelShapes,
  configShape,
  ruleShape,
  type ChannelDocument,
  type ConfigDocument,
  type RuleDocument,
  type SecretKey,
} from './shape';
import { resolvePlain, substitute } from './substitute';

export interface ConfigSource {
  readonly text: string;
  /** Named in faults. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The content of a `*_file`; its path is relative to the configuration file. Throws if it cannot be read. */
  readonly readSecretFile: (path: string) => string;
}

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

type Path = readonly (string | number)[];

/** The part of a document that has a secret in it. */
type SecretHolder = {
  readonly [Key in SecretKey]?: string | null | undefined;
} & { readonly [Key in `${SecretKey}_file`]?: string | undefined };

type SecretOf = (path: Path, key: SecretKey, holder: SecretHolder) => Secret | undefined;

/** Never throws. */
export function readConfig(source: ConfigSource): ReadConfig {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, merge: false, uniqueKeys: true });
  const place = (offset: number): Pick<ConfigFault, 'file' | 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { file: source.file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults: ConfigFault[] = [...document.errors, ...document.warnings].map((problem) => ({
    ...place(problem.pos[0]),
    path: '',
    expected: 'YAML',
    found: (problem.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''),
  }));
  if (faults.length > 0) return { ok: false, faults };

  const at = (path: Path, fault: { expected: string; found: string }): ConfigFault => ({
    ...place(offsetOf(document, path)),
    path: renderPath(path),
    ...fault,
  });
  faults.push(...substituteAll(document, source.environment).map(({ path, ...fault }) => at(path, fault)));
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    // Aliases that unfold to more than the parser's limit.
    const found = error instanceof Error ? error.message : String(error);
    return { ok: false, faults: [...faults, at([], { expected: 'fewer aliases', found })] };
  }
  const parsed = configShape.safeParse(value);
  const shapeFaults = parsed.success ? [] : parsed.error.issues.flatMap((issue) => placeIssue(issue, value));
  const told = new Set(faults.map(({ path }) => path));
  for (const { path, ...fault } of [...shapeFaults, ...crossCheck(value)]) {
    // A value that could not be filled in is not told a second time.
    if (!told.has(renderPath(path))) faults.push(at(path, fault));
  }
  const secretOf: SecretOf = (path, key, holder) => {
    const secret = readSecret(holder, key, source.readSecretFile);
    if ('text' in secret) return secret.text === undefined ? undefined : new Secret(secret.text);
    faults.push(at([...path, `${key}_file`], secret));
    return undefined;
  };
  if (!parsed.success) return { ok: false, faults: sortFaults(faults) };
  const config = configOf(parsed.data, secretOf);
  return faults.length > 0
    ? { ok: false, faults: sortFaults(faults) }
    : { ok: true, config: deepFreeze(config) };
}

function configOf(document: ConfigDocument, secretOf: SecretOf): Config {
  return {
    listen: document.listen,
    token: secretOf([], 'token', document),
    dataDirectory: resolve(document.data_dir),
    seriesCap: document.series_cap,
    evaluationIntervalMs: document.evaluation_interval,
    rules: document.rules?.map(ruleOf) ?? DEFAULT_RULES,
    channels: document.channels.map((channel, index) => channelOf(channel, ['channels', index], secretOf)),
  };
}

function ruleOf(rule: RuleDocument): Rule {
  const base = {
    name: rule.name,
    windowMs: rule.window,
    forMs: rule.for,
    minimumRequests: rule.minimum_requests,
    severity: rule.severity,
  };
  if (rule.p95_latency_ms !== undefined) {
    return { ...base, kind: 'p95_latency', p95LatencyMs: rule.p95_latency_ms };
  }
  if (rule.error_rate_threshold !== undefined) {
    return { ...base, kind: 'error_rate', errorRateThreshold: rule.error_rate_threshold };
  }
  const apdexThreshold = rule.apdex_threshold ?? Number.NaN;
  return { ...base, kind: 'apdex', apdexThreshold, apdexTargetMs: rule.apdex_target_ms };
}

function channelOf(channel: ChannelDocument, path: Path, secretOf: SecretOf): ChannelSettings {
  const base = { name: channel.name, timeoutMs: channel.timeout };
  // A secret that is missing is a fault already; what stands here then is never used.
  const secret = (key: SecretKey): Secret => secretOf(path, key, channel) ?? new Secret('');
  return channel.type === 'slack'
    ? { ...base, type: 'slack', webhookUrl: secret('webhook_url') }
    : { ...base, type: 'webhook', url: secret('url') };
}

/** The text of `key`, or of the file that `key_file` names; one line break at its end is not part of it. */
function readSecret(
  holder: SecretHolder,
  key: SecretKey,
  readSecretFile: (path: string) => string,
): { text: string | undefined } | { expected: string; found: string } {
  const given = holder[key];
  if (typeof given === 'string' && given !== '') return { text: given };
  const path = holder[`${key}_file`];
  if (path === undefined) return { text: undefined };
  let text: string;
  try {
    text = readSecretFile(path).replace(/\r?\n$/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    return { expected: 'the path of a readable file', found: `${JSON.stringify(path)} (${code})` };
  }
  const checked = SECRETS[key].safeParse(text);
  if (checked.success) return { text };
  return {
    expected: `the path of a file with ${checked.error.issues[0]?.message ?? 'a secret'}`,
    found: `${JSON.stringify(path)} with another content`,
  };
}

/** Fills in every scalar that is a value; gives the faults. A plain scalar may become a number, a quoted one stays a text. */
function substituteAll(
  document: Document.Parsed,
  environment: Readonly<Record<string, string | undefined>>,
): PlacedFault[] {
  const faults: PlacedFault[] = [];
  visit(document, {
    Scalar(key, scalar, ancestors) {
      if (key === 'key' || typeof scalar.value !== 'string' || !scalar.value.includes('${')) return;
      const filled = substitute(scalar.value, environment);
      if (!filled.ok) faults.push({ ...filled, path: pathOf(scalar, ancestors) });
      else scalar.value = scalar.type === Scalar.PLAIN ? resolvePlain(filled.text) : filled.text;
    },
  });
  return faults;
}

function pathOf(node: unknown, ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  [...ancestors, node].forEach((step, index, steps) => {
    const parent = steps[index - 1];
    if (isPair(step)) path.push(isScalar<string>(step.key) ? step.key.value : '?');
    else if (isSeq(parent)) path.push(parent.items.indexOf(step));
  });
  return path;
}

/** zod's word on one place; its message is what was expected. */
function placeIssue(issue: z.core.$ZodIssue, value: unknown): PlacedFault[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      expected: `one of the keys ${keysAt(path, value).join(', ')}`,
      found: key,
    }));
  }
  return [{ path, expected: issue.message, found: show(path, value) }];
}

/** The keys that are known where an unknown one was found. */
function keysAt(path: Path, value: unknown): string[] {
  const [list, index] = path;
  if (list === 'rules') return Object.keys(ruleShape.shape);
  if (list === 'channels') {
    const type = valueAt(value, ['channels', index ?? 0, 'type']);
    const option = channelShapes.find((shape) => shape.shape.type.value === type);
    return Object.keys(option?.shape ?? {});
  }
  return Object.keys(configShape.shape);
}

function show(path: Path, value: unknown): string {
  const found = valueAt(value, path);
  if (found === undefined || found === null) return 'nothing';
  if (Object.keys(SECRETS).includes(String(path.at(-1)))) return 'another text (not shown)';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'keys and values';
  const text = JSON.stringify(found);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}

/** Where a path stands in the text: its key if it has one (unknown keys), else its value, else what would hold it. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.range[0];
}

function renderPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

function sortFaults(faults: readonly ConfigFault[]): ConfigFault[] {
  return [...faults].sort((a, b) => a.line - b.line || a.column - b.column);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
