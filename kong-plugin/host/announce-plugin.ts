// What Kong reads at its start about the plugin: a JSON array on stdout, or the same in a file that `cat` gives to Kong.
import { renameSync, writeFileSync } from 'node:fs';
import { logToStderr } from '../plugin-log';
import { PLUGIN_DIRECTORY } from './plugin-directory';
import { PluginHostServer } from './plugin-host-server';

export async function pluginAnnouncement(): Promise<string> {
  const server = new PluginHostServer(PLUGIN_DIRECTORY, logToStderr);
  const announced = [...server.getPlugins().keys()].map((name) => server.GetPluginInfo(name));
  return `${JSON.stringify(await Promise.all(announced))}\n`;
}

/** The file is there whole or not at all: Kong reads it to its end at its start. @throws Error of the file system */
export async function writeAnnouncement(file: string): Promise<void> {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, await pluginAnnouncement());
  renameSync(aside, file);
}
