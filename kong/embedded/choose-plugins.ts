// In: all plugin instances and the route and service of a request. Out: for each plugin name its most specific
// instance: on route and service, on the route, on the service, everywhere. Pure.
import type { PluginInstance } from './kong-entities';

/** The instances that run for a request; with neither route nor service only the global ones. */
export function choosePlugins(
  instances: readonly PluginInstance[],
  routeId: string | undefined,
  serviceId: string | undefined,
): PluginInstance[] {
  const chosen = new Map<string, PluginInstance>();
  for (const instance of instances) {
    if (instance.routeId !== undefined && instance.routeId !== routeId) continue;
    if (instance.serviceId !== undefined && instance.serviceId !== serviceId) continue;
    const rival = chosen.get(instance.name);
    if (rival === undefined || specificity(instance) > specificity(rival))
      chosen.set(instance.name, instance);
  }
  return [...chosen.values()];
}

function specificity(instance: PluginInstance): number {
  return (instance.routeId === undefined ? 0 : 2) + (instance.serviceId === undefined ? 0 : 1);
}
