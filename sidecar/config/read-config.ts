// From the text of gatewatch.yml to a configuration, or to everything that is wrong with it. Pure: the environment and the
// reading of secret files are given.
import { resolve } from 'node:path';
import { types } from 'node:util';
import { LineCounter, Scalar, isPair, isScalar, isSeq, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { channelOf } from './channel/channel-settings';
import type { Config, SentrySettings } from './config';
import type { ConfigFault } from './config-fault';
import { crossCheck } from './cross-checks';
import { DEFAULT_RULES } from './default-config';
import {
  DocumentPlaces,
  SHOWABLE_KEY,
  renderPath,
  sortFaults,
  valueAt,
  type Finding,
  type Path,
} from './document-places';
import { knownKeys } from './known-keys';
import { nearestWord } from './nearest-word';
import { isTooLong, parseYaml, type YamlFault } from './parse-yaml';
import { isMap, type PlacedFault } from './placed-fault';
import { kongOf, linksOf, policyOf } from './policy-of';
import type { ReadWebConfig } from './read-web-config';
import { ruleOf } from './rule-of';
import { Secret } from './secret';
import {
  FILES,
  NUMBER_KEYS,
  PATHS,
  SECRETS,
  SECRET_GROUPS,
  SHOWN_KEYS,
  configShape,
  type ConfigDocument,
  type SecretKey,
} from './shape';
import { spotlightUrlOf } from './spotlight-url';
import { resolveNumber, substitute } from './substitute';
import { findUnquotedVariables } from './unquoted-variables';
import type { WebConfig } from './web-config';

export interface ConfigSource {
  readonly text: string;
  /** Named in faults. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The content of a file that a key names; its path is relative to the configuration file. Throws if it cannot be read. */
  readonly readFile: (path: string) => string;
  /** The web configuration; its path is relative to the configuration file. Throws if it cannot be read. */
  readonly readWebConfig: (path: string) => ReadWebConfig;
}

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/** Path of the key that a secret belongs to -> the secret, wherever it came from. */
type Secrets = ReadonlyMap<string, Secret>;

/** Path of the key that names a file -> its text. */
type Files = ReadonlyMap<string, string>;

/** Never throws. */
export function readConfig(source: ConfigSource): ReadConfig {
  return read(source, { isRead: () => true, reduce: (value) => value });
}

/**
 * Only what decides who is told of what: rules, notifications and who the channels are; all else is as if the file did not say it.
 * No secret is read, and variables in what is left out need not be set. Never throws.
 */
export function readRules(source: Pick<ConfigSource, 'text' | 'file' | 'environment'>): ReadConfig {
  const readNothing = (): never => {
    throw new Error('a file that only the whole configuration reads');
  };
  const wholeSource = { ...source, readFile: readNothing, readWebConfig: readNothing };
  return read(wholeSource, { isRead: isOfRules, reduce: reduceToRules });
}

/** What of the document is read. */
interface Extent {
  readonly isRead: (path: Path) => boolean;
  /** The document without the rest. */
  readonly reduce: (value: unknown) => unknown;
}

/** Of a channel: whether it is told of everything, or in the place of another. */
const KEYS_OF_WHO = ['name', 'type', 'fallback'];

const KEYS_OF_RULES = ['rules', 'notifications', 'evaluation_interval', 'channels'];

function isOfRules(path: Path): boolean {
  const [key] = path;
  return (
    KEYS_OF_RULES.includes(String(key)) && (key !== 'channels' || KEYS_OF_WHO.includes(String(path.at(-1))))
  );
}

function reduceToRules(value: unknown): unknown {
  if (!isMap(value)) return value;
  const isLeftOut = (key: string): boolean => key in configShape.shape && !KEYS_OF_RULES.includes(key);
  const reduced = Object.fromEntries(Object.entries(value).filter(([key]) => !isLeftOut(key)));
  const { channels } = value;
  if (Array.isArray(channels)) reduced['channels'] = channels.map(reduceToWho);
  return reduced;
}

function reduceToWho(channel: unknown): unknown {
  if (!isMap(channel)) return channel;
  const { name, type, fallback } = channel;
  const who = { name, ...(fallback === undefined ? {} : { fallback }) };
  const url = 'http://channel.invalid';
  return type === 'alertmanager' ? { ...who, type, urls: [url] } : { ...who, type: 'webhook', url };
}

function read(source: ConfigSource, { isRead, reduce }: Extent): ReadConfig {
  const lines = new LineCounter();
  const { document, faults: yamlFaults } = parseYaml(source.text, lines);
  const places = new DocumentPlaces(source.file, lines);
  if (yamlFaults.length > 0) {
    const faults = explainVariables(source.text, yamlFaults).map(({ offset, ...fault }) => ({
      ...places.at(offset),
      path: '',
      ...fault,
    }));
    return { ok: false, faults: sortFaults(faults) };
  }

  const at = (finding: Finding): ConfigFault => places.faultOf(document, finding);
  const filled = substituteAll(document, source.environment, isRead);
  let value: unknown;
  try {
    value = reduce(document.toJS() ?? {});
  } catch {
    // More than the parser unfolds; an alias without its anchor was told before.
    const fault = { path: [], expected: 'fewer aliases', found: 'too many' };
    return { ok: false, faults: sortFaults([...filled.faults, fault].map(at)) };
  }
  const parsed = configShape.safeParse(value);
  const { secrets, faults: secretFaults } = readSecrets(value, source.readFile);
  const { files, faults: fileFaults } = readFiles(value, source.readFile);
  const web = readWeb(value, source.readWebConfig);
  const hidden = [...filled.hidden, ...hiddenIn(value)];
  const issues = parsed.success ? [] : parsed.error.issues;
  const ofShape = issues.flatMap((issue) => findingsOf(issue, value, hidden));
  // A value that could not be filled in is not told a second time, nor one that is wrong by itself beside others.
  const findings = [
    ...ofShape,
    ...notAt(ofShape, crossCheck(value)),
    ...secretFaults,
    ...fileFaults,
    ...web.findings,
  ];
  const untold = notAt(filled.faults, findings);
  if (parsed.success && filled.faults.length + untold.length + web.faults.length === 0) {
    const config = configOf(
      parsed.data,
      secrets,
      files,
      web.config,
      source.environment['SENTRY_SPOTLIGHT'] ?? '',
    );
    const unheard = channelWithoutSentry(config);
    if (unheard === undefined) return { ok: true, config: deepFreeze(config) };
    return { ok: false, faults: [at(unheard)] };
  }
  return { ok: false, faults: [...sortFaults([...filled.faults, ...untold].map(at)), ...web.faults] };
}

/** Those findings that stand where none of the others does. */
function notAt(others: readonly Finding[], findings: readonly Finding[]): Finding[] {
  const places = new Set(others.map(({ path }) => renderPath(path)));
  return findings.filter(({ path }) => !places.has(renderPath(path)));
}

/** A variable that YAML cannot read gives many faults of its own; they are told as one. */
function explainVariables(text: string, faults: readonly YamlFault[]): readonly YamlFault[] {
  if (isTooLong(text)) return faults;
  const { offsets, blanked } = findUnquotedVariables(text);
  if (offsets.length === 0) return faults;
  return [
    ...offsets.map((offset) => ({
      offset,
      expected:
        'a variable inside [...] or {...} in quotes, as in "${NAME}", or, for a number, on a line of its own',
      found: 'one without quotes',
    })),
    ...parseYaml(blanked, new LineCounter()).faults,
  ];
}

/** Its issues would go nowhere. The variable SENTRY_SPOTLIGHT counts, so this is known only in the end. */
function channelWithoutSentry({ channels, sentry }: Config): Finding | undefined {
  const index = channels.findIndex(({ type }) => type === 'sentry');
  if (index < 0 || sentry.dsn !== undefined || sentry.spotlightUrl !== undefined) return undefined;
  const expected = 'sentry.dsn, sentry.dsn_file or sentry.spotlight, where its issues go';
  return { path: ['channels', index], expected, found: 'none of them' };
}

function configOf(
  document: ConfigDocument,
  secrets: Secrets,
  files: Files,
  web: WebConfig | undefined,
  spotlightVariable: string,
): Config {
  return {
    listen: document.listen,
    token: secrets.get('token'),
    web,
    dataDirectory: resolve(document.data_dir),
    seriesCap: document.series_cap,
    recording: document.record_dir
      ? { directory: resolve(document.record_dir), keepMs: document.record_for }
      : undefined,
    evaluationIntervalMs: document.evaluation_interval,
    rules: (document.rules ?? DEFAULT_RULES).map(ruleOf),
    channels: document.channels.map((channel, index) =>
      channelOf(channel, {
        secret: (key) => secrets.get(renderPath(['channels', index, key])),
        file: (key) => files.get(renderPath(['channels', index, key])),
      }),
    ),
    notifications: policyOf(
      document.notifications,
      toldAtOnce(document.channels).map(({ name }) => name),
    ),
    externalLabels: document.external_labels,
    links: linksOf(document.links),
    kong: kongOf(document.kong),
    sentry: sentryOf(document.sentry, secrets, spotlightVariable),
  };
}

/**
 * Where there is no escalation: not an Alertmanager, which is told of everything and decides for itself, nor what is told in the
 * place of another.
 */
function toldAtOnce(channels: ConfigDocument['channels']): ConfigDocument['channels'] {
  const fallbacks = new Set(channels.map(({ fallback }) => fallback));
  return channels.filter(({ type, name }) => type !== 'alertmanager' && !fallbacks.has(name));
}

function sentryOf(
  sentry: ConfigDocument['sentry'],
  secrets: Secrets,
  spotlightVariable: string,
): SentrySettings {
  return {
    dsn: secrets.get('sentry.dsn'),
    environment: sentry.environment,
    release: sentry.release || undefined,
    tracesSampleRate: sentry.traces_sample_rate,
    profileSessionSampleRate: sentry.profile_session_sample_rate,
    isProfiledFromStart: sentry.continuous_profiling_auto_start,
    spotlightUrl: spotlightUrlOf(sentry.spotlight, spotlightVariable),
    monitor: sentry.monitor || undefined,
  };
}

/** Takes every secret from its key or its file, those of faulty parts as well, so that all faults are told at once. */
function readSecrets(
  value: unknown,
  readFile: (path: string) => string,
): { secrets: Secrets; faults: readonly PlacedFault[] } {
  const secrets = new Map<string, Secret>();
  const faults: PlacedFault[] = [];
  for (const [path, key] of secretKeysIn(value)) {
    const given = valueAt(value, [...path, key]);
    const filePath = [...path, `${key}_file`];
    const file = valueAt(value, filePath);
    if (typeof given === 'string' && given !== '') secrets.set(renderPath([...path, key]), new Secret(given));
    else if (typeof file === 'string' && file !== '') {
      const read = readSecret(key, file, readFile);
      if (read instanceof Secret) secrets.set(renderPath([...path, key]), read);
      else faults.push({ path: filePath, ...read });
    }
  }
  return { secrets, faults };
}

/** The texts of the files that channels name. */
function readFiles(
  value: unknown,
  readFile: (path: string) => string,
): { files: Files; faults: readonly PlacedFault[] } {
  const files = new Map<string, string>();
  const faults: PlacedFault[] = [];
  const channels = valueAt(value, ['channels']);
  for (const [index, channel] of (Array.isArray(channels) ? channels : []).entries()) {
    if (!isMap(channel)) continue;
    for (const [key, shapeFor] of Object.entries(FILES)) {
      const path = ['channels', index, key];
      const file = channel[key];
      if (typeof file !== 'string' || !PATHS.safeParse(file).success) continue;
      const read = readText(file, readFile, shapeFor(channel));
      if (typeof read === 'string') files.set(renderPath(path), read);
      else faults.push({ path, ...read });
    }
  }
  return { files, faults };
}

/** The web configuration and its own faults; and what is wrong with the key that names it. */
function readWeb(
  value: unknown,
  readWebConfig: (path: string) => ReadWebConfig,
): { config?: WebConfig; faults: readonly ConfigFault[]; findings: readonly Finding[] } {
  const path = ['web_config_file'];
  const file = valueAt(value, path);
  if (typeof file !== 'string' || !PATHS.safeParse(file).success) return { faults: [], findings: [] };
  let read: ReadWebConfig;
  try {
    read = readWebConfig(file);
  } catch (error) {
    const found = `one that is not (${codeOf(error)})`;
    return { faults: [], findings: [{ path, expected: 'the path of a readable file', found }] };
  }
  if (!read.ok) return { faults: read.faults, findings: [] };
  const listen = valueAt(value, ['listen']);
  if (read.web.tls === undefined || typeof listen !== 'string' || !listen.startsWith('unix:')) {
    return { config: read.web, faults: [], findings: [] };
  }
  const expected = 'a file without tls_server_config, since nobody listens in on a unix socket';
  return { faults: [], findings: [{ path, expected, found: 'one with it' }] };
}

/** Those that a channel may have. */
const CHANNEL_SECRETS = [
  'webhook_url',
  'url',
  'auth_token',
  'bot_token',
  'routing_key',
  'password',
] as const satisfies readonly SecretKey[];

/** The secrets that there can be: what they belong to, and their key. */
function secretKeysIn(value: unknown): [Path, SecretKey][] {
  const channels = valueAt(value, ['channels']);
  const keys: [Path, SecretKey][] = [
    [[], 'token'],
    [['sentry'], 'dsn'],
  ];
  if (!Array.isArray(channels)) return keys;
  channels.forEach((_channel, index) => {
    for (const key of CHANNEL_SECRETS) keys.push([['channels', index], key]);
  });
  return keys;
}

/** The content of a file; one line break at its end is not part of it. */
function readSecret(
  key: SecretKey,
  path: string,
  readFile: (path: string) => string,
): Secret | { expected: string; found: string } {
  const read = readText(path, (file) => readFile(file).replace(/\r?\n$/, ''), SECRETS[key]);
  return typeof read === 'string' ? new Secret(read) : read;
}

/** The text of a file, where it is what it should be. */
function readText(
  path: string,
  readFile: (path: string) => string,
  shape: z.ZodType<string>,
): string | { expected: string; found: string } {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return { expected: 'the path of a readable file', found: `one that is not (${codeOf(error)})` };
  }
  const checked = shape.safeParse(text);
  if (checked.success) return text;
  const expected = `the path of a file with ${checked.error.issues[0]?.message ?? 'another content'}`;
  return { expected, found: text === '' ? 'an empty file' : 'one with another content' };
}

