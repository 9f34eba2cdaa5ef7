// The two plugins that this gateway runs itself, with the schemas of Kong 3.9 (kong/plugins/*/schema.lua) as far as
// their fields mean something here. Every other plugin comes from a plugin server or is named in a warning.
import type { NamedField } from './field-schema';

/** Plugin name to the fields of its configuration. */
export const BUILT_IN_PLUGINS: ReadonlyMap<string, readonly NamedField[]> = new Map([
  [
    'prometheus',
    [
      { per_consumer: { type: 'boolean', default: false } },
      { status_code_metrics: { type: 'boolean', default: false } },
      { latency_metrics: { type: 'boolean', default: false } },
      { bandwidth_metrics: { type: 'boolean', default: false } },
      { upstream_health_metrics: { type: 'boolean', default: false } },
      { ai_metrics: { type: 'boolean', default: false } },
    ],
  ],
  [
    'request-termination',
    [
      { status_code: { type: 'integer', default: 503, between: [100, 599] } },
      { message: { type: 'string' } },
      { content_type: { type: 'string' } },
      { body: { type: 'string' } },
    ],
  ],
]);
