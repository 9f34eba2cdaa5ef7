// Where the built plugin is: the one file of this folder is all that Kong's plugin server may find.
import { resolve } from 'node:path';

export const PLUGIN_DIRECTORY = resolve(__dirname, '..', 'plugins');
