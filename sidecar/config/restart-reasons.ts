// What cannot change while the sidecar runs.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config';

/** One sentence for each setting that differs and needs a restart. */
export function restartReasons(current: Config, wanted: Config): string[] {
  const reasons: string[] = [];
  if (!isDeepStrictEqual(current.listen, wanted.listen)) {
    reasons.push(
      'listen: the address cannot change while the sidecar runs; restart it, or set the address back',
    );
  }
  if (current.dataDirectory !== wanted.dataDirectory) {
    reasons.push('data_dir: the directory cannot change while the sidecar runs; restart it, or set it back');
  }
  return reasons;
}