function codeOf(error: unknown): string {
  return types.isNativeError(error) && 'code' in error ? String(error.code) : 'an error';
}

/** The secrets as they stand in the document, right or wrong: what no fault may show. */
function hiddenIn(value: unknown): string[] {
  const single = secretKeysIn(value).map(([path, key]) => valueAt(value, [...path, key]));
  const channels = valueAt(value, ['channels']);
  const groups = (Array.isArray(channels) ? channels : []).flatMap((channel: unknown) =>
    SECRET_GROUPS.flatMap((key): unknown[] => {
      const group = valueAt(channel, [key]);
      return typeof group === 'object' && group !== null ? Object.values(group) : [];
    }),
  );
  return [...single, ...groups].filter((secret) => typeof secret === 'string' && secret !== '') as string[];
}

/**
 * Fills in every scalar that is a value. A plain scalar may become a number where one is wanted; a quoted one stays a text.
 * A secret is a text even where YAML sees a number.
 */
function substituteAll(
  document: Document.Parsed,
  environment: Readonly<Record<string, string | undefined>>,
  isRead: (path: Path) => boolean,
): {
  faults: readonly PlacedFault[];
  /** What was filled into secrets: what no fault may show. */
  hidden: readonly string[];
} {
  const faults: PlacedFault[] = [];
  const hidden: string[] = [];
  visit(document, {
    Scalar(key, scalar, ancestors) {
      if (key === 'key') return;
      const path = pathOf(scalar, ancestors);
      if (!isRead(path)) return;
      const last = path.at(-1);
      const isSecret = isOfSecret(path);
      if (isSecret && typeof scalar.value === 'number') scalar.value = scalar.source;
      if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return;
      const filled = substitute(scalar.value, environment);
      if (!filled.ok) {
        faults.push({ path, expected: filled.expected, found: filled.found });
        return;
      }
      if (isSecret) hidden.push(...filled.values);
      const wantsNumber = scalar.type === Scalar.PLAIN && NUMBER_KEYS.includes(String(last));
      scalar.value = wantsNumber ? resolveNumber(filled.text) : filled.text;
    },
  });
  return { faults, hidden };
}

