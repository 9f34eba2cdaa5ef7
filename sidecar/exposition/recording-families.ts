// From the recording of batches to the families that describe it.
import type { BatchRecording } from '../ingest/batch-recording';
import type { MetricFamily } from './metric-family';
import { single } from './sidecar-families';

export function recordingFamilies({ recorded, lost }: BatchRecording): MetricFamily[] {
  return [
    single(
      'counter',
      'gatewatch_recorded_batches_total',
      'Batches since the start that were recorded for replays',
      recorded,
    ),
    single(
      'counter',
      'gatewatch_recording_lost_batches_total',
      'Batches since the start that were to be recorded and could not be; they are counted all the same',
      lost,
    ),
  ];
}
