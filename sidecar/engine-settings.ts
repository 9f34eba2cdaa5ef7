// From the configuration to what the engine needs of it. Channels that keep the state of all alerts themselves, as an Alertmanager
// does, are apart from those that the routing decides for.
import type { Config } from './config/config';
import type { EngineSettings } from './engine';

export function engineSettingsOf({
  rules,
  notifications,
  channels,
  kong,
}: Pick<Config, 'rules' | 'notifications' | 'channels' | 'kong'>): EngineSettings {
  return {
    rules,
    policy: notifications,
    channels: channels.filter(({ type }) => type !== 'alertmanager').map(({ name }) => name),
    standing: channels.flatMap((channel) =>
      channel.type === 'alertmanager'
        ? [{ name: channel.name, resendIntervalMs: channel.resendIntervalMs }]
        : [],
    ),
    hasKong: kong.statusUrls.length > 0,
  };
}