/** Whether what stands there is a secret, or one of several. */
function isOfSecret(path: Path): boolean {
  const [last, holder] = [path.at(-1), path.at(-2)];
  return Object.keys(SECRETS).includes(String(last)) || SECRET_GROUPS.some((key) => key === holder);
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
function findingsOf(issue: z.core.$ZodIssue, value: unknown, hidden: readonly string[]): Finding[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'invalid_union' && issue.message === UNNAMED) {
    // A plain value or keys: what is there tells which of the two is meant.
    const branch = isMap(valueAt(value, path)) ? issue.errors.at(-1) : issue.errors[0];
    return (branch ?? []).flatMap((inner) =>
      findingsOf({ ...inner, path: [...issue.path, ...inner.path] }, value, hidden),
    );
  }
  if (issue.code !== 'unrecognized_keys') {
    return [{ path, expected: issue.message, found: show(path, value, hidden) }];
  }
  const known = knownKeys(configShape, path, value);
  return issue.keys.map((key) => ({
    path: [...path, key],
    expected: `one of the keys ${known.join(', ')}`,
    found: showKey(key, known, hidden),
    ofKey: true,
  }));
}

/** zod's message for a union that was given none. */
const UNNAMED = 'Invalid input';

function showKey(key: string, known: readonly string[], hidden: readonly string[]): string {
  if (key === '<<') return '<<, which merges nothing here; repeat the keys';
  if (!SHOWABLE_KEY.test(key) || holdsAny(key, hidden)) return 'another key (not shown)';
  const meant = nearestWord(key, known);
  return meant === undefined ? key : `${key} (did you mean ${meant}?)`;
}

/** A text is shown only where a key is known to hold no secret, and never with a part of a secret in it. */
function show(path: Path, value: unknown, hidden: readonly string[]): string {
  const found = valueAt(value, path);
  if (found === undefined || found === null) return 'nothing';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'keys and values';
  const text = JSON.stringify(found);
  const isShown = SHOWN_KEYS.includes(String(path.at(-1))) && !holdsAny(text, hidden);
  if (!isShown)
    return found === ''
      ? 'an empty text'
      : `another ${typeof found === 'string' ? 'text' : 'value'} (not shown)`;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function holdsAny(text: string, parts: readonly string[]): boolean {
  return parts.some((part) => text.includes(part));
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
