// The entities of Kong's declarative format that this gateway knows, as schemas with Kong's own defaults and ranges
// (kong/db/schema/entities/*.lua of Kong 3.9). What changes routing and is not supported here is absent on purpose:
// it is an unknown field, so that nobody takes the stand-in's answer for Kong's.
import type { FieldSchema, NamedField } from './field-schema';

/** Kong's upper bound for timeouts in ms, 2^31 - 2. */
const MAX_TIMEOUT_MS = 2_147_483_646;

const TEXT: FieldSchema = { type: 'string' };
const TEXTS: FieldSchema = { type: 'set', elements: TEXT };
const ANY: FieldSchema = { type: 'any' };
const ID: FieldSchema = { type: 'string', uuid: true };
const PORT: FieldSchema = { type: 'integer', between: [0, 65_535] };
const TIMEOUT: FieldSchema = { type: 'integer', default: 60_000, between: [1, MAX_TIMEOUT_MS] };

const PLUGIN_FIELDS: readonly NamedField[] = [
  { id: ID },
  { name: { type: 'string', required: true } },
  { instance_name: TEXT },
  { enabled: { type: 'boolean', default: true } },
  // Checked against the plugin's own schema once that is known.
  { config: { type: 'any' } },
  { protocols: TEXTS },
  { tags: TEXTS },
];

const SCOPED_PLUGIN_FIELDS: readonly NamedField[] = [
  ...PLUGIN_FIELDS,
  { service: ANY },
  { route: ANY },
  { consumer: ANY },
];

const ROUTE_FIELDS: readonly NamedField[] = [
  { id: ID },
  { name: TEXT },
  { paths: TEXTS },
  { hosts: TEXTS },
  { methods: { type: 'set', elements: { type: 'string', match: '^%u+$' } } },
  {
    protocols: {
      type: 'set',
      len_min: 1,
      default: ['http', 'https'],
      elements: { type: 'string', one_of: ['http', 'https'] },
    },
  },
  { strip_path: { type: 'boolean', default: true } },
  { preserve_host: { type: 'boolean', default: false } },
  { request_buffering: { type: 'boolean', default: true } },
  { response_buffering: { type: 'boolean', default: true } },
  { regex_priority: { type: 'integer', default: 0 } },
  { path_handling: { type: 'string', default: 'v0', one_of: ['v0'] } },
  { https_redirect_status_code: { type: 'integer', default: 426, one_of: [426, 301, 302, 307, 308] } },
  { tags: TEXTS },
  { plugins: { type: 'array', elements: { type: 'record', fields: PLUGIN_FIELDS } } },
];

const SERVICE_FIELDS: readonly NamedField[] = [
  { id: ID },
  { name: TEXT },
  { url: TEXT },
  { protocol: { type: 'string', default: 'http', one_of: ['http', 'https'] } },
  { host: TEXT },
  { port: { ...PORT, default: 80 } },
  { path: { type: 'string', starts_with: '/' } },
  { retries: { type: 'integer', default: 5, between: [0, 32_767] } },
  { connect_timeout: TIMEOUT },
  { read_timeout: TIMEOUT },
  { write_timeout: TIMEOUT },
  { enabled: { type: 'boolean', default: true } },
  { tags: TEXTS },
  { routes: { type: 'array', elements: { type: 'record', fields: ROUTE_FIELDS } } },
  { plugins: { type: 'array', elements: { type: 'record', fields: PLUGIN_FIELDS } } },
];

const TARGET_FIELDS: readonly NamedField[] = [
  { id: ID },
  { target: { type: 'string', required: true } },
  { weight: { type: 'integer', default: 100, between: [0, 65_535] } },
  { tags: TEXTS },
];

const UPSTREAM_FIELDS: readonly NamedField[] = [
  { id: ID },
  { name: { type: 'string', required: true } },
  { algorithm: { type: 'string', default: 'round-robin', one_of: ['round-robin'] } },
  { host_header: TEXT },
  { slots: { type: 'integer', between: [10, 65_536] } },
  { healthchecks: ANY },
  { tags: TEXTS },
  { targets: { type: 'array', elements: { type: 'record', fields: TARGET_FIELDS } } },
];

/** Collections of Kong that are read over and named in a warning. */
export const IGNORED_COLLECTIONS: readonly string[] = [
  'consumers',
  'consumer_groups',
  'certificates',
  'ca_certificates',
  'snis',
  'vaults',
  'keys',
  'key_sets',
  'keyauth_credentials',
  'basicauth_credentials',
  'acls',
];

/** The whole file. */
export const DECLARATIVE_FIELDS: readonly NamedField[] = [
  { _format_version: { type: 'string', required: true, one_of: ['3.0'] } },
  { _transform: { type: 'boolean' } },
  { _comment: TEXT },
  { _ignore: ANY },
  { _info: ANY },
  { services: { type: 'array', elements: { type: 'record', fields: SERVICE_FIELDS } } },
  { routes: { type: 'array', elements: { type: 'record', fields: [...ROUTE_FIELDS, { service: ANY }] } } },
  { upstreams: { type: 'array', elements: { type: 'record', fields: UPSTREAM_FIELDS } } },
  {
    targets: {
      type: 'array',
      elements: { type: 'record', fields: [...TARGET_FIELDS, { upstream: { ...ANY, required: true } }] },
    },
  },
  { plugins: { type: 'array', elements: { type: 'record', fields: SCOPED_PLUGIN_FIELDS } } },
  ...IGNORED_COLLECTIONS.map((collection) => ({ [collection]: ANY })),
];
