// What Kong reads at its start about the plugin: a JSON array on stdout, or the same in a file that `cat` gives to Kong.
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { logToStderr } from '../plugin-log';
import { PLUGIN_DIRECTORY } from './plugin-directory';
import { PluginHostServer } from './plugin-host-server';

export async function pluginAnnouncement(): Promise<string> {
  const server = new PluginHostServer(PLUGIN_DIRECTORY, logToStderr);
  const announced = [...server.getPlugins().keys()].map((name) => server.GetPluginInfo(name));
  return `${JSON.stringify(await Promise.all(announced))}\n`;
}

/** The file is there whole or not at all: Kong reads it to its end at its start. @throws Error for the operator */
export async function writeAnnouncement(file: string): Promise<void> {
  const announcement = await pluginAnnouncement();
  const aside = `${file}.${process.pid}`;
  try {
    // What is no file, such as a device or a directory, is not replaced by one.
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
      throw new Error('it is there and is no file');
    writeFileSync(aside, announcement);
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`--dump-to ${file} cannot be written: ${reason}`, { cause: error });
  }
}
