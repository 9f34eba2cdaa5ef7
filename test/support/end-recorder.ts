// Ends a recorder as the plugin does: delivers the rest, and leaves what it could not deliver in the spool.
import type { Recorder } from '../../kong-plugin/recorder';

/** @returns how many requests were not delivered */
export async function endRecorder(recorder: Recorder): Promise<number> {
  await recorder.deliverRest();
  return recorder.leave().reduce((sum, { requests }) => sum + requests, 0);
}
