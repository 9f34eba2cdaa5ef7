// What a command of the program stands in when a test calls it in its own process.
import type { Surroundings } from '../../sidecar/cli/command';

/** No terminal, nothing in the environment, and what it says, to either stream, told to `say`. */
export function commandSurroundings(
  say: (text: string) => void,
  others: Partial<Surroundings> = {},
): Surroundings {
  return {
    env: {},
    out: say,
    err: say,
    columns: undefined,
    hasColors: false,
    nowMs: () => Date.now(),
    version: '1.2.3',
    ...others,
  };
}
