// Which instance of the plugin server belongs to which configuration. In: a configured plugin. Out: its instance's id,
// started on first use with the JSON that Kong sends; concurrent askers wait for the one start. As in Kong's
// plugin_servers/plugin.lua: after a failed start the next asker tries again, after a reset everyone does.
import { DEFAULT_WORKSPACE_ID } from './entity-id';
import { isPlainObject } from './field-schema';
import type { PluginInstance } from './kong-entities';
import type { RpcConnections } from './rpc-connections';

/** The instances that one plugin server has started for this gateway. */
export class PluginInstances {
  private readonly ids = new Map<string, unknown>();
  private readonly starting = new Map<string, Promise<unknown>>();

  constructor(private readonly rpc: RpcConnections) {}

  /** Fails as the RPC fails. */
  async idFor(instance: PluginInstance, sequence: number): Promise<unknown> {
    for (;;) {
      const id = this.ids.get(instance.id);
      if (id !== undefined) return id;
      const pending = this.starting.get(instance.id);
      if (pending === undefined) return this.start(instance, sequence);
      // Whatever becomes of the other's start: look again.
      await pending.catch(() => undefined);
    }
  }

  /** Forgets all instances of a plugin: its server has been started anew. */
  reset(instances: readonly PluginInstance[], name: string): void {
    for (const instance of instances) if (instance.name === name) this.ids.delete(instance.id);
  }

  private async start(instance: PluginInstance, sequence: number): Promise<unknown> {
    const starting = this.rpc
      .call('plugin.StartInstance', [{ Name: instance.name, Config: instanceConfig(instance, sequence) }])
      .then((status) => {
        const id: unknown = isPlainObject(status) ? status.Id : undefined;
        this.ids.set(instance.id, id ?? null);
        return id ?? null;
      });
    this.starting.set(instance.id, starting);
    try {
      return await starting;
    } finally {
      this.starting.delete(instance.id);
    }
  }
}

/** The configuration as Kong sends it: the fields that are set, and Kong's own beside them. */
export function instanceConfig(instance: PluginInstance, sequence: number): string {
  const references = Object.keys(instance.references).length > 0 ? { $refs: instance.references } : {};
  return JSON.stringify({
    ...instance.config,
    ...references,
    __key__: `plugins:${instance.name}:${instance.routeId ?? ''}:${instance.serviceId ?? ''}:::${DEFAULT_WORKSPACE_ID}`,
    __plugin_id: instance.id,
    __seq__: sequence,
    __ws_id: DEFAULT_WORKSPACE_ID,
  });
}
